"""Two meshes to run one contract over: the bus in memory, and real Zenoh on this machine."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from kioku.transport.link import Address, LinkChange, Put, Query, Reply, ReplyEnd
from kioku.transport.memory_link import MemoryMesh, MemoryTransport
from kioku.transport.zenoh_link import ZenohTransport
from kioku.transport.zenoh_settings import ZenohSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.transport.counting import LinkStatistics
    from kioku.transport.link import Delivery, Link, Transport

PATIENCE_S = 30.0
"""How long a condition is waited for before a test fails: never how long something takes."""

_Kind = TypeVar("_Kind", Put, Query, Reply, ReplyEnd, LinkChange)


class Inbox:
    """What was delivered to one joiner, in order; ``deliver`` only enqueues."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Delivery] = queue.SimpleQueue()
        self._seen: deque[Delivery] = deque()

    def deliver(self, delivery: Delivery) -> None:
        self._queue.put(delivery)

    def next(self, kind: type[_Kind]) -> _Kind:
        """Wait for the next delivery of a kind; others are kept for later."""
        for delivery in self._seen:
            if isinstance(delivery, kind):
                self._seen.remove(delivery)
                return delivery
        while True:
            delivery = self._queue.get(timeout=PATIENCE_S)
            if isinstance(delivery, kind):
                return delivery
            self._seen.append(delivery)

    def all_so_far(self) -> list[Delivery]:
        while not self._queue.empty():
            self._seen.append(self._queue.get())
        return list(self._seen)


def wait_until(is_so: Callable[[], object]) -> None:
    """Look again and again: most of what Zenoh does cannot be waited for otherwise."""
    never = threading.Event()
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        never.wait(0.005)


def free_endpoint() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"tcp/127.0.0.1:{listener.getsockname()[1]}"


class World(Protocol):
    """A mesh with one hub to begin with; what was opened is closed at its end."""

    def hub(self) -> Transport: ...
    def spoke(self) -> Transport: ...
    def stop_hubs(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


class MemoryWorld:
    """The bus in memory, delivering on a thread of its own."""

    def __init__(self) -> None:
        self._mesh = MemoryMesh(steady_ms=lambda: time.monotonic_ns() // 1_000_000)
        self._hubs: list[MemoryTransport] = []

    def hub(self) -> MemoryTransport:
        self._hubs.append(self._mesh.connect(is_hub=True))
        return self._hubs[-1]

    def spoke(self) -> MemoryTransport:
        return self._mesh.connect()

    def stop_hubs(self) -> None:
        while self._hubs:
            self._hubs.pop().close(1)

    def __enter__(self) -> Self:
        self._mesh.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._mesh.stop()


class ZenohWorld:
    """Real Zenoh over TCP on the loopback interface."""

    def __init__(self) -> None:
        self._opened: list[ZenohTransport] = []
        self._hubs: list[ZenohTransport] = []
        self._endpoints: list[str] = []

    def hub(self) -> ZenohTransport:
        endpoint = free_endpoint()
        settings = ZenohSettings("hub", listen=(endpoint,), connect=tuple(self._endpoints))
        self._endpoints.append(endpoint)
        self._hubs.append(self.keep(ZenohTransport.open(settings)))
        return self._hubs[-1]

    def spoke(self) -> ZenohTransport:
        settings = ZenohSettings("spoke", connect=tuple(self._endpoints))
        return self.keep(ZenohTransport.open(settings))

    def stop_hubs(self) -> None:
        while self._hubs:
            self._hubs.pop().close(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for transport in self._opened:
            transport.close(PATIENCE_S)

    @property
    def endpoints(self) -> tuple[str, ...]:
        return tuple(self._endpoints)

    def keep(self, transport: ZenohTransport) -> ZenohTransport:
        """Close it at the end, whatever happens."""
        self._opened.append(transport)
        return transport


def address(machine: str, *, space: int = 1, log: int | None = None) -> Address:
    log_id = machine.encode().ljust(16, b"\0") if log is None else log.to_bytes(16, "big")
    return Address(space.to_bytes(16, "big"), machine, log_id)


class Member:
    """A replica that has joined, with what was delivered to it."""

    def __init__(self, transport: Transport, machine: str, *, space: int = 1) -> None:
        self.transport = transport
        self.address = address(machine, space=space)
        self.inbox = Inbox()
        self.link: Link = transport.join(self.address, self.inbox.deliver)

    def ask(
        self, other: Member | Address, data: bytes, *, number: int = 1, timeout_ms: int = 20_000
    ) -> None:
        to = other if isinstance(other, Address) else other.address
        self.link.ask(to, "heads", data, request_id=number, timeout_ms=timeout_ms)

    def heard(self) -> list[Delivery]:
        return self.inbox.all_so_far()

    def statistics(self) -> LinkStatistics:
        assert isinstance(self.transport, MemoryTransport | ZenohTransport)
        return self.transport.statistics()

    def wait_to_hear(self, other: Member) -> None:
        """Wait until what ``other`` publishes arrives here: subscriptions take their time."""
        marker = b"are you there? "
        seen: list[Put] = []

        def is_heard() -> bool:
            other.link.put("beacon", marker)
            seen.extend(
                one
                for one in self.inbox.all_so_far()
                if isinstance(one, Put) and one.sender == other.address and one.data == marker
            )
            return bool(seen)

        wait_until(is_heard)
