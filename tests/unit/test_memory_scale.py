"""What a memory owes a store that has grown: failures 6 and 13, without a clock."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import apsw

import kioku

if TYPE_CHECKING:
    from pathlib import Path

    from kioku import Memory

OFFLINE_SAVES = 1_200
ROWS_FEW, ROWS_MANY = 500, 20_000
SAVES_LOOKED_AT = 31
GROWTH_MAX = 2.0
"""Of the pages that a save touches, over forty times the rows: a b-tree grows by a level."""


def test_failure_6_more_than_a_thousand_saves_that_nobody_heard_of_are_all_kept(
    tmp_path: Path,
) -> None:
    with kioku.open(tmp_path / "away.db", durability="normal") as away:
        saved = [away.save(f"offline note{n}").id for n in range(OFFLINE_SAVES)]
        assert {one.id for one in away.list(limit=10_000)} == set(saved)
        assert [hit.observation.id for hit in away.search("note0")] == saved[:1]
        with kioku.open(":memory:") as other:
            for chunk in away.export_chunks():
                other.ingest_chunk(chunk)
            assert {one.id for one in other.list(limit=10_000)} == set(saved)
            assert [hit.observation.id for hit in other.search("note0")] == saved[:1]


def pages_touched_by_a_save(memory: Memory) -> float:
    """The median over some saves, for now and then one of them merges the index."""
    connection = memory.replica._database.connection
    counts = []
    for number in range(SAVES_LOOKED_AT):
        before = connection.status(apsw.SQLITE_DBSTATUS_CACHE_HIT)[0]
        memory.save(f"one more, number {number}")
        counts.append(connection.status(apsw.SQLITE_DBSTATUS_CACHE_HIT)[0] - before)
    return statistics.median(counts)


def test_failure_13_a_save_touches_as_few_pages_in_a_large_store_as_in_a_small(
    tmp_path: Path,
) -> None:
    with kioku.open(tmp_path / "space.db", durability="normal") as memory:
        memory.save_many([{"content": f"words about row {n}"} for n in range(ROWS_FEW)])
        few = pages_touched_by_a_save(memory)
        memory.save_many([{"content": f"words about row {n}"} for n in range(ROWS_MANY)])
        many = pages_touched_by_a_save(memory)
    assert few > 0
    assert many < GROWTH_MAX * few
