"""What can be wrong between machines: copied stores, and what other machines have sent."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from kioku import __version__
from kioku.doctor import check
from kioku.log.event import SAVE, EventId
from kioku.node.control import Control
from kioku.node.leader import LeaderLock
from kioku.node.statistics import EngineStatistics, PeerStatistics
from kioku.node.status import NodeStatus, SpaceStatus
from tests.property.authors import Author
from tests.unit.ailments import Bench, breaks, named, of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.memory import Memory


# -- a store that was copied


class Copied(Author):
    """A log whose store was copied: both ends are in ``memory``, the second begun at stamp 3."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(9, hlc=1, name="laptop")
        self.memory = memory
        self.ends = [self.grow(self.genesis, 2, b"first"), self.grow(self.genesis, 3, b"second")]

    def grow(self, before: EventId, hlc: int, body: bytes) -> EventId:
        end = self.append(before, SAVE, hlc=hlc, key=b"k" * 16, body=body)
        self.memory.ingest_chunk(self.chunk(self.genesis, end))
        return end

    def succeed(self, number: int, hlc: int) -> None:
        """Begin another log, as its owner does when it hears of the other end."""
        heir = Author(number, hlc=hlc, parents=(self.ends[0],), name="laptop")
        self.memory.ingest_chunk(heir.chunk(heir.genesis, heir.genesis))


@breaks("forks")
def a_store_that_was_copied(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    copied = Copied(memory)
    [found] = named(check(memory), "forks")
    assert f"log {copied.log_id.hex()[:8]} of laptop has 2 ends" in found.summary
    assert "wherever the copy is" not in found.hint, "it is not ours"
    yield of(memory)
    copied.succeed(10, hlc=4)


@breaks("forks")
def a_disk_that_was_set_back(bench: Bench) -> Iterator[Any]:
    bench.memory().close()
    files = [bench.tmp_path / "one.db", *bench.tmp_path.glob("*.key")]
    before = [file.read_bytes() for file in files]
    later = bench.memory()
    lost = list(later.export_chunks())
    later.close()
    for file, content in zip(files, before, strict=True):
        file.write_bytes(content)
    memory = bench.stores.open()
    memory.save("something else instead")
    memory.digest()
    for chunk in lost:  # as another machine gives it back
        memory.ingest_chunk(chunk)
    assert "here and wherever the copy is" in named(check(memory), "forks")[0].hint
    yield of(memory)
    memory.save("which begins another log")


@breaks("forks")
def a_copy_that_was_not_noticed_by_its_own_side(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    copied = Copied(memory)
    copied.succeed(10, hlc=3)  # began while the other end was still being written
    yield of(memory)
    copied.succeed(11, hlc=4)


# -- how it takes part


def configured(bench: Bench, text: str) -> Any:
    """Write a config file; gives what writes another."""
    path = bench.home / "config" / "config.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path.write_text


@breaks("mesh")
def a_spoke_without_a_hub(bench: Bench) -> Iterator[Any]:
    write = configured(bench, 'mode = "spoke"')
    yield check
    write('mode = "spoke"\n[mesh]\nconnect = ["127.0.0.1"]')


@breaks("exposure")
def a_hub_that_everybody_reaches(bench: Bench) -> Iterator[Any]:
    write = configured(bench, 'mode = "hub"\n[mesh]\nlisten = ["0.0.0.0"]\ninsecure = true')
    yield check
    write('mode = "hub"\n[mesh]\nlisten = ["127.0.0.1"]')


@breaks("hubs")
def a_hub_that_is_off(bench: Bench) -> Iterator[Any]:
    with closing(socket.create_server(("127.0.0.1", 0))) as there:
        port = there.getsockname()[1]
        other = f"127.0.0.1:{port}"
        with closing(socket.create_server(("127.0.0.1", 0))) as off:
            gone = off.getsockname()
        configured(bench, f'mode = "spoke"\n[mesh]\nconnect = ["{other}", "{gone[0]}:{gone[1]}"]')
        [found] = named(check(), "hubs")
        assert "the others answer" in found.summary
        assert str(port) not in found.summary
        yield check
        with closing(socket.create_server(gone)):
            yield


# -- what the node says that runs


class Running:
    """A node that runs, as its control socket tells of it."""

    def __init__(self, path: str) -> None:
        engine = EngineStatistics(
            address=None, space="default", role="spoke", is_up=True, is_level=True,
            is_ready=True, is_comparing=False, comparing_with="", events_left=0, peers=(),
            identities=frozenset([b"hub"]), erased=True, missing=0, forks=(), problem="", counts={},
        )  # fmt: skip
        space = SpaceStatus("default", path, bytes(16), "leading", engine=engine)
        self.status = NodeStatus(
            pid=os.getpid(), version=__version__, machine="here", role="spoke", listen=(),
            connect=(), uptime_ms=1, transport="open", problem="", identity=b"me",
            routers=(b"hub",), rebuilds=0, spaces=(space,),
        )  # fmt: skip
        self.changes(peers=(self.peer(),))

    def changes(self, **engine: Any) -> None:
        """Let it tell something else of its space."""
        [space] = self.status.spaces
        assert space.engine is not None
        changed = space._replace(engine=dataclasses.replace(space.engine, **engine))
        self.status = self.status._replace(spaces=(changed,))

    @staticmethod
    def peer(**changes: Any) -> PeerStatistics:
        """A peer that is well, but for this."""
        values: dict[str, Any] = {
            "name": "hub", "machine": "hub", "log_id": bytes(16), "role": "hub",
            "version": __version__, "last_seen_ms": 1, "is_reachable": True, "is_level": True,
            "was_level_ms": 0, "behind": 0, "ahead": 0, "offset_ms": 3, "erased": True, "held": 0,
            "missing": 0, "refused": (), "problem": "",
        }  # fmt: skip
        return PeerStatistics(**values | changes)


@contextmanager
def running(bench: Bench) -> Iterator[Running]:
    """A node of the default space that answers who asks."""
    path = bench.save()
    node = Running(path)
    control = Control(lambda question: node.status.to_json())
    control.open(path)
    try:
        yield node
    finally:
        control.stop()


STOPPED = """
import os, signal, sys
from kioku.node.control import Control
from kioku.node.leader import LeaderLock
lock, control = LeaderLock(sys.argv[1]), Control(lambda question: {"problem": "said"})
assert lock.try_take()
control.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
"""


@breaks("node")
def a_leader_that_was_stopped(bench: Bench) -> Iterator[Any]:
    path = bench.save()
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as leader:
        try:
            assert leader.stdout is not None
            leader.stdout.readline()
            leader.send_signal(signal.SIGSTOP)
            [found] = named(check(), "node")
            assert f"process {leader.pid} " in found.summary
            assert f"kill -CONT {leader.pid}" in found.hint
            yield check
        finally:
            leader.kill()
    lock = LeaderLock(path)  # the system has ended it with its process
    assert lock.try_take()
    lock.release()


@breaks("node")
def a_hub_that_cannot_listen(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        node.status = node.status._replace(problem="cannot listen on tcp/127.0.0.1:7447: taken")
        yield check
        node.status = node.status._replace(problem="")
        yield


@breaks("node")
def a_hub_that_is_frozen(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        node.status = node.status._replace(routers=())
        [found] = named(check(), "node")
        assert "no hub is reached" in found.summary
        assert "kioku status there" in found.hint
        yield check
        node.status = node.status._replace(routers=(b"hub",))
        yield


@breaks("node")
def a_store_that_fails_under_its_node(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        node.changes(problem="the disk is full; make room")
        yield check
        node.changes(problem="")
        yield


@breaks("node")
def a_node_of_another_kioku(bench: Bench) -> Iterator[Any]:
    path = bench.save()
    control = Control(lambda question: {"NodeStatus": {"pid": 1}})
    control.open(path)
    yield check
    control.stop()


@breaks("router")
def a_router_that_keeps_nothing(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        node.status = node.status._replace(routers=(b"stranger",))
        yield check
        node.status = node.status._replace(routers=(b"stranger", b"hub"))
        yield


@breaks("router")
def a_router_behind_which_no_hub_names_a_space(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        well = node.status
        [space] = well.spaces
        node.status = well._replace(spaces=(space._replace(state="joining", engine=None),))
        [found] = named(check(), "router")
        assert "--space NAME" in found.hint
        yield check
        node.status = well
        yield


@breaks("versions")
def a_peer_that_is_older(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        node.changes(peers=(node.peer(), node.peer(name="old", version="0.0.9")))
        [found] = named(check(), "versions")
        assert "old runs kioku 0.0.9" in found.summary
        assert f"upgrade old to {__version__}" in found.hint
        yield check
        node.changes(peers=(node.peer(), node.peer(name="old")))
        yield


@breaks("versions")
def a_peer_that_is_newer(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        node.changes(peers=(node.peer(version="10.0"), node.peer(name="old", version="9.9")))
        [found] = named(check(), "versions")
        assert "upgrade this machine; old to 10.0" in found.hint
        yield check
        node.changes(peers=(node.peer(version="10.0", is_reachable=False),))
        yield


@breaks("versions")
def a_node_that_was_not_started_anew(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        node.status = node.status._replace(version="0.0.9")
        yield check
        node.status = node.status._replace(version=__version__)
        yield


@breaks("offsets")
def a_peer_whose_clock_is_ahead(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        node.changes(peers=(node.peer(), node.peer(name="fast", offset_ms=12_000)))
        [found] = named(check(), "offsets")
        assert "fast is 12 s ahead" in found.summary
        assert "set the wrong one" in found.hint
        yield check
        node.changes(peers=(node.peer(), node.peer(name="fast", offset_ms=10_000)))
        yield


@breaks("offsets")
def our_own_clock_is_ahead(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        others = [node.peer(name=name, offset_ms=-50_000) for name in ("a", "b")]
        node.changes(peers=tuple(others))
        [found] = named(check(), "offsets")
        assert "b is 50 s behind" in found.summary
        assert "this machine's" in found.hint
        yield check
        node.changes(peers=(node.peer(offset_ms=None),))
        yield


@breaks("refused")
def a_log_that_cannot_be_taken(bench: Bench) -> Iterator[Any]:
    with running(bench) as node:
        refused = tuple(f"log {n}: newer writes format 2, upgrade" for n in range(7))
        node.changes(peers=(node.peer(refused=refused),))
        [found] = named(check(), "refused")
        assert "hub offers log 0: newer writes format 2, upgrade" in found.summary
        assert "2 more" in found.summary
        yield check
        node.changes(peers=(node.peer(),))
        yield
