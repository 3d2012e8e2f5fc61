"""``AsyncMemory``: what is read piece by piece, what is told of progress, what is watched."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, assert_type

import pytest

import kioku
from tests.unit.gates import asynchronous, cancel, turns, working_threads

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "streamed.db")


# --- streams and callbacks -----------------------------------------------------------------------


@asynchronous
async def test_chunks_are_read_as_they_are_asked_for(store: str) -> None:
    async with kioku.open_async(store) as memory, kioku.open_async(":memory:") as other:
        await memory.save_many({"content": f"thought {n}"} for n in range(2_500))
        chunks = memory.export_chunks(after=await other.frontier())
        first = assert_type(await anext(chunks), bytes)
        await memory.purge((await memory.list(limit=1))[0].id)  # nothing holds a lock meanwhile
        await other.ingest_chunk(first)
        async for chunk in chunks:
            await other.ingest_chunk(chunk)
        assert (await other.statistics()).observations >= 2_499


@asynchronous
async def test_a_stream_that_is_left_holds_nothing(store: str) -> None:
    async with kioku.open_async(store) as memory:
        await memory.save_many({"content": f"thought {n}"} for n in range(2_500))
        async for _ in memory.export_chunks():
            break
        left = memory.export_chunks()
        await anext(left)
        await left.aclose()
        assert (await memory.save("still usable")).id
        open_to_the_end = memory.export_chunks()
        await anext(open_to_the_end)
    with pytest.raises(kioku.ReplicaClosedError):
        await anext(open_to_the_end)


@asynchronous
async def test_progress_is_told_in_the_loop_in_order_and_in_time(store: str) -> None:
    told: list[tuple[int, int]] = []
    place: ContextVar[str] = ContextVar("place")
    place.set("the caller's")

    def tell(done: int, total: int) -> None:
        assert threading.current_thread() is threading.main_thread()
        assert place.get() == "the caller's"
        told.append((done, total))

    async with kioku.open_async(store) as memory:
        items = [{"content": f"thought {n}"} for n in range(2_500)]
        await memory.save_many(items, progress=tell)
        assert told == [(1_000, 2_500), (2_000, 2_500), (2_500, 2_500)]
        await memory.rebuild(tell)
        assert told[-1][0] == told[-1][1]


@asynchronous
async def test_an_error_of_progress_stops_the_work_and_comes_back(store: str) -> None:
    def refuse(done: int, total: int) -> None:
        raise LookupError(f"{done} of {total}")

    async with kioku.open_async(store) as memory:
        items = [{"content": f"thought {n}"} for n in range(5_500)]
        with pytest.raises(LookupError, match="1000 of 5500"):
            await memory.save_many(items, progress=refuse)
        with pytest.raises(LookupError, match="10 of 10"):
            await memory.save_many(items[:10], progress=refuse)
        await memory.save("still usable")


# --- watching ------------------------------------------------------------------------------------


@asynchronous
async def test_a_watch_holds_up_no_other_call(store: str) -> None:
    async with kioku.open_async(store) as memory:
        watching = memory.watch()
        coming = asyncio.create_task(anext(watching))
        await turns(1)
        saved = await memory.save("news")
        assert (await coming).id == saved.id
        await watching.aclose()
        assert len(working_threads()) == 1


@asynchronous
async def test_a_watch_can_be_cancelled_and_ends_with_its_memory(store: str) -> None:
    async with kioku.open_async(store) as memory:
        waiting = asyncio.create_task(anext(memory.watch()))
        await turns(1)
        await memory.save("first")
        await cancel(asyncio.create_task(anext(memory.watch())))
        assert (await waiting).operation == "save"
        still_waiting = asyncio.create_task(anext(memory.watch()))
        await turns(1)
    with pytest.raises(kioku.ReplicaClosedError):
        await still_waiting
