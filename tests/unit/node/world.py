"""A few engines on one wire, and a clock that moves only when nothing else does.

The wire hands everything over at once, in order, unless a test cuts it: what happens here is what
the engines decide. ``World.run`` delivers what waits, lets each engine do what is due, and moves
the clock to whatever is due next.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from pathlib import Path
from typing import TYPE_CHECKING

from kioku.errors import LinkClosedError
from kioku.log.draft import Draft
from kioku.log.event import PURGE, SAVE
from kioku.log.keyfile import _decode_key, _encode_key
from kioku.node.engine import Engine, Profile
from kioku.replica import Replica
from kioku.transport.link import Address, Delivery, LinkChange, Put, Query, Reply, ReplyEnd
from kioku.values import replace
from tests.property.stores import FollowingView

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.node.site import Role
    from kioku.transport.link import PutKind, QueryKind

WALL_MS = 1_790_000_000_000


class WorldClock:
    """One steady clock for all; each machine's wall may be off."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.offset_ms = 0

    def wall_ms(self) -> int:
        return WALL_MS + self.world.now_ms + self.offset_ms

    def steady_ms(self) -> int:
        return self.world.now_ms


class WorldLink:
    """A machine's end of the wire."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.address = machine.engine.address
        self.is_closed = False

    def put(self, kind: PutKind, data: bytes) -> None:
        world = self.machine.world
        self._check()
        world.counts[f"put {kind}"] += 1
        for other in world.machines:
            if other is not self.machine and world.carries(self.machine, other, kind):
                other.inbox.append(Put(self.address, kind, data))

    def ask(
        self, to: Address, kind: QueryKind, data: bytes, *, request_id: int, timeout_ms: int
    ) -> None:
        world = self.machine.world
        self._check()
        world.counts[f"ask {kind}"] += 1
        world.asked.append((self.machine.name, to.machine, kind))
        asker = self.machine
        other = world.find(to)
        if other is None or not world.carries(asker, other, kind):
            asker.inbox.append(ReplyEnd(request_id, "unreachable"))
            return
        if other.is_stuck:
            return

        def answer(reply: bytes) -> None:
            world.counts["reply bytes"] += len(reply)
            asker.inbox.append(Reply(request_id, reply))

        other.inbox.append(
            Query(kind, data, answer, lambda: asker.inbox.append(ReplyEnd(request_id, "")))
        )

    def close(self) -> None:
        self.is_closed = True

    def _check(self) -> None:
        if self.is_closed:
            raise LinkClosedError("closed")


class Machine:
    """A replica with its engine."""

    def __init__(self, world: World, name: str, role: Role, path: str = ":memory:") -> None:
        self.world = world
        self.name = name
        self.role: Role = role
        self.seed = len(world.machines) + world.births
        self.path = path
        self.clock = WorldClock(world)
        self.inbox: deque[Delivery] = deque()
        self.is_stuck = False
        self.turns = 0
        self.is_running = False
        self.due_ms = 0
        self.replica = self.open()
        self.begin()

    def open(self) -> Replica:
        """Open the store, as a process does."""
        return Replica.open(
            self.path,
            rng=random.Random(self.seed + 100 * self.world.births),
            name=self.name,
            view=FollowingView(),
            space="test",
            durability="normal",
            machine_id=self.name.encode(),
            busy_timeout_ms=0,
        )

    def begin(self) -> None:
        """Let the engine begin, as a process does."""
        self.world.births += 1
        self.engine = Engine(
            self.replica,
            clock=self.clock,
            rng=random.Random(1_000 + self.seed + self.world.births),
            profile=Profile(self.name, self.role, "0.1.0"),
        )
        self.engine.prepare()
        self.join()

    def join(self) -> None:
        self.link = WorldLink(self)
        self.joined = self.engine.address
        self.is_running = True
        self.engine.start(self.link, self.name.encode())
        self.inbox.append(LinkChange(is_up=True))
        self.due_ms = self.world.now_ms

    def end(self) -> None:
        """Let the engine end, as a process that is stopped does."""
        self.is_running = False
        self.inbox.clear()
        self.engine.stop()
        self.link.close()

    def image(self) -> dict[str, bytes]:
        """Give all that is on this machine's disk: its store and its keys."""
        self.replica._database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        store = Path(self.path)
        files = [store, *store.parent.glob(f"{store.stem}.*.key")]
        return {file.name: file.read_bytes() for file in files}

    def set_back(self, image: dict[str, bytes]) -> None:
        """Put an older disk in place, which nothing on this machine can notice."""
        self.end()
        self.replica.close()
        for file in Path(self.path).parent.iterdir():
            if file.name not in image:
                file.unlink()
        for name, data in image.items():
            Path(self.path).with_name(name).write_bytes(data)
        self.replica = self.open()
        self.begin()

    def step(self, act: Callable[[], object]) -> None:
        """Do something with the engine, as a node's loop would."""
        act()
        self.turns += 1
        self.due_ms = self.world.now_ms + self.engine.advance()
        if self.engine.address != self.joined:
            self.link.close()
            self.join()

    def save(self, *bodies: bytes, key: int | None = None) -> list[bytes]:
        """Save something here, as a process on this machine does; gives the keys."""
        rng = self.world.rng
        keys = [rng.randbytes(16) if key is None else bytes([key]) * 16 for _ in bodies]
        self.replica.append(
            [Draft(SAVE, k, body) for k, body in zip(keys, bodies, strict=True)],
            now_ms=self.clock.wall_ms(),
        )
        self.changed()
        return keys

    def purge(self, key: bytes) -> None:
        """Erase a key for ever, from here."""
        self.replica.append([Draft(PURGE, key)], now_ms=self.clock.wall_ms())
        self.changed()

    def confirmed(self) -> dict[str, bool]:
        """Which peers have confirmed the newest erasure that is here."""
        (erasure, *_) = self.replica.erasures()
        told = {peer.name: True for peer in erasure.confirmed}
        return told | {peer.name: False for peer in erasure.outstanding}

    def changed(self) -> None:
        if self.is_running:
            self.step(self.engine.local_change)

    def shows(self, key: bytes) -> bytes | None:
        with self.replica.reading(now_ms=self.clock.wall_ms()) as reading:
            shown = reading.shown(key)
            return shown and shown.body

    def digest(self) -> str:
        return self.replica.stated_digest().hex()

    def count_writes(self) -> int:
        """How many rows this machine's connection has written so far."""
        return self.replica._database.connection.total_changes()


class World:
    """Machines, a wire and a clock."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.births = 0
        self.rng = random.Random(7)
        self.machines: list[Machine] = []
        self.counts: Counter[str] = Counter()
        self.asked: list[tuple[str, str, str]] = []
        self.is_cut: Callable[[Machine, Machine, str], bool] = lambda _from, _to, _kind: False

    def add(self, name: str, role: Role = "spoke", path: str = ":memory:") -> Machine:
        machine = Machine(self, name, role, path)
        self.machines.append(machine)
        return machine

    def carries(self, sender: Machine, receiver: Machine, kind: str) -> bool:
        return receiver.is_running and not self.is_cut(sender, receiver, kind)

    def find(self, address: Address) -> Machine | None:
        found = (m for m in self.machines if m.is_running and m.joined == address)
        return next(found, None)

    def cut(self, *machines: Machine) -> None:
        """Let nothing through from and to these machines, which do not notice."""
        self.is_cut = lambda sender, receiver, _kind: sender in machines or receiver in machines

    def heal(self) -> None:
        self.is_cut = lambda _from, _to, _kind: False

    def part(self, *machines: Machine) -> None:
        """Cut machines off, and let their links tell them."""
        self.cut(*machines)
        for machine in machines:
            machine.inbox.append(LinkChange(is_up=False))

    def settle(self) -> None:
        """Let everything happen that needs no time."""
        while True:
            busy = [m for m in self.machines if m.is_running and (m.inbox or self._is_due(m))]
            if not busy:
                return
            for machine in busy:
                self._turn(machine)

    def _is_due(self, machine: Machine) -> bool:
        return machine.due_ms <= self.now_ms

    def _turn(self, machine: Machine) -> None:
        if machine.inbox:
            delivery = machine.inbox.popleft()
            machine.step(lambda: machine.engine.handle(delivery))
        else:
            machine.step(lambda: None)

    def run(self, duration_ms: int) -> None:
        """Let time pass."""
        end = self.now_ms + duration_ms
        self.settle()
        while self.now_ms < end:
            due = [machine.due_ms for machine in self.machines if machine.is_running]
            self.now_ms = min([end, *(moment for moment in due if moment > self.now_ms)])
            self.settle()

    def clone(self, machine: Machine, path: Path) -> Machine:
        """Copy a whole machine, so that neither can tell which of the two it is."""
        path.mkdir()
        for name, data in machine.image().items():
            (path / name).write_bytes(data)
        store = path / Path(machine.path).name
        for file in path.glob("*.key"):
            key = _decode_key(file.read_bytes(), str(file))
            file.write_bytes(_encode_key(replace(key, inode=store.stat().st_ino)))
        return self.add(machine.name, machine.role, str(store))

    def is_level(self) -> bool:
        return len({machine.digest() for machine in self.machines}) == 1
