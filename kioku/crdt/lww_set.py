"""The pure law of merge: what a set of events adds up to, whatever the order they came in.

The state is a product of grow-only sets, so its merge is their union, and everything else is a
question asked of those sets. That is why this way: a union is commutative, associative and
idempotent by itself, so a tombstone may come before its save, a purge before both and a retract
before its target, any event twice or late, and every replica answers alike.

    candidates   saves and tombstones that count          -> the greatest per key wins
    held         those that once had to wait for the clock, until they are candidates too
    purged       keys                                      -> beat everything, for ever
    retracted    ids of events                             -> those count for nothing
    bodies       ids of events whose body has been here    -> without one there is nothing to show

``kioku.crdt.fold`` is the same law over SQLite and a property test holds the two equal: whoever
changes a rule changes both. Expiry is not here: it is a reader's question, asked of a body.

Source: the LWW-element-set and the 2P-set of Shapiro, Preguiça, Baquero and Zawirski, "A
comprehensive study of convergent and commutative replicated data types", INRIA RR-7506, 2011,
§3.3; the total order and the purges are ours (docs/architecture.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kioku.log.event import GENESIS, PURGE, RETRACT, SAVE, TOMBSTONE, ZERO_KEY, EventId
from kioku.log.hlc import horizon

if TYPE_CHECKING:
    from collections.abc import Iterable
    from dataclasses import dataclass
else:
    from kioku.values import dataclass

# The kinds that compete for a key; only these are ever held.
CANDIDATE_KINDS = (SAVE, TOMBSTONE)

# The kinds that nothing takes back: no retract touches them and no purge erases their bodies.
PERMANENT_KINDS = (PURGE, GENESIS, RETRACT)


def is_permanent(kind: int, key: bytes) -> bool:
    """Whether nothing takes an event back: kinds that say so, and all that is about no key.

    The second holds for kinds and formats still to come, so that an old replica never erases what
    a newer one counts on.
    """
    return kind in PERMANENT_KINDS or key == ZERO_KEY


class Event(NamedTuple):
    """One event, as far as the law looks at it.

    ``targets`` is empty except for a retract whose body is here.
    """

    hlc: int
    log_id: bytes
    seq: int
    hash: bytes
    kind: int
    key: bytes
    targets: frozenset[EventId] = frozenset()

    @property
    def order(self) -> tuple[int, bytes, int, bytes]:
        """The total order of events: there are no ties, so no two replicas break one apart."""
        return self[:4]

    @property
    def id(self) -> EventId:
        """What names it in every store."""
        return EventId(self.log_id, self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a reader may see of a key; ``is_held`` when it waits for the clock all the same."""

    event: Event
    is_held: bool


@dataclass(frozen=True, slots=True)
class State:
    """Everything the law knows, as grow-only sets; equal states answer every question alike."""

    candidates: frozenset[Event] = frozenset()
    held: frozenset[Event] = frozenset()
    purged: frozenset[bytes] = frozenset()
    retracted: frozenset[EventId] = frozenset()
    bodies: frozenset[EventId] = frozenset()

    def merge(self, other: State) -> State:
        """Both states as one: commutative, associative, idempotent, for each part is a union."""
        return State(
            candidates=self.candidates | other.candidates,
            held=self.held | other.held,
            purged=self.purged | other.purged,
            retracted=self.retracted | other.retracted,
            bodies=self.bodies | other.bodies,
        )

    def is_waiting(self, event: Event) -> bool:
        """Whether it was held and has not been released: released once, it stays so."""
        return event in self.held and event not in self.candidates

    def is_purged(self, key: bytes) -> bool:
        """A purge beats everything, for ever, whatever the clocks say."""
        return key in self.purged

    def is_retracted(self, event: Event) -> bool:
        """A retract makes its targets count for nothing, but for those that are permanent."""
        return not is_permanent(event.kind, event.key) and event.id in self.retracted

    def is_erased(self, event: Event) -> bool:
        """Whether its body must not exist: its key is purged or it is retracted itself.

        Unknown kinds are never folded, but their bodies are erased by the same rule.
        """
        if is_permanent(event.kind, event.key):
            return False
        return self.is_purged(event.key) or self.is_retracted(event)

    def has_body(self, event: Event) -> bool:
        """Whether its body can be read: it has been here and no event has erased it since."""
        return event.id in self.bodies and not self.is_erased(event)

    def winner(self, key: bytes) -> Event | None:
        """The greatest save or tombstone that counts; None if there is none or the key is purged.

        A body that is missing changes nothing here: else the winner would depend on who sent it.
        """
        return None if self.is_purged(key) else self._greatest(self.candidates, key)

    def shown(self, key: bytes) -> Shown | None:
        """What a reader sees: the winner, or what waits while nothing that counts has the key.

        Nothing if the greatest is a tombstone or has no body here; never an older version.
        """
        if self.is_purged(key):
            return None
        winner = self._greatest(self.candidates, key)
        event = winner or self._greatest(self.held, key)
        if event is None or event.kind != SAVE or not self.has_body(event):
            return None
        return Shown(event, is_held=winner is None)

    def as_of(self, last: int) -> State:
        """The state of what is stamped up to ``last``; what was erased since stays erased.

        What waits for the clock counts too, for by then its time has come: so replicas with the
        same events answer alike, whatever their clocks held.
        """
        counting = (event for event in self.candidates | self.held if event.hlc <= last)
        return State(
            candidates=frozenset(counting),
            purged=self.purged,
            retracted=self.retracted,
            bodies=self.bodies,
        )

    def released(self, now_ms: int) -> State:
        """The state once every held event whose time has come counts like any other."""
        due = (event for event in self.held if not is_held(event.hlc, event.kind, now_ms))
        return self.merge(State(candidates=frozenset(due)))

    def _greatest(self, events: Iterable[Event], key: bytes) -> Event | None:
        """A retracted event is as if it had never been, so the next lower one is the greatest."""
        counting = (event for event in events if event.key == key and not self.is_retracted(event))
        return max(counting, key=lambda event: event.order, default=None)


def fold(event: Event, *, has_body: bool, is_held: bool = False) -> State:
    """What one event adds; merge it into a state. Folding it again once its body came is fine.

    Genesis and unknown kinds add nothing but that their body is here.
    """
    bodies = frozenset((event.id,)) if has_body else frozenset()
    if event.kind in CANDIDATE_KINDS:
        one = frozenset((event,))
        return State(held=one, bodies=bodies) if is_held else State(candidates=one, bodies=bodies)
    if event.kind == PURGE:
        return State(purged=frozenset((event.key,)), bodies=bodies)
    if event.kind == RETRACT:
        return State(retracted=event.targets, bodies=bodies)
    return State(bodies=bodies)


def is_held(hlc: int, kind: int, now_ms: int) -> bool:
    """Whether an event of another log must wait: a save or tombstone stamped over 60 s ahead.

    Decided once, at ingest, and kept: never asked of own events. A purge, a retract and a genesis
    take effect at once, for erasing late is the one mistake that no later event can mend.
    """
    return kind in CANDIDATE_KINDS and hlc > horizon(now_ms)
