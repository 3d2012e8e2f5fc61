"""A Zenoh session that can be opened, used and left without ever hanging or raising.

The rule this module guards: what Zenoh may take its time over has a deadline, and what it calls
back never raises, for it would lose the exception.

Callbacks run on Zenoh's own threads (``indirect=False``). The other way, Zenoh starts a Python
thread for each subscriber and for each question, none of them a daemon: a process whose session
was not closed would never exit.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from kioku.errors import ConfigError, LinkClosedError
from kioku.transport import zenoh_faults, zenoh_settings
from kioku.transport.counting import Counters

if TYPE_CHECKING:
    from collections.abc import Callable

    import zenoh

    from kioku.transport.zenoh_settings import ZenohSettings

IDENTITY_DIGITS: Final = 32

EXIT_PATIENCE_S: Final = 0.5
"""How long an exit waits for a call that is under way, whether it was given up or whoever waits for
it is a thread that no exit waits for either. One that returns while the interpreter is being taken
apart aborts the process (seen 25 times of 30 with a deadline of 0, never with this)."""

_T = TypeVar("_T")
_under_way: set[threading.Thread] = set()


class ZenohSession:
    """One session with its counters; ``open`` gives one. Any thread may use it."""

    def __init__(self, session: zenoh.Session) -> None:
        self._session = session
        self._refusal = _refusal()
        self._process = os.getpid()
        self._is_closed = False
        self.counters = Counters()
        self.identity = identity_of(session.zid())

    @classmethod
    def open(cls, settings: ZenohSettings, deadline_s: float) -> Self:
        """Listen as a hub, or connect to the first hub that answers.

        Raises:
            AddressInUseError: if a hub cannot listen where it was told to.
            PeerUnreachableError: if none of a spoke's hubs answered in time.
            ConfigError: if an endpoint or an override cannot be used.
        """
        import zenoh

        try:
            config = zenoh.Config.from_json5(zenoh_settings.configuration(settings))
        except zenoh.ZError as error:
            reason = zenoh_faults.one_line(error)
            raise ConfigError(f"[zenoh]: {reason}; correct or remove it") from None
        opening = _Hanging(lambda: zenoh.open(config), dispose=_close)
        session = opening.wait(deadline_s)
        if session is None:
            raise zenoh_faults.of_opening(opening.error, settings)
        return cls(session)

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called, or this process was forked off from the one that opened."""
        return self._is_closed or self._process != os.getpid()

    @property
    def driver(self) -> zenoh.Session:
        """Zenoh's own object.

        Raises:
            LinkClosedError: if the session is closed.
        """
        if self.is_closed:
            raise LinkClosedError("the link is closed; open another")
        return self._session

    def close(self, deadline_s: float) -> None:
        """End the session, and return within ``deadline_s`` even if Zenoh has not. Safe twice.

        It returns early enough for a process that exits then to be gone by the deadline, too.
        """
        if not self.is_closed:
            self._is_closed = True
            patience_s = max(deadline_s - EXIT_PATIENCE_S, deadline_s / 2)
            _Hanging(lambda: _close(self._session)).wait(patience_s)

    def callback(
        self, receive: Callable[[Any], None], drop: Callable[[], None] | None = None
    ) -> zenoh.handlers.Callback[Any]:
        """Make a callback for Zenoh's threads: what it raises is counted, and nothing else."""
        import zenoh

        def guarded(value: Any) -> None:
            try:
                receive(value)
            except Exception:  # noqa: BLE001 - Zenoh would lose it
                self.counters.count("failures")

        return zenoh.handlers.Callback(guarded, drop, indirect=False)

    def attempt(self, call: Callable[[], object]) -> bool:
        """Do what Zenoh refuses only while a session ends, and say whether it was done."""
        try:
            call()
        except self._refusal:
            self.counters.count("failures")
            return False
        return True

    def received(self, payload: zenoh.ZBytes | None) -> bytes | None:
        """Give a payload's bytes, or None when it is larger than a message may be."""
        if payload is None:
            return b""
        return payload.to_bytes() if self.is_allowed(len(payload)) else None

    def is_allowed(self, size: int) -> bool:
        """Whether a message may be so large; one that may not is counted."""
        is_allowed = size <= zenoh_settings.MESSAGE_BYTES_MAX
        if not is_allowed:
            self.counters.count("too_large")
        return is_allowed


class _Hanging(Generic[_T]):
    """A call that may hang, on a thread that no exit waits for."""

    def __init__(
        self, call: Callable[[], _T], dispose: Callable[[_T], object] | None = None
    ) -> None:
        """``dispose`` gets what came too late."""
        self._call = call
        self._dispose = dispose
        self._lock = threading.Lock()
        self._is_done = threading.Event()
        self._is_given_up = False
        self._result: _T | None = None
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="kioku-zenoh", daemon=True)
        self._thread.start()
        _under_way.add(self._thread)

    def wait(self, deadline_s: float) -> _T | None:
        """Give what the call gave, or None if it raised or is not done by the deadline."""
        self._is_done.wait(deadline_s)
        with self._lock:
            self._is_given_up = not self._is_done.is_set()
            if not self._is_given_up:
                _under_way.discard(self._thread)
            return self._result

    def _run(self) -> None:
        result = None
        try:
            result = self._call()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits
            self.error = error
        with self._lock:
            is_late = self._is_given_up
            self._result = result
            self._is_done.set()
        if is_late and self._dispose is not None and result is not None:
            self._dispose(result)
        if is_late:
            _under_way.discard(self._thread)


def identity_of(zid: zenoh.ZenohId) -> bytes:
    """Give the 16 bytes of a Zenoh id, which is written without its leading zeros."""
    return bytes.fromhex(str(zid).zfill(IDENTITY_DIGITS))


def _await_under_way() -> None:
    """Let calls return while they still can."""
    for thread in (waiting := tuple(_under_way)):
        thread.join(EXIT_PATIENCE_S / len(waiting))


atexit.register(_await_under_way)


def _refusal() -> type[Exception]:
    """Zenoh's own error, kept at hand: while an interpreter ends, nothing can be imported."""
    import zenoh

    return zenoh.ZError


def _close(session: zenoh.Session) -> None:
    session.close()  # type: ignore[no-untyped-call]  # Zenoh's stubs leave its types out
