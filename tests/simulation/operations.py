"""What people and agents do on a machine, each with what it must show at once.

Each call draws what it needs, does one thing through the real ``Memory``, and holds what this
machine then reads to what was just written: nothing here waits for the network.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from kioku.errors import (
    AmbiguousIdError,
    ClockError,
    InvalidArgumentError,
    NotFoundError,
    StoreError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from kioku.memory import Memory
    from kioku.observation import Observation
    from tests.simulation.machine import Machine
    from tests.simulation.world import World

PROJECTS: Final = ("alpha", "beta", "gamma")
WORDS: Final = ("log", "tip", "seal", "clock", "hub", "chunk", "記憶", "spoke_config", "HttpServer")
YEAR: Final = timedelta(days=365)


class User:
    """Does things on machines; ``texts`` is everything that was ever written, by observation."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng
        self.texts: dict[str, list[str]] = {}
        self._ids: list[str] = []
        self._count = 0

    def do(self, machine: Machine) -> None:
        """Do one thing."""
        (name,) = self.rng.choices(list(OPERATIONS), WEIGHTS)
        if machine.reader is not None and name in ERASING:
            name = "save"  # a person would wait for the reader: half a minute, and not virtually
        self.world.trace.note("do", machine.label, name)
        OPERATIONS[name](self, machine)
        self.world.trace.saw(f"operation: {name}")

    # -- writing

    def save(self, machine: Machine) -> None:
        """Save something new."""

        def call(memory: Memory) -> None:
            content = self.content()
            ttl = timedelta(minutes=self.rng.randrange(1, 60))
            saved = memory.save(
                content,
                project=self.rng.choice(PROJECTS),
                ttl=ttl if self.rng.random() < 0.05 else None,
                supersedes=[self.an_id()] if self.rng.random() < 0.05 else None,
            )
            self._wrote(saved.id, content)
            found = memory.get(saved.id)
            assert found is not None, "a save is not there"
            assert found.content == content, "a save is not what was saved"

        machine.use(call)

    def save_many(self, machine: Machine) -> None:
        """Save a batch."""
        contents = [self.content() for _ in range(self.rng.randrange(2, 20))]

        def call(memory: Memory) -> None:
            saved = memory.save_many([{"content": c, "project": "alpha"} for c in contents])
            for one, content in zip(saved, contents, strict=True):
                self._wrote(one.id, content)

        machine.use(call)

    def edit(self, machine: Machine) -> None:
        """Change something that can be read here; what can be read must then be the change."""
        one, content = self.an_id(), self.content()

        def call(memory: Memory) -> None:
            before = memory.get(one)
            if before is None:
                return
            self.texts.setdefault(one, []).append(content)
            memory.edit(one, content=content)
            found = memory.get(one)
            is_beaten = before.is_held or (found is not None and found.is_held)
            assert is_beaten or (found and found.content == content), "an edit is not there"

        machine.use(call)

    def delete(self, machine: Machine) -> None:
        """Delete something that can be read here."""
        one = self.an_id()

        def call(memory: Memory) -> None:
            if memory.get(one) is None:
                return
            memory.delete(one, reason="why not")
            assert memory.get(one) is None, "a deleted observation can be read"

        machine.use(call)

    def undelete(self, machine: Machine) -> None:
        """Bring something back, if it is deleted here."""
        one = self.an_id()

        def call(memory: Memory) -> None:
            try:
                memory.undelete(one)
            except (NotFoundError, InvalidArgumentError):
                return
            self.world.trace.saw("undeleted")

        machine.use(call)

    # -- erasing

    def purge(self, machine: Machine, one: str | None = None) -> bool:
        """Erase something for ever, held here or not."""
        key = one or self.an_id()

        def call(memory: Memory) -> None:
            memory.purge(key)
            assert memory.get(key) is None, "a purged observation can be read"
            with memory.replica.reading(now_ms=memory.now_ms()) as reading:
                assert reading.is_purged(bytes.fromhex(key)), "a purge is not known"

        return machine.use(call)

    def collect(self, machine: Machine) -> None:
        """Erase what has been dead for long, by this machine's reckoning."""
        days = self.rng.choice((0, 0, 30))

        def call(memory: Memory) -> None:
            counts = memory.gc(timedelta(days=days))
            if counts.versions:
                self.world.trace.saw("gc erased something")

        machine.use(call)

    def forget_history(self, machine: Machine) -> None:
        """Erase old versions."""

        def call(memory: Memory) -> None:
            visible = {one.id: one.content for one in memory.list(limit=1_000)}
            counts = memory.gc(10 * YEAR, history=timedelta(0))
            if counts.beaten:
                self.world.trace.saw("history erased")
            after = {one.id: one.content for one in memory.list(limit=1_000)}
            assert visible == after, "erasing history changed what can be read"

        machine.use(call)

    # -- whole stores

    def fix_clock(self, machine: Machine) -> None:
        """Stamp again what a clock ahead has stamped, if this one may be believed."""

        def call(memory: Memory) -> None:
            try:
                repaired = memory.fix_clock()
            except (ClockError, StoreError):
                return
            if repaired.saves or repaired.deletions:
                self.world.trace.saw("clock repaired by hand")

        machine.use(call)

    def carry(self, machine: Machine) -> None:
        """Bring chunks from another machine on a stick, perhaps not all of them."""
        source = self.world.pick_up(besides=machine)
        if source is None:
            return
        chunks: list[bytes] = []

        def export(memory: Memory) -> None:
            after = machine.memory.frontier() if self.rng.random() < 0.8 else None
            chunks.extend(memory.export_chunks(after))

        def bring(memory: Memory) -> None:
            for chunk in chunks[: self.rng.randrange(1, 9)]:
                memory.ingest_chunk(chunk)

        if source.use(export):
            machine.use(bring)

    def bring(self, machine: Machine) -> None:
        """Import observations of another machine with their own times, as JSON Lines do."""
        source = self.world.pick_up(besides=machine)
        items: list[Observation] = []
        limit = self.rng.randrange(1, 6)
        if source is not None and source.use(lambda m: items.extend(m.list(limit=limit))):
            machine.use(lambda memory: memory.save_many(items, keep_times=True))

    def rename(self, machine: Machine) -> None:
        """Give a project another name."""
        old, new = self.rng.sample((*PROJECTS, "delta"), 2)

        def call(memory: Memory) -> None:
            try:
                memory.rename_project(old, new)
            except (NotFoundError, InvalidArgumentError):
                memory.alias_project(old, new)

        machine.use(call)

    def back_up(self, machine: Machine) -> None:
        """Make a backup, which a restore may put back later."""
        path = os.path.join(self.world.directory, f"{machine.label}.backup")
        if machine.use(lambda memory: memory.backup(path, overwrite=True)):
            self.world.backups[machine.label] = (path, tuple(machine.disk.acknowledged))

    def rebuild(self, machine: Machine) -> None:
        """Derive everything again, which changes no answer."""

        def call(memory: Memory) -> None:
            before = memory.list(limit=1_000)
            memory.rebuild()
            assert memory.list(limit=1_000) == before, "a rebuild changed what can be read"

        machine.use(call)

    def search(self, machine: Machine) -> None:
        """Look for something."""
        query = self.rng.choice(WORDS)
        machine.use(lambda memory: memory.search(query, limit=5))

    # -- the mesh

    def sync(self, machine: Machine) -> None:
        """Compare with everybody now."""
        machine.guard(machine.engine.compare_now)
        machine.take_turn_in(0)

    def forget_peer(self, machine: Machine) -> None:
        """Wait for a machine no more; if it is heard again, it is met anew."""

        def call(memory: Memory) -> None:
            met = memory.replica.peers()
            if met:
                memory.replica.forget_peer(self.rng.choice(met).log_id)

        machine.use(call)

    def retract_held(self, machine: Machine) -> None:
        """Take back, on a person's word, what somebody stamped ahead and cannot repair."""
        name = self.rng.choice(self.world.machines).name

        def call(memory: Memory) -> None:
            try:
                taken_back = memory.retract_held(name)
            except (NotFoundError, InvalidArgumentError, AmbiguousIdError):
                return
            if taken_back.events:
                self.world.trace.saw("held events retracted")

        machine.use(call)

    # -- what it needs

    def content(self) -> str:
        """Something that nobody has ever said: its first word can be found again in any file."""
        self._count += 1
        return f"text{self._count:05d}z {' '.join(self.rng.choices(WORDS, k=6))}"

    def words_of(self, key: bytes) -> list[str]:
        """The words by which what was ever written under a key is found in a file."""
        return [content.split()[0] for content in self.texts.get(key.hex(), [])]

    def an_id(self) -> str:
        """One that was saved somewhere, more likely a young one."""
        if not self._ids:
            return bytes(15).hex() + "01"
        back = min(int(self.rng.expovariate(0.1)), len(self._ids) - 1)
        return self._ids[-1 - back]

    def _wrote(self, one: str, content: str) -> None:
        self._ids.append(one)
        self.texts.setdefault(one, []).append(content)


OPERATIONS: Final[dict[str, Callable[[User, Machine], object]]] = {
    "save": User.save,
    "save many": User.save_many,
    "edit": User.edit,
    "delete": User.delete,
    "undelete": User.undelete,
    "purge": User.purge,
    "gc": User.collect,
    "erase history": User.forget_history,
    "fix clock": User.fix_clock,
    "import chunks": User.carry,
    "import with times": User.bring,
    "rename": User.rename,
    "backup": User.back_up,
    "rebuild": User.rebuild,
    "search": User.search,
    "sync": User.sync,
    "forget peer": User.forget_peer,
    "retract held": User.retract_held,
}
ERASING: Final = ("purge", "gc", "erase history", "retract held")
WEIGHTS: Final = (48, 4, 20, 9, 5, 6, 1, 1, 2, 3, 2, 1, 1, 0.5, 2, 1, 0.5, 0.5)
