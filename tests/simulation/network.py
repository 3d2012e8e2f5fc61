"""A network that exists only in virtual time; ``kioku.transport.link`` over it.

Hubs are routers and spokes dial one of them, as Zenoh's are: two spokes meet through their hubs,
and when a hub dies its spokes have no way until they have dialled another. A hub here is a name; a
replica runs on it or, as on a plain router, none does. On the way a message is lost, doubled, cut,
damaged and delayed as the ``Weather`` says.

Two stations may have one address: a machine that was copied unseen speaks as its original.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

from kioku.errors import LinkClosedError
from kioku.transport.link import LinkChange, Put, Query, Reply, ReplyEnd
from tests.simulation.weather import FAIR, flipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from kioku.transport.link import Address, Delivery, PutKind, QueryKind
    from tests.simulation.disk import Image
    from tests.simulation.machine import Machine
    from tests.simulation.schedule import Schedule, Trace

DIAL_MS = (200, 10_000)
"""How long a spoke takes to see that its way is gone and to find another."""


class Network:
    """Who can reach whom, and what becomes of what they send."""

    def __init__(self, schedule: Schedule, rng: Random, trace: Trace) -> None:
        self.schedule = schedule
        self.rng = rng
        self.trace = trace
        self.weather = FAIR
        self.blocked: set[tuple[str, str]] = set()
        self.hubs: dict[str, bool] = {}
        self.transports: list[VirtualTransport] = []
        self.fallen: list[tuple[Machine, Image]] = []
        """Machines that crash right now, and what their files were at that moment."""
        self._latest: dict[tuple[int, int], int] = {}

    # -- who can reach whom

    def connect(self, label: str, identity: bytes, *, is_hub: bool) -> VirtualTransport:
        """Give a machine its connection to the mesh; a hub is there for others from now on."""
        if is_hub:
            self.hubs[label] = True
        transport = VirtualTransport(self, label, identity, is_hub=is_hub)
        self.transports.append(transport)
        self.change_ways()
        transport.dial()
        return transport

    def leave(self, transport: VirtualTransport) -> None:
        """Take a connection away; whoever had its only way through that hub is told at once."""
        self.transports.remove(transport)
        if transport.is_hub:
            self.hubs[transport.label] = False
            for other in self.transports:
                if other.hub == transport.label:
                    other.attach(None)
        self.change_ways()

    def change_ways(self) -> None:
        """Let each spoke find out, sooner or later, that the ways are others now."""
        for transport in self.transports:
            self.schedule.after(self.rng.randrange(*DIAL_MS), transport.dial)

    def has_way(self, source: VirtualTransport, target: VirtualTransport) -> bool:
        """Whether a message can go from one to the other now."""
        stops = [source.label, source.hub, target.hub, target.label]
        if None in stops:
            return False
        hops = [(a, b) for a, b in pairwise(stops) if a != b]
        return all(hop not in self.blocked for hop in hops)

    # -- what is sent

    def carry(
        self,
        source: VirtualTransport,
        target: VirtualTransport,
        data: bytes,
        arrive: Callable[[bytes], None],
    ) -> None:
        """Send bytes on their way; ``arrive`` is called once, twice or never."""
        weather, rng = self.weather, self.rng
        if not self.has_way(source, target):
            self.trace.saw("message into a partition")
            return
        if rng.random() < weather.loss:
            self.trace.saw("lost message")
            return
        self._post(source, target, data, arrive)
        if rng.random() < weather.doubles:
            self.trace.saw("doubled message")
            self._post(source, target, data, arrive)

    def _post(
        self,
        source: VirtualTransport,
        target: VirtualTransport,
        data: bytes,
        arrive: Callable[[bytes], None],
    ) -> None:
        rng, now_ms = self.rng, self.schedule.now_ms
        delay_ms = rng.randint(1, self.weather.delay_ms_max) + source.slow_ms + target.slow_ms
        pair = id(source), id(target)
        latest_ms = self._latest.get(pair, 0)
        if self.weather.is_orderly:
            delay_ms = max(delay_ms, latest_ms - now_ms)
        elif now_ms + delay_ms < latest_ms:
            self.trace.saw("reordered message")
        self._latest[pair] = max(now_ms + delay_ms, latest_ms)
        if data and rng.random() < self.weather.flips:
            self.trace.saw("flipped bit")
            data = flipped(data, rng)

        def reach() -> None:
            if target in self.transports:
                self.trace.note("message", source.label, target.label, len(data), crc32(data))
                arrive(data)

        self.schedule.after(delay_ms, reach)


class VirtualTransport:
    """One machine's connection to the mesh, until it closes or the process ends."""

    def __init__(self, network: Network, label: str, identity: bytes, *, is_hub: bool) -> None:
        self.network = network
        self.label = label
        self.is_hub = is_hub
        self.hub: str | None = label if is_hub else None
        self.slow_ms = 0
        self.links: list[VirtualLink] = []
        self._identity = identity
        self._is_closed = False

    @property
    def identity(self) -> bytes:
        """What this connection is known by."""
        return self._identity

    def join(self, address: Address, deliver: Callable[[Delivery], None]) -> VirtualLink:
        """Take part in a space; whoever has a way into the mesh hears that at once."""
        if self._is_closed:
            raise LinkClosedError("the transport is closed; nothing was joined")
        link = VirtualLink(self, address, deliver)
        self.links.append(link)
        if self.hub is not None:
            link.receive(LinkChange(is_up=True))
        return link

    def offer_spaces(self, machine: str, log_id: bytes, answer: Callable[[], bytes]) -> None:
        """Every machine here knows its space."""

    def ask_spaces(self, timeout_ms: int) -> list[bytes]:
        """Every machine here knows its space."""
        return []

    def routers(self) -> list[bytes]:
        """Give the identities of the routers that are reached directly."""
        if self.hub is None:
            return []
        near = [t for t in self.network.transports if t.is_hub and t is not self]
        if not self.is_hub:
            near = [t for t in near if t.label == self.hub]
        return [t.identity for t in near]

    def close(self, deadline_s: float = 0.0) -> None:
        """Leave the mesh; also what becomes of the connections of a process that ends."""
        if not self._is_closed:
            self._is_closed = True
            for link in self.links:
                link.close()
            self.network.leave(self)

    def dial(self) -> None:
        """Stay with the hub, or find another; with none at all there is no way."""
        if self.is_hub or self._is_closed:
            return
        network = self.network
        up = [hub for hub, is_up in network.hubs.items() if is_up]
        ways = {hub: self._open_directions(hub) for hub in up}
        if ways.get(self.hub or "") == 2:
            return
        best = max(up, key=ways.__getitem__, default=None)
        self.attach(best if best is not None and ways[best] else None)

    def _open_directions(self, hub: str) -> int:
        blocked = self.network.blocked
        return ((self.label, hub) not in blocked) + ((hub, self.label) not in blocked)

    def attach(self, hub: str | None) -> None:
        """Be connected to a hub, or to none."""
        before, self.hub = self.hub, hub
        if (before is None) != (hub is None):
            for link in list(self.links):
                link.receive(LinkChange(is_up=hub is not None))


class VirtualLink:
    """One replica's part in the space."""

    def __init__(
        self, transport: VirtualTransport, address: Address, deliver: Callable[[Delivery], None]
    ) -> None:
        self.transport = transport
        self.address = address
        self._deliver = deliver
        self._is_closed = False

    def receive(self, delivery: Delivery) -> None:
        """Hand over what arrived, unless the link is closed."""
        if not self._is_closed:
            self._deliver(delivery)

    def close(self) -> None:
        """Leave the space."""
        self._is_closed = True
        if self in self.transport.links:
            self.transport.links.remove(self)

    def _others(self) -> list[VirtualLink]:
        transports = self.transport.network.transports
        return [link for t in transports if t is not self.transport for link in t.links]

    def put(self, kind: PutKind, data: bytes) -> None:
        """Publish to all others of the space."""
        if self._is_closed:
            raise LinkClosedError("the link is closed; nothing was sent")
        for other in self._others():
            if other.address.space_id == self.address.space_id:
                arrive = partial(self._publish, other, kind)
                self.transport.network.carry(self.transport, other.transport, data, arrive)

    def _publish(self, other: VirtualLink, kind: PutKind, data: bytes) -> None:
        other.receive(Put(self.address, kind, data))

    def ask(
        self, to: Address, kind: QueryKind, data: bytes, *, request_id: int, timeout_ms: int
    ) -> None:
        """Ask whoever has that address: nobody, one, or an original and its copy."""
        if self._is_closed:
            raise LinkClosedError("the link is closed; nothing was sent")
        network = self.transport.network
        exchange = _Exchange(self, request_id)
        network.schedule.after(timeout_ms, partial(exchange.finish, "timeout"))
        targets = [link for link in self._others() if link.address == to]
        targets = [t for t in targets if network.has_way(self.transport, t.transport)]
        exchange.waits_for = len(targets)
        if not targets:
            network.trace.saw("question that reaches nobody")
            network.schedule.after(
                network.weather.delay_ms_max, partial(exchange.finish, "no answer")
            )
        for target in targets:
            arrive = partial(exchange.put_to, target, kind)
            network.carry(self.transport, target.transport, data, arrive)


class _Exchange:
    """One question under way: its replies come back until all answerers are done, or time is up."""

    def __init__(self, asker: VirtualLink, request_id: int) -> None:
        self.asker = asker
        self.request_id = request_id
        self.waits_for = 0
        self._is_over = False

    def put_to(self, target: VirtualLink, kind: QueryKind, data: bytes) -> None:
        """Let the question arrive at one who may answer it."""
        network = self.asker.transport.network
        source, home = target.transport, self.asker.transport
        left = 1_000_000
        if network.rng.random() < network.weather.cuts:
            left = network.rng.randrange(3)

        def answer(data: bytes) -> None:
            nonlocal left
            left -= 1
            if left >= 0:
                network.carry(source, home, data, self.reply)
            elif left == -1:
                network.trace.saw("truncated replies")

        def end() -> None:
            network.carry(source, home, b"", self.end)

        target.receive(Query(kind, data, answer, end))

    def reply(self, data: bytes) -> None:
        """Let one reply arrive, unless the question is over."""
        if not self._is_over:
            self.asker.receive(Reply(self.request_id, data))

    def end(self, _: bytes) -> None:
        """One of the answerers is done."""
        self.waits_for -= 1
        if self.waits_for <= 0:
            self.finish("")

    def finish(self, problem: str) -> None:
        """Say once that no more replies come."""
        if not self._is_over:
            self._is_over = True
            self.asker.receive(ReplyEnd(self.request_id, problem))
