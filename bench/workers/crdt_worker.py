"""loro and pycrdt: importing another replica's updates into a map of observations.

Both are documents in memory: nothing is signed, verified, written to disk or indexed for search, so
their rates are not kioku's goal; they say what a merge alone costs. Imported by name: they live
with the peers.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bench.corpus import items
from bench.workers.protocol import Answer, serve, timed

if TYPE_CHECKING:
    from collections.abc import Iterator


def _batches(count: int, batch: int) -> Iterator[dict[str, str]]:
    entries = (
        (UUID(int=n + 1).hex, json.dumps(each, ensure_ascii=False))
        for n, each in enumerate(items(0, count))
    )
    for start in range(0, count, batch):
        yield dict(next(entries) for _ in range(min(batch, count - start)))


def loro(*, count: int, batch: int) -> Answer:
    """Import updates of ``batch`` entries each into an empty document."""
    library = import_module("loro")
    author, updates = library.LoroDoc(), []
    for entries in _batches(count, batch):
        seen = author.oplog_vv
        for key, value in entries.items():
            author.get_map("observations").insert(key, value)
        author.commit()
        updates.append(author.export(library.ExportMode.Updates(seen)))
    reader = library.LoroDoc()

    def take_in() -> None:
        for update in updates:
            reader.import_(update)

    seconds = timed(take_in)
    return {"seconds": seconds, "observations": len(reader.get_map("observations").get_value())}


def pycrdt(*, count: int, batch: int) -> Answer:
    """Apply updates of ``batch`` entries each to an empty document."""
    library = import_module("pycrdt")
    author, updates = library.Doc(), []
    held: Any = author.get("observations", type=library.Map)
    subscription = author.observe(lambda event: updates.append(event.update))
    for entries in _batches(count, batch):
        with author.transaction():
            held.update(entries)
    author.unobserve(subscription)
    reader = library.Doc()
    taken: Any = reader.get("observations", type=library.Map)

    def take_in() -> None:
        for update in updates:
            reader.apply_update(update)

    return {"seconds": timed(take_in), "observations": len(taken)}


if __name__ == "__main__":
    serve({"loro": loro, "pycrdt": pycrdt})
