"""What a user typed, as an expression for FTS5 and as literal needles; any string is a valid query.

``"a phrase"``, ``-word``, ``-"a phrase"`` and ``prefix*`` mean what users expect; everything else
is words. Nothing of FTS5's own syntax can leak: every word goes in as a quoted string. A string
without any word (``%``, an emoji) is only a needle, and finds what holds it literally.

A query that ends within a word may still be being typed: ``completed`` gives it with that word also
as the beginning of another, for the search to use where few observations have the word itself.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from kioku.view.stop_words import STOP_WORDS
from kioku.view.text import CJK, identifier_parts, is_cjk, lower_ascii, set_apart, usual_form

QUERY_CHARACTERS_MAX = 4_096  # a page of text: what lies behind it would not change what is found
TERMS_MAX = 64  # words that count; FTS5 reads the list of each, so that the cost grows with them
NEEDLES_MAX = 4  # literal strings; each is one more scan of every body

_TOKEN = re.compile(r'(?P<minus>-?)(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')
_ASCII_PIECE = re.compile(r"[^\s,;|(){}\[\]<>=!?&]+")
_POSSESSIVE = re.compile("['\u2019]s?$")
# These are compiled, and kept by ``re``, when a query first needs them: most never do, and their
# classes take milliseconds of the start of a command.
_UNSPEAKABLE = "[\x00-\x1f\x7f-\x9f\ud800-\udfff]"
_PIECE = f"[{CJK}]+|[^{CJK}\\s,;|(){{}}\\[\\]<>=!?&\u3000-\u3002\u300a-\u3011]+"
# Within a CJK run the Katakana words and the rest; Hiragana between them are mostly particles.
_SCRIPT_RUN = "[\u30a1-\u30ff\u31f0-\u31ff]{2,}|[^\u3041-\u309f\u30a1-\u30ff\u31f0-\u31ff]{2,}"
_ALPHANUMERIC = re.compile("[A-Za-z0-9]+")
_EDGES = "?!.,;:'()[]{}"

BEGINNING_SHARE = 0.5  # what a word counts that only begins as the one being typed does
BEGINNING_CHARACTERS_MIN = 3  # shorter ones begin too many words to say anything


class Phrase(NamedTuple):
    """One way in which a term may be written: words in a row, the last perhaps only begun."""

    text: str
    is_prefix: bool = False
    share: float = 1.0
    """How much its occurrences count."""

    @property
    def expression(self) -> str:
        """What FTS5 is asked for."""
        escaped = self.text.replace('"', '""')
        return f'"{escaped}"*' if self.is_prefix else f'"{escaped}"'


class Term(NamedTuple):
    """One thing that is looked for; any of its phrases will do."""

    phrases: tuple[Phrase, ...]

    @property
    def expression(self) -> str:
        """What FTS5 is asked for, safe to join with others."""
        joined = " OR ".join(phrase.expression for phrase in self.phrases)
        return f"({joined})" if len(self.phrases) > 1 else joined

    @property
    def label(self) -> str:
        """The term as people write it."""
        text, is_prefix, _ = self.phrases[0]
        return f"{_together(text)}{'*' if is_prefix else ''}"


class Query(NamedTuple):
    """A parsed query."""

    any_terms: tuple[Term, ...]
    all_terms: tuple[Term, ...]
    excluded: tuple[Term, ...]
    needles: tuple[str, ...]
    """Literal strings, lower-case in ASCII alone, the most telling first."""
    unfinished: Term | None = None
    """The last word, if the query ends within it."""

    def completed(self) -> Query:
        """The query with its last word also as the beginning of others."""
        term = self.unfinished
        if term is None:
            return self
        beginnings = (
            Phrase(phrase.text, is_prefix=True, share=BEGINNING_SHARE) for phrase in term.phrases
        )
        longer = Term((*term.phrases, *beginnings))
        return self._replace(
            any_terms=tuple(longer if each == term else each for each in self.any_terms),
            all_terms=tuple(longer if each == term else each for each in self.all_terms),
            unfinished=None,
        )

    @property
    def is_single(self) -> bool:
        """Whether matching any term is matching all."""
        return self.any_terms == self.all_terms and len(self.all_terms) == 1

    def match_any(self) -> str:
        """The expression for rows with any of the terms and nothing excluded."""
        return self._match(" OR ".join(term.expression for term in self.any_terms))

    def match_all(self) -> str:
        """The expression for rows with all of the terms and nothing excluded."""
        return self._match(" AND ".join(term.expression for term in self.all_terms))

    def match_excluded(self) -> str:
        """The expression for rows that must not be found; empty if there are none."""
        return " OR ".join(term.expression for term in self.excluded)

    def _match(self, wanted: str) -> str:
        return f"({wanted}) NOT ({self.match_excluded()})" if self.excluded else wanted


def parse(text: str) -> Query:
    """Read any string as a query."""
    text = text[:QUERY_CHARACTERS_MAX]
    if not text.isprintable():
        text = re.sub(_UNSPEAKABLE, " ", text)
    draft = _Draft()
    for token in _TOKEN.finditer(text):
        draft.add(token)
    return draft.finish(text)


class _Draft:
    """The terms of a query while its tokens are read."""

    def __init__(self) -> None:
        self.any_terms: dict[Term, None] = {}  # ordered, without repetitions
        self.all_terms: dict[Term, None] = {}
        self.excluded: dict[Term, None] = {}
        self.stopped: dict[Term, None] = {}
        self.needles: dict[str, None] = {}
        self.last: Term | None = None

    def add(self, token: re.Match[str]) -> None:
        phrase, word = token["phrase"], token["word"]
        self.last = None
        if token["minus"] and self._exclude(phrase if word is None else word):
            return
        if word is None:
            self._add_phrase(phrase)
        else:
            self._add_word(f"{token['minus']}{word}")

    def finish(self, text: str) -> Query:
        any_terms = self.any_terms or self.stopped
        all_terms = self.all_terms or self.stopped
        needles = [needle for needle in self.needles if not _is_letter(needle)]
        if not (any_terms or needles or self.excluded) and text.strip():
            needles = [lower_ascii(text.strip())]
        return Query(
            tuple(any_terms)[:TERMS_MAX],
            tuple(all_terms)[:TERMS_MAX],
            tuple(self.excluded)[:TERMS_MAX],
            tuple(sorted(needles, key=len, reverse=True)[:NEEDLES_MAX]),
            self.last if text[-1:].isalnum() else None,
        )

    def _exclude(self, text: str) -> bool:
        """Exclude what follows a minus; False if that is not a word (``--flag``, ``-%``)."""
        if text.startswith("-") or not _has_word(text):
            return False
        phrase = Phrase(set_apart(text.removesuffix("*")), is_prefix=text.endswith("*"))
        self.excluded[Term((phrase,))] = None
        return True

    def _add_phrase(self, phrase: str) -> None:
        words = " ".join(phrase.split())
        if not words:
            return
        self.needles[lower_ascii(words)] = None
        if _has_word(words):
            self._want(Term((Phrase(set_apart(words)),)))

    def _add_word(self, word: str) -> None:
        is_prefix = word.endswith("*") and _has_word(word)
        if is_prefix:
            word = word.rstrip("*")
        is_stopped = True
        for piece in _pieces(word):
            is_stopped &= self._add_piece(piece, is_prefix=is_prefix)
        if not is_stopped or not _has_word(word):
            self.needles[lower_ascii(word.strip(_EDGES) or word)] = None

    def _add_piece(self, piece: str, *, is_prefix: bool) -> bool:
        """Want one run of one script; True if it does not count."""
        self.last = None
        piece = _POSSESSIVE.sub("", piece)
        if not _has_word(piece):
            return True
        if is_cjk(piece[0]):
            self._add_run(piece)
            return False
        term = _word_term(piece, is_prefix=is_prefix)
        if piece.lower().strip(_EDGES) in STOP_WORDS and not is_prefix:
            self.stopped[term] = None
            return True
        self._want(term)
        if not is_prefix and len(piece) >= BEGINNING_CHARACTERS_MIN:
            self.last = term
        return False

    def _add_run(self, run: str) -> None:
        """Want a CJK run: as a whole it counts most, its words alone count too."""
        whole = _run_term(run)
        words = [_run_term(word) for word in re.findall(_SCRIPT_RUN, run)]
        self.any_terms.update(dict.fromkeys([whole, *words]))
        self.all_terms.update(dict.fromkeys(words or [whole]))

    def _want(self, term: Term) -> None:
        self.any_terms[term] = None
        self.all_terms[term] = None


def _has_word(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _is_letter(needle: str) -> bool:
    """Whether a needle would be found in nearly everything."""
    return len(needle) == 1 and needle.isascii() and needle.isalnum()


def _word_term(word: str, *, is_prefix: bool) -> Term:
    """A word as it is or, if it is an identifier, also by its parts in a row."""
    whole = Phrase(word, is_prefix)
    if not identifier_parts(word):
        return Term((whole,))
    pieces = [" ".join(identifier_parts(piece)) or piece for piece in _ALPHANUMERIC.findall(word)]
    return Term((whole, Phrase(" ".join(pieces), is_prefix)))


def _run_term(run: str) -> Term:
    return Term((Phrase(" ".join(run)),))


def _pieces(word: str) -> list[str]:
    """The runs of one script in a word that has no spaces, without what stands between words."""
    if word.isascii():
        return _ASCII_PIECE.findall(word)
    return re.findall(_PIECE, usual_form(word))


def _together(text: str) -> str:
    """A phrase of CJK characters without the spaces between them."""
    parts = text.split(" ")
    return "".join(parts) if all(len(part) == 1 and is_cjk(part) for part in parts) else text
