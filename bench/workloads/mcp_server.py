"""Row 13: the MCP server, from its start to the answers that an agent waits for.

A client that speaks the bare protocol, so that what is measured is the server: from the start of
the process to the answer of ``initialize``, then saves and searches one after the other in a store
of 100,000, then how much memory the process takes. The floor is a server of the same SDK, made as
its own documents make one, that has nothing to do.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.corpus import COMMON_WORD, MIDDLING_WORD, RARE_WORD
from bench.measure import Contender, NotMeasuredError, in_turn
from bench.outcome import Check, Outcome, Series, Workload, ratio_check
from bench.peers import MESH_03, MESH_12, peer_bin
from bench.runner import main
from bench.workspace import environment, require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.workspace import Workspace

SIZE = 100_000
CALLS = 50
ROUNDS_FACTOR = 2
FLOOR = "an empty server on the SDK"
KIOKU = "kioku-mcp"
EMPTY = 'from mcp.server import MCPServer; MCPServer("empty").run()'
QUERIES = (COMMON_WORD, MIDDLING_WORD, RARE_WORD, f"{COMMON_WORD} {MIDDLING_WORD}")
SAVE_MS_MAX, SEARCH_MS_MAX, MEMORY_MB_MAX = 5.0, 25.0, 20.0

Parts = dict[str, dict[str, list[float]]]


class _Client:
    """A server's process and what is said to it."""

    def __init__(self, command: Sequence[str | Path], folder: Path) -> None:
        self._number = 0
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            env=environment(folder),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, method: str, **params: Any) -> Mapping[str, Any]:
        """Ask and wait for the answer.

        Raises:
            NotMeasuredError: if the server is gone, or refuses.
        """
        self._number += 1
        self._say({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        assert self._process.stdout is not None
        for line in self._process.stdout:
            answer: dict[str, Any] = json.loads(line)
            if answer.get("id") == self._number:
                result: Mapping[str, Any] = answer.get("result", {"isError": True})
                if result.get("isError"):
                    raise NotMeasuredError(f"{method}: {str(answer)[:200]}")
                return result
        raise NotMeasuredError(f"{method}: the server has ended")

    def connect(self) -> float:
        """Shake hands; gives the milliseconds since the process was started."""
        self.ask(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "bench", "version": "1"},
        )
        took_ms = (time.perf_counter() - self.began) * 1_000
        self._say({"jsonrpc": "2.0", "method": "notifications/initialized"})
        self.ask("tools/list")
        return took_ms

    def call(self, tool: str, **arguments: Any) -> float:
        """Call a tool; gives its milliseconds."""
        began = time.perf_counter()
        self.ask("tools/call", name=tool, arguments=arguments)
        return (time.perf_counter() - began) * 1_000

    def resident_mb(self) -> float:
        """The memory that the process has."""
        with open(f"/proc/{self._process.pid}/status", encoding="ascii") as status:
            [line] = [line for line in status if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    def leave(self) -> None:
        """Close its input, and wait for its end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        finally:
            self._process.kill()
            self._process.stdout.close()

    def _say(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise NotMeasuredError("the server has ended") from error


def _round(name: str, command: Sequence[str | Path], folder: Path, parts: Parts) -> float:
    """Start a server, use it, end it; gives the milliseconds to the first answer."""
    client = _Client(command, folder)
    try:
        started_ms = client.connect()
        if name != FLOOR:
            saves = [
                client.call(
                    "save_observation",
                    content=f"Chose {RARE_WORD} number {number} at {client.began}",
                    subject="bench",
                    summary="bench",
                )
                for number in range(CALLS)
            ]
            found = [
                client.call("search_memory", query=QUERIES[number % len(QUERIES)], limit=10)
                for number in range(CALLS)
            ]
            parts[name]["save"].append(statistics.median(saves))
            parts[name]["search"].append(statistics.median(found))
            parts[name]["search, the slowest"].append(max(found))
        parts[name]["memory"].append(client.resident_mb())
    finally:
        client.leave()
    return started_ms


def _peer_round(workspace: Workspace, peer: str, count: int, parts: Parts) -> float:
    require(peer)
    folder, _ = workspace.mesh_store(peer, count)
    return _round(peer, [peer_bin(peer) / "kioku-mesh-mcp"], folder, parts)


def measure(workspace: Workspace) -> Outcome:
    """Measure floor, kioku and peers in turn."""
    count = workspace.size(SIZE)
    store, parts = workspace.built("kioku", count), defaultdict[Any, Any](lambda: defaultdict(list))
    ours: list[str | Path] = [sys.executable, "-m", "kioku.mcp"]
    empty: list[str | Path] = [sys.executable, "-c", EMPTY]
    series = in_turn(
        [
            Contender(FLOOR, "ms", partial(_round, FLOOR, empty, store, parts)),
            Contender(KIOKU, "ms", partial(_round, KIOKU, ours, store, parts), FLOOR),
            *(
                Contender(
                    peer,
                    "ms",
                    partial(_peer_round, workspace, peer, count, parts),
                    FLOOR,
                    is_peer=True,
                )
                for peer in (MESH_03, MESH_12)
            ),
        ],
        rounds=workspace.rounds * ROUNDS_FACTOR,
        warm_ups=1,
    )
    rest = [
        Series(f"{name}, {part}", "MB" if part == "memory" else "ms", values)
        for name, taken in parts.items()
        for part, values in taken.items()
    ]
    found = parts[KIOKU]
    over_mb = statistics.median(found["memory"]) - statistics.median(parts[FLOOR]["memory"])
    return Outcome(
        durability="kioku FULL (an fsync a save); kioku-mesh NORMAL, as it ships",
        sizes={"observations": count, "calls": CALLS} | workspace.mesh_sizes(),
        series=[*series, *rest],
        checks=[
            *ratio_check(series, (KIOKU, FLOOR), 1.2),
            Check(f"{KIOKU}, save, ms", statistics.median(found["save"]), SAVE_MS_MAX),
            Check(f"{KIOKU}, search, ms", statistics.median(found["search"]), SEARCH_MS_MAX),
            Check(f"{KIOKU}, memory over the floor's, MB", over_mb, MEMORY_MB_MAX),
        ],
        notes=["start: from the process's start to the answer of initialize"],
    )


WORKLOAD = Workload(
    row=13,
    name="mcp-server",
    title="the MCP server: start, save, search, memory",
    budget="start <= 1.2 x floor; save <= 5 ms; search <= 25 ms; memory <= floor + 20 MB",
    run=measure,
)

if __name__ == "__main__":
    main([WORKLOAD])
