"""One space in a node: standing by while another process leads it, then leading it.

    standby ──lock──► (joining ──which space──►) leading ──engine, and a link while there is one
       ▲                                            │
       └──────── the store failed, or moved ◄───────┘    tried again after a while

A seat is the loop's: all of it is called from there, but for the inbox, which the transport fills.
The rule this module guards: **what fails in one space ends that space's part for a while**, says
so in its status, and leaves the others alone.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.errors import KiokuError, StoreBusyError, StoreError, TransportError
from kioku.log.glance import is_private_store
from kioku.node.engine import Engine
from kioku.node.inbox import Inbox
from kioku.node.joining import Offer, decide
from kioku.node.leader import LeaderLock
from kioku.node.looking import Looking
from kioku.node.status import SpaceStatus
from kioku.transport.link import LinkChange

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from kioku.node.engine import Clock, Profile
    from kioku.node.status import State
    from kioku.replica import Replica
    from kioku.transport.link import Address, Link, Transport

BATCH: Final = 64
"""Deliveries of one space until the other spaces have their turn."""
LOCK_MS: Final = 250
"""Between two attempts to lead: a leader's death is noticed well within a second."""
PLACE_MS: Final = 1_000
"""Between two looks whether store and lock are still where they were."""
AGAIN_MS: Final = 1_000
AGAIN_MS_MAX: Final = 60_000
"""After what failed: another try, later each time."""


class NodeSpace(NamedTuple):
    """A space for a node to run: its store, and how to open a replica of it for the node alone.

    ``is_chosen``: whether a person named it. One that is not becomes the space that its hubs have.
    """

    name: str
    path: str
    open: Callable[[], Replica]
    is_chosen: bool = True

    def is_private(self) -> bool:
        """Whether it never takes part; False while that cannot be told, which leading finds out."""
        try:
            return is_private_store(self.path)
        except StoreError:
            return False


class Surroundings(NamedTuple):
    """What all seats of a node share."""

    clock: Clock
    rng: random.Random
    profile: Profile
    wake: Callable[[], None]


class _Led(NamedTuple):
    """What leading a space takes: a replica of the node's own, and the engine over it."""

    replica: Replica
    engine: Engine


class Seat:
    """One space's part in a node. Not safe to share between threads, its inbox excepted."""

    def __init__(self, space: NodeSpace, surroundings: Surroundings) -> None:
        self._space = space
        self._around = surroundings
        self._lock = LeaderLock(space.path)
        self.path = os.path.realpath(space.path)
        self._led: _Led | None = None
        self._transport: Transport | None = None
        self._link: Link | None = None
        self._joined: Address | None = None
        self._inbox = Inbox(surroundings.wake)
        self._offer: Offer | None = None
        self._version = 0
        self._looking = Looking(self.path)
        self._due_ms = 0
        self._lock_due_ms = 0
        self._place_due_ms = 0
        self._led_since_ms = 0
        self._failures = 0
        self._must_ask = False
        self._is_busy = False
        self.moves = 0
        """How often it began or ended to lead, and joined or left."""
        self.state: State = "standby"
        self.problem = ""

    # -- what the loop asks

    @property
    def is_led(self) -> bool:
        """Whether this process leads it."""
        return self._led is not None

    @property
    def address(self) -> Address | None:
        """As what it has joined; None while it has not."""
        return self._joined

    @property
    def wants_offers(self) -> bool:
        """Whether it is to hear which spaces the hubs have."""
        return self._must_ask and self.is_led

    @property
    def heard(self) -> int:
        """How many messages of others have come in so far."""
        return self._inbox.heard

    @property
    def due_ms(self) -> int:
        """When its next turn is due, on the steady clock."""
        return self._due_ms if self._led is not None else self._lock_due_ms

    def is_touched(self, now_ms: int) -> bool:
        """Whether others may have written to it while it is led, so that a turn is due now."""
        return self._led is not None and self._looking.is_touched(now_ms)

    def status(self) -> SpaceStatus:
        """Tell how it stands."""
        bare = SpaceStatus(self._space.name, self.path, b"", self.state, self.problem)
        led = self._led
        if led is None:
            return bare
        try:
            return bare._replace(
                name=led.replica.space_name(),
                space_id=led.replica.space_id(),
                engine=led.engine.statistics() if self._offer else None,
                inbox=self._inbox.statistics(),
            )
        except KiokuError as error:
            return bare._replace(problem=self.problem or str(error))

    @property
    def offer(self) -> Offer | None:
        """The space as a hub offers it; None while it has not joined."""
        return self._offer if self._joined else None

    # -- what the loop does

    def turn(self, now_ms: int) -> bool:
        """Do what is due; gives whether more is waiting already."""
        if self._led is None and now_ms < self._lock_due_ms:
            return False
        with self._failing(now_ms):
            if self._led is not None:
                return self._lead(self._led, now_ms)
            self._try_to_lead(now_ms)
        return False

    @contextmanager
    def _failing(self, now_ms: int) -> Iterator[None]:
        """Do something that may fail: then the space is given up for a while."""
        try:
            yield
        except StoreBusyError as error:
            self.problem = str(error)  # others write; what is to be done is still there
            self._is_busy = True
            self._due_ms = now_ms + LOCK_MS
        except KiokuError as error:
            self._fail(str(error), now_ms)
        except Exception as error:  # noqa: BLE001 - a fault of ours, in what another sent perhaps
            self._fail(f"{type(error).__name__}: {error}; please report it", now_ms)

    def connect(self, transport: Transport | None, now_ms: int) -> None:
        """Go on over another connection, or without one."""
        self._leave()
        self._transport = transport
        self._due_ms = min(self._due_ms, now_ms)

    def compare_now(self) -> None:
        """Compare with every peer that can be reached."""
        if self._led is not None:
            with self._failing(self._due_ms):
                self._led.engine.compare_now()
                self._due_ms = 0

    def settle(self, offers: list[Offer], now_ms: int) -> None:
        """Learn which spaces the hubs have, and become one of them if that is clear."""
        if self._led is None or not self._must_ask:
            return
        with self._failing(now_ms):
            replica = self._led.replica
            own = Offer(replica.space_id(), replica.space_name())
            decision = decide(offers, own, has_met=replica.has_met_peers())
            if decision.offer is not None and decision.offer != own:
                replica.adopt_space(*decision.offer)
            self.problem = decision.problem
            if decision.offer is not None:
                self._must_ask = False
                self.state = "leading"
                self._due_ms = now_ms

    def publish_last(self) -> None:
        """Seal and publish what is left, as far as the link takes it."""
        if self._led is not None and self._link is not None:
            with suppress(Exception):  # whatever it is, the end goes on
                self._led.engine.farewell()
        self._leave()

    def release(self) -> None:
        """Close the store and let another process lead; safe to call twice."""
        self._leave()
        led, self._led = self._led, None
        self.moves += 1
        self._inbox.close()
        if led is not None:
            with suppress(KiokuError):
                led.replica.close()
        self._lock.release()
        self.state = "stopped"

    # -- standing by

    def _try_to_lead(self, now_ms: int) -> None:
        self._lock_due_ms = now_ms + LOCK_MS
        if not self._lock.try_take():
            self.state, self.problem = "standby", ""
            return
        replica = self._space.open()
        around = self._around
        engine = Engine(replica, clock=around.clock, rng=around.rng, profile=around.profile)
        self._led, self._offer = _Led(replica, engine), None
        self.moves += 1
        self._inbox = Inbox(around.wake)
        self._version, self._looking = replica.data_version(), Looking(replica.path)
        self._place_due_ms = now_ms + PLACE_MS
        self._led_since_ms = self._due_ms = now_ms
        self._must_ask = not self._space.is_chosen and around.profile.role == "spoke"
        is_settled = not self._must_ask or replica.has_met_peers()
        self.state, self.problem = ("leading" if is_settled else "joining"), ""

    # -- leading

    def _lead(self, led: _Led, now_ms: int) -> bool:
        replica, engine = led
        self._look_at_place(replica, now_ms)
        has_changed = self._looking.is_due(now_ms) and self._has_changed(replica)
        if self._is_busy:
            self._is_busy, self.problem = False, ""
        if self.state == "joining":
            self._due_ms = now_ms + LOCK_MS
            return False
        self._begin(led)
        if has_changed:
            engine.local_change()
        deliveries = self._inbox.take(BATCH) if self._inbox.is_waiting else ()
        for delivery in deliveries:
            engine.handle(delivery)
        if has_changed or deliveries or now_ms >= self._due_ms:
            self._due_ms = now_ms + engine.advance()
        if self._link is not None and engine.address != self._joined:
            self._leave()
            self._due_ms = now_ms
        return len(deliveries) == BATCH

    def _has_changed(self, replica: Replica) -> bool:
        """Whether another connection, so another process or this one's user, wrote to the store."""
        version = replica.data_version()
        has_changed = version != self._version
        self._version = version
        return has_changed

    def _look_at_place(self, replica: Replica, now_ms: int) -> None:
        if now_ms < self._place_due_ms:
            return
        self._place_due_ms = now_ms + PLACE_MS
        if now_ms - self._led_since_ms > AGAIN_MS_MAX:
            self._failures = 0
        replica.check_file()
        if not self._lock.is_in_place():
            raise TransportError(f"{self._lock.path}: was deleted while this node held it")

    def _begin(self, led: _Led) -> None:
        """Prepare to speak, which needs nobody, and take part once there is a connection."""
        replica, engine = led
        if self._offer is None:
            engine.prepare()
            self._offer = Offer(replica.space_id(), replica.space_name())
        if self._link is not None or self._transport is None:
            return
        self._inbox = Inbox(self._around.wake)
        with suppress(TransportError):  # it was closed meanwhile; another one comes
            self._link = self._transport.join(engine.address, self._inbox.put)
            self._joined = engine.address
            self.moves += 1
            engine.start(self._link, self._transport.identity)

    def _leave(self) -> None:
        link, self._link, self._joined = self._link, None, None
        if link is None:
            return
        self.moves += 1
        if self._led is not None:
            with suppress(Exception):  # whatever it is, we leave
                self._led.engine.handle(LinkChange(is_up=False))
            with suppress(Exception):
                self._led.engine.stop()
        with suppress(TransportError):
            link.close()
        self._inbox.close()

    def _fail(self, problem: str, now_ms: int) -> None:
        """Give the space up for a while."""
        self._failures += 1
        self.release()
        self.state, self.problem = "failed", problem
        wait_ms = min(AGAIN_MS_MAX, AGAIN_MS << min(self._failures, 10))
        self._lock_due_ms = now_ms + int(wait_ms * (0.5 + self._around.rng.random() / 2))
