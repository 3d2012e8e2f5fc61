"""``serve`` and ``mesh``: this machine's part in the mesh, in the foreground, until it is stopped.

The rule this module guards: what is printed is a log that a person reads, or with ``--json-log`` a
program; it has lines for what matters and none for a message. An interruption or SIGTERM is how it
ends, so both are exit code 0 once it has ended cleanly, within two seconds whatever a hub does.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

from kioku.cli import render
from kioku.cli.meshing import CONNECT, INSECURE, LISTEN, MESH_SPACES, make_node, taking
from kioku.cli.parser import CommandError, Verb, argument

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from queue import SimpleQueue
    from types import FrameType

    from kioku.cli.meshing import Taking
    from kioku.cli.serve_log import Told
    from kioku.node.node import Node

LOOK_S: Final = 1.0
LOOK_S_MIN: Final = 0.1
"""Between two looks at the node while something happens; then less often, each time."""
UNFINISHED = 1


def _serve(arguments: Namespace) -> int:
    return _run(arguments, taking(arguments))


def _mesh(arguments: Namespace) -> int:
    if arguments.action == "start":
        if arguments.peer is not None:
            raise CommandError(
                f"`mesh start` takes no address, and {arguments.peer!r} is one",
                hint=f"kioku mesh join {arguments.peer}, or kioku serve --listen ADDRESS",
            )
        return _run(arguments, taking(arguments, mode=_started_as(arguments)))
    if arguments.peer is None:
        raise CommandError("`mesh join` needs a hub's address", hint="kioku mesh join 192.0.2.1")
    if arguments.listen:
        raise CommandError(
            "who joins listens nowhere", hint="kioku serve --listen ADDRESS --connect PEER"
        )
    arguments.connect = [arguments.peer, *(arguments.connect or ())]
    return _run(arguments, taking(arguments, mode="spoke"))


def _started_as(arguments: Namespace) -> str | None:
    """A hub, unless the config file says that this machine takes part otherwise."""
    import os

    from kioku.config import load_settings

    is_local = load_settings(os.environ).mode == "local" and not arguments.connect
    return "hub" if is_local else None


def _run(arguments: Namespace, found: Taking) -> int:
    from queue import SimpleQueue

    log = _Log(is_json=arguments.json_log, is_shared=len(found.spaces) > 1)
    node = make_node(found)
    stops: SimpleQueue[int] = SimpleQueue()  # may be put to from a signal's handler
    endings = [number for number in _ENDINGS if signal.getsignal(number) != signal.SIG_IGN]
    handlers = {number: signal.signal(number, _putting(stops)) for number in endings}
    try:
        log.begin(found)
        node.start()
        try:
            _follow(node, log, stops)
        finally:
            is_clean = node.stop()
        log.end(is_clean=is_clean)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return 0 if is_clean else UNFINISHED


_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _putting(stops: SimpleQueue[int]) -> Callable[[int, FrameType | None], None]:
    def put(number: int, _frame: FrameType | None) -> None:
        stops.put(number)

    return put


def _follow(node: Node, log: _Log, stops: SimpleQueue[int]) -> None:
    """Tell what happens until somebody stops it.

    Raises:
        AddressInUseError: the port is taken.
        ConfigError: Zenoh takes no such settings.
    """
    import time
    from queue import Empty

    from kioku.cli.serve_log import ServeLog
    from kioku.node.leader import holder_of

    seen = ServeLog(holder_of)
    pause_s = LOOK_S_MIN
    while node.is_running:
        status = node.statistics()
        node.wait_open(0)  # what ends all is told once, as the error that it is
        told = seen.look(status, time.monotonic_ns() // 1_000_000)
        for one in told:
            log.tell(one)
        pause_s = LOOK_S_MIN if told else min(LOOK_S, pause_s * 1.5)
        try:
            stops.get(timeout=pause_s)
        except Empty:
            continue
        return


class _Log:
    """Prints the log: lines that begin with the time, in UTC, or JSON."""

    def __init__(self, *, is_json: bool, is_shared: bool) -> None:
        """``is_shared``: several spaces write here, so each line says of which it is."""
        self._is_json = is_json
        self._is_shared = is_shared

    def begin(self, found: Taking) -> None:
        """Say what is begun, and what nobody should overlook."""
        import os

        from kioku.cli.serve_log import Told
        from kioku.config.mesh import WHAT_INSECURE_MEANS

        config = found.config
        spaces = ", ".join(found.spaces)
        text = f"{config.mode} {config.machine} of {spaces}, process {os.getpid()}"
        self.tell(Told("start", text, numbers={"pid": os.getpid(), "spaces": list(found.spaces)}))
        for endpoint in config.exposed:
            self.tell(Told("exposed", f"warning: {endpoint}: {WHAT_INSECURE_MEANS}"))

    def end(self, *, is_clean: bool) -> None:
        """Say how it ended."""
        from kioku.cli.serve_log import Told

        text = "stopped" if is_clean else "still writing after two seconds; it ends when that has"
        self.tell(Told("stop", text))

    def tell(self, told: Told) -> None:
        """Print one line, at once."""
        from datetime import UTC, datetime

        now = datetime.now(UTC)
        if self._is_json:
            at = now.isoformat(timespec="milliseconds")
            fields = {"event": told.event, "space": told.space, "peer": told.peer}
            render.json({"at": at, **fields, "text": told.text, **told.numbers}, indent=None)
        else:
            place = f"space {told.space}: " if self._is_shared and told.space else ""
            text = told.text.removeprefix(place)
            render.line(f"{now:%Y-%m-%d %H:%M:%S} {place}{text}")
        render.flush()


JSON_LOG = argument("--json-log", action="store_true", help="print each line as a JSON object")
_OPTIONS = (MESH_SPACES, LISTEN, CONNECT, INSECURE, JSON_LOG)
_OUTPUT = (
    "a line for each thing that matters, which begins with the time in UTC: `listening on …`, "
    "`met NAME …`, `level with N peers`, `catching up: N events left`, … With `--json-log` objects "
    "with `at`, `event`, `space`, `peer`, `text`."
)
_CODES = "0 it was stopped (Ctrl-C, SIGTERM) and ended cleanly, 1 refused, as where a port is taken"

SERVE = Verb(
    name="serve",
    summary="Share the memory with other machines, until it is stopped",
    description="Share the memory with other machines, as `kioku init --mode hub` or `--mode "
    "spoke` has set up, or as\nthe options say. It stays in the foreground and ends with Ctrl-C. "
    "Saving never waits for it.",
    arguments=_OPTIONS,
    examples=(
        "kioku serve",
        "kioku serve --listen 127.0.0.1",
        "kioku serve --connect 192.0.2.1 --json-log",
    ),
    run=_serve,
    output=_OUTPUT,
    exit_codes=_CODES,
)

MESH = Verb(
    name="mesh",
    summary="Other names of serve: mesh start, mesh join PEER",
    description="Other names of `kioku serve`: `mesh start` is a hub, or whatever `kioku init` has "
    "set up; `mesh join\nPEER` dials the hub PEER. Both stay in the foreground.",
    arguments=(
        argument("action", choices=("start", "join"), help="begin as a hub, or dial one"),
        argument("peer", metavar="PEER", nargs="?", help="the hub's address, of `mesh join`"),
        *_OPTIONS,
    ),
    examples=("kioku mesh start", "kioku mesh join 192.0.2.1"),
    run=_mesh,
    output="what `serve` prints.",
    exit_codes=_CODES,
)

VERBS = {verb.name: verb for verb in (SERVE, MESH)}
