"""The mesh from the command line, by real processes on loopback: what a person types and sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import IO, TYPE_CHECKING, Any

import pytest

from tests.integration.cli_process import COMMAND, Result
from tests.integration.json_output import assert_documented
from tests.integration.mesh import Machine, Mesh, free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOBODY = "127.0.0.1:9"


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    """Machines, all of them ended when the test is."""
    with Mesh(tmp_path) as opened:
        yield opened


@pytest.fixture
def pair(mesh: Mesh) -> tuple[Machine, Machine]:
    """A hub and a spoke that are level, each with a node."""
    hub = mesh.hub("alpha")
    said(hub, "listening on")
    spoke = mesh.spoke("beta", hub)
    said(spoke, "level with 1 peer")
    said(hub, "level with 1 peer")
    return hub, spoke


def said(machine: Machine, text: str) -> None:
    """Wait until a machine's node has said something."""
    until(lambda: text in machine.log, lambda: f"{machine.name} never said {text}: {machine.log}")


def shown(machine: Machine, *arguments: str, code: int = 0) -> Any:
    """What a command prints as JSON, which is what its schema says."""
    result = machine.run(*arguments, "--json", code=code)
    assert_documented(arguments[0], result.out)
    return json.loads(result.out)


def lines(result: Result) -> dict[str, str]:
    """``name: value`` lines."""
    return dict(line.split(": ", 1) for line in result.out.splitlines())


def refusal(machine: Machine, *arguments: str, code: int = 1) -> str:
    """What a refused command says: a line, and maybe a hint, and no traceback."""
    result = machine.run(*arguments, code=code)
    told = result.err.splitlines()
    assert told[0].startswith("kioku: ")
    assert len(told) <= 2
    return result.err


# -- serve --------------------------------------------------------------------------------------


def test_what_one_saves_the_other_finds_and_all_is_told(pair: tuple[Machine, Machine]) -> None:
    hub, spoke = pair
    hub.run("save", "the hub likes Postgres")
    spoke.run("save", "the spoke likes SQLite")
    until(lambda: hub.glance().visible == 2, lambda: hub.log)
    until(lambda: spoke.glance().visible == 2, lambda: spoke.log)
    assert "Postgres" in spoke.run("search", "postgres").out
    assert "SQLite" in hub.run("search", "sqlite").out
    for machine, role, peer in ((hub, "hub", "beta (spoke, "), (spoke, "spoke", "alpha (hub, ")):
        told = machine.log
        assert f"{role} {machine.name} of default, process " in told
        assert f"met {peer}" in told
        assert "Traceback" not in told
    before = hub.log
    for number in range(20):  # none of them is news
        spoke.save(f"number {number}")
    until(lambda: hub.glance().visible == 22, lambda: hub.log)
    assert hub.log == before


def test_a_node_stops_cleanly_when_it_is_told_to(pair: tuple[Machine, Machine]) -> None:
    hub, spoke = pair
    assert spoke.server is not None
    spoke.server.send_signal(signal.SIGINT)
    assert spoke.server.wait(30) == 0
    spoke.server = None
    assert spoke.log.splitlines()[-1].endswith(" stopped")
    hub.end()
    assert hub.log.splitlines()[-1].endswith(" stopped")


def test_a_taken_port_is_one_line_and_exit_code_1(mesh: Mesh) -> None:
    hub = mesh.hub()
    said(hub, "listening on")
    other = mesh.machine("other")
    told = refusal(other, "serve", "--listen", hub.endpoint)
    assert f"cannot listen on {hub.endpoint}: " in told
    assert "--listen" in told


def test_a_second_node_of_a_store_says_who_runs_the_first_and_takes_over(mesh: Mesh) -> None:
    hub = mesh.hub()
    said(hub, "listening on")
    assert hub.server is not None
    second = hub.start(*COMMAND, "serve", "--json-log", stdout=subprocess.PIPE)
    assert second.stdout is not None
    standby = next_event(second.stdout, "standby")
    assert standby["pid"] == hub.server.pid
    assert f"process {hub.server.pid} runs its node" in standby["text"]
    hub.kill()
    listening = next_event(second.stdout, "listening")
    assert hub.endpoint in listening["text"]
    assert listening["at"].endswith("+00:00")
    second.send_signal(signal.SIGTERM)
    assert next_event(second.stdout, "stop")["text"] == "stopped"
    assert second.wait(30) == 0


def next_event(log: IO[bytes], name: str) -> Any:
    """The next line of a ``--json-log`` that is about this."""
    while line := log.readline():
        event = json.loads(line)
        if event["event"] == name:
            return event
    raise AssertionError(f"no {name} was told")


def test_other_names_of_serve(mesh: Mesh) -> None:
    hub, spoke = mesh.machine("alpha"), mesh.machine("beta")
    hub.endpoint = f"tcp/127.0.0.1:{free_port()}"
    log = (hub.directory / "serve.log").open("wb")
    hub.server = hub.start(*COMMAND, "mesh", "start", "--listen", hub.endpoint, stdout=log)
    log.close()
    said(hub, f"listening on {hub.endpoint}")
    log = (spoke.directory / "serve.log").open("wb")
    spoke.server = spoke.start(*COMMAND, "mesh", "join", hub.endpoint, stdout=log)
    log.close()
    said(spoke, "level with 1 peer")
    told = refusal(spoke, "mesh", "start", "127.0.0.1", code=2)
    assert "mesh join 127.0.0.1" in told


def test_several_spaces_are_shared_and_private_ones_never(mesh: Mesh) -> None:
    hub = mesh.machine("alpha")
    for name in ("home", "work", "private"):
        hub.run("save", f"of {name}", "--space", name)
    hub.run("spaces", "--create", "mine", "--private")
    hub.endpoint = f"tcp/127.0.0.1:{free_port()}"
    hub.configure("--mode", "hub", "--listen", hub.endpoint)
    hub.serve()
    said(hub, "listening on")
    assert "hub alpha of default, home, work, process" in hub.log
    spoke = mesh.machine("beta")
    spoke.configure("--mode", "spoke", "--connect", hub.endpoint, "--space", "work")
    spoke.run("sync")
    assert "of work" in spoke.run("search", "of").out
    assert "of home" not in spoke.run("search", "of").out


def test_a_private_space_is_refused_by_name(mesh: Mesh) -> None:
    machine = mesh.machine("alpha")
    machine.run("spaces", "--create", "mine", "--private")
    listen = ("serve", "--listen", f"127.0.0.1:{free_port()}")
    assert "space mine is private" in refusal(machine, *listen, "--space", "mine")
    assert "never shared" in refusal(machine, *listen, "--space", "private", code=2)


@pytest.mark.parametrize(
    ("typed", "said_of"),
    [
        ("serve", "takes no part in a mesh"),
        ("sync", "takes no part in a mesh"),
        ("serve --listen 192.0.2.1", "--insecure"),
        ("serve --listen 127.0.0.1:x", "has a port that is not a number"),
        ("serve --connect 0.0.0.0", "is an address to listen on"),
        ("serve --listen 127.0.0.1 --space A", "is not a space name"),
        ("mesh", "action"),
        ("mesh dance", "invalid choice"),
        ("mesh join", "needs a hub's address"),
        ("mesh join 127.0.0.1 --listen 127.0.0.1", "listens nowhere"),
        ("sync --timeout 0", "no number of seconds above 0"),
        ("sync --timeout nan", "no number of seconds above 0"),
        ("sync --space a,b", "works on one space"),
        ("peers dance", "invalid choice"),
        ("peers forget", "needs a name"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(mesh: Mesh, typed: str, said_of: str) -> None:
    assert said_of in refusal(mesh.machine("alpha"), *typed.split(), code=2)


@pytest.mark.parametrize(
    ("zenoh", "key"),
    [
        ("[zenoh]\nmode = 'peer'", "mode"),
        ("[zenoh.scouting.multicast]\nenabled = true", "scouting.multicast.enabled"),
        ("[zenoh.listen]\nendpoints = ['tcp/0.0.0.0:7447']", "listen.endpoints"),
    ],
)
def test_a_setting_of_zenoh_that_is_fixed_is_named(mesh: Mesh, zenoh: str, key: str) -> None:
    machine = mesh.machine("alpha")
    machine.configure("--mode", "hub", "--listen", f"127.0.0.1:{free_port()}")
    path = machine.directory / "config" / "config.toml"
    path.write_text(f"{path.read_text()}\n{zenoh}\n")
    assert key in refusal(machine, "serve", code=2)
    machine.run("save", "is none of a save's business")


def test_other_settings_of_zenoh_are_passed_on(mesh: Mesh) -> None:
    machine = mesh.machine("alpha")
    machine.endpoint = f"tcp/127.0.0.1:{free_port()}"
    machine.configure("--mode", "hub", "--listen", machine.endpoint)
    path = machine.directory / "config" / "config.toml"
    path.write_text(f"{path.read_text()}\n[zenoh.transport.link.tx]\nlease = 2000\n")
    machine.serve()
    said(machine, "listening on")


# -- sync ---------------------------------------------------------------------------------------


def test_a_sync_that_reaches_nobody_is_exit_code_1(mesh: Mesh) -> None:
    spoke = mesh.machine("beta")
    spoke.configure("--mode", "spoke", "--connect", NOBODY)
    spoke.run("save", "kept")
    told = refusal(spoke, "sync", "--timeout", "1")
    assert "no peer is reached" in told
    assert shown(spoke, "sync", "--timeout", "1", code=1)["level"] is False
    assert "kept" in spoke.run("search", "kept").out


def test_a_sync_without_a_node_brings_both_level_and_ends(mesh: Mesh) -> None:
    hub = mesh.hub("alpha")
    said(hub, "listening on")
    hub.save("of the hub")
    spoke = mesh.spoke("beta", hub, serve=False)
    spoke.save("of the spoke")
    assert spoke.run("sync").out == "level with 1 peer: alpha\n"
    assert hub.glance().digest == spoke.glance().digest
    assert spoke.shows() == hub.shows()
    assert lines(spoke.run("status"))["mesh_ready"] == "no"  # no node runs here any more


def test_a_sync_asks_the_node_that_runs_here(pair: tuple[Machine, Machine]) -> None:
    hub, spoke = pair
    spoke.save("of the spoke")
    found = shown(spoke, "sync")
    assert (found["level"], found["events_left"]) == (True, 0)
    assert [peer["name"] for peer in found["peers"]] == ["alpha"]
    assert hub.glance().digest == spoke.glance().digest
    assert "dials what it was told to" in refusal(spoke, "sync", "--connect", NOBODY, code=2)


def test_a_sync_with_a_stopped_node_says_which(pair: tuple[Machine, Machine]) -> None:
    _, spoke = pair
    spoke.freeze()
    assert spoke.server is not None
    assert f"process {spoke.server.pid} runs the node and does not answer" in refusal(spoke, "sync")
    spoke.thaw()


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
    watching = hub.start(*COMMAND, "watch", "--json", stdout=subprocess.PIPE)
    assert watching.stdout is not None
    found = [watching.stdout.readline().decode() for _ in range(2)]
    watching.kill()
    watching.wait()
    changes = []
    for line in found:
        assert_documented("watch", line)
        changes.append(json.loads(line))
    origins = {one["observation"]["content"]: (one["replica"], one["machine"]) for one in changes}
    assert origins["here"] == ("alpha", "")
    assert origins["over there"][0] == "beta"
    assert origins["over there"][1] == shown(hub, "peers")["peers"][0]["machine"]


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
