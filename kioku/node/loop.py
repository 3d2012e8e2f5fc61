"""The loop of a running node: the one thread that touches its engines and their stores.

    the transport's threads ─► inboxes ┐
    saves of this process ─► wake ─────┼─► turn: each seat in its turn; then wait until one is due,
    other processes' saves ─► 50 ms ───┘         or woken, with a look each ``LOOK_MS``

The rule this module guards: **nothing it waits for is without a bound, and it ends on its own when
nobody is left who could end it**. Its thread is no daemon, for a daemon is killed in the middle of
a write; so a program that forgets to stop it would never exit. But the main thread counts as ended
before the interpreter waits for the others: the loop sees that and shuts down as if it were told.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import ExitStack, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import StoreError
from kioku.node.connecting import Connecting, Silence
from kioku.node.control import Control
from kioku.node.joining import read_offers
from kioku.node.seat import Seat, Surroundings
from kioku.node.status import NodeStatus
from kioku.transport.message import SpacesAnswer

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from kioku.errors import KiokuError
    from kioku.node.engine import Clock, Profile
    from kioku.node.seat import NodeSpace
    from kioku.node.settings import MeshSettings
    from kioku.transport.link import Transport

LOOK_MS: Final = 50
"""Between two looks at what other processes saved: half of what a person takes for at once."""
ROUND_MS: Final = 250
"""Between two looks at what changes seldom, unless a seat moves: a turn should cost nothing."""
ROUND_MS_SETTLED: Final = 1_000
"""The same while there is a connection and nothing is waited for."""
ASK_MS: Final = 250
ASK_MS_MAX: Final = 8_000
"""Until hubs are asked again which spaces they have: a hub that just began has none yet."""
CLOSE_MS_MIN: Final = 200
"""What the network gets to let go even when what came before took all the time, and the store."""
STOP_MS: Final = 2_000
"""For the network to let go, when nobody said how long it may take."""


class Parts(NamedTuple):
    """What a node is made of: settings, spaces, and where time, chance and the network come in."""

    settings: MeshSettings
    spaces: Sequence[NodeSpace]
    profile: Profile
    dial: Callable[[], Transport]
    clock: Clock
    rng: random.Random


class Loop:
    """One run of a node, from ``start`` until it has ended for good."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._woken: SimpleQueue[None] = SimpleQueue()  # may be put to from a signal's handler
        self._is_woken = False
        self._is_stopping = False
        self._stop_by_ms = 0
        self._began_ms = self._clock.steady_ms()
        around = Surroundings(parts.clock, parts.rng, parts.profile, self.wake)
        self._seats = [Seat(space, around) for space in parts.spaces]
        self._connecting = Connecting(
            parts.dial,
            rng=parts.rng,
            hand_over=lambda transport: self.post(lambda: self._take(transport)),
            tell=lambda answers: self.post(lambda: self._settle(answers)),
        )
        self._control = Control(self._answer)
        self._listening: set[str] = set()
        self._control_problem = ""
        self._silence = Silence(self._began_ms)
        self._transport: Transport | None = None
        self._ask_due_ms = 0
        self._ask_wait_ms = ASK_MS
        self._askers: list[threading.Event] = []
        self._offered: bytes = SpacesAnswer(()).encode()
        self._has_offered = False
        self._posted: deque[Callable[[], object]] = deque()
        self._last = self._status()
        self._last_ms = self._began_ms
        self._owner = threading.current_thread()
        self._has_gone_round = False
        self._round_due_ms = 0
        self._moves = -1
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="kioku-node", daemon=False)

    # -- from any thread

    def wake(self) -> None:
        """Let the next turn begin now."""
        if not self._is_woken:
            self._is_woken = True
            self._woken.put(None)

    def post(self, step: Callable[[], object]) -> None:
        """Let the loop do something in its next turn."""
        self._posted.append(step)
        self.wake()

    def stop(self, by_ms: int) -> None:
        """Let the loop end, having closed the network by then."""
        self._stop_by_ms = by_ms
        self._is_stopping = True
        self.wake()

    def compare_now(self) -> None:
        """Compare with all peers of all spaces."""
        for seat in self._seats:
            self.post(seat.compare_now)

    def status(self, timeout_s: float) -> NodeStatus:
        """Give the status of now; the last one, if the loop does not come to it in time.

        What was saved before is in it, by whichever process.
        """
        done = threading.Event()
        if self.thread.is_alive() and threading.current_thread() is not self.thread:
            self.post(lambda: self._askers.append(done))
            if not self._is_stopping:
                done.wait(timeout_s)
        return self._last._replace(age_ms=self._clock.steady_ms() - self._last_ms)

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._connecting.state == "open"

    @property
    def is_idle(self) -> bool:
        """Whether other processes lead all of its spaces, so that it needs no connection."""
        return self._has_gone_round and self._connecting.state == "idle"

    @property
    def dial_error(self) -> KiokuError | None:
        """Why the last attempt to get into the mesh failed."""
        return self._connecting.error

    def _answer(self, question: str) -> Any:
        """Answer another process; in the control socket's thread."""
        if question == "sync":
            self.compare_now()
        return self.status(timeout_s=0.5).to_json()

    # -- the loop

    def _run(self) -> None:
        try:
            try:
                while not self._is_over():
                    self._turn()
            finally:
                self._finish()
        except BaseException as error:  # noqa: BLE001 - whoever stops the node is told
            self.error = error

    def _is_over(self) -> bool:
        if not self._is_stopping and self._is_abandoned():
            self._stop_by_ms = self._clock.steady_ms() + STOP_MS
            self._is_stopping = True
        return self._is_stopping

    def _is_abandoned(self) -> bool:
        """Whether the program has ended, but for threads that are not the one that began this."""
        if threading.main_thread().is_alive():
            return False
        return self._owner.daemon or not self._owner.is_alive()

    def _turn(self) -> None:
        now_ms = self._clock.steady_ms()
        while self._posted:
            self._posted.popleft()()
            self._round_due_ms = now_ms
        has_more = False
        moves = 0
        for seat in self._seats:
            has_more |= seat.turn(now_ms)
            moves += seat.moves
        if now_ms >= self._round_due_ms or moves != self._moves:
            self._moves = moves
            self._go_round(now_ms)
            self._round_due_ms = now_ms + (ROUND_MS_SETTLED if self._is_settled() else ROUND_MS)
        if self._askers:  # behind the turns: so a status knows what was saved before it was asked
            self._tell_askers()
        if not has_more and not self._posted:
            self._wait(now_ms)

    def _is_settled(self) -> bool:
        """Whether only a message, a save or a moment that somebody named calls for a turn."""
        return self._transport is not None and not any(seat.wants_offers for seat in self._seats)

    def _wait(self, now_ms: int) -> None:
        """Wait until a turn is due, and meanwhile do next to nothing: twenty times a second."""
        until_ms = min(self._round_due_ms, *(seat.due_ms for seat in self._seats))
        while (left_ms := until_ms - now_ms) > 0:
            with suppress(Empty):
                self._woken.get(timeout=min(left_ms, LOOK_MS) / 1_000)
                break
            now_ms = self._clock.steady_ms()
            if self._is_abandoned() or any(seat.is_touched(now_ms) for seat in self._seats):
                break
        while not self._woken.empty():
            self._woken.get_nowait()
        # Last: whoever finds it still set has already left what the coming turn looks at.
        self._is_woken = False

    def _go_round(self, now_ms: int) -> None:
        """Look after what changes seldom: the network, and who may ask."""
        led = [seat for seat in self._seats if seat.is_led]
        self._network(led, now_ms)
        self._listen({seat.path for seat in led})
        self._has_gone_round = True

    def _network(self, led: list[Seat], now_ms: int) -> None:
        """Have a connection while a space is led here, and doubt one that nobody is heard over."""
        if led:
            self._connecting.start()
        if self._transport is None:
            return
        if self._parts.settings.role == "hub":
            self._offer_spaces(self._transport)
            return
        if now_ms >= self._ask_due_ms and any(seat.wants_offers for seat in led):
            self._connecting.ask()
            self._ask_due_ms = now_ms + self._ask_wait_ms
            self._ask_wait_ms = min(ASK_MS_MAX, 2 * self._ask_wait_ms)
        if led and self._silence.is_long(sum(seat.heard for seat in led), now_ms):
            self._connecting.doubt()

    def _offer_spaces(self, transport: Transport) -> None:
        """Tell whoever asks which spaces are here: from the moment that one has joined."""
        joined = [seat for seat in self._seats if seat.address is not None]
        offers = [offer for seat in joined if (offer := seat.offer) is not None]
        self._offered = SpacesAnswer(tuple(sorted(offers))).encode()
        if joined and not self._has_offered:
            self._has_offered = True
            address = joined[0].address
            assert address is not None, "it has joined"
            transport.offer_spaces(address.machine, address.log_id, lambda: self._offered)

    def _listen(self, led: set[str]) -> None:
        """Answer other processes about the stores that are led here, and about no others."""
        for path in self._listening - led:
            self._control.close(path)
        for path in led - self._listening:
            try:
                self._control.open(path)
            except StoreError as error:
                self._control_problem = str(error)
        self._listening = led

    def _take(self, transport: Transport | None) -> None:
        now_ms = self._clock.steady_ms()
        self._transport, self._has_offered = transport, False
        self._silence.begin(now_ms)
        self._ask_due_ms, self._ask_wait_ms = now_ms, ASK_MS
        for seat in self._seats:
            seat.connect(transport, now_ms)

    def _settle(self, answers: list[bytes]) -> None:
        offers = read_offers(answers)
        for seat in self._seats:
            seat.settle(offers, self._clock.steady_ms())

    # -- what it tells

    def _tell_askers(self) -> None:
        asked, self._askers = self._askers, []
        self._last, self._last_ms = self._status(), self._clock.steady_ms()
        for done in asked:
            done.set()

    def _status(self) -> NodeStatus:
        settings, connecting = self._parts.settings, self._connecting
        transport = self._transport
        return NodeStatus(
            pid=os.getpid(),
            version=self._parts.profile.version,
            machine=settings.machine,
            role=settings.role,
            listen=settings.listen,
            connect=settings.connect,
            uptime_ms=self._clock.steady_ms() - self._began_ms,
            transport=connecting.state,
            problem=connecting.problem or self._control_problem,
            identity=transport.identity if transport else b"",
            routers=tuple(transport.routers()) if transport else (),
            rebuilds=connecting.rebuilds,
            spaces=tuple(seat.status() for seat in self._seats),
        )

    # -- the end

    def _finish(self) -> None:
        """Say what is left to say, and let go of everything: whatever fails, the rest is done."""
        with ExitStack() as steps:  # the last one first
            steps.callback(self._tell_askers)
            for seat in self._seats:
                steps.callback(seat.release)
            steps.callback(self._control.stop)
            steps.callback(self._disconnect)
            steps.callback(self._tell_askers)  # nobody shall wait for an end that takes long
            for seat in self._seats:
                steps.callback(seat.publish_last)

    def _disconnect(self) -> None:
        left_ms = max(CLOSE_MS_MIN, self._stop_by_ms - self._clock.steady_ms() - CLOSE_MS_MIN)
        self._connecting.stop(left_ms / 1_000)
        self._transport = None
