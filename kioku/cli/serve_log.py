"""What ``kioku serve`` tells of a node: one line for each thing that matters, none for a message.

``ServeLog.look`` is given one look at the node after the other and gives what is new. The rule
that is guarded: what comes and goes with every save (being behind for some milliseconds) is not
news. Behind is told of once it has lasted, progress while there is some to tell of, and level the
first time and after anything that was told in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kioku.node.statistics import EngineStatistics, PeerStatistics
    from kioku.node.status import NodeStatus, SpaceStatus

LASTING_MS: Final = 3_000
"""How long one is behind before that is told: between machines that are well it is milliseconds."""
PROGRESS_MS: Final = 2_000
BARE_AFTER_MS: Final = 5_000
"""How long a router may take to show that it is a replica: its beacon comes when it is met."""
OFFSET_MS_MAX: Final = 60_000
"""How far a clock may be off: what is stamped further ahead is held (DESIGN §5)."""
BARE_ROUTER: Final = "router is not a kioku replica: nothing is kept while all replicas are off"


class Told(NamedTuple):
    """One line: what happened, in which space and with whom, in words, and in numbers."""

    event: str
    text: str
    space: str = ""
    peer: str = ""
    numbers: dict[str, Any] = {}  # noqa: RUF012 - never changed


def bare_routers(status: NodeStatus) -> list[bytes]:
    """The routers that are reached and of which none of our peers is one."""
    known = {status.identity}
    for space in status.spaces:
        known |= space.engine.identities if space.engine else set()
    return [router for router in status.routers if router not in known]


class _PeerState:
    """What was told of one peer."""

    def __init__(self) -> None:
        self.is_met = False
        self.seen_ms = 0
        self.is_off = False
        self.refused: frozenset[str] = frozenset()
        self.problem = ""


class _SpaceState:
    """What was told of one space."""

    def __init__(self) -> None:
        self.state = ""
        self.problems: tuple[str, ...] = ()
        self.forks = 0
        self.is_level_told = False
        self.is_behind_told = False
        self.behind_since_ms: int | None = None
        self.progress_ms = 0
        self.peers: dict[bytes, _PeerState] = {}


class ServeLog:
    """Compares looks at a node; ``holder`` says which process runs the node of a store."""

    def __init__(self, holder: Callable[[str], int | None]) -> None:
        self._holder = holder
        self._transport = ""
        self._is_connected = False
        self._connected_ms = 0
        self._problem = ""
        self._is_bare_told = False
        self._spaces: dict[str, _SpaceState] = {}

    def look(self, status: NodeStatus, now_ms: int) -> list[Told]:
        """What is new since the look before; ``now_ms`` is of a steady clock."""
        told = [*self._dialling(status), *self._connections(status, now_ms)]
        for space in status.spaces:
            state = self._spaces.setdefault(space.path, _SpaceState())
            if space.state != state.state:
                state.state = space.state
                told += self._standing(space)
            told += [one._replace(space=space.name) for one in _news(state, space, now_ms)]
        return told

    def _dialling(self, status: NodeStatus) -> Iterator[Told]:
        if status.transport != self._transport:
            self._transport = status.transport
            if status.transport == "open" and status.role == "hub":
                for endpoint in status.listen:
                    yield Told("listening", f"listening on {endpoint}")
            elif status.transport == "dialling" and status.connect:
                yield Told("dialling", f"dialling {', '.join(status.connect)}")
        if status.problem != self._problem:
            self._problem = status.problem
            if status.problem:
                yield Told("problem", status.problem)

    def _connections(self, status: NodeStatus, now_ms: int) -> Iterator[Told]:
        if bool(status.routers) != self._is_connected:
            self._is_connected = bool(status.routers)
            self._connected_ms = now_ms
            self._is_bare_told = False
            yield _connection(status)
        is_bare = self._is_connected and bool(bare_routers(status))
        if is_bare and not self._is_bare_told and now_ms - self._connected_ms > BARE_AFTER_MS:
            self._is_bare_told = True
            yield Told("bare-router", BARE_ROUTER)

    def _standing(self, space: SpaceStatus) -> Iterator[Told]:
        if space.state == "standby":
            pid = self._holder(space.path)
            who = "another process" if pid is None else f"process {pid}"
            text = f"{who} runs its node; this one takes over when that ends"
            yield Told("standby", f"space {space.name}: {text}", space.name, numbers={"pid": pid})
        elif text := _STANDING.get(space.state, ""):
            yield Told(space.state, f"space {space.name}: {text}", space.name)


_STANDING: Final = {
    "joining": "waiting for a hub to say which space it has",
    "leading": "is shared from here",
    "failed": "cannot be shared now; it is tried again",
}


def _connection(status: NodeStatus) -> Told:
    if status.routers:
        where = "another hub" if status.role == "hub" else "the mesh"
        return Told("connected", f"connected to {where}")
    return Told("disconnected", "the connection is lost; dialling goes on, saving too")


def _news(state: _SpaceState, space: SpaceStatus, now_ms: int) -> Iterator[Told]:
    engine = space.engine
    problems = (space.problem, engine.problem if engine else "")
    for before, problem in zip(state.problems or ("", ""), problems, strict=True):
        if problem and problem != before:
            yield Told("problem", problem)
    state.problems = problems
    if engine is None:
        return
    for fork in engine.forks[state.forks :]:
        yield Told("fork", fork)
    state.forks = len(engine.forks)
    for peer in engine.peers:
        for told in _peer(state.peers.setdefault(peer.log_id, _PeerState()), peer):
            state.is_level_told &= told.event not in ("met", "gone")
            yield told._replace(peer=peer.name)
    yield from _levelling(state, engine, now_ms)


def _peer(state: _PeerState, peer: PeerStatistics) -> Iterator[Told]:
    has_called = _has_called(state, peer)
    if has_called or (peer.is_reachable and not state.is_met):
        what = ", ".join(filter(None, (peer.role, f"kioku {peer.version}")))
        yield Told("met", f"met {peer.name} ({what})")
    if has_called or (state.is_met and not peer.is_reachable):
        yield Told("gone", f"{peer.name} is not reached any more")
    state.is_met, state.seen_ms = peer.is_reachable, peer.last_seen_ms
    is_off = peer.offset_ms is not None and abs(peer.offset_ms) > OFFSET_MS_MAX
    if is_off and not state.is_off:
        yield _clock(peer)
    state.is_off = is_off
    refused = frozenset(peer.refused)
    for reason in sorted(refused - state.refused):
        yield Told("refused", f"refused from {peer.name}: {reason}")
    state.refused = refused
    if peer.problem and peer.problem != state.problem:
        yield Told("problem", f"comparing with {peer.name} failed: {peer.problem}")
    state.problem = peer.problem


def _has_called(state: _PeerState, peer: PeerStatistics) -> bool:
    """Whether it was there between two looks, as who syncs once is: heard in this run (else it has
    no clock to compare), and gone without a problem.
    """
    is_gone = not (peer.is_reachable or state.is_met or peer.problem)
    return is_gone and peer.offset_ms is not None and peer.last_seen_ms != state.seen_ms


def _clock(peer: PeerStatistics) -> Told:
    offset_ms = peer.offset_ms or 0
    way = "ahead of" if offset_ms > 0 else "behind"
    text = f"the clock of {peer.name} is {abs(offset_ms) // 1_000:,} s {way} this one: set either"
    return Told("clock", text, numbers={"offset_ms": offset_ms})


def _levelling(state: _SpaceState, engine: EngineStatistics, now_ms: int) -> Iterator[Told]:
    left = engine.events_left
    # While many save, somebody always lacks something: one who has all is enough not to be behind.
    if engine.is_ready or not any(peer.is_reachable for peer in engine.peers):
        state.behind_since_ms = None
    elif state.behind_since_ms is None:
        state.behind_since_ms = state.progress_ms = now_ms
    is_news = state.is_behind_told or not state.is_level_told
    if is_news and (engine.is_level or (engine.is_ready and state.is_behind_told)):
        state.is_level_told, state.is_behind_told = True, False
        count = sum(peer.is_reachable and peer.is_level for peer in engine.peers)
        yield Told("level", f"level with {counted(count, 'peer')}", numbers={"peers": count})
    if state.behind_since_ms is None:
        return
    has_lasted = now_ms - state.behind_since_ms >= LASTING_MS
    is_due = now_ms - state.progress_ms >= PROGRESS_MS
    if left and is_due and (has_lasted or state.is_behind_told):
        state.progress_ms, state.is_behind_told = now_ms, True
        source = f", now from {engine.comparing_with}" if engine.comparing_with else ""
        text = f"catching up: {counted(left, 'event')} left{source}"
        yield Told("behind", text, numbers={"left": left})
    elif has_lasted and not state.is_behind_told:
        state.is_behind_told = True
        yield Told("behind", f"not level: {_lagging(engine)}", numbers={"left": left})


def _lagging(engine: EngineStatistics) -> str:
    """With whom it is not level, and by how much as far as that is known."""
    parts = []
    for peer in engine.peers:
        if peer.is_reachable and not peer.is_level:
            known = [f"{peer.behind:,} behind"] if peer.behind else []
            known += [f"{peer.ahead:,} ahead"] if peer.ahead else []
            parts.append(f"{peer.name} ({', '.join(known)})" if known else peer.name)
    return ", ".join(parts) or "a peer"
