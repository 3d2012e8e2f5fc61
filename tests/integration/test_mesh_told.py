"""``peers``, ``status``, ``init`` and what else tells of a mesh, by real processes on loopback."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

from kioku.wording import no_hub
from tests.integration.cli_process import COMMAND
from tests.integration.json_output import assert_documented
from tests.integration.mesh import Machine, Mesh, free_port, until
from tests.integration.mesh_typing import NOBODY, lines, refusal, said, shown

if TYPE_CHECKING:
    from pathlib import Path


# -- peers --------------------------------------------------------------------------------------


def test_peers_with_a_node_and_without_and_where_there_are_none(
    pair: tuple[Machine, Machine], mesh: Mesh
) -> None:
    hub, spoke = pair
    spoke.run("sync")
    running = shown(spoke, "peers")
    [peer] = running["peers"]
    assert spoke.server is not None
    assert (running["running"], running["pid"]) == (True, spoke.server.pid)
    assert (peer["name"], peer["machine"], peer["role"]) == ("alpha", peer["machine"], "hub")
    assert (peer["is_reachable"], peer["is_level"]) == (True, True)
    assert (peer["behind"], peer["ahead"]) == (0, 0)
    assert abs(peer["offset_ms"]) < 60_000
    text = spoke.run("peers").out
    assert text.startswith(f"node: process {spoke.server.pid}, a spoke\nalpha (machine ")
    assert "hub, reachable, level, behind 0, ahead 0, clock " in text
    spoke.end()
    noted = shown(spoke, "peers")
    assert (noted["running"], noted["pid"]) == (False, None)
    assert [(one["name"], one["behind"]) for one in noted["peers"]] == [("alpha", None)]
    assert noted["peers"][0]["last_seen"] >= peer["last_seen"][:16]
    assert spoke.run("peers").out.startswith("node: not running here; ")
    alone = mesh.machine("gamma")
    assert shown(alone, "peers")["peers"] == []
    assert alone.run("peers").out.endswith("No peers yet.\n")
    assert "beta" in hub.run("peers").out


def test_a_peer_is_forgotten_by_name_or_by_its_log(pair: tuple[Machine, Machine]) -> None:
    hub, spoke = pair
    spoke.end()
    [peer] = shown(hub, "peers")["peers"]
    assert "nobody: no such machine" in refusal(hub, "peers", "forget", "nobody")
    assert "no such machine" in refusal(hub, "peers", "forget", peer["log_id"][:5])
    hub.end()
    assert shown(hub, "peers", "forget", peer["log_id"][:6])["forgotten"] == "beta"
    assert shown(hub, "peers")["peers"] == []
    assert "no such machine" in refusal(hub, "peers", "forget", "beta")


# -- status -------------------------------------------------------------------------------------


def test_ready_is_only_who_is_level_with_a_peer_that_is_reached(mesh: Mesh) -> None:
    hub = mesh.hub("alpha")
    said(hub, "listening on")
    alone = shown(hub, "status")
    assert (alone["mesh"], alone["mesh_ready"]) == ("hub", False)
    assert (alone["mesh_peers_reached"], alone["unsent_events"]) == (0, None)
    assert alone["mesh_listen"] == [hub.endpoint]
    spoke = mesh.spoke("beta", hub, serve=False)
    before = shown(spoke, "status")
    assert (before["mesh"], before["mesh_ready"]) == ("spoke", False)
    assert "not running" in before["mesh_node"]
    spoke.serve()
    said(spoke, "level with")
    until(lambda: shown(spoke, "status")["mesh_ready"], lambda: spoke.log)
    ready = shown(spoke, "status")
    assert (ready["mesh_connected"], ready["mesh_connect"]) == (True, [hub.endpoint])
    assert (ready["mesh_peers_reached"], ready["mesh_peers_known"]) == (1, 1)
    assert (ready["mesh_events_left"], ready["unsent_events"]) == (0, 0)
    assert ready["mesh_remarks"] == []
    assert {"version", "store", "observations", "events", "digest"} <= ready.keys()
    hub.kill()
    until(lambda: not shown(spoke, "status")["mesh_ready"], lambda: spoke.log)
    until(lambda: shown(spoke, "status")["mesh_peers_reached"] == 0, lambda: spoke.log)
    alone = shown(spoke, "status")
    assert alone["mesh_events_left"] is None, "nobody is there who would know"
    assert alone["mesh_remarks"] == [no_hub([hub.endpoint])]


def test_a_machine_that_ends_in_order_is_not_counted_any_more(
    pair: tuple[Machine, Machine],
) -> None:
    hub, spoke = pair
    until(lambda: shown(hub, "status")["mesh_ready"], lambda: hub.log)
    spoke.end()
    until(lambda: not shown(hub, "status")["mesh_ready"], lambda: hub.log)
    assert shown(hub, "status")["mesh_peers_reached"] == 0
    said(hub, "beta is not reached any more")


def test_status_tells_of_a_stopped_node_and_of_what_waits_for_it(
    pair: tuple[Machine, Machine],
) -> None:
    _, spoke = pair
    spoke.freeze()
    spoke.run("save", "while it is stopped")
    told = lines(spoke.run("status"))
    assert told["mesh_ready"] == "no"
    assert "does not answer" in told["mesh_node"]
    assert "1 event saved here since" in told["mesh_remark 1"]
    spoke.thaw()


def test_status_and_the_log_tell_of_an_unprotected_address(mesh: Mesh) -> None:
    hub = mesh.machine("alpha")
    hub.endpoint = f"tcp/0.0.0.0:{free_port()}"
    hub.configure("--mode", "hub", "--listen", hub.endpoint, "--insecure")
    assert "whole memory" in lines(hub.run("status"))["mesh_remark 1"]
    path = hub.directory / "config" / "config.toml"
    path.write_text(path.read_text().replace("insecure = true", "insecure = false"))
    assert "--insecure" in refusal(hub, "serve", code=2)
    assert "--insecure" in lines(hub.run("status"))["mesh_remark 1"]


def test_a_router_that_is_no_replica_is_told_of(mesh: Mesh) -> None:
    """A hub of another space keeps nothing of ours, and neither does a plain router."""
    hub = mesh.machine("alpha")
    hub.run("save", "x", "--space", "other")
    hub.endpoint = f"tcp/127.0.0.1:{free_port()}"
    hub.configure("--mode", "hub", "--listen", hub.endpoint, "--space", "other")
    hub.serve()
    said(hub, "listening on")
    spoke = mesh.machine("beta")
    spoke.configure("--mode", "spoke", "--connect", hub.endpoint, "--space", "team")
    spoke.serve()
    said(spoke, "connected to")
    until(lambda: shown(spoke, "status")["mesh_remarks"], lambda: spoke.log)
    [remark] = shown(spoke, "status")["mesh_remarks"]
    assert remark.endswith("nothing is kept while all replicas are off")
    said(spoke, "router is not a kioku replica")
    assert "no peer is reached; a router answers" in refusal(spoke, "sync", "--timeout", "1")


def test_status_starts_no_node(mesh: Mesh) -> None:
    machine = mesh.machine("alpha")
    machine.configure("--mode", "spoke", "--connect", NOBODY)
    machine.run("status")
    assert not [name for name in os.listdir(machine.store.parent) if ".node." in name]


# -- init asks a hub ----------------------------------------------------------------------------


def test_a_spokes_init_says_what_its_hub_has(mesh: Mesh) -> None:
    hub = mesh.machine("alpha")
    hub.run("save", "x", "--space", "home")
    hub.run("save", "x", "--space", "work")
    hub.endpoint = f"tcp/127.0.0.1:{free_port()}"
    hub.configure("--mode", "hub", "--listen", hub.endpoint, "--space", "home")
    hub.serve()
    said(hub, "listening on")
    spoke = mesh.machine("beta")
    connect = ("init", "--force", "--mode", "spoke", "--connect", hub.endpoint)
    until(lambda: shown(spoke, *connect)["hub"] == "answered", lambda: hub.log)
    assert f"hub {hub.endpoint}: it has home\n" in spoke.run(*connect).out
    named = spoke.run(*connect, "--space", "work").out
    assert "it has home, and not work" in named
    hub.end()
    hub.configure("--force", "--mode", "hub", "--listen", hub.endpoint)
    hub.serve()
    until(
        lambda: spoke.run(*connect, "--space", "work").out.count("it has home, work"),
        lambda: hub.log,
    )
    assert "choose one with --space" in refusal(spoke, *connect, code=2)


def test_a_spoke_that_was_told_of_no_space_joins_the_one_that_its_hub_has(mesh: Mesh) -> None:
    hub = mesh.machine("alpha")
    hub.run("save", "of the team", "--space", "team")
    hub.endpoint = f"tcp/127.0.0.1:{free_port()}"
    hub.configure("--mode", "hub", "--listen", hub.endpoint, "--space", "team")
    hub.serve()
    said(hub, "listening on")
    spoke = mesh.spoke("beta", hub, serve=False)
    spoke.save("saved before")
    spoke.run("sync")
    assert "of the team" in spoke.run("search", "team").out
    assert "saved before" in hub.run("search", "before", "--space", "team").out


# -- purge --status, watch, export --since-peer -------------------------------------------------


def test_who_has_confirmed_a_purge_is_shown(pair: tuple[Machine, Machine]) -> None:
    hub, spoke = pair
    assert hub.run("purge", "--status").out == "Nothing was erased yet, so nobody is waited for.\n"
    [key] = spoke.save("the password is 123")
    until(lambda: hub.glance().visible == 1, lambda: hub.log)
    spoke.end()
    hub.run("purge", key, "--yes")
    until(lambda: not hub.glance().unsealed, lambda: hub.log)
    waiting = hub.run("purge", "--status").out
    assert waiting.startswith("here: all of it is erased\n")
    assert f"purge of {key} " in waiting
    assert "outstanding: beta (last seen 20" in waiting
    spoke.serve()
    until(
        lambda: not shown(hub, "purge", "--status", key)["erasures"][0]["outstanding"],
        lambda: hub.log,
    )
    assert "confirmed by all 1: beta" in hub.run("purge", "--status", key).out
    assert "was never purged" in refusal(hub, "purge", "--status", "0123456789abcdef" * 2)
    assert "give the id" in refusal(hub, "purge", code=2)


def test_a_watch_says_which_machine_a_change_came_from(pair: tuple[Machine, Machine]) -> None:
    hub, spoke = pair
    spoke.save("over there")
    hub.save("here")
    until(lambda: hub.glance().visible == 2, lambda: hub.log)
    changes = []
    for line in first_lines(hub, 2, "watch", "--json"):
        assert_documented("watch", line)
        changes.append(json.loads(line))
    origins = {one["observation"]["content"]: (one["replica"], one["machine"]) for one in changes}
    machine = shown(hub, "peers")["peers"][0]["machine"]
    assert origins == {"here": ("alpha", ""), "over there": ("beta", machine)}
    ends = {line.rstrip("\n").rpartition(" by ")[2] for line in first_lines(hub, 2, "watch")}
    assert ends == {"alpha/tests", f"beta/tests from {machine}"}


def first_lines(machine: Machine, count: int, *command: str) -> list[str]:
    """The first lines of what does not end by itself."""
    process = machine.start(*COMMAND, *command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    found = [process.stdout.readline().decode() for _ in range(count)]
    process.kill()
    process.wait()
    return found


def test_an_export_since_a_peer_leaves_out_what_it_has(
    pair: tuple[Machine, Machine], tmp_path: Path
) -> None:
    hub, spoke = pair
    hub.save(*(f"number {number}" for number in range(50)))
    spoke.run("sync")
    until(lambda: shown(hub, "peers")["peers"][0]["is_level"], lambda: hub.log)
    file = str(tmp_path / "stick")
    assert shown(hub, "export", file, "--since-peer", "beta")["chunks"] == 0
    spoke.end()
    hub.save("while it was away")
    [key] = hub.save("to be purged")
    hub.end()
    part = shown(hub, "export", file, "--since-peer", "beta", "--force")
    whole = shown(hub, "export", str(tmp_path / "whole"))
    assert 0 < part["chunks"] <= whole["chunks"]
    assert part["bytes"] <= whole["bytes"]
    spoke.run("import", file)
    assert "while it was away" in spoke.run("search", "away").out
    assert spoke.shows().keys() == hub.shows().keys() >= {key}
    assert "no such machine" in refusal(hub, "export", file, "--force", "--since-peer", "nobody")
    told = refusal(
        hub, "export", file, "--force", "--since-peer", "beta", "--format", "jsonl", code=2
    )
    assert "which lines are not" in told
