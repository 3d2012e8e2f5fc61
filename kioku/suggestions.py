"""What a store knows that a person may be typing: names that begin so, ids and what they are about.

For completion, so all is bounded, whatever the store holds: names come by steps through an index,
or from the newest rows. Nothing is checked against the log and nothing is exact: an old name may be
left out, and what is offered is only offered. It stands outside of the view, whose import costs as
much as all the rest of an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    import apsw

NAMES_MAX: Final = 200
"""Of one kind: more than a person looks through; another letter narrows."""
IDS_MAX: Final = 50
ROWS_MAX: Final = 50_000
"""Newest rows that are looked at for a column without an index, about 12 ms."""
TAGGED_MAX: Final = 5_000
"""Newest rows whose tags are taken apart."""
RECENT_EVENTS: Final = 5_000
"""Newest events among which deleted observations are looked for."""
TAG_SEPARATOR: Final = "\x1f"  # as the view writes tags; a test holds the two equal
_EXCERPT_CHARACTERS: Final = 60
_PAST_ALL: Final = "\U0010ffff"

_STEPS = """WITH RECURSIVE step(name) AS (
    SELECT min({column}) FROM record WHERE {column} >= :low AND {column} < :high
    UNION ALL
    SELECT (SELECT min({column}) FROM record WHERE {column} > step.name AND {column} < :high)
    FROM step WHERE step.name IS NOT NULL LIMIT :most)
    SELECT name FROM step WHERE name IS NOT NULL"""
_NEWEST = """SELECT DISTINCT {column} FROM
    (SELECT {column} FROM record ORDER BY event DESC LIMIT :rows)
    WHERE {column} >= :low AND {column} < :high ORDER BY 1 LIMIT :most"""
_TAGS = """SELECT tags FROM record WHERE instr(tags, ?) ORDER BY event DESC LIMIT ?"""
_IDS = """SELECT event, key FROM record WHERE key BETWEEN ? AND ? ORDER BY hlc DESC LIMIT ?"""
_HAS_MET = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'peer'"
_PEERS = """SELECT coalesce(nullif(l.name, ''), p.machine),
    p.role || ', log ' || lower(hex(p.log_id)) FROM peer p
    LEFT JOIN log l ON l.log_id = p.log_id ORDER BY 1 LIMIT ?"""
_BODY = "SELECT body FROM event WHERE event = ?"
_TOMBSTONES = """SELECT event, key FROM event
    WHERE event > (SELECT max(event) FROM event) - ? AND kind = 2 ORDER BY event DESC"""
_WINNER = "SELECT event FROM version WHERE slot = ? AND wins = 1"

# Columns with an index that begins with them.
_INDEXED: Final = ("project", "session_id")
COLUMNS: Final = (*_INDEXED, "agent_family", "client_id", "host")


def names(connection: apsw.Connection, column: str, prefix: str) -> list[str]:
    """Give up to 200 values of one of ``COLUMNS`` that begin with ``prefix``, ascending."""
    assert column in COLUMNS
    sql = (_STEPS if column in _INDEXED else _NEWEST).format(column=column)
    bounds = {"low": prefix, "high": prefix + _PAST_ALL, "most": NAMES_MAX, "rows": ROWS_MAX}
    rows: Any = connection.execute(sql, bounds)
    return [name for (name,) in rows if name]


def tags(connection: apsw.Connection, prefix: str) -> list[str]:
    """Give up to 200 tags that begin with ``prefix``, ascending, of what has them newest."""
    found: set[str] = set()
    rows: Any = connection.execute(_TAGS, (TAG_SEPARATOR + prefix, TAGGED_MAX))
    for (joined,) in rows:
        found.update(tag for tag in joined.split(TAG_SEPARATOR) if tag.startswith(prefix))
    return sorted(found - {""})[:NAMES_MAX]


def ids(connection: apsw.Connection, prefix: str) -> Iterator[tuple[str, str]]:
    """Give up to 50 ids that begin so, the newest first, each with what it is about."""
    low, high = (bytes.fromhex(prefix.ljust(32, fill)) for fill in "0f")
    rows: Any = connection.execute(_IDS, (low, high, IDS_MAX)).fetchall()
    for event, key in rows:
        yield key.hex(), _about(connection.execute(_BODY, (event,)).get)


def peers(connection: apsw.Connection) -> list[tuple[str, str]]:
    """Give the names of the machines that were met, each with what it is."""
    if not connection.execute(_HAS_MET).get:
        return []
    rows: Any = connection.execute(_PEERS, (NAMES_MAX,))
    return list(rows)


def deleted_ids(connection: apsw.Connection, prefix: str) -> Iterator[tuple[str, str]]:
    """Give ids that begin so and were deleted lately, the last first."""
    from kioku.log.event import slot_of

    rows: Any = connection.execute(_TOMBSTONES, (RECENT_EVENTS,)).fetchall()
    count = 0
    for event, key in rows:
        if count == IDS_MAX:
            return
        is_deleted = connection.execute(_WINNER, (slot_of(key),)).get == event
        if is_deleted and key.hex().startswith(prefix):
            count += 1
            yield key.hex(), "deleted"


def _about(body: bytes | None) -> str:
    """The subject, else the summary, else the beginning of the content."""
    from kioku.observation import UnreadableBodyError, read_fields

    try:
        fields = read_fields(body) if body is not None else {}
    except UnreadableBodyError:
        return ""
    text = fields.get(6) or fields.get(7) or fields.get(1, "")
    return str(text)[:_EXCERPT_CHARACTERS]
