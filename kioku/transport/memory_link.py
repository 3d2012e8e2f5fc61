"""The link within one process: a bus that loses nothing, for tests and for what runs several
replicas at once.

It behaves as the link over Zenoh does, and one contract suite holds both. Messages are carried in
the order in which they were sent, by ``pump`` on the caller's thread or by a thread of the mesh's
own (``start``). Whatever else should happen to a message is a subclass's to decide: ``carry`` gets
each one, with the transports that it goes between.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Self

from kioku.errors import LinkClosedError
from kioku.transport import key_expressions
from kioku.transport.counting import Counters, LinkStatistics
from kioku.transport.link import Address, LinkChange, Put, Query
from kioku.transport.memory_questions import Question, Waiting
from kioku.transport.zenoh_settings import MESSAGE_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.transport.link import Delivery, PutKind, QueryKind


class MemoryMesh:
    """A mesh of transports in this process; any thread may use it."""

    def __init__(self, *, steady_ms: Callable[[], int]) -> None:
        """``steady_ms`` tells when a question has waited for too long."""
        self._steady_ms = steady_ms
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self._on_their_way: deque[Callable[[], None]] = deque()
        self._transports: list[MemoryTransport] = []
        self._questions: dict[Question, None] = {}
        self._thread: threading.Thread | None = None
        self._count = 0

    def connect(self, *, is_hub: bool = False) -> MemoryTransport:
        """Give a new connection to the mesh."""
        with self._lock:
            self._count += 1
            identity = self._count.to_bytes(16, "big")
            transport = MemoryTransport(self, identity, is_hub=is_hub)
            self._transports.append(transport)
        self.note_routers()
        return transport

    def carry(
        self, source: MemoryTransport, target: MemoryTransport, arrive: Callable[[], None]
    ) -> None:
        """Take a message on its way; ``arrive`` delivers it. Override it to be unfaithful."""
        del source, target
        self.post(arrive)

    def post(self, arrive: Callable[[], None]) -> None:
        """Let something happen when the mesh is pumped next, after all that was posted before."""
        with self._moved:
            self._on_their_way.append(arrive)
            self._moved.notify_all()

    def pump(self) -> int:
        """Deliver whatever is on its way, what that brings about included; how many it was."""
        count = 0
        self._end_overdue()
        while (arrive := self._next()) is not None:
            arrive()
            count += 1
        return count

    def start(self) -> Self:
        """Deliver on a thread of the mesh's own from now on, until ``stop``."""
        assert self._thread is None, "started once"
        self._thread = threading.Thread(target=self._run, name="kioku-mesh", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Deliver nothing any more on the thread that was started."""
        with self._moved:
            thread, self._thread = self._thread, None
            self._moved.notify_all()
        if thread is not None:
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- for the transports ----------------------------------------------------------------------

    def reaches(self, source: MemoryTransport, target: MemoryTransport) -> bool:
        """Whether messages go from one to the other now."""
        return source is not target and source.is_up and target.is_up

    def transports(self) -> list[MemoryTransport]:
        """Give the transports that are open."""
        with self._lock:
            return list(self._transports)

    def remove(self, transport: MemoryTransport) -> None:
        """Forget a transport that was closed."""
        with self._lock:
            self._transports.remove(transport)
        self.note_routers()

    def note_routers(self) -> None:
        """Tell every transport whether it still has a way to others."""
        for transport in self.transports():
            transport.note_routers()

    def begin(self, question: Question, timeout_ms: int) -> None:
        """Watch a question until it is over."""
        with self._moved:
            question.due_ms = self._steady_ms() + timeout_ms
            self._questions[question] = None
            self._moved.notify_all()

    def finish(self, question: Question) -> None:
        """Watch a question no more."""
        with self._lock:
            self._questions.pop(question, None)

    def _end_overdue(self) -> None:
        with self._lock:
            now_ms = self._steady_ms()
            overdue = [one for one in self._questions if one.due_ms <= now_ms]
        for question in overdue:
            question.end("timeout")

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            return self._on_their_way.popleft() if self._on_their_way else None

    def _run(self) -> None:
        me = threading.current_thread()
        while True:
            self.pump()
            with self._moved:
                if self._thread is not me:
                    return
                if not self._on_their_way:
                    self._moved.wait(self._patience_s())

    def _patience_s(self) -> float | None:
        due_ms = min((one.due_ms for one in self._questions), default=None)
        return None if due_ms is None else max(0, due_ms - self._steady_ms()) / 1_000


class MemoryTransport:
    """A connection to a ``MemoryMesh``. A hub is a router, whom all spokes reach directly."""

    def __init__(self, mesh: MemoryMesh, identity: bytes, *, is_hub: bool) -> None:
        self._mesh = mesh
        self._identity = identity
        self._lock = threading.RLock()
        self._links: list[MemoryLink] = []
        self._offers: list[Callable[[], bytes]] = []
        self._routers: list[bytes] = []
        self._was_up = False
        self._is_closed = False
        self.is_cut = False
        self.is_hub = is_hub
        self.counters = Counters()

    @property
    def identity(self) -> bytes:
        """What this transport is known by in its mesh."""
        return self._identity

    @property
    def mesh(self) -> MemoryMesh:
        """What this transport is part of."""
        return self._mesh

    @property
    def is_closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._is_closed

    @property
    def is_up(self) -> bool:
        """Whether this transport has a way to others: a hub has, a spoke while a hub is there."""
        return not self._is_closed and not self.is_cut and (self.is_hub or bool(self._routers))

    def join(self, address: Address, deliver: Callable[[Delivery], None]) -> MemoryLink:
        """Take part in a space as ``address``; whether there is a way to others comes first.

        Raises:
            LinkClosedError: if the transport is closed.
            InvalidArgumentError: if the address cannot be written as a key.
        """
        key_expressions.checked(address)
        self._check_open()
        link = MemoryLink(self, address, deliver)
        with self._lock:
            self._links.append(link)
        if self.is_up:
            self._mesh.post(lambda: link.hand_over(LinkChange(is_up=True)))
        return link

    def offer_spaces(self, machine: str, log_id: bytes, answer: Callable[[], bytes]) -> None:
        """Answer whoever asks which spaces are here."""
        del machine, log_id
        self._check_open()
        self._offers.append(answer)

    def ask_spaces(self, timeout_ms: int) -> list[bytes]:
        """Ask all others which spaces they have."""
        del timeout_ms  # nobody here takes any
        self._check_open()
        return [
            answer
            for other in self._mesh.transports()
            if self._mesh.reaches(self, other)
            for answer in other.answer_spaces()
        ]

    def routers(self) -> list[bytes]:
        """Give the identities of the other hubs that are reached now."""
        return list(self._routers)

    def statistics(self) -> LinkStatistics:
        """What went through and what was dropped, since it was connected."""
        return self.counters.snapshot()

    def close(self, deadline_s: float) -> None:
        """Leave the mesh. Safe to call twice."""
        del deadline_s  # nothing here waits
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        self._mesh.remove(self)

    def cut(self) -> None:
        """Lose every way to others, as when a cable is pulled out."""
        self.is_cut = True
        self._mesh.note_routers()

    def mend(self) -> None:
        """Have the ways to others again."""
        self.is_cut = False
        self._mesh.note_routers()

    # --- for the mesh and for links --------------------------------------------------------------

    def links(self) -> list[MemoryLink]:
        """Give the links that joined here and were not closed."""
        with self._lock:
            return list(self._links)

    def leave(self, link: MemoryLink) -> None:
        """Forget a link that was closed."""
        with self._lock:
            self._links.remove(link)

    def answer_spaces(self) -> list[bytes]:
        """Answer somebody who asks which spaces are here."""
        answers = []
        for offer in self._offers:
            try:
                answers.append(offer())
            except Exception:  # noqa: BLE001 - what fails here is nothing to whoever asks
                self.counters.count("failures")
        return answers

    def note_routers(self) -> None:
        """Look which hubs are there, and tell the links if that changed anything."""
        with self._lock:
            was_up, before = self._was_up, self._routers
            self._routers = [
                other.identity
                for other in self._mesh.transports()
                if other is not self and other.is_hub and not (self.is_cut or other.is_cut)
            ]
            is_gain = bool(set(self._routers) - set(before))
            is_up = self._was_up = self.is_up
        if is_up != was_up or is_gain:
            for link in self.links():
                self._mesh.post(partial(link.hand_over, LinkChange(is_up=is_up)))

    def _check_open(self) -> None:
        if self._is_closed:
            raise LinkClosedError("the link is closed; open another")


class MemoryLink:
    """One replica's part in one space, on a ``MemoryMesh``."""

    def __init__(
        self, transport: MemoryTransport, address: Address, deliver: Callable[[Delivery], None]
    ) -> None:
        self._transport = transport
        self._deliver = deliver
        self._is_closed = False
        self.address = address

    @property
    def transport(self) -> MemoryTransport:
        """What this link is part of."""
        return self._transport

    def put(self, kind: PutKind, data: bytes) -> None:
        """Publish to all replicas of the space."""
        if not self.may_send(data):
            return
        put = Put(self.address, kind, bytes(data))
        for link in self._others():
            if link.address.space_id == self.address.space_id:
                self._carry_to(link, partial(link.receive, put))

    def ask(
        self, to: Address, kind: QueryKind, data: bytes, *, request_id: int, timeout_ms: int
    ) -> None:
        """Ask one replica; ``Reply`` and then one ``ReplyEnd`` with this number are delivered."""
        if self.is_shut():
            return
        mesh = self._transport.mesh
        question = Question(self.hand_over, request_id, finish=mesh.finish)
        mesh.begin(question, timeout_ms)
        asked = next((link for link in self._others() if link.address == to), None)
        if not self.may_send(data):
            question.end("too large")
        elif asked is None:
            mesh.post(lambda: question.end("no answer"))
        else:
            carry_back = partial(mesh.carry, asked.transport, self._transport)
            waiting = Waiting(question, carry_back, asked.may_send, asked.transport.counters)
            query = Query(kind, bytes(data), waiting.answer, waiting.end)
            self._carry_to(asked, lambda: asked.receive_query(query, waiting))

    def close(self) -> None:
        """Leave the space: nothing is delivered any more. Safe to call twice."""
        if not self._is_closed:
            self._is_closed = True
            self._transport.leave(self)

    # --- for the mesh and for questions ----------------------------------------------------------

    def is_shut(self) -> bool:
        """Whether this link or its transport was closed."""
        return self._is_closed or self._transport.is_closed

    def hand_over(self, delivery: Delivery) -> None:
        """Give a delivery to whoever joined, unless the link was closed."""
        if self.is_shut():
            return
        try:
            self._deliver(delivery)
        except Exception:  # noqa: BLE001 - counted, as the link over Zenoh does
            self._transport.counters.count("failures")

    def receive(self, put: Put) -> None:
        """Take what another published."""
        if not self.is_shut():
            self._transport.counters.count("puts_received")
            self.hand_over(put)

    def receive_query(self, query: Query, waiting: Waiting) -> None:
        """Take a question, unless too many wait already."""
        if self.is_shut():
            waiting.end()
        elif waiting.admit():
            self._transport.counters.count("queries_received")
            self.hand_over(query)

    def may_send(self, data: bytes) -> bool:
        """Whether a message may go out: not from a closed link, and one too large is counted."""
        if self.is_shut():
            return False
        if len(data) > MESSAGE_BYTES_MAX:
            self._transport.counters.count("too_large")
            return False
        return True

    def _others(self) -> list[MemoryLink]:
        mesh = self._transport.mesh
        return [
            link
            for other in mesh.transports()
            if mesh.reaches(self._transport, other)
            for link in other.links()
        ]

    def _carry_to(self, link: MemoryLink, arrive: Callable[[], None]) -> None:
        self._transport.mesh.carry(self._transport, link.transport, arrive)
