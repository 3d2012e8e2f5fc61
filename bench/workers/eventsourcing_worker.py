"""The ``eventsourcing`` library: its SQLite recorder, appending stored events.

It keeps events and nothing else: no clock, no chain, no merge, no index. As it ships it runs WAL at
``synchronous=FULL``, which is what kioku does. Imported by name: it lives with the peers.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bench.corpus import item, items
from bench.workers.protocol import Answer, serve, timed

if TYPE_CHECKING:
    from collections.abc import Callable


def _recorder() -> tuple[Any, Callable[[int, dict[str, Any]], Any]]:
    sqlite = import_module("eventsourcing.sqlite")
    stored_event = import_module("eventsourcing.persistence").StoredEvent
    recorder = sqlite.SQLiteApplicationRecorder(sqlite.SQLiteDatastore("events.db"))
    recorder.create_table()

    def make(number: int, fields: dict[str, Any]) -> Any:
        state = json.dumps(fields, ensure_ascii=False).encode()
        return stored_event(UUID(int=number + 1), 1, "bench:Saved", state)

    return recorder, make


def save_one(*, count: int) -> Answer:
    """Append one event a transaction."""
    recorder, make = _recorder()
    recorder.insert_events([make(0, dict(item(0)))])
    events = [make(n, dict(each)) for n, each in enumerate(items(1, count), 1)]

    def save() -> None:
        for event in events:
            recorder.insert_events([event])

    return {"seconds": timed(save)}


def save_many(*, count: int, batch: int) -> Answer:
    """Append ``batch`` events a transaction."""
    recorder, make = _recorder()
    recorder.insert_events([make(0, dict(item(0)))])
    events = [make(n, dict(each)) for n, each in enumerate(items(1, count), 1)]

    def save() -> None:
        for start in range(0, count, batch):
            recorder.insert_events(events[start : start + batch])

    return {"seconds": timed(save)}


if __name__ == "__main__":
    serve({"save_one": save_one, "save_many": save_many})
