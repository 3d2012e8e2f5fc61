"""Which observations say what a text says, and which say nearly that.

No table is kept for it, since every save would pay: the word index finds those that have the text's
longest words, and the few that do are read. Only what counts now is found: neither what has expired
or is held, nor what another one supersedes.

The same text is told by its bytes. A body is canonical and begins with the content, so that one
comparison in SQLite decides it (``content_start``). A near text is told by the share of its words,
stemmed as the index stems them, that both have.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import apsw

from kioku.observation import reread_fields
from kioku.observation.layout import content_start
from kioku.view.stop_words import STOP_WORDS
from kioku.view.text import CJK_RUN, FIRST_CJK, set_apart, usual_form
from kioku.view.visible import NOT_EXPIRED, NOT_SUPERSEDED

if TYPE_CHECKING:
    from collections.abc import Sequence

CHARACTERS_MAX: Final = 4_096  # of a text: what lies behind them tells it from few others
WORD_CHARACTERS_MAX: Final = 64  # a longer one is a hash or an encoded blob
SAME_WORDS: Final = 8  # all at once: more cost as much as the candidates that they spare
NEAR_WORDS: Final = 8  # one by one
RARE_MAX: Final = 64  # observations that have a word, for it to tell anything alone
CANDIDATES_MAX: Final = 8  # bodies that are read

SIMILARITY_MIN: Final = 0.6  # of three words two are the same; of fifty, thirty
SIMILARITY_MIN_OF_SUBJECT: Final = 0.3  # where both say that they are about the same
SHARED_WORDS_MIN: Final = 2

# As the index of words (``schema``) has them.
_TOKENIZER: Final = ("porter", ["unicode61", "remove_diacritics", "2"])

_LIVE: Final = f"NOT r.held AND {NOT_EXPIRED.format('r')} AND {NOT_SUPERSEDED}"
_HAS_CONTENT: Final = """
    substr(e.body, iif(substr(e.body, 1, 1) = x'b8', 3, 2), length(:start)) = :start"""


def find_same(
    connection: apsw.Connection, content: str, *, projects: Sequence[str], now_ms: int
) -> list[int]:
    """Give the events that have exactly this content in one of the projects, the newest first.

    Cost: at 100,000 observations 0.5 ms, up to 2; a content without any word is compared with all
    of its projects' bodies.
    """
    words = [*_words(connection, content).values()]
    longest = sorted(words, key=len, reverse=True)[:SAME_WORDS]
    wanted, bindings = _scope(projects, now_ms)
    bindings["start"] = content_start(content)
    source = "record r"
    if longest:
        source = "record_text CROSS JOIN record r ON r.event = record_text.rowid"
        wanted = f"record_text MATCH :words AND {wanted}"
        bindings["words"] = _all_of(longest)
    rows = connection.execute(
        f"""SELECT r.event FROM {source} CROSS JOIN event e ON e.event = r.event
        WHERE {wanted} AND {_HAS_CONTENT} ORDER BY r.hlc DESC, e.hash DESC""",
        bindings,
    )
    return [event for (event,) in rows]


def find_near(
    connection: apsw.Connection,
    content: str,
    *,
    subject: str,
    projects: Sequence[str],
    now_ms: int,
    limit: int,
) -> list[tuple[int, float]]:
    """Give the events of the projects that say clearly nearly the same, the nearest first.

    Each with its similarity, from 0 to 1, where all words are shared. They are looked for among
    those that share a rare word, or some that are not rare; of many, the newest.

    Cost: at 100,000 observations 3 ms, up to 8.
    """
    words = _telling(connection, content)
    about = {**words, **_telling(connection, subject)}
    wanted, bindings = _scope(projects, now_ms)
    found: list[tuple[float, int, bytes, int]] = []
    events = _candidates(connection, sorted(about.values(), key=len, reverse=True))
    rows: Any = connection.execute(
        f"""SELECT r.event, r.hlc, e.hash, e.body FROM record r NOT INDEXED
        CROSS JOIN event e ON e.event = r.event
        WHERE r.event IN ({",".join(map(str, events)) or "NULL"}) AND {wanted}""",
        bindings,
    ).fetchall()
    for event, stamp, digest, body in rows:
        fields = reread_fields(body)
        is_about_same = bool(subject) and fields.get(6, "").casefold() == subject.casefold()
        similarity = _similarity(words.keys(), _telling(connection, fields[1]).keys())
        if similarity >= (SIMILARITY_MIN_OF_SUBJECT if is_about_same else SIMILARITY_MIN):
            found.append((similarity, stamp, digest, event))
    found.sort(reverse=True)
    return [(event, round(similarity, 3)) for similarity, _, _, event in found[:limit]]


def _similarity(ours: Any, theirs: Any) -> float:
    """Dice's coefficient of two sets of words; 0 if they share too few to tell."""
    shared = len(ours & theirs)
    return 2 * shared / (len(ours) + len(theirs)) if shared >= SHARED_WORDS_MIN else 0.0


def _candidates(connection: apsw.Connection, words: list[str]) -> list[int]:
    """Events that share most with ``words`` (the longest first), as far as a few looks tell."""
    shares: Counter[int] = Counter()
    common: list[str] = []
    for word in words[:NEAR_WORDS]:
        rows = _newest(connection, word, RARE_MAX + 1)
        if len(rows) > RARE_MAX:
            common.append(word)
        else:
            shares.update(rows)
    if common and len(common) >= len(words[:NEAR_WORDS]) // 2:  # the rare ones may have changed
        for some in _groups(common):
            shares.update(_newest(connection, _all_of(some), RARE_MAX))
    ordered = sorted(shares, key=lambda event: (shares[event], event), reverse=True)
    return ordered[:CANDIDATES_MAX]


def _groups(words: list[str]) -> set[tuple[str, ...]]:
    """Few together tell what each does not; several ways, since any one word may have changed."""
    some = (words[:4], words[4:8], words[::2])
    return {tuple(group) for group in some if len(group) >= SHARED_WORDS_MIN}


def _newest(connection: apsw.Connection, match: str, limit: int) -> list[int]:
    rows = connection.execute(
        """SELECT rowid FROM record_text WHERE record_text MATCH ?
        ORDER BY rowid DESC LIMIT ?""",
        (match, limit),
    )
    return [event for (event,) in rows]


def _words(connection: apsw.Connection, text: str) -> dict[str, str]:
    """The words of a text as the index has them, each with one way in which the text writes it."""
    start = text[:CHARACTERS_MAX]
    data = (start if start.isascii() else set_apart(start)).encode()
    tokenizer = connection.fts5_tokenizer(*_TOKENIZER)
    tokens: Any = tokenizer(data, apsw.FTS5_TOKENIZE_QUERY, None)
    if len(text) > CHARACTERS_MAX:
        tokens = tokens[:-1]  # it may have been cut
    return {
        word: data[first:end].decode()
        for first, end, word in tokens
        if end - first <= WORD_CHARACTERS_MAX
    }


def _telling(connection: apsw.Connection, text: str) -> dict[str, str]:
    """The words of a text that are not in every other; of CJK runs their pairs of characters."""
    told = {
        word: written
        for word, written in _words(connection, text).items()
        if word < FIRST_CJK and written.lower() not in STOP_WORDS
    }
    for run in () if text.isascii() else re.findall(CJK_RUN, usual_form(text[:CHARACTERS_MAX])):
        told.update((f"{one}{other}", f"{one} {other}") for one, other in pairwise(run))
    return told


def _all_of(words: Sequence[str]) -> str:
    return " AND ".join(f'"{word}"' for word in words)


def _scope(projects: Sequence[str], now_ms: int) -> tuple[str, dict[str, Any]]:
    names = {f"project{number}": name for number, name in enumerate(projects)}
    listed = ", ".join(f":{name}" for name in names)
    return f"r.project IN ({listed}) AND {_LIVE}", {**names, "now": now_ms}
