"""What must hold of a run: at any time of receipts, and after quiet of everything (DESIGN §10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.crdt import lww_set
from kioku.log.event import GENESIS, RETRACT, EventId
from kioku.log.payload import decode_targets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.simulation.machine import Machine
    from tests.simulation.world import World

LIST_MAX: Final = 1_000
QUERIES: Final = ("seal clock", "記憶")

_EVENTS: Final = """
    SELECT l.log_id, e.seq, e.hash, e.hlc, e.kind, e.key, e.commitment, e.body
    FROM event e JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log"""
_MISSING: Final = """
    SELECT l.log_id, e.seq, e.hash FROM missing m JOIN event e ON e.event = m.event
    JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log"""


class Stored(NamedTuple):
    """One event as a store has it."""

    hlc: int
    kind: int
    key: bytes
    has_commitment: bool
    body: bytes | None

    @property
    def likeness(self) -> tuple[int, int, bytes]:
        """What a copy of it in a later log has in common with it."""
        return self[:3]


class Holding(NamedTuple):
    """What a replica has, as far as all must have the same once it is quiet."""

    digest: str
    unsealed: int
    missing: frozenset[EventId]


def holding(machine: Machine) -> Holding:
    """Ask a store what it states, has not stated yet, and lacks."""
    replica = machine.replica
    missing = frozenset(EventId(*row) for row in machine.ask(_MISSING))
    return Holding(replica.stated_digest().hex()[:16], replica.count_unsealed(), missing)


def lacks_a_body(machines: list[Machine], states: list[Holding]) -> bool:
    """Whether a replica lacks a body that another has; some died with their last holder."""
    missing = frozenset[EventId]().union(*(state.missing for state in states))
    if not missing:
        return False
    return any(events_of(machine)[one].body is not None for machine in machines for one in missing)


def events_of(machine: Machine) -> dict[EventId, Stored]:
    """Read every event of a store as it lies in its file."""
    return {
        EventId(*row[:3]): Stored(row[3], row[4], row[5], row[6] is not None, row[7])
        for row in machine.ask(_EVENTS)
    }


def law_of(events: dict[EventId, Stored]) -> lww_set.State:
    """Fold events by the pure law."""
    candidates: set[lww_set.Event] = set()
    retracted: set[EventId] = set()
    purged: set[bytes] = set()
    bodies: set[EventId] = set()
    for one, event in events.items():
        targets = frozenset[EventId]()
        if event.kind == RETRACT and event.body is not None:
            targets = frozenset(decode_targets(event.body))
        added = lww_set.fold(
            lww_set.Event(event.hlc, *one, event.kind, event.key, targets),
            has_body=event.body is not None,
        )
        candidates |= added.candidates
        retracted |= added.retracted
        purged |= added.purged
        bodies |= added.bodies
    return lww_set.State(
        candidates=frozenset(candidates),
        retracted=frozenset(retracted),
        purged=frozenset(purged),
        bodies=frozenset(bodies),
    )


def shown_by_law(state: lww_set.State) -> dict[bytes, EventId]:
    """What a reader sees of every key, by the pure law."""
    by_key: dict[bytes, set[lww_set.Event]] = {}
    for event in state.candidates:
        by_key.setdefault(event.key, set()).add(event)
    shown = {}
    for key, candidates in by_key.items():
        alone = lww_set.State(
            candidates=frozenset(candidates),
            purged=state.purged,
            retracted=state.retracted,
            bodies=state.bodies,
        )
        found = alone.shown(key)
        if found is not None:
            shown[key] = found.event.id
    return shown


class Answers(NamedTuple):
    """What a replica answers to everything that is asked of it; equal stores answer alike."""

    frontier: Any
    purged: frozenset[bytes]
    retracted: frozenset[EventId]
    shown: dict[bytes, EventId]
    listed: list[Any]
    hits: list[list[tuple[str, str]]]


def ask_all(machine: Machine, keys: Iterable[bytes]) -> Answers:
    """Ask a replica everything, at its clock."""
    memory, shown = machine.memory, {}
    with machine.replica.reading(now_ms=memory.now_ms()) as reading:
        for key in keys:
            found = reading.shown(key)
            if found is not None:
                assert not found.held, "something is held though its time has come"
                shown[key] = EventId(found.log_id, found.seq, found.hash)
    return Answers(
        machine.replica.frontier(),
        frozenset(row[0] for row in machine.ask("SELECT key FROM purged")),
        frozenset(EventId(*row) for row in machine.ask("SELECT log_id, seq, hash FROM retracted")),
        shown,
        memory.list(limit=LIST_MAX),
        [
            [(h.observation.id, h.observation.content) for h in memory.search(q, limit=20)]
            for q in QUERIES
        ],
    )


class Known:
    """All that the living held when the trouble ended, and the verdict on what became of it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._events: dict[EventId, Stored] = {}
        self._bodies: set[EventId] = set()
        for machine in world.machines:
            events = events_of(machine)
            self._events |= events
            self._bodies |= {one for one, event in events.items() if event.body is not None}

    def check(self) -> None:
        """Hold all machines to all laws.

        Raises:
            AssertionError: if one does not hold.
        """
        machines = self._world.machines
        stored = {machine.label: events_of(machine) for machine in machines}
        keys = sorted({event.key for events in stored.values() for event in events.values()})
        answers = {machine.label: ask_all(machine, keys) for machine in machines}
        first = answers[machines[0].label]
        for label, answer in answers.items():
            for name, mine, theirs in zip(Answers._fields, first, answer, strict=True):
                assert mine == theirs, f"{machines[0].label} and {label} differ in {name}"
        law = law_of(stored[machines[0].label])
        by_law = set(shown_by_law(law).items()) ^ set(first.shown.items())
        assert not by_law, f"what is shown is not what the law says: {by_law}"
        assert (law.purged, law.retracted) == (first.purged, first.retracted)
        for machine in machines:
            self._check_kept(machine, stored[machine.label], law)
            self._check_erased(machine, stored[machine.label], law)
        self._check_deep()

    def _check_kept(
        self, machine: Machine, stored: dict[EventId, Stored], law: lww_set.State
    ) -> None:
        """Nothing that lived on a living machine is lost, and nothing that was acknowledged."""
        likenesses = {event.likeness for event in stored.values()}
        for one, event in self._events.items():
            is_here = one in stored or event.likeness in likenesses or event.kind == GENESIS
            assert is_here, f"{machine.label} lacks {one}"
        for owner in self._world.machines:
            for ack in owner.disk.acknowledged:
                is_here = ack[:3] in stored or ack[3:] in likenesses or ack.kind == GENESIS
                assert is_here, f"{machine.label} lacks what {owner.label} acknowledged: {ack}"
        for one in self._bodies:
            kept = stored.get(one)
            if kept is not None and kept.body is None:
                was = lww_set.Event(kept.hlc, *one, kept.kind, kept.key)
                assert law.is_erased(was), f"{machine.label} lost the body of {one}"

    def _check_erased(
        self, machine: Machine, stored: dict[EventId, Stored], law: lww_set.State
    ) -> None:
        """Nothing that was erased is in any file."""
        for one, event in stored.items():
            if event.body is not None:
                law_event = lww_set.Event(event.hlc, *one, event.kind, event.key)
                assert not law.is_erased(law_event), f"{machine.label} kept the body of {one}"
        assert machine.replica.is_erased(), f"{machine.label} has not finished erasing"
        purged = [text for key in law.purged for text in self._world.user.words_of(key)]
        left = machine.disk.has_text(purged)
        assert not left, f"{machine.label} still has {left} in a file"

    def _check_deep(self) -> None:
        """Nothing is damaged."""
        machines = self._world.machines
        if not self._world.options.is_thorough:
            machines = [self._world.rng.choice(machines)]
        for machine in machines:
            findings = machine.replica.check(deep=True, now_ms=machine.memory.now_ms())
            bad = [f"{found.name}: {found.summary}" for found in findings if found.status == "fail"]
            assert not bad, f"{machine.label}: {bad}"
