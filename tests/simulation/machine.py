"""One machine: its files, its clocks, its connection, and the processes on it.

The engine runs as the node runs it: whatever arrives is put into a bounded queue, and a turn takes
all of it out and then does what is due. A crash is the end of every process at one statement: the
files are kept as they were at that moment, whatever the unwinding stack would still do to them.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import apsw

from kioku.config import Settings
from kioku.errors import StoreFullError, StoreIOError
from kioku.memory import Memory, restoring
from kioku.node.engine import Engine
from kioku.node.site import Profile
from kioku.replica import Replica
from kioku.view.schema import ObservationView
from tests.simulation.clocks import VirtualClock
from tests.simulation.disk import Acknowledged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kioku.node.site import Role
    from kioku.transport.link import Delivery
    from tests.simulation.disk import Disk, Image
    from tests.simulation.network import Network

QUEUE_MAX: Final = 1_024
POLL_MS: Final = 50
"""How late the node sees what another process of its machine has appended."""

_NEW_OWN: Final = """
    SELECT l.log_id, e.seq, e.hash, e.hlc, e.kind, e.key, e.event
    FROM event e JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log
    WHERE e.event > ? AND b.log IN (SELECT log FROM own) ORDER BY e.event"""


class Crash(BaseException):
    """Every process of a machine ends here."""


class Machine:
    """A machine, up or down. ``label`` is the world's name for it, ``name`` its own."""

    def __init__(
        self, label: str, name: str, role: Role, *, disk: Disk, network: Network, seed: int
    ) -> None:
        self.label, self.name, self.role = label, name, role
        self.disk = disk
        self.network = network
        self.trace = network.trace
        self.clock = VirtualClock(network.schedule)
        self.seed = seed
        self.starts = 0
        self.is_up = False
        self.is_dead = False
        self.is_frozen = False
        self.has_processes = False
        self.is_clone = False
        self.reader: apsw.Connection | None = None
        """Another process, in the middle of a read: nothing can be overwritten under it."""
        self.fell: Callable[[], object] = lambda: None
        """What to do when it crashed on its own: let it start again."""
        self.is_doubtful = False
        """Whether its disk was rolled back or copied unseen: its receipts may be stale for now."""
        self._queue: deque[Delivery] = deque()
        self._turn: int | None = None
        self._turns = 0
        self._row = 0

    # -- from start to end

    def start(self) -> None:
        """Start its processes: the node, and whoever saves."""
        self.starts += 1
        rng = Random(f"{self.seed} {self.label} {self.starts}")
        self.rng = rng
        self.memory = self.open_store(self.disk.store)
        self.node = self.open_store(self.disk.store) if self.has_processes else self.memory
        self.replica = self.node.replica
        self.engine = Engine(
            self.replica,
            clock=self.clock,
            rng=rng,
            profile=Profile(machine=self.name, role=self.role, version="1"),
        )
        self.is_up, self.is_frozen = True, False
        self._queue.clear()
        self._turn = None
        newest: Any = self.ask("SELECT ifnull(max(event), 0) FROM event")
        self._row = newest[0][0]
        self.transport = self.network.connect(
            self.label, rng.randbytes(16), is_hub=self.role == "hub"
        )
        self.guard(self._join)
        self.trace.note("start", self.label)

    def open_store(self, path: str, settings: Settings | None = None) -> Memory:
        """Open a store as a process on this machine does, with its clock and seeded chance."""
        replica = Replica.open(
            path,
            rng=self.rng,
            name=self.name,
            view=ObservationView(),
            space="sim",
            durability="normal",
            machine_id=b"one machine id  ",
        )
        return Memory(
            replica,
            settings or _settings(self.name, self.disk.directory),
            session_id=f"session-{self.label}-{self.starts}",
            clock=lambda: self.clock.wall_ms() * 1_000_000,
            random_bytes=self.rng.randbytes,
        )

    def _join(self) -> None:
        address = self.engine.prepare()
        self.link = self.transport.join(address, self.deliver)
        self.engine.start(self.link, self.transport.identity)
        self.take_turn_in(0)

    def stop(self) -> None:
        """End its processes in order."""
        if self.guard(self.engine.farewell) and self.guard(self.engine.stop):
            self.transport.close()
            self.is_up = False
            self.end_reading()
            self.close()
            self.trace.note("stop", self.label)

    def restore(self, path: str, acknowledged: Iterable[Acknowledged]) -> None:
        """Put a backup in its store's place, as ``kioku restore --force`` does; it is stopped."""
        with mock.patch.object(restoring, "open_store", self.open_store):
            restoring.restore(path, self.disk.store, overwrite=True)
        self.disk.acknowledged = list(acknowledged)

    def crash(self, image: Image | None = None) -> None:
        """End its processes with no warning, leaving the files as they are or as in ``image``."""
        image = image or self.disk.image()
        self.is_up = False
        self.transport.close()
        self.end_reading()
        self.trace_statements(None)
        self.close()
        self.disk.put_back(image)
        self.trace.note("crash", self.label)

    def close(self) -> None:
        """Close its store in every process."""
        self.node.close()
        self.memory.close()

    def trace_statements(self, tracer: Callable[[Any, str, Any], bool] | None) -> None:
        """Let every statement of every process be seen before it runs."""
        for memory in (self.node, self.memory):
            memory.replica._database.connection.exec_trace = tracer

    def crash_in(self, statements: int) -> None:
        """Let it crash before one of the next statements that its store runs."""
        left = statements

        def countdown(cursor: Any, sql: str, bindings: Any) -> bool:
            nonlocal left
            left -= 1
            if left == -1:
                self.network.fallen.append((self, self.disk.image()))
                raise Crash(self.label)
            return True

        self.trace_statements(countdown)

    def fail_in(self, statements: int, error: type[apsw.Error]) -> None:
        """Let its disk refuse one of the next statements; whoever asked learns that."""
        left = statements

        def countdown(cursor: Any, sql: str, bindings: Any) -> bool:
            nonlocal left
            left -= 1
            if left == -1 and sql not in {"ROLLBACK", "COMMIT"}:
                self.trace.saw("disk error")
                raise error("the disk refuses")
            return True

        self.trace_statements(countdown)

    def guard(self, call: Callable[[], object]) -> bool:
        """Do something on this machine; False if a process crashed on the way.

        What the unwinding stack raised or swallowed after that has never happened.
        """
        fallen = self.network.fallen
        try:
            call()
        except BaseException:
            if not fallen:
                raise
        for machine, image in fallen:
            self.trace.saw("crash inside a statement")
            machine.crash(image)
            machine.fell()
        is_whole = not fallen
        fallen.clear()
        return is_whole

    # -- the node's loop

    def deliver(self, delivery: Delivery) -> None:
        """Queue what arrives; a full queue drops."""
        if not self.is_up:
            return
        if len(self._queue) >= QUEUE_MAX:
            self.trace.saw("full queue")
            return
        self._queue.append(delivery)
        self.take_turn_in(0)

    def take_turn_in(self, delay_ms: int) -> None:
        """Let the engine run in ``delay_ms``, unless it does so earlier anyway."""
        at_ms = self.network.schedule.now_ms + delay_ms
        if self._turn is None or at_ms < self._turn:
            self._turn = at_ms
            self._turns += 1
            self.network.schedule.after(delay_ms, partial(self._take_turn, self._turns))

    def _take_turn(self, number: int) -> None:
        if number != self._turns or not self.is_up:
            return
        self._turn = None
        if not self.is_frozen:
            self.guard(self._run)

    def _run(self) -> None:
        while self._queue:
            self.engine.handle(self._queue.popleft())
        wait_ms = self.engine.advance()
        if self.engine.address != self.link.address:
            self._join_anew()
        self.take_turn_in(wait_ms)

    def _join_anew(self) -> None:
        """Take part as the new log, for the old one was closed."""
        self.trace.saw("own log closed")
        self.trace.note("new log", self.label, self.engine.address.log_id.hex()[:8])
        self.link.close()
        self.link = self.transport.join(self.engine.address, self.deliver)
        self.engine.start(self.link, self.transport.identity)

    def freeze(self) -> None:
        """Stop its processes where they are, as SIGSTOP does."""
        self.is_frozen = True
        self.trace.note("freeze", self.label)

    def thaw(self) -> None:
        """Let them go on."""
        self.is_frozen = False
        self._poll()
        self.take_turn_in(0)

    # -- whoever reads

    def begin_reading(self) -> None:
        """Let another process begin to read, and take its time."""
        self.reader = apsw.Connection(self.disk.store, flags=apsw.SQLITE_OPEN_READWRITE)
        self.reader.execute("BEGIN")
        self.reader.execute("SELECT count(*) FROM event").fetchall()

    def end_reading(self) -> None:
        """Let it be done, or be gone."""
        if self.reader is not None:
            self.reader.close()
            self.reader = None

    # -- whoever saves

    def use(self, call: Callable[[Memory], object]) -> bool:
        """Let a process use the memory; what it appends is acknowledged if the call returns."""
        try:
            is_done = self.guard(lambda: call(self.memory))
        except (StoreFullError, StoreIOError):
            is_done = False  # nothing was acknowledged, though something may be written
            self._poll()
        if is_done and self.note_rows():
            self._poll()
        return is_done

    def _poll(self) -> None:
        """Let the node see that the store has changed."""
        delay_ms = self.network.rng.randrange(POLL_MS)
        self.network.schedule.after(delay_ms, partial(self._follow, self.starts))

    def _follow(self, starts: int) -> None:
        if self.is_up and starts == self.starts and not self.is_frozen:
            self.guard(self.engine.local_change)
            self.take_turn_in(0)

    def note_rows(self) -> bool:
        """Count what its store has newly written as acknowledged; gives whether there is any."""
        rows = self.ask(_NEW_OWN, self._row)
        self.disk.acknowledged += [Acknowledged(*row[:6]) for row in rows]
        if rows:
            self._row = rows[-1][6]
        return bool(rows)

    def ask(self, sql: str, *values: object) -> list[Any]:
        """Ask its store in SQL."""
        with self.unharmed():
            return self.replica._database.connection.execute(sql, values).fetchall()

    @contextmanager
    def unharmed(self) -> Iterator[None]:
        """Look at it from outside: that never makes it crash."""
        before = self.replica._database.connection.exec_trace
        self.trace_statements(None)
        try:
            yield
        finally:
            self.trace_statements(before)


def _settings(name: str, directory: str) -> Settings:
    return Settings(
        space="sim",
        state_dir=directory,
        config_path="",
        durability="normal",
        agent_family="",
        client_id="",
        pc_id=name,
        session_id="",
    )
