"""Messages: what replicas say to each other, as values, and the one encoding of each.

    [type, protocol version, field, …]        a deterministic CBOR array (docs/protocol.md)

A message that ``decode`` returns keeps every limit and every type; nothing in it is trusted beyond
that. A type that is not known here is ``Unknown`` and ignored, so that a later kioku may say more
than this one understands. Every stream of answers ends with an explicit ``End``: a link may cut a
stream and call it complete, and what was not said means "unknown", never "in sync".

The places of credentials are kept, and are null in an open space.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, cast, get_args

from kioku.errors import UnsupportedVersionError
from kioku.log.chunk import MESSAGE_BYTES_MAX
from kioku.log.codec import check_canonical, encode, has_items_max
from kioku.log.codec import decode as decode_cbor
from kioku.log.event import BODY_BYTES_MAX, SALT_BYTES, UINT_LIMIT, EventId
from kioku.log.seal import SIGNATURE_BYTES
from kioku.transport.fields import (
    malformed,
    read_bytes,
    read_chunk,
    read_event,
    read_events,
    read_flag,
    read_hash,
    read_id,
    read_list,
    read_name,
    read_optional,
    read_place,
    read_places,
    read_prefix,
    read_prefixes,
    read_seqs,
    read_uint,
    rising,
)
from kioku.transport.holdings import Body, Head, Place
from kioku.transport.limits import (
    BODIES_MAX,
    CREDENTIAL_BYTES_MAX,
    HEADS_MAX,
    IDENTITY_BYTES_MAX,
    ITEMS_MAX,
    PREFIXES_MAX,
    PROTOCOL_VERSION,
    SPACES_MAX,
    SUM_BYTES,
    SUMS,
)

if TYPE_CHECKING:
    from collections.abc import Callable

EndStatus = Literal["done", "credit", "unknown", "refused", "malformed", "version"]
Role = Literal["hub", "spoke"]
_STATUSES: Final = get_args(EndStatus)
_ROLES: Final = get_args(Role)


def _encoded(kind: int, *fields: object) -> bytes:
    return encode([kind, PROTOCOL_VERSION, *fields])


class Beacon(NamedTuple):
    """What a replica says of itself now and then.

    ``own_tip`` and ``seal`` are of the log that it writes, None while that has no sealed event.
    ``nonce`` is its process's, ``identity`` what its transport is known by in the mesh.
    """

    digest: bytes
    tip_count: int
    own_tip: EventId | None
    seal: bytes | None
    wall_ms: int
    nonce: bytes
    version: str
    erased: bool
    missing: int
    role: Role
    identity: bytes
    credential: bytes | None = None

    def encode(self) -> bytes:
        """Give its bytes: about 210."""
        tip = None if self.own_tip is None else list(self.own_tip)
        role = _ROLES.index(self.role)
        return _encoded(1, *self[:2], tip, *self[3:9], role, *self[10:])


class Live(NamedTuple):
    """A chunk that was sealed just now."""

    chunk: bytes

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(2, self.chunk)


class HeadsQuery(NamedTuple):
    """Asks what is stated under some prefixes of log ids (hex digits, ``""`` for all)."""

    prefixes: tuple[str, ...]

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(3, list(self.prefixes))


class Part(NamedTuple):
    """What is stated under one prefix: its heads, or 16 sums where there are more than 32."""

    prefix: str
    heads: tuple[Head, ...] | None
    sums: tuple[bytes, ...] | None


class HeadsAnswer(NamedTuple):
    """What is stated under the prefixes, and ``erased`` and ``digest`` of the same moment."""

    parts: tuple[Part, ...]
    erased: bool
    digest: bytes

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(4, [_part(part) for part in self.parts], self.erased, self.digest)


def _part(part: Part) -> list[object]:
    if part.heads is None:
        return [part.prefix, b"".join(part.sums or ())]
    return [part.prefix, [[*head.tip, head.hlc, None] for head in part.heads]]


class HashesQuery(NamedTuple):
    """Asks for the events at ``seqs`` (ascending) on the way to ``goal``."""

    goal: EventId
    seqs: tuple[int, ...]

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(5, list(self.goal), list(self.seqs))


class HashesAnswer(NamedTuple):
    """The events that were asked for; None if the goal is not held."""

    places: tuple[Place, ...] | None

    def encode(self) -> bytes:
        """Give its bytes."""
        places = self.places
        return _encoded(6, None if places is None else [list(place) for place in places])


class RangeQuery(NamedTuple):
    """Asks for the chunks past ``after`` on the way to ``goal``, up to so many bytes of them."""

    goal: EventId
    after: Place | None
    credit_bytes: int

    def encode(self) -> bytes:
        """Give its bytes."""
        after = None if self.after is None else list(self.after)
        return _encoded(7, list(self.goal), after, self.credit_bytes)


class ChunkReply(NamedTuple):
    """One chunk of a range."""

    data: bytes

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(8, self.data)


class BodiesQuery(NamedTuple):
    """Asks for the bodies of events."""

    events: tuple[EventId, ...]

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(9, [list(event) for event in self.events])


class BodiesAnswer(NamedTuple):
    """Some of the bodies that were asked for."""

    bodies: tuple[Body, ...]

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(10, [[*body.event, body.salt, body.body] for body in self.bodies])


class End(NamedTuple):
    """Says that a stream of answers is complete, and how it ended.

    ``done`` all that was asked for · ``credit`` there is more, ask again from what was committed ·
    ``unknown`` the goal is not here, or ``after`` not on the way to it · ``refused`` it is not
    given · ``malformed`` the question could not be read · ``version`` it was of a later protocol.
    """

    status: EndStatus

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(11, self.status)


class SpacesAnswer(NamedTuple):
    """The spaces that a hub has: (id, name) each."""

    spaces: tuple[tuple[bytes, str], ...]

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(12, [list(space) for space in self.spaces])


class Leaving(NamedTuple):
    """Says that the process with this nonce ends in order, so that nobody waits to be told."""

    nonce: bytes

    def encode(self) -> bytes:
        """Give its bytes."""
        return _encoded(13, self.nonce)


class Unknown(NamedTuple):
    """A message of a type that this kioku does not know: ignore it."""

    type: int

    def encode(self) -> bytes:
        """Give the least message of that type."""
        return _encoded(self.type)


QueryMessage = HeadsQuery | HashesQuery | RangeQuery | BodiesQuery
Answer = HeadsAnswer | HashesAnswer | ChunkReply | BodiesAnswer | End
Message = Beacon | Live | Leaving | QueryMessage | Answer | SpacesAnswer | Unknown


def decode(data: bytes) -> Message:
    """Read a message.

    Raises:
        MalformedMessageError: if it is not exactly one, or over a limit.
        UnsupportedVersionError: if it is of a later protocol.
    """
    if len(data) > MESSAGE_BYTES_MAX:
        raise malformed(f" {len(data):,} bytes, over {MESSAGE_BYTES_MAX:,}")
    if not has_items_max(data, ITEMS_MAX):
        raise malformed("not one whole item, or of too many parts")
    value = decode_cbor(data, "message")
    match value:
        case [int(kind), int(version), *fields] if type(kind) is int and type(version) is int:
            pass
        case _:
            raise malformed("not [type, protocol version, …]")
    if version > PROTOCOL_VERSION:
        raise UnsupportedVersionError(f"a message of protocol {version}; upgrade kioku")
    if version < 1 or not 0 < kind < UINT_LIMIT:
        raise malformed("no such type or protocol version")
    form = _FORMS.get(kind)
    if form is None:
        return Unknown(kind)
    message: Message = form.read(fields)
    check_canonical(value, data, "message")
    return message


_credential = partial(read_optional, partial(read_bytes, low=1, high=CREDENTIAL_BYTES_MAX))


def _role(value: Any) -> Role:
    return "spoke" if read_uint(value, high=1) else "hub"


def _status(value: Any) -> EndStatus:
    if type(value) is not str or value not in _STATUSES:
        raise malformed("no such end")
    return cast("EndStatus", value)


def _head(value: Any) -> Head:
    *tip, hlc, credential = read_list(value, low=5, high=5)
    _credential(credential)
    return Head(read_event(tip), read_uint(hlc))


def _read_part(value: Any) -> Part:
    named, stated = read_list(value, low=2, high=2)
    prefix = read_prefix(named)
    if type(stated) is bytes:
        both = read_bytes(stated, low=SUMS * SUM_BYTES, high=SUMS * SUM_BYTES)
        sums = tuple(both[at : at + SUM_BYTES] for at in range(0, len(both), SUM_BYTES))
        return Part(prefix, None, sums)
    heads = [_head(item) for item in read_list(stated, low=0, high=HEADS_MAX)]
    rising([head.tip for head in heads])
    if not all(head.tip.log_id.hex().startswith(prefix) for head in heads):
        raise malformed("a head that is not under its prefix")
    return Part(prefix, tuple(heads), None)


def _parts(value: Any) -> tuple[Part, ...]:
    parts = [_read_part(item) for item in read_list(value, low=1, high=PREFIXES_MAX)]
    rising([part.prefix for part in parts])
    return tuple(parts)


def _body(value: Any) -> Body:
    *event, salt, body = read_list(value, low=5, high=5)
    return Body(
        read_event(event),
        read_bytes(salt, low=SALT_BYTES, high=SALT_BYTES),
        read_bytes(body, low=0, high=BODY_BYTES_MAX),
    )


def _bodies(value: Any) -> tuple[Body, ...]:
    return tuple(_body(item) for item in read_list(value, low=1, high=BODIES_MAX))


def _space(value: Any) -> tuple[bytes, str]:
    space_id, name = read_list(value, low=2, high=2)
    return read_id(space_id), read_name(name)


def _spaces(value: Any) -> tuple[tuple[bytes, str], ...]:
    return rising([_space(item) for item in read_list(value, low=0, high=SPACES_MAX)])


class _Form(NamedTuple):
    """What makes a message of its fields, and what reads each of them."""

    make: Callable[..., Any]
    readers: tuple[Callable[[Any], Any], ...]

    def read(self, fields: list[Any]) -> Any:
        if len(fields) != len(self.readers):
            raise malformed(f"{len(fields)} fields where {len(self.readers)} belong")
        return self.make(*(read(field) for read, field in zip(self.readers, fields, strict=True)))


def _beacon(*fields: Any) -> Beacon:
    beacon = Beacon(*fields)
    if (beacon.own_tip is None) != (beacon.seal is None):
        raise malformed("a tip without its seal, or a seal without its tip")
    return beacon


_BEACON_READERS: Final = (
    *(read_hash, read_uint, partial(read_optional, read_event)),
    partial(read_optional, partial(read_bytes, low=SIGNATURE_BYTES, high=SIGNATURE_BYTES)),
    *(read_uint, read_id, read_name, read_flag, read_uint, _role),
    *(partial(read_bytes, low=0, high=IDENTITY_BYTES_MAX), _credential),
)
_FORMS: Final = {
    1: _Form(_beacon, _BEACON_READERS),
    2: _Form(Live, (read_chunk,)),
    3: _Form(HeadsQuery, (read_prefixes,)),
    4: _Form(HeadsAnswer, (_parts, read_flag, read_hash)),
    5: _Form(HashesQuery, (read_event, read_seqs)),
    6: _Form(HashesAnswer, (partial(read_optional, read_places),)),
    7: _Form(RangeQuery, (read_event, partial(read_optional, read_place), read_uint)),
    8: _Form(ChunkReply, (read_chunk,)),
    9: _Form(BodiesQuery, (read_events,)),
    10: _Form(BodiesAnswer, (_bodies,)),
    11: _Form(End, (_status,)),
    12: _Form(SpacesAnswer, (_spaces,)),
    13: _Form(Leaving, (read_id,)),
}
