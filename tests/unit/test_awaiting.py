"""``AsyncMemory``: the same memory, awaited; the loop never waits, and cancelling is safe."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, assert_type

import pytest

import kioku
from tests.unit.gates import Gate, asynchronous, cancel, turns, working_threads

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "awaited.db")


def contents(store: str) -> list[str]:
    """What is in the store, by the synchronous memory."""
    with kioku.open(store) as memory:
        return sorted(observation.content for observation in memory.list(limit=10_000))


# --- the same memory -----------------------------------------------------------------------------


@asynchronous
async def test_what_is_awaited_is_what_a_memory_gives(store: str) -> None:
    """The types are held by mypy, which reads this test as well."""
    async with kioku.open_async(store, agent_family="claude") as memory:
        saved = assert_type(
            await memory.save("chose postgres", project="demo", tags=["db"]), kioku.Observation
        )
        [hit] = assert_type(await memory.search("postgres", limit=3), list[kioku.Hit])
        assert hit.observation.id == saved.id
        assert assert_type(await memory.get(saved.id), kioku.Observation | None) == saved
        assert [seen.id for seen in await memory.list(project="demo")] == [saved.id]
        assert (await memory.edit(saved.id, importance=5)).importance == 5
        assert len(await memory.history(saved.id)) == 2
        await memory.delete(saved.id, reason="over")
        assert await memory.get(saved.id) is None
        assert assert_type(await memory.purge(saved.id), bool)
        assert memory.session_id == saved.session_id
        assert memory.now_ms() > 0
        counts = await memory.statistics()
        assert counts.agent_family == "claude"
        report = await memory.run(kioku.check, deep=True)
        assert report.worst_status != "fail"


@asynchronous
async def test_a_memory_can_be_awaited_instead_of_entered(store: str) -> None:
    memory = await kioku.open_async(store)
    await memory.save("one")
    await memory.close()
    async with await kioku.open_async(store) as again:
        assert len(await again.list()) == 1


@asynchronous
async def test_an_opening_is_for_one_use(store: str) -> None:
    opening = kioku.open_async(store)
    async with opening:
        with pytest.raises(kioku.InvalidArgumentError, match="call it again"):
            await opening


@asynchronous
async def test_errors_are_those_of_a_memory(store: str) -> None:
    with pytest.raises(kioku.ConfigError):
        await kioku.open_async(store, durability="sometimes")
    async with kioku.open_async(store) as memory:
        with pytest.raises(kioku.InvalidObservationError):
            await memory.save("")
        with pytest.raises(kioku.NotFoundError):
            await memory.edit("0" * 31 + "1", importance=3)


# --- the loop never waits ------------------------------------------------------------------------


@asynchronous
async def test_the_loop_turns_while_a_save_waits_for_another_writer(store: str) -> None:
    gate = Gate()

    def hold_the_lock() -> None:
        with kioku.open(store) as other, other.replica.transaction(now_ms=other.now_ms()):
            gate.stand()

    async with kioku.open_async(store) as memory:
        holder = asyncio.create_task(asyncio.to_thread(hold_the_lock))
        await gate.reached.wait()
        saving = asyncio.create_task(memory.save("late"))
        await turns(5_000)
        assert not saving.done()
        gate.open()
        await asyncio.gather(holder, saving)
    assert contents(store) == ["late"]


@asynchronous
async def test_the_loop_turns_while_a_search_waits_for_its_turn(store: str) -> None:
    async with kioku.open_async(store) as memory:
        gate = Gate()
        await memory.save("findable")
        standing = asyncio.create_task(memory.run(gate.stand))
        searching = asyncio.create_task(memory.search("findable"))
        await turns(5_000)
        assert not searching.done()
        gate.open()
        await standing
        assert len(await searching) == 1


@asynchronous
async def test_the_threads_of_the_loop_are_left_to_others(store: str) -> None:
    """The loop's own executor has one thread here, and it is taken."""
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    gate = Gate()
    taken = asyncio.create_task(asyncio.to_thread(gate.stand))
    await gate.reached.wait()
    async with kioku.open_async(store) as memory:
        await memory.save("not starved")
    gate.open()
    await taken


@asynchronous
async def test_many_calls_at_once_take_one_thread(store: str) -> None:
    async with kioku.open_async(store) as memory:
        saved = await asyncio.gather(*(memory.save(f"thought {n}") for n in range(50)))
        assert len(working_threads()) == 1
    assert len({one.id for one in saved}) == len(contents(store)) == 50


# --- cancelling ----------------------------------------------------------------------------------


@asynchronous
async def test_a_call_that_is_cancelled_before_its_turn_never_runs(store: str) -> None:
    async with kioku.open_async(store) as memory:
        gate = Gate()
        standing = asyncio.create_task(memory.run(gate.stand))
        await gate.reached.wait()
        never = asyncio.create_task(memory.save("never"))
        later = asyncio.create_task(memory.save("later"))
        await turns(1)
        await cancel(never)
        gate.open()
        await asyncio.gather(standing, later)
    assert contents(store) == ["later"]


@asynchronous
async def test_a_call_that_is_cancelled_while_it_runs_ends_before_the_next(store: str) -> None:
    async with kioku.open_async(store) as memory:
        gate = Gate()
        saving = asyncio.create_task(memory.run(gate.save_behind, "happened"))
        await gate.reached.wait()
        await cancel(saving)  # at once: it does not wait for the transaction
        asking = asyncio.create_task(memory.list())
        await turns(100)
        assert not asking.done()
        gate.open()
        assert [seen.content for seen in await asking] == ["happened"]


@asynchronous
async def test_a_long_call_that_is_cancelled_stops_at_its_next_step(store: str) -> None:
    async with kioku.open_async(store) as memory:
        first = asyncio.Event()
        items = [{"content": f"thought {n}"} for n in range(20_000)]
        saving = asyncio.create_task(memory.save_many(items, progress=lambda *_: first.set()))
        await first.wait()
        await cancel(saving)
        count = (await memory.statistics()).observations
        assert count % 1_000 == 0
        assert 0 < count < 20_000


@asynchronous
async def test_a_memory_whose_opening_is_cancelled_is_closed(store: str) -> None:
    with kioku.open(store):
        opening = asyncio.create_task(kioku.open_async(store)._open())
        await turns(1)
        await cancel(opening)
    while working_threads():
        await turns(1)


# --- closing -------------------------------------------------------------------------------------


@asynchronous
async def test_closing_does_first_what_was_asked_for_before(store: str) -> None:
    memory = await kioku.open_async(store)
    gate = Gate()
    standing = asyncio.create_task(memory.run(gate.save_behind, "running"))
    await gate.reached.wait()
    queued = asyncio.create_task(memory.save("queued"))
    await turns(1)
    closing = asyncio.create_task(memory.close())
    twice = asyncio.create_task(memory.close())
    await turns(100)
    assert not closing.done()
    with pytest.raises(kioku.ReplicaClosedError):
        await memory.save("too late")
    gate.open()
    await asyncio.gather(standing, queued, closing, twice)
    await memory.close()
    assert contents(store) == ["queued", "running"]


@asynchronous
async def test_a_cancelled_close_closes_all_the_same(store: str) -> None:
    memory = await kioku.open_async(store)
    gate = Gate()
    standing = asyncio.create_task(memory.run(gate.stand))
    closing = asyncio.create_task(memory.close())
    await turns(1)
    await cancel(closing)
    gate.open()
    await standing
    await memory.close()
    with pytest.raises(kioku.ReplicaClosedError):
        await memory.get("0" * 31 + "1")


@asynchronous
async def test_leaving_the_block_by_cancellation_closes(store: str) -> None:
    entered = asyncio.Event()

    async def use() -> None:
        async with kioku.open_async(store) as memory:
            await memory.save("kept")
            entered.set()
            await asyncio.Event().wait()

    using = asyncio.create_task(use())
    await entered.wait()
    await cancel(using)
    assert not working_threads()


# --- other loops ---------------------------------------------------------------------------------


def test_one_memory_serves_several_loops(store: str) -> None:
    async def first() -> kioku.AsyncMemory:
        memory = await kioku.open_async(store)
        await memory.save("in the first loop")
        return memory

    async def save_in_another(memory: kioku.AsyncMemory, number: int) -> None:
        await memory.save(f"in loop {number}")

    memory = asyncio.run(first())
    with ThreadPoolExecutor(4) as pool:
        loops = [pool.submit(asyncio.run, save_in_another(memory, number)) for number in range(4)]
    for loop in loops:
        loop.result()
    asyncio.run(memory.close())
    assert len(contents(store)) == 5


def test_a_loop_that_ends_in_the_middle_leaves_the_memory_usable(store: str) -> None:
    async def abandon(memory: kioku.AsyncMemory, gate: Gate) -> None:
        asyncio.create_task(memory.run(gate.save_behind, "abandoned"))  # noqa: RUF006
        await gate.reached.wait()

    async def begin() -> tuple[kioku.AsyncMemory, Gate]:
        return await kioku.open_async(store), Gate()

    with asyncio.Runner() as runner:
        memory, gate = runner.run(begin())
        runner.run(abandon(memory, gate))
        gate.open()
    asyncio.run(memory.close())
    assert contents(store) == ["abandoned"]
