"""What broke in the shared memory that kioku replaces, and cannot break here."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from kioku.errors import InvalidObservationError, NotFoundError, TooLargeError
from tests.unit.memories import carry, chunks, ids

if TYPE_CHECKING:
    from kioku.memory import Memory
    from tests.unit.memories import Clock, Stores

AT_ONCE = timedelta(0)


def hide_everything(memory: Memory) -> None:
    """Do to the view what a rebuild did that nobody answered: every row is gone from it."""
    with memory._replica.transaction(now_ms=0) as transaction:
        transaction.connection.execute("DELETE FROM record")


def test_failure_3_a_rebuild_hides_no_live_row(memory: Memory) -> None:
    saved = memory.save_many([{"content": f"fact number {n}"} for n in range(2042)])
    memory.rebuild()
    assert len(ids(memory)) == 2042
    hide_everything(memory)
    assert ids(memory) == []
    memory.rebuild()
    assert ids(memory) == [observation.id for observation in reversed(saved)]


def test_failure_4_gc_without_retention_erases_no_live_row(memory: Memory, clock: Clock) -> None:
    saved = memory.save_many([{"content": f"fact number {n}"} for n in range(1605)])
    memory.save("fact number 0, again", supersedes=[saved[0].id])
    clock.advance(timedelta(days=400))
    hide_everything(memory)
    counts = memory.gc(retention=AT_ONCE, history=AT_ONCE)
    assert (counts.versions, counts.observations) == (0, 0)
    memory.rebuild()
    assert all(memory.get(observation.id) for observation in saved)
    assert len(ids(memory)) == 1605  # the first is superseded, as before


def test_failure_4_gc_erases_no_row_that_is_only_held(stores: Stores, clock: Clock) -> None:
    ahead = type(clock)(clock.ms + 10**9)
    early, here = stores.open("early", ahead), stores.open()
    saved = early.save("from a clock that runs ahead")
    carry(early, here)
    assert here.get(saved.id).is_held  # type: ignore[union-attr]
    assert here.gc(retention=AT_ONCE, history=AT_ONCE).versions == 0
    assert here.get(saved.id) is not None


def test_failure_7_a_tombstone_before_its_save_still_hides_it(stores: Stores) -> None:
    writer, deleter, reader = stores.open("writer"), stores.open("deleter"), stores.open("reader")
    saved = writer.save("to be deleted")
    carry(writer, deleter)
    deleter.delete(saved.id)
    deletion = [chunk for chunk in chunks(deleter) if chunk not in chunks(writer)]
    for chunk in deletion:
        reader.ingest_chunk(chunk)
    carry(writer, reader)
    assert reader.get(saved.id) is None
    assert ids(reader) == []
    assert reader.search("deleted") == []


def test_failure_8_a_copy_that_arrives_after_gc_stays_dead(stores: Stores, clock: Clock) -> None:
    here, there = stores.open("here"), stores.open("there")
    saved = there.save("short lived")
    carry(there, here)
    copy = chunks(there)
    here.delete(saved.id)
    clock.advance(timedelta(days=40))
    there.save("the other one is alive, so time has passed for both")
    carry(there, here)
    assert here.gc().deleted == 1
    for chunk in copy:
        here.ingest_chunk(chunk)
    carry(here, there)
    newcomer = stores.open("newcomer")
    for chunk in copy:
        newcomer.ingest_chunk(chunk)
    carry(here, newcomer)
    for memory in (here, there, newcomer):
        assert memory.get(saved.id) is None
        assert all(entry.observation is None for entry in memory.history(saved.id))


def test_failure_9_a_superseder_that_arrives_first_hides(stores: Stores) -> None:
    first, second, reader = stores.open("first"), stores.open("second"), stores.open("reader")
    old = first.save("we use MySQL")
    carry(first, second)
    new = second.save("we use Postgres", supersedes=[old.id])
    replacement = [chunk for chunk in chunks(second) if chunk not in chunks(first)]
    for chunk in replacement:
        reader.ingest_chunk(chunk)
    assert ids(reader) == [new.id]
    carry(first, reader)
    assert ids(reader) == [new.id]
    assert [hit.observation.id for hit in reader.search("use")] == [new.id]
    found = reader.list(include_superseded=True)
    assert [observation.id for observation in found] == [new.id, old.id]


def test_failure_10_the_order_of_arrival_decides_nothing(stores: Stores, clock: Clock) -> None:
    writers = [stores.open(f"writer-{n}") for n in range(3)]
    saved = writers[0].save("draft")
    carry(writers[0], *writers[1:])
    for n, writer in enumerate(writers):
        writer.edit(saved.id, content=f"edit of writer {n}")  # all within one millisecond
    everything = [chunks(writer) for writer in writers]
    found = set()
    for number, order in enumerate(permutations(everything)):
        reader = stores.open(f"reader-{number}")
        for writer_chunks in order:
            for chunk in writer_chunks:
                reader.ingest_chunk(chunk)
        observation = reader.get(saved.id)
        assert observation is not None
        found.add((observation.content, reader.digest()))
        assert sum(entry.status == "wins" for entry in reader.history(saved.id)) == 1
    assert len(found) == 1


@pytest.mark.parametrize("content", ["", " ", "\n\t\n", "\u3000"])
def test_failure_16_blank_contents_are_refused(memory: Memory, content: str) -> None:
    with pytest.raises(InvalidObservationError, match="content"):
        memory.save(content)
    assert memory.statistics().events == 0


def test_failure_16_fifty_megabytes_are_refused(memory: Memory) -> None:
    with pytest.raises(TooLargeError) as caught:
        memory.save("x" * 50_000_000)
    assert (caught.value.field, caught.value.size) == ("content", 50_000_000)
    with pytest.raises(TooLargeError):
        memory.save_many([{"content": "fine"}, {"content": "x" * 800_000}])
    assert memory.statistics().events == 0


def test_failure_19_what_is_forgotten_cannot_be_read_by_id(memory: Memory) -> None:
    saved = memory.save("the vault opens with rosebud", subject="rosebud", tags=["rosebud"])
    memory.edit(saved.id, content="the vault opens with rosebud1941")
    memory.delete(saved.id)
    assert memory.get(saved.id) is None
    assert memory.search("rosebud") == []
    memory.purge(saved.id)
    assert memory.get(saved.id) is None
    assert all(entry.observation is None for entry in memory.history(saved.id))
    with pytest.raises(NotFoundError):
        memory.undelete(saved.id)
    with pytest.raises(InvalidObservationError):
        memory.save_many([saved])


def test_failure_15_a_search_finds_what_was_asked_and_nothing_else(memory: Memory) -> None:
    """Field names and signs matched everything, quotes never matched, plurals were other words."""
    saved = {
        name: memory.save(content, project="session", tags=["content"]).id
        for name, content in {
            "plain": "nothing of it",
            "token": "the session token expired",
            "percent": "sales rose by 50% in May",
            "quote": 'she said "no more tables" to all',
            "database": "we chose a database",
        }.items()
    }

    def found(query: str, **options: Any) -> set[str]:
        return {hit.observation.id for hit in memory.search(query, **options)}

    assert found("session") == {saved["token"]}
    assert found("%") == {saved["percent"]}
    assert found("50%") == {saved["percent"]}
    assert found('"no more tables"') == {saved["quote"]}
    assert found('"more no tables"') == set()
    assert found("databases") == {saved["database"]}
    assert found("Databases", mode="and") == {saved["database"]}
    for nothing in ("observation_id", "memory_type", "note", "_", "*", "payload", "project"):
        assert found(nothing) == set(), nothing


def test_failure_18_clocks_that_differ_filter_and_erase_alike(stores: Stores, clock: Clock) -> None:
    slow, fast = clock, type(clock)(clock.ms + 50_000)
    here, there = stores.open("here", slow), stores.open("there", fast)
    for n in range(5):
        here.save(f"here {n}")
        there.save(f"there {n}")
        carry(here, there)
        carry(there, here)
        for each in (slow, fast):
            each.advance(timedelta(seconds=10))
    stamps = [one.updated_at for one in here.list()]
    for since in stamps:
        assert here.list(since=since) == there.list(since=since)
        assert here.list(until=since) == there.list(until=since)
    there.delete(there.list()[0].id)
    carry(there, here)
    fast.advance(timedelta(days=365))  # only one of the two believes that a year has passed
    assert there.gc().versions == 0
    assert here.list() == there.list()


@pytest.mark.parametrize("offset_ms", [-50_000, 50_000])
def test_failure_18_gc_answers_alike_on_machines_whose_clocks_differ(
    stores: Stores, clock: Clock, offset_ms: int
) -> None:
    """At any retention that no deletion is just about to pass, and whoever collects."""
    other = type(clock)(clock.ms + offset_ms)
    here, there = stores.open("here", clock), stores.open("there", other)
    for number in range(4):
        writer, reader = (here, there) if number % 2 else (there, here)
        writer.delete(writer.save(f"fact {number}").id)
        carry(writer, reader)
        for each in (clock, other):
            each.advance(timedelta(minutes=10))
    for writer, reader in ((here, there), (there, here)):
        writer.save("the latest of each, for gc measures by what the others last said")
        carry(writer, reader)
    found = []
    for minutes in range(5, 50, 10):
        counts = [m.gc(timedelta(minutes=minutes), dry_run=True).deleted for m in (here, there)]
        assert counts[0] == counts[1]
        found.append(counts[0])
    assert found == [4, 3, 2, 1, 0]
    assert here.gc(timedelta(minutes=25)).deleted == 2
    assert there.gc(timedelta(minutes=25)).deleted == 2
    carry(here, there)
    carry(there, here)
    assert here.list(include_deleted=True) == there.list(include_deleted=True)


@pytest.mark.parametrize("offset_ms", [-50_000, -12_000, 12_000, 50_000])
def test_failure_18_the_same_query_has_the_same_answer_whatever_the_clocks(
    stores: Stores, clock: Clock, offset_ms: int
) -> None:
    """The same ids, in the same order, with the same scores."""
    other = type(clock)(clock.ms + offset_ms)
    here, there = stores.open("here", clock), stores.open("there", other)
    for number in range(12):
        for machine in (here, there):
            machine.save(
                f"{'alpha ' * (number % 3 + 1)}beta {number}",
                session_id=f"s{number % 2}",
                project="pq"[number % 2],
                importance=number % 5 + 1,
            )
        if number % 3 == 2:
            carry(here, there)
            carry(there, here)
        for each in (clock, other):
            each.advance(timedelta(seconds=7))
    carry(here, there)
    carry(there, here)
    stamps = [one.updated_at for one in here.list()]
    assert len(stamps) == 24
    spans: list[dict[str, Any]] = [{}, {"since": stamps[9]}, {"until": stamps[9]}]
    for query in ("alpha", "alpha beta", "beta 7", "bet", "lph", "", "zeta"):
        for mode in ("or", "and", "and_or"):
            for span in spans:
                answers = [
                    [
                        (hit.observation.id, hit.score, hit.is_substring)
                        for hit in machine.search(
                            query, mode=mode, limit=30, prefer_project="p", **span
                        )
                    ]
                    for machine in (here, there)
                ]
                assert answers[0] == answers[1]


@pytest.mark.parametrize("how", ["purge", "gc"])
def test_failure_19_what_is_forgotten_is_in_no_file(stores: Stores, clock: Clock, how: str) -> None:
    memory = stores.open()
    saved = memory.save("kwyjibo is the word", subject="kwyjibo", tags=["kwyjibo"])
    memory.edit(saved.id, content="no longer the kwyjibo")
    assert memory.search("kwyjibo")
    if how == "purge":
        assert memory.purge(saved.id)
    else:
        memory.delete(saved.id)
        clock.advance(timedelta(days=31))
        assert memory.gc().deleted == 2
    assert memory.statistics().is_erased
    for file in stores.directory.iterdir():
        assert b"kwyjibo" not in file.read_bytes().lower(), file.name
