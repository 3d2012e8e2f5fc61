"""The link over Zenoh: one session of a process, shared by all of its spaces.

A hub runs Zenoh's router inside this process, a spoke is a client of its hubs (docs/adr/0074).
Nothing here needs another daemon, and nothing is stored by Zenoh.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, Self

from kioku.transport import key_expressions
from kioku.transport.link import LinkChange
from kioku.transport.zenoh_session import ZenohSession, identity_of
from kioku.transport.zenoh_settings import OPEN_TIMEOUT_MS
from kioku.transport.zenoh_space import ZenohLink

if TYPE_CHECKING:
    from collections.abc import Callable

    import zenoh

    from kioku.transport.counting import LinkStatistics
    from kioku.transport.link import Address, Delivery
    from kioku.transport.zenoh_settings import ZenohSettings

SPACES_ANSWERS_MAX: Final = 64
SPACES_ANSWER_BYTES_MAX: Final = 64 * 1024
"""A thousand names of spaces. With their number it bounds what strangers can make us hold."""

SETTLING_S: Final = 0.5
"""How much later a hub is told of another hub, for what it publishes gets there only then: of puts
within 0.05 s none arrived, after 0.2 s all did, on an idle machine. A spoke's first one does."""


class ZenohTransport:
    """A connection to the mesh over Zenoh; ``open`` gives one. Any thread may call it."""

    def __init__(self, session: ZenohSession, *, is_hub: bool) -> None:
        self._session = session
        self._is_hub = is_hub
        self._lock = threading.Lock()  # never held while calling Zenoh or ``deliver``
        self._routers: set[bytes] = set()
        self._links: list[ZenohLink] = []
        self._declared: list[Any] = []

    @classmethod
    def open(cls, settings: ZenohSettings, *, deadline_s: float | None = None) -> Self:
        """Reach the mesh: listen as a hub, or connect to the first hub that answers.

        A hub does not wait for other hubs. A spoke needs one that is up: while all are down, try
        again later; once it was connected, it finds back by itself, to whichever hub is up.

        Without a deadline it takes 1.6 s for each hub that does not even refuse, and one more.

        Raises:
            AddressInUseError: if a hub cannot listen where it was told to.
            PeerUnreachableError: if none of a spoke's hubs answered in time.
            ConfigError: if an endpoint or an override cannot be used.
        """
        if deadline_s is None:
            deadline_s = 1.0 + len(settings.connect) * OPEN_TIMEOUT_MS / 1_000
        session = ZenohSession.open(settings, deadline_s)
        transport = cls(session, is_hub=settings.role == "hub")
        transport._watch_routers()
        return transport

    @property
    def identity(self) -> bytes:
        """This session's Zenoh id, 16 bytes."""
        return self._session.identity

    def join(self, address: Address, deliver: Callable[[Delivery], None]) -> ZenohLink:
        """Take part in a space as ``address``; whether there is a way to others comes first.

        Raises:
            LinkClosedError: if the transport is closed.
            InvalidArgumentError: if the address cannot be written as a key.
        """
        link = ZenohLink(
            self._session, key_expressions.checked(address), deliver, leave=self._leave
        )
        with self._lock:
            self._links.append(link)
            is_up = self._is_up()
        if is_up:
            link.hand_over(LinkChange(is_up=True))
        return link

    def offer_spaces(self, machine: str, log_id: bytes, answer: Callable[[], bytes]) -> None:
        """Answer whoever asks which spaces are here; ``answer`` is called on Zenoh's thread."""
        key = key_expressions.of_spaces(machine, log_id)

        def receive(query: zenoh.Query) -> None:
            with query:
                query.reply(key, answer())

        self._declared.append(
            self._session.driver.declare_queryable(key, self._session.callback(receive))
        )

    def ask_spaces(self, timeout_ms: int) -> list[bytes]:
        """Ask all hubs which spaces they have; blocks until all answered or time is up."""
        import zenoh

        answers: list[bytes] = []
        is_done = threading.Event()

        def receive(reply: zenoh.Reply) -> None:
            sample = reply.ok
            data = self._session.received(sample.payload) if sample is not None else None
            is_small = data is not None and len(data) <= SPACES_ANSWER_BYTES_MAX
            if data and is_small and len(answers) < SPACES_ANSWERS_MAX:
                answers.append(data)

        self._session.driver.get(
            key_expressions.ALL_SPACES,
            self._session.callback(receive, is_done.set),
            target=zenoh.QueryTarget.ALL,
            consolidation=zenoh.ConsolidationMode.NONE,
            timeout=timeout_ms / 1_000,
            allowed_destination=zenoh.Locality.REMOTE,
        )
        is_done.wait(timeout_ms / 1_000)
        return list(answers)

    def routers(self) -> list[bytes]:
        """Give the ids of the routers that this session reaches directly now: costs no network."""
        with self._lock:
            return sorted(self._routers)

    def statistics(self) -> LinkStatistics:
        """What went through and what was dropped, since it was opened."""
        return self._session.counters.snapshot()

    def close(self, deadline_s: float) -> None:
        """Leave the mesh within ``deadline_s``, whatever the other side does. Safe twice.

        Zenoh may still be busy with it then, on a thread that no exit waits for.
        """
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            link.silence()
        self._session.close(deadline_s)

    def _leave(self, link: ZenohLink) -> None:
        with self._lock:
            if link in self._links:
                self._links.remove(link)

    def _watch_routers(self) -> None:
        self._declared.append(
            self._session.driver.info.declare_transport_events_listener(
                self._session.callback(self._note_transport), history=True
            )
        )

    def _note_transport(self, event: zenoh.TransportEvent) -> None:
        import zenoh

        if event.transport.whatami != zenoh.WhatAmI.ROUTER:
            return
        router = identity_of(event.transport.zid)
        is_gain = event.kind == zenoh.SampleKind.PUT
        with self._lock:
            was_up = self._is_up()
            (self._routers.add if is_gain else self._routers.discard)(router)
            is_up = self._is_up()
        if is_gain and self._is_hub:
            settling = threading.Timer(SETTLING_S, self._tell, (LinkChange(is_up=True),))
            settling.daemon = True
            settling.start()
        elif is_gain or is_up != was_up:
            self._tell(LinkChange(is_up=is_up))

    def _tell(self, change: LinkChange) -> None:
        """Tell all links that are there by now: one may have joined since it happened."""
        with self._lock:
            links = list(self._links)
        for link in links:
            link.hand_over(change)

    def _is_up(self) -> bool:
        return self._is_hub or bool(self._routers)
