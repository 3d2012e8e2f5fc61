"""Many MCP servers on one store at once, as one machine with many terminals has them."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import kioku
from tests.integration.cli_process import SECONDS_MAX, environment
from tests.integration.wholeness import problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVERS = 8
ROUNDS = 200  # saves of each server, and as many searches
LOT = 20  # saves that share a word, few enough for one answer


class Client:
    """Speaks the protocol of 2025-06-18 with a server of its own, one request after the other."""

    def __init__(self, number: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kioku.mcp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.number = number
        self.saved: dict[str, set[str]] = {}  # the ids of each lot
        self._requests = 0

    def initialize(self) -> None:
        about = {"name": f"client-{self.number}", "version": "1"}
        capable: dict[str, Any] = {"capabilities": {}, "clientInfo": about}
        self._ask("initialize", {"protocolVersion": "2025-06-18", **capable})
        self._say({"method": "notifications/initialized"})

    def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """What a tool answers, which must be no error."""
        result = self._ask("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), result
        found: dict[str, Any] = result["structuredContent"]
        return found

    def find(self, lot: str) -> set[str]:
        """The ids that a search for a lot finds."""
        return {one["id"] for one in self.call("search_memory", query=lot)["memories"]}

    def work(self) -> None:
        """Save and search in turn; what was saved a moment ago is found at once."""
        for turn in range(ROUNDS):
            lot = f"lot{self.number}x{turn // LOT}"
            saved = self.call("save_observation", content=f"{lot} in turn {turn}")
            self.saved.setdefault(lot, set()).add(saved["id"])
            assert self.find(lot) == self.saved[lot]

    def end(self) -> tuple[int, str, str]:
        """Close its input: its exit code, and what it had said besides answers."""
        out, err = self.process.communicate(timeout=SECONDS_MAX)
        return self.process.returncode, out, err

    def _ask(self, method: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        self._requests += 1
        self._say({"id": self._requests, "method": method, "params": parameters})
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert answer.get("id") == self._requests, answer
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _say(self, message: dict[str, object]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def clients() -> Iterator[list[Client]]:
    """Clients whose servers all run; none is left when the block ends."""
    found: list[Client] = []
    try:
        found += [Client(number) for number in range(SERVERS)]
        yield found
    finally:
        for client in found:
            client.process.kill()
            client.process.communicate()


def test_eight_servers_save_and_search_at_once_and_all_find_every_save() -> None:
    with clients() as all_clients, concurrent.futures.ThreadPoolExecutor(SERVERS) as pool:
        list(pool.map(Client.initialize, all_clients))
        list(pool.map(Client.work, all_clients))
        saved = {lot: ids for client in all_clients for lot, ids in client.saved.items()}
        assert sum(map(len, saved.values())) == SERVERS * ROUNDS

        def finds_every(client: Client) -> bool:
            return all(client.find(lot) == ids for lot, ids in saved.items())

        assert all(pool.map(finds_every, all_clients))
        assert [client.end() for client in all_clients] == [(0, "", "")] * SERVERS
    with kioku.open() as memory:
        assert problems(memory) == []
