"""The MCP server as a process: what its client sees of it, and how it ends."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import termios
from array import array
from typing import TYPE_CHECKING, Any

import apsw
import pytest
from mcp import Client, StdioServerParameters

import kioku
from kioku.mcp.server import THREADS_MAX
from tests.integration.child import ROOT, Child
from tests.integration.mcp_process import COMMAND, SECONDS_MAX, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIPE_BYTES = 65_536
ERAS = {"handshake": "legacy", "without": "auto"}


@pytest.fixture
def store(home: Path) -> Path:
    return home / "state" / "default.db"


@pytest.fixture
def other_writer(store: Path) -> Iterator[apsw.Connection]:
    """Another process in the middle of a transaction: whoever saves waits for its end."""
    with kioku.open() as memory:
        memory.save("what was there before")
    connection = apsw.Connection(str(store))
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    connection.close()


@pytest.mark.parametrize("mode", ERAS.values(), ids=ERAS)
def test_the_client_of_the_sdk_saves_and_finds(mode: str, home: Path) -> None:
    async def use() -> list[Any]:
        command = StdioServerParameters(
            command=COMMAND[0], args=list(COMMAND[1:]), env=dict(os.environ), cwd=ROOT
        )
        async with Client(command, mode=mode) as client:
            tools = (await client.list_tools()).tools
            saved = await client.call_tool("save_observation", {"content": "the moon is far"})
            found = await client.call_tool("search_memory", {"query": "moon"})
            wrong = await client.call_tool("search_memory", {"limit": "many"})
            return [{tool.name for tool in tools}, saved, found, wrong]

    tools, saved, found, wrong = asyncio.run(use())
    assert {"save_observation", "search_memory"} <= tools
    assert not saved.is_error
    assert "the moon is far" in json.dumps(found.structured_content)
    assert "mcp on " in json.dumps(found.structured_content)  # the SDK's client calls itself so
    assert wrong.is_error
    assert "limit" in wrong.content[0].text


def test_it_ends_with_its_input_though_a_call_still_runs(other_writer: apsw.Connection) -> None:
    with Server() as server:
        server.connect()
        saving = server.begin_call("save_observation", content="never acknowledged")
        assert server.ask("ping") == {}
        assert server.leave() == (0, "")
        assert "error" in server.answer(saving)
    other_writer.execute("ROLLBACK")
    with kioku.open() as memory:
        assert [one.content for one in memory.list()] == ["what was there before"]


def test_a_ping_is_answered_while_a_save_waits(other_writer: apsw.Connection) -> None:
    with Server() as server:
        server.connect()
        saving = server.begin_call("save_observation", content="saved in the end")
        assert server.ask("ping") == {}
        assert saving not in server.answered()
        other_writer.execute("ROLLBACK")
        assert not server.answer(saving)["result"].get("isError")
        assert server.leave() == (0, "")


def test_a_cancelled_save_ends_by_itself_and_the_next_call_sees_it(
    other_writer: apsw.Connection,
) -> None:
    with Server() as server:
        server.connect()
        saving = server.begin_call("save_observation", content="cancelled in the middle")
        assert server.ask("ping") == {}
        server.notify("notifications/cancelled", requestId=saving, reason="the user")
        assert server.ask("ping") == {}
        other_writer.execute("ROLLBACK")
        found = server.call("search_memory", query="cancelled")
        assert "cancelled in the middle" in json.dumps(found)
        assert saving not in server.answered()


def test_a_call_that_is_cancelled_before_its_turn_never_runs(
    other_writer: apsw.Connection,
) -> None:
    with Server() as server:
        server.connect()
        before = [
            server.begin_call("save_observation", content=f"number {number} in line")
            for number in range(THREADS_MAX)
        ]
        late = server.begin_call("save_observation", content="nobody's turn")
        assert server.ask("ping") == {}
        server.notify("notifications/cancelled", requestId=late)
        assert server.ask("ping") == {}
        other_writer.execute("ROLLBACK")
        assert not [one for one in before if server.answer(one)["result"].get("isError")]
        assert server.leave() == (0, "")
    with kioku.open() as memory:
        assert memory.search("nobody's turn", mode="and") == []
        assert memory.statistics().observations == 1 + len(before)


def test_a_client_that_is_killed_leaves_no_server_behind(home: Path) -> None:
    client = """
import subprocess, sys
from tests.integration.mcp_process import Server
server = Server(pass_fds=(int(sys.argv[1]),)).connect()
server.begin_call("save_observation", content="one more")
print("connected", flush=True)
sys.stdin.read()
"""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    with Child(client, writing, pass_fds=(writing,)) as child:
        os.close(writing)
        assert child.read_line() == "connected"
        os.kill(child.pid, signal.SIGKILL)
        # The end of a pipe that both of them hold comes when neither is there any more.
        assert os.read(reading, 1) == b""
    os.close(reading)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals, home: Path) -> None:
    with Server() as server:
        server.connect()
        assert server.ask("ping") == {}
        server.process.send_signal(number)
        assert server.read() == {}
        assert server.leave() == (0, "")


def test_a_client_that_stops_reading_is_a_client_that_is_gone(home: Path) -> None:
    with Server() as server:
        server.connect()
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.begin("ping")
        assert server.process.wait(SECONDS_MAX) == 0  # though its input is still open


def test_it_ends_with_its_input_though_nobody_reads_its_answers(home: Path) -> None:
    with Server() as server:
        server.connect()
        assert server.process.stdout is not None
        assert server.process.stdin is not None
        for _ in range(60):  # ten times what a pipe holds
            server.begin("tools/list")
        waiting = array("i", [0])
        while waiting[0] < PIPE_BYTES * 3 // 4:
            fcntl.ioctl(server.process.stdout.fileno(), termios.FIONREAD, waiting)
        server.process.stdin.close()
        assert server.process.wait(SECONDS_MAX) == 0


def test_without_streams_it_ends_quietly(home: Path) -> None:
    closed = f"exec {shlex.join(COMMAND)} <&- >&- 2>&-"
    assert subprocess.run(["sh", "-c", closed], check=False, cwd=ROOT).returncode == 0


def test_what_libraries_print_is_not_taken_for_the_protocol(home: Path) -> None:
    noisy = """
import os, subprocess, sys
from kioku.mcp import main
from kioku.memory.saving import Saving
save = Saving.save
def noisily(*given, **named):
    print("noise of a library", flush=True)
    os.write(1, b"noise of a driver\\n")
    subprocess.run(["sh", "-c", "cat; echo noise of a child"], check=True)
    return save(*given, **named)
Saving.save = noisily
sys.exit(main([]))
"""
    with Server(command=(sys.executable, "-c", noisy)) as server:
        server.connect()
        server.call("save_observation", content="quiet")
        code, said = server.leave()
        assert server.read() == {}
    assert code == 0
    assert said.splitlines() == [f"noise of a {one}" for one in ("library", "driver", "child")]


def test_a_line_that_is_no_message_harms_nobody(home: Path) -> None:
    with Server("--tools", "all") as server:
        server.connect("x" * 1_000_000 + "\x1b[31m/../../etc")
        server.say(b"no json")
        server.say(b"\xff\xfe")
        server.say(b"[" * 100_000)
        server.say(b'"' + b"x" * (9 * 1024 * 1024) + b'"')
        server.say({"jsonrpc": "2.0", "id": 99, "method": "no/such"})
        assert server.answer(99)["error"]["code"] == -32601
        status = server.call("get_memory_status")
        assert len(str(status["agent_family"])) <= 64
        assert server.leave()[0] == 0


def test_nothing_of_the_repository_it_is_started_in_is_run(home: Path, tmp_path: Path) -> None:
    for name in ("mcp", "anyio", "pydantic", "argparse", "apsw"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the repository')\n")
    with Server(directory=tmp_path) as server:
        server.connect()
        server.call("save_observation", content="written in a hostile place")
        assert server.leave() == (0, "")


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18"])
def test_older_clients_are_served_in_their_words(home: Path, version: str) -> None:
    with Server() as server:
        server.connect(version=version)
        server.ask("tools/call", name="save_observation", arguments={"content": "an old friend"})
        found = server.ask("tools/call", name="search_memory", arguments={"query": "friend"})
        assert "an old friend" in found["content"][0]["text"]


def test_a_setting_that_cannot_be_used_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIOKU_AGENT_FAMILY", "a/b")
    with Server() as server:
        assert server.read() == {}
        code, said = server.leave()
    assert code == 2, "as of every command"
    assert said.startswith("kioku-mcp: environment KIOKU_AGENT_FAMILY")
    assert said.count("\n") == 1


def test_a_machine_that_keeps_to_itself_loads_no_network(home: Path) -> None:
    with Server("--tools", "all") as server:
        server.connect()
        server.call("save_observation", content="for me alone")
        server.call("get_memory_status")
        with open(f"/proc/{server.process.pid}/maps", encoding="utf-8") as maps:
            assert "zenoh" not in maps.read()


@pytest.mark.parametrize("acknowledged", [1, 40])
def test_a_server_killed_while_it_saves_loses_nothing_acknowledged(
    acknowledged: int, home: Path
) -> None:
    with Server() as server:
        server.connect()
        asked = [server.begin_call("save_observation", content=f"fact {n}") for n in range(80)]
        safe: list[str] = []
        while len(safe) < acknowledged:
            message = server.read()
            safe += [message["result"]["structuredContent"]["id"]] * (message["id"] in asked)
        server.process.kill()
        while message := server.read():
            safe.append(message["result"]["structuredContent"]["id"])
    with kioku.open() as memory:
        assert not [one for one in safe if memory.get(one) is None]
        assert kioku.check(memory, deep=True).ok
