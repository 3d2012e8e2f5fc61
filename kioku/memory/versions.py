"""How many last words there are on a key: one, unless an edit may have lost without a word.

Every log has a last word, its greatest version. A log's own versions follow one another; only
between two logs can one have been written without knowledge of the other. But nothing is lost
where nothing was said:

    a rename          the same but for the project, in the millisecond after what it renames: it is
                      nobody's word, so that it neither adds one nor takes one away
    the same body     next in the order: an undelete, or one import on two machines

What says the same is one word, and it counts as long as none of those who said it have gone on to
say something else, or if it wins (docs/adr/0065).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.log.event import slot_of
from kioku.log.hlc import COUNTER_BITS, STAMP_LIMIT, unix_ms
from kioku.observation import UnreadableBodyError, read_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    import apsw

RENAMED_AFTER: Final = 1 << COUNTER_BITS
"""How far a rename's edit is stamped after what it edits: one millisecond."""

LAST: Final = STAMP_LIMIT - 1
"""The greatest stamp that there can be."""

_PROJECT: Final = 2  # its key in a body
_FROM: Final = """
    FROM version v JOIN event e ON e.event = v.event JOIN branch b ON b.branch = e.branch
    WHERE v.slot = ? AND e.kind = 1 AND e.body IS NOT NULL AND e.hlc <= ?"""
WRITERS: Final = f"SELECT count(DISTINCT b.log) {_FROM}"
"""How many logs wrote a key: by its slot, and the last stamp that counts."""
_VERSIONS: Final = f"""
    SELECT b.log, e.hlc, e.event, length(e.body) {_FROM}
    ORDER BY e.hlc, (SELECT log_id FROM log l WHERE l.log = b.log), e.seq, e.hash"""
_BODY: Final = "SELECT body FROM event WHERE event = ?"


class _Version(NamedTuple):
    """One whose body is here."""

    log: int
    hlc: int
    event_id: int
    size: int


def count_last_words(connection: apsw.Connection, key: bytes, last: int = LAST) -> int:
    """Count the last words on a key, of what is stamped up to ``last``.

    Cost: one look-up, 5 µs; where several logs wrote it, about 5 µs a version.
    """
    place = (slot_of(key), last)
    writers: int = connection.execute(WRITERS, place).get
    return writers if writers < 2 else _count_of_several(connection, place)


def _count_of_several(connection: apsw.Connection, place: tuple[bytes, int]) -> int:
    rows: Any = connection.execute(_VERSIONS, place)
    versions = [_Version._make(row) for row in rows]
    renamed = _find_renamed(connection, versions)
    words: list[int] = []
    said_by: dict[int, set[int]] = {}
    last_words: dict[int, int] = {}
    for at, one in enumerate(versions):
        if at in renamed:
            words.append(words[renamed[at]])
            continue
        says_again = at > 0 and _has_same_body(connection, versions[at - 1], one)
        words.append(words[at - 1] if says_again else at)
        said_by.setdefault(words[at], set()).add(one.log)
        last_words[one.log] = words[at]
    standing = {w for w in said_by if all(last_words[log] == w for log in said_by[w])}
    return len(standing | {words[-1]})


def _find_renamed(connection: apsw.Connection, versions: Sequence[_Version]) -> dict[int, int]:
    """Give what each version that a rename wrote has renamed, by their places.

    Of several in one millisecond only the greatest is asked, so that nobody can make this long.
    """
    found: dict[int, int] = {}
    places: dict[int, int] = {}
    for at, one in enumerate(versions):
        before = places.get(unix_ms(one.hlc - RENAMED_AFTER))
        if before is not None and _has_same_fields(connection, versions[before], one):
            found[at] = before
        places[unix_ms(one.hlc)] = at
    return found


def _has_same_body(connection: apsw.Connection, one: _Version, other: _Version) -> bool:
    if one.size != other.size:
        return False
    body, other_body = _bodies(connection, one, other)
    return body == other_body


def _has_same_fields(connection: apsw.Connection, one: _Version, other: _Version) -> bool:
    """Whether nothing but the project differs."""
    try:
        fields, other_fields = (
            {**read_fields(body), _PROJECT: ""} for body in _bodies(connection, one, other)
        )
    except UnreadableBodyError:
        return False
    return fields == other_fields


def _bodies(connection: apsw.Connection, *versions: _Version) -> list[bytes]:
    return [connection.execute(_BODY, (one.event_id,)).get for one in versions]
