"""Eight MCP servers at once on one store, as eight agents on one machine have them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import kioku
from tests.integration.mcp_process import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SERVERS = 8
EACH = 200  # saves, and searches
AT_ONCE = 10  # calls of one client that are under way, as a client with helpers of its own has them


def _calls(server: Server, begin: Callable[[int], int]) -> list[str]:
    """Make as many calls as there are, some at once; gives the results, none of them an error."""
    results = []
    for start in range(0, EACH, AT_ONCE):
        asked = [begin(number) for number in range(start, start + AT_ONCE)]
        for request in asked:
            result = server.answer(request)["result"]
            assert not result.get("isError"), result
            results.append(json.dumps(result))
    return results


def test_eight_servers_save_and_find_at_once_and_nothing_is_lost(home: Path) -> None:
    with ExitStack() as running, ThreadPoolExecutor(SERVERS) as threads:
        servers = [running.enter_context(Server()) for _ in range(SERVERS)]
        list(threads.map(lambda server: server.connect(), servers))

        def save(place: int) -> list[str]:
            def begin(number: int) -> int:
                content = f"round{number} was won by server{place}"
                return servers[place].begin_call("save_observation", content=content)

            return _calls(servers[place], begin)

        def search(server: Server) -> list[str]:
            def begin(number: int) -> int:
                return server.begin_call("search_memory", query=f"round{number}", limit=SERVERS)

            return _calls(server, begin)

        saved = [one for each in threads.map(save, range(SERVERS)) for one in each]
        assert len(saved) == SERVERS * EACH
        for found in threads.map(search, servers):
            for number, text in enumerate(found):
                winners = [f"round{number} was won by server{place}" for place in range(SERVERS)]
                assert not [one for one in winners if one not in text]
        assert [server.leave() for server in servers] == [(0, "")] * SERVERS
    with kioku.open() as memory:
        assert memory.statistics().observations == SERVERS * EACH
        assert kioku.check(memory, deep=True).ok
