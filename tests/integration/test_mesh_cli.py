"""``serve``, ``mesh`` and ``sync`` by real processes on loopback: what is typed and seen."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import IO, Any

import pytest

from tests.integration.cli_process import COMMAND
from tests.integration.mesh import Machine, Mesh, free_port, until
from tests.integration.mesh_typing import NOBODY, lines, refusal, said, shown

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
    refused = other.run("serve", "--listen", hub.endpoint, code=1)
    assert "cannot listen" not in refused.out, "it is said once"
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
    until(lambda: "space work: met beta" in hub.log, lambda: hub.log)
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
    refused = machine.run("serve", code=2)
    assert key in refused.err
    assert refused.out == ""  # before anything was begun
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
