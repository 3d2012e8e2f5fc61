"""The link: what carries messages between replicas, as a port.

A ``Transport`` is one connection to the mesh (a Zenoh session, or an in-memory bus). A replica
joins it once for each space and gets a ``Link``. Whatever arrives is a ``Delivery``, handed to the
``deliver`` that the joiner gave: **that call only enqueues**, for it runs on the transport's own
threads; the node's loop takes deliveries out at its own pace, and a queue that is full drops.

Nothing is promised of a message: it may be lost, doubled, late or another's invention. Key
expressions (DESIGN §8) are the transport's business; above it a replica is an ``Address``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

PutKind = Literal["live", "beacon"]
QueryKind = Literal["heads", "hashes", "range", "bodies", "credentials"]
PUT_KINDS: Final = ("live", "beacon")
QUERY_KINDS: Final = ("heads", "hashes", "range", "bodies", "credentials")


class Address(NamedTuple):
    """A replica in the mesh: the space, the name of its machine, and the log that it writes."""

    space_id: bytes
    machine: str
    log_id: bytes


class Put(NamedTuple):
    """Something that a replica published; never one's own."""

    sender: Address
    kind: PutKind
    data: bytes


class Query(NamedTuple):
    """A question to this replica: ``answer`` any number of times, then ``end`` once.

    Both may be called on any thread and never raise; after the end, or once the asker's time is up,
    they do nothing. A question that is dropped is ended.
    """

    kind: QueryKind
    data: bytes
    answer: Callable[[bytes], None]
    end: Callable[[], None]


class Reply(NamedTuple):
    """One answer to a question of this replica."""

    request_id: int
    data: bytes


class ReplyEnd(NamedTuple):
    """No more answers come; ``problem`` is ``""`` if the link knows of none.

    That proves nothing: a link may end a truncated stream normally (MEASURED).
    """

    request_id: int
    problem: str


class LinkChange(NamedTuple):
    """The transport gained a way into the mesh, or lost its last one.

    Up is said on joining, and again whenever a router is gained: then comparing may bring
    something. A hub is always up, for others can reach it.
    """

    is_up: bool


Delivery = Put | Query | Reply | ReplyEnd | LinkChange


class Link(Protocol):
    """One replica's part in one space. Its calls never block on the network, and never raise.

    A message over 4 MiB is dropped and counted; what is sent once the link is closed goes nowhere.
    """

    def put(self, kind: PutKind, data: bytes) -> None:
        """Publish to all replicas of the space; dropped when the network cannot take it."""

    def ask(
        self, to: Address, kind: QueryKind, data: bytes, *, request_id: int, timeout_ms: int
    ) -> None:
        """Ask one replica; ``Reply`` and then one ``ReplyEnd`` with this number are delivered."""

    def close(self) -> None:
        """Leave the space: nothing is delivered any more. Safe to call twice."""


class Transport(Protocol):
    """One connection to the mesh, shared by all spaces of a node."""

    @property
    def identity(self) -> bytes:
        """What this connection is known by in the mesh (a Zenoh id), up to 16 bytes."""

    def join(self, address: Address, deliver: Callable[[Delivery], None]) -> Link:
        """Take part in a space as ``address``.

        Raises:
            LinkClosedError: if the transport is closed.
        """

    def offer_spaces(self, machine: str, log_id: bytes, answer: Callable[[], bytes]) -> None:
        """Answer whoever asks which spaces are here (hubs of open spaces)."""

    def ask_spaces(self, timeout_ms: int) -> list[bytes]:
        """Ask all hubs which spaces they have; blocks until all answered or time is up."""

    def routers(self) -> list[bytes]:
        """Give the identities of the routers that this connection reaches directly now."""

    def close(self, deadline_s: float) -> None:
        """Leave the mesh within ``deadline_s``, whatever the other side does. Safe twice."""
