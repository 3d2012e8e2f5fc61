"""What is in the mesh and is no kioku: a plain router, and a peer that says what it likes.

Each test ends alike: every machine level, nothing that was acknowledged lost, nothing left running.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.mesh import Machine, Mesh, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPEN = """
import json, random, sys, threading, zenoh

def open_session(mode, **endpoints):
    quiet = {"delay": 0, "multicast": {"enabled": False}, "gossip": {"enabled": False}}
    transport = {"shared_memory": {"enabled": False}}
    config = {"mode": mode, "scouting": quiet, "transport": transport, **endpoints}
    return zenoh.open(zenoh.Config.from_json5(json.dumps(config)))
"""

ROUTER = (
    OPEN
    + """
with open_session("router", listen={"endpoints": [sys.argv[1]]}):
    print("ready", flush=True)
    sys.stdin.readline()
"""
)

# Says to everybody, in its own name and in theirs, what it heard before: cut, flipped, doubled, or
# nothing like it; and answers in the same way whoever asks it something, or (``greedy``) anybody.
STRANGER = (
    OPEN
    + """
rng = random.Random(7)
heard, said, ended = {}, 0, threading.Event()

def garbled():
    data = bytearray(rng.choice(list(heard.values())) if heard else b"")
    what = rng.randrange(5)
    if what == 0 or not data:
        return rng.randbytes(rng.randrange(300))
    if what == 1:
        return bytes(data[: rng.randrange(len(data))])
    if what == 2:
        return bytes(data) * 2
    for _ in range(rng.randrange(1, 4) if what == 3 else 0):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)

def answer(query):
    with query:
        for _ in range(rng.randrange(4)):
            query.reply(query.key_expr, garbled())

def hear(sample):
    if len(heard) < 1000:
        heard[f"{sample.key_expr} {len(heard)}"] = sample.payload.to_bytes()

threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
with open_session("client", connect={"endpoints": [sys.argv[1]]}) as session:
    session.declare_subscriber("kioku/1/**", hear)
    print("ready", flush=True)
    mine = None
    while not ended.wait(0.005):
        keys = [key.split(" ")[0] for key in heard]
        if not keys:
            continue
        theirs = rng.choice(keys).split("/")
        if mine is None:
            mine = [*theirs[:3], "mallory", rng.randbytes(16).hex()]
            where = "kioku/1/**" if sys.argv[2] == "greedy" else "/".join([*mine, "**"])
            session.declare_queryable(where, answer)
        base = rng.choice([mine, theirs[:5]])
        session.put("/".join([*base, rng.choice(["live", "beacon", "heads", "other"])]), garbled())
        said += 1
print(said)
"""
)


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    with Mesh(tmp_path) as mesh:
        yield mesh


def start(machine: Machine, code: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start something that is no kioku, and wait until it is there."""
    process = machine.start(
        *(sys.executable, "-c", code, *arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_a_plain_router_between_is_transit_and_is_told_to_keep_nothing(mesh: Mesh) -> None:
    router = mesh.machine("router")
    process = start(router, ROUTER, router.endpoint)
    here = mesh.spoke("here", router, space="default")  # no hub is there to say which
    there = mesh.spoke("there", router, space="default")
    mesh.await_level(here, there, events=2)
    saved = here.save(*(f"through a plain router {number}" for number in range(200)))
    mesh.await_level(here, there, events=202)
    until(lambda: "router is not a kioku replica" in there.run("status").out, mesh.describe)
    here.end()
    saved |= here.save("while nobody is there to hear it")
    here.serve()
    mesh.assert_settled(saved, here, there)
    mesh.end()
    process.communicate()


@pytest.mark.parametrize("manner", ["polite", "greedy"])
def test_a_peer_that_sends_garbage_changes_nothing(mesh: Mesh, manner: str) -> None:
    hub = mesh.hub()
    here, there = mesh.spoke("here", hub), mesh.spoke("there", hub)
    mesh.await_level(events=3)
    stranger = start(mesh.machine("stranger"), STRANGER, hub.endpoint, manner)
    saved: dict[str, str] = {}
    for number in range(20):
        saved |= here.save(*(f"here beside a stranger {number} {n}" for n in range(5)))
        saved |= there.save(*(f"there beside a stranger {number} {n}" for n in range(5)))
    if manner == "polite":
        mesh.await_level(hub, here, there, events=203)
    out, _ = stranger.communicate(b"go\n")
    assert int(out) > 0
    mesh.assert_settled(saved, hub, here, there)
    assert set(hub.shows().items()) == set(saved.items())
