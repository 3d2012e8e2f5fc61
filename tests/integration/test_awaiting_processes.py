"""``AsyncMemory`` and processes: their exit, a fork, and what importing kioku costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import kioku

if TYPE_CHECKING:
    from pathlib import Path

SECONDS_MAX = 60  # far beyond anything; only so that a hang fails instead of lasting

_LEFT_OPEN = """
import asyncio, sys, kioku

async def main():
    memory = await kioku.open_async(sys.argv[1])
    saving = [asyncio.create_task(memory.save(f"thought {n}")) for n in range(100)]
    await saving[9]
    print("saved", flush=True)
    return memory

memory = asyncio.run(main())
"""
_KILLED_LOOP = """
import asyncio, sys, kioku

loop = asyncio.new_event_loop()
memory = loop.run_until_complete(kioku.open_async(sys.argv[1])._open())
loop.create_task(memory.save("under way"))
loop.call_soon(loop.stop)
loop.run_forever()
print("saved", flush=True)
"""
_FORKED = """
import asyncio, os, sys, kioku

async def use(memory):
    try:
        await memory.save("in the child")
    except kioku.ReplicaClosedError as error:
        print(error, flush=True)
    await memory.close()
    async with kioku.open_async(sys.argv[1]) as own:
        await own.save("of the child")

async def begin():
    return await kioku.open_async(sys.argv[1])

memory = asyncio.run(begin())
child = os.fork()
if child == 0:
    asyncio.run(use(memory))
    sys.exit(0)
_, status = os.waitpid(child, 0)

async def end():
    await memory.save("of the parent")
    await memory.close()

asyncio.run(end())
sys.exit(status)
"""


def run(code: str, store: Path) -> str:
    """What a process says until it ends; one that hangs is killed with all that it forked."""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(store)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, _ = process.communicate(timeout=SECONDS_MAX)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0
    return out


@pytest.mark.parametrize("code", [_LEFT_OPEN, _KILLED_LOOP], ids=["left open", "loop dropped"])
def test_a_process_ends_that_left_a_memory_open(code: str, tmp_path: Path) -> None:
    assert run(code, tmp_path / "left.db") == "saved\n"


def test_what_was_acknowledged_before_the_exit_is_there(tmp_path: Path) -> None:
    run(_LEFT_OPEN, tmp_path / "left.db")
    with kioku.open(tmp_path / "left.db") as memory:
        found = {seen.content for seen in memory.list(limit=1_000)}
    assert {f"thought {n}" for n in range(10)} <= found


def test_a_forked_child_is_refused_and_can_open_its_own(tmp_path: Path) -> None:
    said = run(_FORKED, tmp_path / "forked.db")
    assert "open it again here" in said
    with kioku.open(tmp_path / "forked.db") as memory:
        found = sorted(seen.content for seen in memory.list())
    assert found == ["of the child", "of the parent"]


def test_only_what_awaits_imports_asyncio(tmp_path: Path) -> None:
    code = """
import sys, kioku
with kioku.open(sys.argv[1]) as memory:
    memory.save("one")
    memory.search("one")
print("asyncio" in sys.modules, flush=True)
kioku.open_async
print("asyncio" in sys.modules)
"""
    assert run(code, tmp_path / "lean.db") == "False\nTrue\n"
