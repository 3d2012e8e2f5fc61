"""A memory for asyncio: each method of ``Memory``, awaited, and run in a thread of its own.

The rule this module guards: **the loop never waits for the disk, for a lock or for another
process, and what a cancelled call did can be known**. One memory has one thread, so its calls run
one after the other in the order they were made, as they would on its one connection anyway, and no
other user of the loop's own threads is kept waiting by us. From that order the rest follows:

    cancelled before its turn    it never runs
    cancelled while it runs      its transaction ends by itself; the next call of this memory comes
                                 after it and sees whether it was written
    closed                       what was asked for before is done first

The twins are made from the methods themselves, so that they cannot drift: a parameter, a type or a
docstring that changes there has changed here. asyncio takes 44 ms to import: no other module of
kioku does.
"""

from __future__ import annotations

import asyncio
import inspect
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from threading import Event
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, cast

from kioku.errors import InvalidArgumentError, ReplicaClosedError
from kioku.memory.facade import Memory
from kioku.memory.following import POLL_S
from kioku.memory.opening import open as open_memory
from kioku.memory.syncing import LEVEL_S

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Self

    from kioku.memory.intake import Author
    from kioku.memory.syncing import Syncing
    from kioku.node.status import NodeStatus

P = ParamSpec("P")
T = TypeVar("T")

_END: Final = object()


def _awaited(
    method: Callable[Concatenate[Memory, P], T],
) -> Callable[Concatenate[AsyncMemory, P], Coroutine[Any, Any, T]]:
    """Give a method's twin; a ``progress`` among its arguments is called in the loop."""
    signature = inspect.signature(method)
    has_progress = "progress" in signature.parameters

    @wraps(method)
    async def twin(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if not has_progress:
            return await self.run(method, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs)
        steps = _Steps(given.arguments.get("progress"))
        given.arguments["progress"] = steps.report
        try:
            result: T = await self.run(method, *given.args[1:], **given.kwargs)
        except asyncio.CancelledError:
            steps.error = asyncio.CancelledError()
            raise
        if steps.error is not None:
            raise steps.error
        return result

    return twin


def _streamed(
    method: Callable[Concatenate[Memory, P], Iterator[T]],
) -> Callable[Concatenate[AsyncMemory, P], AsyncGenerator[T, None]]:
    """Give an iterator's twin; an item is read when it is asked for, never before."""

    @wraps(method)
    async def twin(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T]:
        items = await self.run(method, *args, **kwargs)
        try:
            while (item := await self.run(_next, items)) is not _END:
                yield item
        finally:
            self._leave(items)

    return twin


def _watched(
    method: Callable[Concatenate[Memory, P], Iterator[T]],
) -> Callable[Concatenate[AsyncMemory, P], AsyncGenerator[T, None]]:
    """Give the twin of ``Memory.watch``; other calls run between two of its looks."""
    signature = inspect.signature(method)

    @wraps(method)
    async def twin(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T]:
        given = dict(signature.bind(self, *args, **kwargs).arguments)
        filters: Any = {"project": given.get("project"), **given.get("filters", {})}
        cursor, is_stopped = given.get("after"), given.get("is_stopped")
        if cursor is None:
            cursor = (await self.changes()).cursor
        while is_stopped is None or not is_stopped():
            found = await self.changes(cursor, **filters)
            for change in found.changes:
                yield cast("T", change)
            if found.cursor == cursor:
                await self.run(_check_file)
                await asyncio.sleep(POLL_S)
            cursor = found.cursor

    return twin


def _check_file(memory: Memory) -> None:
    memory.replica.check_file()


def _next(_: Memory, items: Iterator[T]) -> T | Any:
    return next(items, _END)


def _synced(
    method: Callable[Concatenate[Memory, P], Syncing],
) -> Callable[Concatenate[AsyncMemory, P], Coroutine[Any, Any, AsyncSyncing]]:
    """Give the twin of ``Memory.syncing``: what it gives is awaited too."""

    @wraps(method)
    async def twin(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> AsyncSyncing:
        return AsyncSyncing(await self.run(method, *args, **kwargs))

    return twin


class AsyncSyncing:
    """A ``Syncing`` whose methods are awaited: ``async with await memory.syncing() as syncing``.

    It waits in threads of its own, so the memory goes on meanwhile.
    """

    def __init__(self, syncing: Syncing) -> None:
        """Take over one that has not begun."""
        self._syncing = syncing

    async def __aenter__(self) -> Self:
        await _in_thread(self._syncing.start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.shield(_in_thread(self._syncing.stop))

    async def statistics(self) -> NodeStatus:
        """Tell how it stands: see ``Syncing.statistics``."""
        return await _in_thread(self._syncing.statistics)

    async def wait_level(self, timeout_s: float = LEVEL_S) -> bool:
        """Wait until this memory is level with every machine that can be reached.

        False if that was not so in time; cancelling it ends the waiting.
        """
        given_up = Event()
        try:
            return await _in_thread(
                lambda: self._syncing.wait_level(timeout_s, is_stopped=given_up.is_set)
            )
        finally:
            given_up.set()


def _in_thread(call: Callable[[], T]) -> asyncio.Future[T]:
    """Call in a thread of its own, which ends with the call."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="kioku")
    try:
        return asyncio.wrap_future(executor.submit(call))
    finally:
        executor.shutdown(wait=False)


class AsyncMemory:
    """A ``Memory`` whose methods are awaited; ``kioku.open_async`` gives it.

    Cancelling is safe: see the module. Any loop and any thread may use it; after ``close``, and in
    a process that was forked, every call raises ``ReplicaClosedError``.
    """

    def __init__(self, memory: Memory, executor: ThreadPoolExecutor) -> None:
        """Take over an open memory, and the executor with the one thread that opened it."""
        self._memory = memory
        self._executor = executor
        self._pid = os.getpid()
        self._closing: Future[None] | None = None

    # -- saving, finding, forgetting, sharing: a line for each method of ``Memory``

    save = _awaited(Memory.save)
    save_many = _awaited(Memory.save_many)
    edit = _awaited(Memory.edit)
    predecessors = _awaited(Memory.predecessors)

    search = _awaited(Memory.search)
    get = _awaited(Memory.get)
    list = _awaited(Memory.list)
    history = _awaited(Memory.history)
    resolve_id = _awaited(Memory.resolve_id)

    delete = _awaited(Memory.delete)
    undelete = _awaited(Memory.undelete)
    purge = _awaited(Memory.purge)
    gc = _awaited(Memory.gc)
    scan_secrets = _awaited(Memory.scan_secrets)
    redact_secrets = _awaited(Memory.redact_secrets)

    projects = _awaited(Memory.projects)
    rename_project = _awaited(Memory.rename_project)
    merge_projects = _awaited(Memory.merge_projects)
    alias_project = _awaited(Memory.alias_project)
    unalias_project = _awaited(Memory.unalias_project)

    frontier = _awaited(Memory.frontier)
    digest = _awaited(Memory.digest)
    export_chunks = _streamed(Memory.export_chunks)
    ingest_chunk = _awaited(Memory.ingest_chunk)
    backup = _awaited(Memory.backup)
    changes = _awaited(Memory.changes)
    last_changes = _awaited(Memory.last_changes)
    watch = _watched(Memory.watch)
    diff = _awaited(Memory.diff)
    statistics = _awaited(Memory.statistics)
    is_private = _awaited(Memory.is_private)
    syncing = _synced(Memory.syncing)
    rebuild = _awaited(Memory.rebuild)
    fix_clock = _awaited(Memory.fix_clock)
    retract_held = _awaited(Memory.retract_held)

    # -- what does not wait

    @property
    def session_id(self) -> str:
        """The session that saves belong to unless they name another."""
        return self._memory.session_id

    @property
    def author(self) -> Author:
        """Who saves here: agent family, client, host and session."""
        return self._memory.author

    @property
    def secrets(self) -> str:
        """What becomes of credentials that are to be saved: ``redact``, ``refuse`` or ``allow``."""
        return self._memory.secrets

    def now_ms(self) -> int:
        """The time as this memory takes it, in milliseconds since 1970; see ``Memory.now_ms``."""
        return self._memory.now_ms()

    # -- the thread

    async def run(
        self, function: Callable[Concatenate[Memory, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call ``function(memory, …)`` in this memory's thread, in its turn, and give its result.

        For what takes a ``Memory``, as ``kioku.check`` does, and for steps that belong together.
        """
        return await asyncio.wrap_future(self._submit(function, *args, **kwargs))

    def _submit(
        self, function: Callable[Concatenate[Memory, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        if os.getpid() != self._pid:  # the thread stayed behind: nobody would ever answer
            raise ReplicaClosedError("opened before this process was forked; open it again here")
        try:
            return self._executor.submit(function, self._memory, *args, **kwargs)
        except RuntimeError as error:
            raise ReplicaClosedError("the memory is closed; open it again") from error

    def _leave(self, items: Iterator[Any]) -> None:
        """End an iterator, behind what may still be running in it; nobody waits for that."""
        close = getattr(items, "close", None)
        if close is not None and self._closing is None and os.getpid() == self._pid:
            self._submit(lambda _: close())

    async def close(self) -> None:
        """Close the store, once all that was asked for before is done; safe to call twice.

        Cancelling it does not keep the store from being closed.
        """
        if os.getpid() != self._pid:
            return
        if self._closing is None:
            self._closing = self._submit(Memory.close)
            self._executor.shutdown(wait=False)
        await asyncio.shield(asyncio.wrap_future(self._closing))
        self._executor.shutdown()  # the thread has nothing left to do: it ends at once

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class _Steps:
    """Carries progress from the thread to the loop, in order, and the caller's error back.

    The thread does not wait for the loop, so that a loop that has ended blocks nobody: an error of
    the callback, or its call being cancelled, stops the work at its next step. All steps are told
    before the call returns, for the loop runs what it is handed in that order.
    """

    def __init__(self, callback: Callable[[int, int], object] | None) -> None:
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self.error: BaseException | None = None

    def report(self, done: int, total: int) -> None:
        """Hand a step over; called in the memory's thread."""
        if self.error is not None:
            raise self.error
        if self._callback is not None:
            self._loop.call_soon_threadsafe(
                self._tell, self._callback, done, total, context=self._context
            )

    def _tell(self, callback: Callable[[int, int], object], done: int, total: int) -> None:
        if self.error is not None:
            return
        try:
            callback(done, total)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the caller's own
            self.error = error


class _Opening:
    """A memory that is being opened: await it, or enter it with ``async with``."""

    def __init__(self, open_it: Callable[[], Memory]) -> None:
        self._open_it: Callable[[], Memory] | None = open_it
        self._memory: AsyncMemory | None = None

    def __await__(self) -> Generator[Any, None, AsyncMemory]:
        return self._open().__await__()

    async def _open(self) -> AsyncMemory:
        open_it, self._open_it = self._open_it, None
        if open_it is None:
            raise InvalidArgumentError("open_async: was awaited already; call it again")
        executor = ThreadPoolExecutor(1, thread_name_prefix="kioku")
        future = executor.submit(open_it)
        try:
            return AsyncMemory(await asyncio.wrap_future(future), executor)
        except BaseException:
            future.add_done_callback(_close_unwanted)
            executor.shutdown(wait=False)
            raise

    async def __aenter__(self) -> AsyncMemory:
        self._memory = await self._open()
        return self._memory

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._memory is not None, "entered before it is left"
        await self._memory.close()


def _close_unwanted(opened: Future[Memory]) -> None:
    """Close a memory that was opened after all, for a caller who had been cancelled."""
    if not opened.cancelled() and opened.exception() is None:
        opened.result().close()


def _opening(open_it: Callable[P, Memory]) -> Callable[P, _Opening]:
    @wraps(open_it)
    def twin(*args: P.args, **kwargs: P.kwargs) -> _Opening:
        return _Opening(partial(open_it, *args, **kwargs))

    return twin


open_async = _opening(open_memory)
