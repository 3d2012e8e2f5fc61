"""Machines of a mesh as their owners run them: each a directory and a ``kioku serve`` of its own.

A machine here has its own home, configuration and store, and shares nothing with the others but
the loopback. Its store is read beside its processes, by a connection that writes nothing, so that
a condition can be awaited without anybody's help; nothing waits for a length of time. Whoever
leaves ``Mesh`` has ended every process that it started, and looks whether any child is left.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import apsw

from kioku.config import Settings
from kioku.memory import open_store, recall
from kioku.memory.filters import make_filter
from kioku.node.leader import holder_of
from tests.integration.cli_process import COMMAND, ROOT, Result
from tests.integration.wholeness import problems

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from kioku import Memory
    from tests.integration.namespaces import Network

SECONDS_MAX = 60.0  # far beyond anything; only so that what never comes fails instead of lasting
POLL_S = 0.02
FREE_PORTS = range(20_000, 30_000)  # below what a system hands out for connections of its own

# Identity and stores of whoever runs this are nobody's here.
_FOREIGN = ("KIOKU_", "MESH_MEM_", "XDG_", "ZENOH_", "CLAUDE", "CODEX_", "GEMINI_", "CURSOR_")


class Glance(NamedTuple):
    """A store as its file shows it: fingerprint of the stated frontier, and what it counts.

    ``digest`` is None where there is no store yet; ``unsealed`` counts own events not yet stated.
    """

    digest: bytes | None = None
    events: int = 0
    visible: int = 0
    unsealed: int = 0
    missing: int = 0
    logs: int = 0


_GLANCE = """SELECT (SELECT value FROM meta WHERE name = 'digest'),
    (SELECT count(*) FROM event), (SELECT count(*) FROM record),
    (SELECT coalesce(sum((SELECT max(seq) FROM event e WHERE e.branch = b.branch)
            - b.sealed_seq), 0)
        FROM own o JOIN branch b ON b.branch = o.branch WHERE o.closed_seq IS NULL),
    (SELECT count(*) FROM missing), (SELECT count(*) FROM log)"""


def until(is_so: Callable[[], object], what: Callable[[], str], *, poll_s: float = POLL_S) -> None:
    """Wait until something is so, and fail with what there is instead if it never is."""
    deadline = time.monotonic() + SECONDS_MAX
    never = threading.Event()
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(what())
        never.wait(poll_s)


def free_port() -> int:
    """A port of the loopback that nobody listens on; tries begin elsewhere in each process."""
    start = os.getpid() * 37 + next(_COUNTER)
    for number in range(len(FREE_PORTS)):
        port = FREE_PORTS[(start + number) % len(FREE_PORTS)]
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("every port is taken")


def _count() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


_COUNTER = _count()


class Machine:
    """One machine: ``name``, its directory, and its ``kioku serve`` while there is one."""

    def __init__(self, name: str, directory: Path, *, prefix: tuple[str, ...] = ()) -> None:
        self.name = name
        self.directory = directory
        self.prefix = prefix  # what runs its commands elsewhere, as in a network of its own
        self.endpoint = ""  # where it listens, if it is one to listen
        self.server: subprocess.Popen[bytes] | None = None
        self.processes: list[subprocess.Popen[Any]] = []  # all that were ever started here
        (directory / "config").mkdir(parents=True)

    # -- its commands

    @property
    def store(self) -> Path:
        return self.directory / "state" / "default.db"

    @property
    def log(self) -> str:
        """All that its ``kioku serve`` has said, for a message of failure."""
        path = self.directory / "serve.log"
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        return {
            **kept,
            "HOME": str(self.directory),
            "KIOKU_STATE_DIR": str(self.directory / "state"),
            "KIOKU_CONFIG": str(self.directory / "config" / "config.toml"),
            "PYTHONPATH": str(ROOT),
        }

    def run(self, *arguments: str, code: int = 0) -> Result:
        """Run ``kioku`` on this machine to its end, and demand an exit code."""
        done = subprocess.run(
            [*self.prefix, *COMMAND, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=self.environment(),
            cwd=self.directory,
            timeout=2 * SECONDS_MAX,
            check=False,
        )
        result = Result(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert result.code == code, (self.name, arguments, result)
        return result

    def sessions(self) -> list[int]:
        """The session of each process that was ever started here."""
        return [process.pid for process in self.processes]

    def start(self, *command: str, **options: Any) -> subprocess.Popen[Any]:
        """Start something on this machine, in a session of its own so that it dies whole."""
        process = subprocess.Popen(
            [*self.prefix, *command],
            env=self.environment(),
            cwd=self.directory,
            start_new_session=True,
            **options,
        )
        self.processes.append(process)
        return process

    def configure(self, *arguments: str) -> None:
        """Write its configuration by ``kioku init``, and give it its name."""
        self.run("init", *arguments)
        path = self.directory / "config" / "config.toml"
        written = re.sub(
            r'(?m)^machine = ".*"$', f'machine = "{self.name}"', path.read_text("utf-8")
        )
        path.write_text(f'pc_id = "{self.name}"\n{written}', "utf-8")

    # -- its node

    def serve(self) -> None:
        """Start ``kioku serve``; it is running, but need not have reached anybody yet."""
        assert self.server is None, f"{self.name} serves already"
        with (self.directory / "serve.log").open("ab") as log:
            self.server = self.start(
                *COMMAND, "serve", stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def end(self) -> None:
        """Ask its node to end, as a service manager does, and demand that it does so well."""
        assert self.server is not None
        self.server.send_signal(signal.SIGTERM)
        try:
            code = self.server.wait(SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end: {self.log}") from None
        self.server = None
        assert code in (0, -signal.SIGTERM, 128 + signal.SIGTERM), (self.name, code, self.log)

    def kill(self) -> None:
        """Kill its node as a power cut does."""
        assert self.server is not None
        self.server.kill()
        self.server.wait()
        self.server = None

    def freeze(self) -> None:
        """Stop its node in the middle of whatever it does."""
        assert self.server is not None
        self.server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen node go on."""
        assert self.server is not None
        self.server.send_signal(signal.SIGCONT)

    def await_leader(self, processes: Container[int]) -> int:
        """Wait until one of these processes runs the node, and give its id."""
        until(lambda: holder_of(str(self.store)) in processes, lambda: f"nobody leads {self.name}")
        found = holder_of(str(self.store))
        assert found is not None
        return found

    # -- its store

    @contextlib.contextmanager
    def memory(self, *, offset_s: float = 0) -> Iterator[Memory]:
        """Its memory, opened in this process: one more process beside its node.

        ``offset_s`` is how far its clock is ahead.
        """

        def clock() -> int:
            return time.time_ns() + round(offset_s * 1e9)

        settings = Settings(
            space="default",
            state_dir=str(self.store.parent),
            config_path="",
            durability="normal",
            agent_family="",
            client_id="tests",
            pc_id=self.name,
            session_id="",
        )
        self.store.parent.mkdir(exist_ok=True)
        with open_store(str(self.store), settings, space="default", clock=clock) as memory:
            yield memory

    def save(self, *contents: str, **fields: object) -> dict[str, str]:
        """Save beside its node; gives what was acknowledged, content by id."""
        with self.memory() as memory:
            saved = memory.save_many([{"content": content, **fields} for content in contents])
        return {one.id: one.content for one in saved}

    def glance(self) -> Glance:
        """Read its store's numbers as they stand."""
        if not self.store.exists():
            return Glance()
        with contextlib.closing(
            apsw.Connection(str(self.store), flags=apsw.SQLITE_OPEN_READONLY)
        ) as connection:
            connection.set_busy_timeout(1_000)
            try:
                return Glance(*connection.execute(_GLANCE).fetchone())  # type: ignore[misc]
            except apsw.Error:  # just being created, or mended after a kill
                return Glance()

    def shows(self) -> dict[str, str]:
        """Everything that its memory shows, content by id."""
        with self.memory() as memory:
            now_ms, every = memory.now_ms(), make_filter(None, {})
            with memory.replica.reading(now_ms=now_ms) as reading:
                found = recall.newest(reading, wanted=every, limit=2**31, now_ms=now_ms)
        return {one.observation.id: one.observation.content for one in found}


class Mesh:
    """Machines that share a space; ended, and looked for leftovers, when its block ends."""

    def __init__(self, directory: Path, network: Network | None = None) -> None:
        self.directory = directory
        self.network = network
        self.machines: list[Machine] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.end()
        finally:
            left = [pid for machine in self.machines for pid in machine.sessions() if _kill(pid)]
            for process in (one for machine in self.machines for one in machine.processes):
                process.communicate()
        assert error is not None or not left, f"still running: {left}"

    def end(self) -> None:
        """End every node as a service manager would."""
        for machine in self.machines:
            if machine.server is not None:
                machine.end()

    # -- who is in it

    def machine(self, name: str) -> Machine:
        """Add a machine that is not configured yet."""
        prefix, address = self.network.add(name) if self.network else ((), "127.0.0.1")
        machine = Machine(name, self.directory / name, prefix=prefix)
        machine.endpoint = f"tcp/{address}:{free_port()}"
        self.machines.append(machine)
        return machine

    def hub(self, name: str = "hub", *arguments: str, serve: bool = True) -> Machine:
        """Add a hub that listens on its machine's address, and start it unless told otherwise."""
        machine = self.machine(name)
        said = ("--insecure", *arguments) if self.network else arguments
        machine.configure("--mode", "hub", "--listen", machine.endpoint, *said)
        if serve:
            machine.serve()
        return machine

    def spoke(
        self, name: str, *hubs: Machine, serve: bool = True, space: str | None = None
    ) -> Machine:
        """Add a spoke of these hubs, in their order, and start it unless told otherwise."""
        machine = self.machine(name)
        said = [part for hub in hubs for part in ("--connect", hub.endpoint)]
        said += ["--space", space] if space else []
        machine.configure("--mode", "spoke", *said)
        if serve:
            machine.serve()
        return machine

    # -- what must be so

    def await_level(self, *machines: Machine, events: int = 0) -> None:
        """Wait until these machines (all, if none is named) hold the same, all of it stated."""
        chosen = machines or tuple(self.machines)

        def is_level() -> bool:
            glances = [machine.glance() for machine in chosen]
            return (
                glances[0].digest is not None
                and len({glance.digest for glance in glances}) == 1
                and not any(glance.unsealed or glance.missing for glance in glances)
                and glances[0].events >= events
            )

        until(is_level, lambda: self.describe(chosen))

    def await_growth(self, machine: Machine, events: int) -> None:
        """Wait until a machine holds more events than so many."""
        until(lambda: machine.glance().events > events, self.describe)

    def describe(self, machines: Iterable[Machine] = ()) -> str:
        """What each machine has, and what it said last: for a failure's message."""
        told = []
        for machine in machines or self.machines:
            tail = "\n    ".join(machine.log.splitlines()[-15:])
            glance = machine.glance()._replace(digest=(machine.glance().digest or b"")[:4])
            told.append(f"{machine.name}: {glance}\n    {tail}")
        return "not level:\n" + "\n".join(told)

    def assert_settled(self, acknowledged: Mapping[str, str], *machines: Machine) -> None:
        """Level, nothing acknowledged lost, the same shown everywhere, and every store sound."""
        chosen = machines or tuple(self.machines)
        self.await_level(*chosen)
        shown = [machine.shows() for machine in chosen]
        lost = {
            machine.name: len(acknowledged.keys() - there.keys())
            for machine, there in zip(chosen, shown, strict=True)
            if acknowledged.items() - there.items()
        }
        assert not lost, f"acknowledged and lost: {lost}"
        assert all(there == shown[0] for there in shown[1:])
        for machine in chosen:
            with machine.memory() as memory:
                assert problems(memory) == [], machine.name


def _kill(session: int) -> bool:
    """Kill a session's processes; whether any was there."""
    try:
        os.killpg(session, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True
