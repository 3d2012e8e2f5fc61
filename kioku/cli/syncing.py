"""``sync``: exchange with the other machines once, and say what came of it by the exit code.

Where a process of this machine runs the node already, that one is asked; else a node is started for
as long as it takes. Without ``--timeout`` it goes on as long as anything moves.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.cli import render
from kioku.cli.arguments import JSON, SPACE
from kioku.cli.meshing import CONNECT, Taking, make_node, taking
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.progress import Work
from kioku.cli.serve_log import bare_routers
from kioku.cli.store import settings_of
from kioku.errors import PeerUnreachableError, TransportError
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from kioku.node.statistics import EngineStatistics, PeerStatistics
    from kioku.node.status import NodeStatus, SpaceStatus

LOOK_S: Final = 0.05
COMPARE_S: Final = 1.0
"""Between two requests to compare, while it is not level: a peer may have saved meanwhile."""
STILL_S: Final = 15.0
"""Without ``--timeout``: how long nothing may move. A hub is dialled every five seconds."""


class NotLevelError(TransportError):
    """Time is up, or nothing moves, and something is left to exchange."""

    hint = "kioku peers shows more; what is here is kept, and goes on with the next sync"


class _Outcome(NamedTuple):
    """How it stands with the one space: level, or what is left."""

    engine: EngineStatistics | None
    problem: str
    is_bare: bool

    @property
    def reached(self) -> list[PeerStatistics]:
        """The peers that are reached."""
        return [peer for peer in self.engine.peers if peer.is_reachable] if self.engine else []

    @property
    def is_level(self) -> bool:
        """Whether all of them have what is here, and the other way round."""
        return self.engine is not None and self.engine.is_level

    @property
    def is_comparing(self) -> bool:
        """Whether a comparison runs, or one that was asked for is still to come."""
        return self.engine is not None and self.engine.is_comparing

    @property
    def left(self) -> int:
        """Events that are known to be elsewhere and not here."""
        return self.engine.events_left if self.engine else 0


def _sync(arguments: Namespace) -> int:
    with ExitStack() as ending:
        look, compare = _way(arguments, ending)
        with Work("catching up", kept="what came is kept") as work:
            outcome = _converge(look, compare, work, arguments.timeout)
    if arguments.json:
        render.json(_json(outcome))
    elif outcome.is_level:
        names = ", ".join(peer.name for peer in outcome.reached)
        render.line(f"level with {counted(len(outcome.reached), 'peer')}: {names}")
    if not outcome.is_level:
        raise _left(outcome)
    return 0


# -- by whom ------------------------------------------------------------------------------------


def _way(
    arguments: Namespace, ending: ExitStack
) -> tuple[Callable[[], _Outcome], Callable[[], object]]:
    """How to look, and how to have all compared: through the running node, or one of our own."""
    from kioku.node.node import ask_leader, ask_leader_to_compare

    store = settings_of(arguments).store_path
    if ask_leader(store) is not None:
        if arguments.connect:
            raise CommandError(
                "a node runs here already, and dials what it was told to",
                hint="kioku sync without --connect asks it",
            )
        path = os.path.realpath(store)
        return lambda: _outcome(ask_leader(store), path), lambda: ask_leader_to_compare(store)
    found = _taking_one(arguments)
    node = make_node(found)
    ending.enter_context(node)
    path = os.path.realpath(store)

    def look() -> _Outcome:
        node.wait_open(0)
        return _outcome(node.statistics(), path)

    return look, node.compare_now


def _taking_one(arguments: Namespace) -> Taking:
    """Take part with the one space that the command works on."""
    found = taking(arguments)
    return found._replace(spaces=(settings_of(arguments).space,))


def _outcome(status: NodeStatus | None, path: str) -> _Outcome:
    space: SpaceStatus | None = status.space_at(path) if status is not None else None
    if status is None or space is None:
        return _Outcome(None, "the node that ran here has ended", is_bare=False)
    problem = space.problem or status.problem
    return _Outcome(space.engine, problem, is_bare=bool(bare_routers(status)))


# -- until when ---------------------------------------------------------------------------------


def _converge(
    look: Callable[[], _Outcome],
    compare: Callable[[], object],
    work: Work,
    timeout_s: float | None,
) -> _Outcome:
    """Look until it is level, time is up, or nothing has moved for long."""
    began = moved = time.monotonic()
    compared = 0.0
    before: object = None
    most = 0
    has_compared = False
    while True:
        outcome, now = look(), time.monotonic()
        most = max(most, outcome.left)
        if most:
            work(most - outcome.left, most)
        if outcome.is_level and has_compared and not outcome.is_comparing:
            return outcome
        progress = (outcome.left, len(outcome.reached), _moved(outcome.engine))
        if progress != before:
            before, moved = progress, now
        limit_s = STILL_S if timeout_s is None else timeout_s
        if now - (moved if timeout_s is None else began) >= limit_s:
            return outcome
        if outcome.reached and now - compared >= COMPARE_S:
            compare()
            compared, has_compared = now, True
        time.sleep(LOOK_S)


def _moved(engine: EngineStatistics | None) -> object:
    """Something that is another one whenever an event went either way."""
    if engine is None:
        return None
    return [(peer.behind, peer.ahead) for peer in engine.peers if peer.is_reachable]


# -- what is said -------------------------------------------------------------------------------


def _left(outcome: _Outcome) -> TransportError:
    because = f"; {outcome.problem}" if outcome.problem else ""
    if not outcome.reached:
        bare = "; a router answers, and no kioku there shares this space" if outcome.is_bare else ""
        return PeerUnreachableError(
            f"no peer is reached{bare}{because}; kioku doctor looks for what is in the way"
        )
    parts = []
    for peer in outcome.reached:
        if not peer.is_level:
            counts = [f"{peer.behind:,} to come" if peer.behind else ""]
            counts += [f"{peer.ahead:,} to go" if peer.ahead else "", peer.problem]
            said = ", ".join(filter(None, counts))
            parts.append(f"{peer.name} ({said})" if said else peer.name)
    return NotLevelError(f"not level with {', '.join(parts) or 'any peer'}{because}")


def _json(outcome: _Outcome) -> dict[str, Any]:
    return {
        "level": outcome.is_level,
        # Nobody who is reached would know of more than what is known already.
        "events_left": outcome.left if outcome.reached else outcome.left or None,
        "problem": outcome.problem,
        "peers": [
            {
                "name": peer.name,
                "log_id": peer.log_id.hex(),
                "is_level": peer.is_level,
                "behind": peer.behind,
                "ahead": peer.ahead,
            }
            for peer in outcome.reached
        ],
    }


def _seconds(text: str) -> float:
    from argparse import ArgumentTypeError

    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e9:
        raise ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


SYNC = Verb(
    name="sync",
    summary="Exchange with other machines once, until all are level",
    description="Exchange with the other machines once: until this one is level with every peer "
    "that is reached.\nA node that runs here already is asked to do it. Without --timeout it goes "
    "on as long as anything\nmoves.",
    arguments=(
        argument("--timeout", metavar="N", type=_seconds, help="give up after N seconds"),
        CONNECT,
        SPACE,
        JSON,
    ),
    examples=("kioku sync", "kioku sync --timeout 30"),
    run=_sync,
    output="`level with N peers: NAME, …`",
    json="Whether it is level, and with whom; printed also where it is not.",
    exit_codes="0 level with every peer that is reached, 1 not level, or no peer is reached",
)

VERBS = {SYNC.name: SYNC}
