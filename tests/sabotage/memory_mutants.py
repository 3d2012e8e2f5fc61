"""Sabotages of the memory: what is awaited."""

from __future__ import annotations

from tests.sabotage.change import Change

AWAITING = "kioku/memory/awaiting.py"

AWAITING_TESTS = "tests/unit/test_awaiting.py tests/property/test_awaiting.py"
TWIN_TESTS = "tests/tidy/test_twins.py"
PROCESS_TESTS = "tests/integration/test_awaiting_processes.py"

MEMORY_GROUPS: dict[str, list[Change]] = {
    "awaiting": [
        Change(
            "a call runs in the loop",
            AWAITING,
            "return await asyncio.wrap_future(self._submit(function, *args, **kwargs))",
            "return self._submit(function, *args, **kwargs).result(9)",
            AWAITING_TESTS,
        ),
        Change(
            "calls take the loop's own threads",
            AWAITING,
            "return await asyncio.wrap_future(self._submit(function, *args, **kwargs))",
            "return await asyncio.to_thread(function, self._memory, *args, **kwargs)",
            AWAITING_TESTS,
        ),
        Change(
            "a memory has more than one thread",
            AWAITING,
            'ThreadPoolExecutor(1, thread_name_prefix="kioku")',
            'ThreadPoolExecutor(4, thread_name_prefix="kioku")',
            AWAITING_TESTS,
        ),
        Change(
            "a cancelled call is not taken out of the queue",
            AWAITING,
            "return await asyncio.wrap_future(self._submit(function, *args, **kwargs))",
            "return await asyncio.shield("
            "asyncio.wrap_future(self._submit(function, *args, **kwargs)))",
            AWAITING_TESTS,
        ),
        Change(
            "a cancelled call goes on to its last step",
            AWAITING,
            "            steps.error = asyncio.CancelledError()\n",
            "            pass\n",
            AWAITING_TESTS,
        ),
        Change(
            "progress is called in the thread",
            AWAITING,
            "            self._loop.call_soon_threadsafe(\n"
            "                self._tell, self._callback, done, total, context=self._context\n"
            "            )\n",
            "            self._tell(self._callback, done, total)\n",
            AWAITING_TESTS,
        ),
        Change(
            "the error of the last step is swallowed",
            AWAITING,
            "        if steps.error is not None:\n            raise steps.error\n        return",
            "        return",
            AWAITING_TESTS,
        ),
        Change(
            "a cancelled close leaves the store open",
            AWAITING,
            "await asyncio.shield(asyncio.wrap_future(self._closing))",
            "await asyncio.wrap_future(self._closing)",
            AWAITING_TESTS,
        ),
        Change(
            "closing does not wait",
            AWAITING,
            "await asyncio.shield(asyncio.wrap_future(self._closing))",
            "pass",
            AWAITING_TESTS,
        ),
        Change(
            "a memory that nobody waited for stays open",
            AWAITING,
            "            future.add_done_callback(_close_unwanted)\n"
            "            executor.shutdown(wait=False)\n",
            "",
            AWAITING_TESTS,
        ),
        Change(
            "a forked child waits for a thread that is not there",
            AWAITING,
            "if os.getpid() != self._pid:  # the thread",
            "if False:  # the thread",
            PROCESS_TESTS,
        ),
        Change(
            "a method has no twin",
            AWAITING,
            "    undelete = _awaited(Memory.undelete)\n",
            "",
            TWIN_TESTS,
        ),
        Change(
            "a twin is another method's",
            AWAITING,
            "digest = _awaited(Memory.digest)",
            "digest = _awaited(Memory.frontier)",
            TWIN_TESTS,
        ),
    ],
}
