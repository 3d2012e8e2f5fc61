"""Eight MCP servers at once on one store, as eight agents on one machine have them."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import kioku
from tests.integration.mcp_process import Server

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVERS = 8
EACH = 200  # saves, and searches
LOT = 20  # saves that share a word, few enough for one answer

Lots = dict[str, set[str]]  # the ids of what was saved with each word


def _find(server: Server, lot: str) -> set[str]:
    return {one["id"] for one in server.call("search_memory", query=lot)["memories"]}


def _work(server: Server, place: int) -> Lots:
    """Save and search in turn; what was saved a moment ago is found at once."""
    saved: Lots = defaultdict(set)
    for turn in range(EACH):
        lot = f"lot{place}x{turn // LOT}"
        content = f"{lot} was won in turn {turn}"
        saved[lot].add(server.call("save_observation", content=content)["id"])
        assert _find(server, lot) == saved[lot]
    return saved


def _finds_all(server: Server, saved: Mapping[str, set[str]]) -> bool:
    return all(_find(server, lot) == ids for lot, ids in saved.items())


def test_eight_servers_save_and_search_at_once_and_all_find_every_save() -> None:
    with ExitStack() as running, ThreadPoolExecutor(SERVERS) as threads:
        servers = [running.enter_context(Server()) for _ in range(SERVERS)]
        list(threads.map(lambda server: server.connect(), servers))
        saved: Lots = {}
        for lots in threads.map(_work, servers, range(SERVERS)):
            saved |= lots
        assert sum(map(len, saved.values())) == SERVERS * EACH
        assert all(threads.map(lambda server: _finds_all(server, saved), servers))
        assert [server.leave() for server in servers] == [(0, "")] * SERVERS
    with kioku.open() as memory:
        assert memory.statistics().observations == SERVERS * EACH
        assert kioku.check(memory, deep=True).ok
