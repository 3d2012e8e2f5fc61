"""What stood for a key at a moment: the law asked of the events that are stamped up to then.

The moment is a stamp, ``last``, and what was erased since stays erased (``lww_set.State.as_of``).
A key whose winner is no greater than ``last`` had that winner then as now. So only the others are
looked at, and what this costs grows with what has changed since, not with the store.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, Final

import apsw

from kioku.crdt.standing import WINS, Shown, shown_of
from kioku.log.event import slot_of
from kioku.log.store import ENTRY_COLUMNS, ENTRY_JOINS, Entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BATCH: Final = 5_000

# Winners that are greater and that nothing shows: tombstones, and saves whose body is missing.
# Below the moment, what still waits for the clock: it counts then, and not now.
_CHANGED: Final = """
    SELECT key FROM event INDEXED BY event_tombstone WHERE kind = 2 AND hlc > :last
    UNION SELECT e.key FROM missing m CROSS JOIN event e ON e.event = m.event WHERE e.hlc > :last
    UNION SELECT e.key FROM held h CROSS JOIN event e ON e.event = h.event WHERE h.hlc <= :last"""
_VERSIONS: Final = f"""
    SELECT {ENTRY_COLUMNS.replace("e.body", "NULL")} FROM carray(:slots) k
    CROSS JOIN version v ON v.slot = k.value CROSS JOIN event e ON e.event = v.event {ENTRY_JOINS}
    WHERE e.hlc <= :last AND e.kind IN (1, 2)
    AND NOT EXISTS (SELECT 1 FROM purged p WHERE p.key = e.key)
    AND NOT EXISTS (SELECT 1 FROM retracted r
        WHERE r.log_id = l.log_id AND r.seq = e.seq AND r.hash = e.hash)"""
_BODIES: Final = """
    SELECT k.value, e.body FROM carray(?) k CROSS JOIN event e ON e.event = k.value"""


def changed_keys(connection: apsw.Connection, last: int) -> set[bytes]:
    """Give the keys of which something else may have stood at ``last``, but for what is shown now.

    A view knows of the rest: whatever it shows that is greater than ``last``.
    """
    return {row[0] for row in connection.execute(_CHANGED, {"last": last})}


def winners(connection: apsw.Connection, keys: Iterable[bytes], last: int) -> dict[bytes, Entry]:
    """Give the greatest save or tombstone up to ``last`` of each key that had one, with its body.

    Cost: about 5 µs a version of these keys.
    """
    best: dict[bytes, Entry] = {}
    for slots in _batches([slot_of(key) for key in keys]):
        rows: Any = connection.execute(_VERSIONS, {"slots": apsw.carray(slots), "last": last})
        for entry in map(Entry._make, rows):
            other = best.get(entry.key)
            if other is None or other.order < entry.order:
                best[entry.key] = entry
    bodies: dict[int, bytes | None] = {}
    for events in _batches([entry.event_id for entry in best.values()]):
        found: Any = connection.execute(_BODIES, (apsw.carray(array("q", events)),))
        bodies.update(found)
    return {key: entry._replace(body=bodies[entry.event_id]) for key, entry in best.items()}


def shown(connection: apsw.Connection, keys: Iterable[bytes], last: int) -> dict[bytes, Shown]:
    """Give what a reader saw at ``last`` of each key of which there was something to see."""
    found = winners(connection, keys, last)
    seen = ((key, shown_of((entry, WINS))) for key, entry in found.items())
    return {key: one for key, one in seen if one is not None}


def _batches(values: list[Any]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(values), _BATCH):
        yield tuple(values[start : start + _BATCH])
