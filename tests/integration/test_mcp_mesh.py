"""The MCP server on a machine of a mesh: it runs the node, and no tool waits for it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from kioku.mcp.desk import Desk
from tests.integration.mcp_process import Server
from tests.integration.mesh import Mesh, until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.integration.mesh import Machine


def _server(machine: Machine) -> Server:
    return Server(environment=machine.environment(), directory=machine.directory)


def test_what_an_agent_saves_is_on_the_other_machine_and_the_other_way_round(
    tmp_path: Path,
) -> None:
    with Mesh(tmp_path) as mesh:
        hub = mesh.hub()
        there = hub.save("known at the hub")
        with _server(mesh.spoke("laptop", hub, serve=False)) as server:
            server.connect()
            saved = server.call("save_observation", content="found on the laptop")
            until(lambda: saved["id"] in hub.shows(), lambda: hub.log)
            until(
                lambda: next(iter(there)) in str(server.call("search_memory", query="known")),
                lambda: hub.log,
            )
            hub.freeze()  # whoever leaves now has nobody to say it to
            server.call("save_observation", content="said into the void")
            code, _ = server.leave()
            hub.thaw()
            assert code == 0


def test_without_its_hub_an_agent_works_all_the_same_and_is_gone_at_once(tmp_path: Path) -> None:
    with Mesh(tmp_path) as mesh:
        laptop = mesh.spoke("laptop", mesh.hub(serve=False), serve=False)
        with _server(laptop) as server:
            server.connect()
            server.call("save_observation", content="nobody listens")
            laptop.await_leader({server.process.pid})
            assert "nobody listens" in str(server.call("search_memory", query="listens"))
            assert server.leave()[0] == 0


def test_a_hub_whose_port_is_taken_serves_its_agent_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Mesh(tmp_path) as mesh, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        machine = mesh.machine("hub")
        port = taken.getsockname()[1]
        machine.configure("--mode", "hub", "--listen", f"tcp/127.0.0.1:{port}")
        for name, value in machine.environment().items():
            monkeypatch.setenv(name, value)
        with Desk() as desk:
            desk.begin()
            desk.memory().save("here all the same")
            until(lambda: str(port) in desk.mesh().problem, lambda: str(desk.mesh()))
            state = desk.mesh()
            assert (state.role, state.is_ready, state.peers_reached) == ("hub", False, 0)
            assert [one.content for one in desk.memory().list()] == ["here all the same"]
