"""Row 5: taking in 100,000 events of another store: decode, verify, log, fold, index, on disk.

One event in twenty is an edit of an earlier observation. Chunks are exported once and read into
memory before the clock starts; each is ingested in a transaction of its own at FULL, and at the end
both digests must be equal. The floor decodes the same chunks and does nothing with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bench.measure import Contender, NotMeasuredError, in_turn
from bench.outcome import Check, Outcome, Workload, named, ratio_check
from bench.runner import main
from bench.workloads.save_many import append_by_eventsourcing
from bench.workloads.save_one import per_second
from bench.workspace import work

if TYPE_CHECKING:
    from pathlib import Path

    from bench.workspace import Workspace

SIZE = 100_000
EDITS_OF_20 = 1
BATCH = 500  # what the peers are given at once: about as many events as a chunk of kioku's holds
RATE_MIN = 50_000
FLOOR = "decode alone"
KIOKU = "kioku ingest_chunk"


@dataclass(frozen=True, slots=True)
class Source:
    """An exported store: its chunks in a file, and what a store that has them all must say."""

    file: Path
    chunks: int
    digest: str
    events: int


def _source(workspace: Workspace, events: int) -> Source:
    folder = workspace.folder("source")
    edits = events * EDITS_OF_20 // 20
    work("kioku", "build", folder, count=events - edits, edits=edits)
    answer = work("kioku", "export", folder, file="chunks.cbor")
    return Source(folder / "chunks.cbor", answer["chunks"], answer["digest"], events)


def _ingest(workspace: Workspace, source: Source) -> float:
    answer = work("kioku", "ingest", workspace.folder("kioku"), file=str(source.file))
    if answer["digest"] != source.digest:
        raise NotMeasuredError("the digests of source and target differ")
    return per_second(source.events, answer)


def _decode(workspace: Workspace, source: Source) -> float:
    answer = work("floor", "decode", workspace.folder("floor"), file=str(source.file))
    return per_second(source.events, answer)


def _import(workspace: Workspace, library: str, count: int) -> float:
    folder = workspace.folder(library)
    return per_second(count, work("crdt", library, folder, peer=library, count=count, batch=BATCH))


def measure(workspace: Workspace) -> Outcome:
    """Measure an ingest, all contenders in turn."""
    source = _source(workspace, workspace.size(SIZE))
    series = in_turn(
        [
            Contender(FLOOR, "/s", partial(_decode, workspace, source)),
            Contender(KIOKU, "/s", partial(_ingest, workspace, source), FLOOR),
            Contender(
                "eventsourcing, append",
                "/s",
                partial(append_by_eventsourcing, workspace, source.events, BATCH),
                FLOOR,
                note="on disk; no verification, merge or index",
                is_peer=True,
            ),
            *(
                Contender(
                    f"{library}, import",
                    "/s",
                    partial(_import, workspace, library, source.events),
                    FLOOR,
                    note="in memory; no verification, disk or index",
                    is_peer=True,
                )
                for library in ("loro", "pycrdt")
            ),
        ],
        rounds=workspace.rounds,
    )
    kioku = named(series, KIOKU)
    rate = [Check(f"{KIOKU}, /s", kioku.median, RATE_MIN, True)] if kioku else []
    # The budget was set where decoding alone did 700,000/s: the quotient holds on any machine.
    share = ratio_check(series, (KIOKU, FLOOR), RATE_MIN / 700_000, is_minimum=True)
    return Outcome(
        durability="FULL, a transaction a chunk",
        sizes={"events": source.events, "chunks": source.chunks, "events an update": BATCH},
        series=series,
        checks=[*rate, *share],
    )


WORKLOAD = Workload(
    row=5,
    name="ingest",
    title="ingest of another store's events",
    budget="at least 50,000 events a second",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
