"""One way into the mesh, kept open: dialled until it stands, and anew when it leads nowhere.

The rule this module guards: **the node's loop never waits for the network**. What may block,
opening, asking whether anybody answers, closing, happens in a thread of its own, which does
nothing else.

A connection that stands proves nothing: a router may stall and its socket live on (MEASURED). So
when nobody was heard for long, the hubs are asked a question that all of them answer. If none does,
twice, the connection is closed and dialled anew; where that helps nothing, less often each time.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Literal

from kioku.errors import KiokuError, PeerUnreachableError

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from kioku.transport.link import Transport

State = Literal["idle", "dialling", "open", "closed"]

FIRST_WAIT_S: Final = 0.5
WAIT_S_MAX: Final = 5.0
"""Between two attempts to dial: a hub that is back is found within seconds, at no cost to it."""
ASK_MS: Final = 3_000
"""For the hubs to answer whether they are there."""
CLOSE_S: Final = 2.0
LEAVE_S: Final = 1.2
"""For a dial that is under way to come back. One that does while the interpreter is taken apart
aborts the process, so with what an exit waits besides this outlasts the dial of one silent hub."""
SILENCE_MS: Final = 60_000
"""After which a connection is doubted: every hub says something within 45 s."""
SILENCE_MS_MAX: Final = 3_600_000


class Connecting:
    """Keeps a transport open.

    ``hand_over`` gives the loop a new one, or None when one is gone; ``tell`` what the hubs
    answered to the question which spaces they have. Both are called in a thread of this object.
    """

    def __init__(
        self,
        dial: Callable[[], Transport],
        *,
        rng: random.Random,
        hand_over: Callable[[Transport | None], None],
        tell: Callable[[list[bytes]], None],
    ) -> None:
        self._dial = dial
        self._rng = rng
        self._hand_over = hand_over
        self._tell = tell
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._transport: Transport | None = None
        self._is_doubted = False
        self._is_asked = False
        self._is_stopped = False
        self.error: KiokuError | None = None
        self.state: State = "idle"
        self.rebuilds = 0

    def start(self) -> None:
        """Begin to dial; whether it is answered shows later. Safe to call twice."""
        with self._changed:
            if self._thread is not None or self._is_stopped:
                return
            # A daemon: a dial that hangs must not keep the program from ending.
            self._thread = threading.Thread(target=self._run, name="kioku-dial", daemon=True)
        self._thread.start()

    @property
    def problem(self) -> str:
        """Why there is no connection, or was none that led anywhere; ``""`` if there is one."""
        return str(self.error) if self.error is not None else ""

    def doubt(self) -> None:
        """Find out whether anybody answers, and dial anew if not; nothing while that goes on."""
        with self._changed:
            self._is_doubted = True
            self._changed.notify()

    def ask(self) -> None:
        """Ask the hubs which spaces they have; ``tell`` is told, unless the connection goes."""
        with self._changed:
            self._is_asked = True
            self._changed.notify()

    def stop(self, deadline_s: float) -> None:
        """Close what stands within a deadline, and dial no more; safe to call twice."""
        with self._changed:
            self._is_stopped = True
            transport, self._transport = self._transport, None
            self._changed.notify()
        if transport is not None:
            transport.close(deadline_s)
        elif self._thread is not None:
            self._thread.join(min(deadline_s, LEAVE_S))
        self.state = "closed"

    # -- the thread

    def _is_over(self) -> bool:
        return self._is_stopped

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        while not self._is_over():
            transport = self._open()
            if transport is not None:
                wait_s = FIRST_WAIT_S
                self._keep(transport)
            else:
                self._pause(wait_s * self._rng.random())
                wait_s = min(WAIT_S_MAX, 2 * wait_s)

    def _open(self) -> Transport | None:
        self.state = "dialling"
        try:
            transport = self._dial()
        except KiokuError as error:
            self.error = error
            return None
        with self._changed:
            if not self._is_over():
                self._transport = transport
            self._is_doubted = self._is_asked = False
        if self._transport is None:
            transport.close(CLOSE_S)
            return None
        self.state, self.error = "open", None
        self._hand_over(transport)
        return transport

    def _keep(self, transport: Transport) -> None:
        """Ask what is to be asked, until the connection is doubted with reason; then give it up."""
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._is_doubted or self._is_asked or self._is_stopped
                )
                if self._is_stopped:
                    return
                is_doubted = self._is_doubted
                self._is_doubted = self._is_asked = False
            answers = ask(transport)
            if answers:
                self._tell(answers)
            elif is_doubted and not ask(transport):
                break
        self._give_up(transport)

    def _give_up(self, transport: Transport) -> None:
        with self._changed:
            if self._is_stopped:
                return  # whoever stopped it closes it
            self._transport = None
        self.rebuilds += 1
        self.error = PeerUnreachableError(
            "no hub answered over a connection that stood; it is dialled anew"
        )
        self._hand_over(None)
        transport.close(CLOSE_S)

    def _pause(self, wait_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopped, wait_s)


def ask(transport: Transport) -> list[bytes]:
    """Ask all hubs which spaces they have; nothing if none answers in time."""
    try:
        return transport.ask_spaces(ASK_MS)
    except KiokuError:
        return []


class Silence:
    """Decides when a connection is doubted: nobody was heard for long, and longer each time."""

    def __init__(self, now_ms: int) -> None:
        self._since_ms = now_ms
        self._limit_ms = SILENCE_MS
        self._heard = 0

    def begin(self, now_ms: int) -> None:
        """Count from now, over another connection; how long it may last stays as it was."""
        self._since_ms = now_ms

    def is_long(self, heard: int, now_ms: int) -> bool:
        """Whether it is time to doubt, given how much was heard so far in all."""
        if heard != self._heard:
            self._heard, self._since_ms, self._limit_ms = heard, now_ms, SILENCE_MS
        if now_ms - self._since_ms < self._limit_ms:
            return False
        self._since_ms = now_ms
        self._limit_ms = min(SILENCE_MS_MAX, 2 * self._limit_ms)
        return True
