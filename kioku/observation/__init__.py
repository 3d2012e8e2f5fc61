"""What a user saves: the fields of one memory, and the body that carries them in an event.

The limits and the bytes are in ``layout``. Reading decodes with cbor2, encodes again with the same
table that writes, and compares: whatever is not the one encoding of a valid observation is
unreadable, never repaired (docs/adr/0021).

Forgiving only where a later kioku may know more: a memory type that we have not heard of is shown
as it is, and body keys from ``FIRST_UNKNOWN`` on are kept and written back by an edit.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from cbor2 import CBORDecodeError, loads

from kioku.errors import InvalidObservationError, KiokuError
from kioku.log.codec import has_plain_keys
from kioku.observation.layout import (
    BODY_BYTES_MAX,
    EXTRA_DEPTH_MAX,
    FIRST_UNKNOWN,
    LAYOUT,
    TAGS,
    encode_fields,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from dataclasses import KW_ONLY, dataclass, field
else:
    from kioku.values import dataclass, field

MEMORY_TYPES = ("note", "decision", "bug", "pattern", "config", "summary")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_HEX_DIGITS = frozenset("0123456789abcdef")
_STRICTLY: Mapping[str, Any] = {
    "allow_indefinite": False,
    "allow_duplicate_keys": False,
    "semantic_decoders": TAGS,
}


class UnreadableBodyError(KiokuError):
    """A body is not an observation that this version can read; it is stored, but not shown."""


class Redaction(NamedTuple):
    """Something that a save took out: what it was called, and the field that it stood in."""

    kind: str
    field: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One memory; ``id`` and ``updated_at`` are empty until it is saved.

    Times are aware and kept to the millisecond. ``created_at`` is the writer's clock, for people;
    ``updated_at`` is the logical time of the event that wins, which filters compare. ``is_held``:
    its writer's clock is ahead of ours; ``is_deleted``: the last version of what a tombstone hides.
    ``versions``: how many last words replicas have on it here; with more than one, an edit may
    have lost, and the history shows it. ``is_duplicate``: a save found it here and wrote nothing.
    ``redactions``: what a save took out of it; ``secrets``: the kinds of credentials that what is
    stored looks to hold all the same.
    Building one checks nothing: ``encode_body`` does.
    """

    content: str
    _: KW_ONLY
    project: str = ""
    tags: tuple[str, ...] = ()
    memory_type: str = "note"
    importance: int = 2
    subject: str = ""
    summary: str = ""
    source_files: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    supersedes: tuple[str, ...] = ()
    agent_family: str = ""
    client_id: str = ""
    host: str = ""
    session_id: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    updated_at: datetime | None = None
    is_held: bool = False
    is_deleted: bool = False
    versions: int = field(default=1, compare=False)
    is_duplicate: bool = field(default=False, compare=False)
    redactions: tuple[Redaction, ...] = field(default=(), compare=False)
    secrets: tuple[str, ...] = field(default=(), compare=False)
    unknown: Mapping[int, Any] = field(default_factory=dict, repr=False)

    def __hash__(self) -> int:
        return hash((self.id, self.content))

    @property
    def pc_id(self) -> str:
        """The older name of ``host``."""
        return self.host

    def to_dict(self) -> dict[str, Any]:
        """The fields by their stable names, ready for JSON: ISO times, lists, None where unset."""
        values: dict[str, Any] = {"id": self.id}
        for name in _NAME_OF.values():
            value = getattr(self, name)
            values[name] = list(value) if isinstance(value, tuple) else value
        for name in ("created_at", "expires_at", "updated_at"):
            moment: datetime | None = getattr(self, name)
            values[name] = None if moment is None else moment.isoformat(timespec="milliseconds")
        values["is_held"] = self.is_held
        values["is_deleted"] = self.is_deleted
        values["versions"] = self.versions
        values["secrets"] = list(self.secrets)
        return values


def validate(observation: Observation) -> None:
    """Raise InvalidObservationError or TooLargeError if a field breaks its rule."""
    encode_body(observation)


def encode_body(observation: Observation) -> bytes:
    """Encode a valid observation; the same fields always give the same bytes.

    ``id``, ``updated_at`` and ``is_held`` belong to the event and are not in it. Fractions of a
    millisecond are cut off.

    Raises:
        InvalidObservationError, TooLargeError: a field breaks its rule.
    """
    return encode_fields(body_fields(observation))


def body_fields(observation: Observation) -> dict[int, Any]:
    """The map of body keys that ``encode_fields`` makes the body of, and checks.

    Once it has, they are what ``read_fields`` gives of that body, but for tuples instead of lists.

    Raises:
        InvalidObservationError: what is not in a body, or has another form there, breaks its rule.
    """
    if observation.memory_type not in MEMORY_TYPES:
        raise InvalidObservationError("memory_type", f"must be one of {', '.join(MEMORY_TYPES)}")
    if observation.importance.__class__ is not int:  # 2.0 would pass for the default
        raise InvalidObservationError("importance", "must be a whole number from 1 to 5")
    if observation.id:
        key_of(observation.id)
    values = zip(_BODY_KEYS, _values_of(observation), _DEFAULTS, strict=True)
    fields = {
        key: value
        for key, value, default in values  # what is falsy and no default breaks a rule
        if value is not default and value != default and (value or value != [])
    }
    for key, convert in _TO_BODY:
        if key in fields:
            fields[key] = convert(fields[key])
    if observation.unknown:
        if min(observation.unknown) < FIRST_UNKNOWN:
            raise InvalidObservationError("unknown", f"keys must be {FIRST_UNKNOWN} or more")
        fields.update(sorted(observation.unknown.items()))
    return fields


def decode_body(
    body: bytes, *, id: str = "", updated_at: datetime | None = None, is_held: bool = False
) -> Observation:
    """Decode a body; what belongs to its event is passed through.

    Raises:
        UnreadableBodyError: not the one encoding of a valid observation.
    """
    fields = read_fields(body)
    values = {_NAME_OF[key]: value for key, value in fields.items() if key < FIRST_UNKNOWN}
    for name, convert in _FROM_BODY:
        if name in values:
            values[name] = convert(values[name])
    unknown = {key: value for key, value in fields.items() if key >= FIRST_UNKNOWN}
    return Observation(**values, id=id, updated_at=updated_at, is_held=is_held, unknown=unknown)


def read_fields(body: bytes) -> dict[int, Any]:
    """Decode and check a body as ``decode_body`` does, but give the bare map of body keys.

    This is what the view reads at ingest: no observation, no datetimes. Lists are lists, ids are
    16 bytes, times are milliseconds; fields with their default are absent.

    Raises:
        UnreadableBodyError: not the one encoding of a valid observation.
    """
    if body.__class__ is not bytes:  # in a damaged file it may be a number
        raise UnreadableBodyError("a body is not bytes")
    if len(body) > BODY_BYTES_MAX:
        raise UnreadableBodyError(f"a body of {len(body):,} bytes is over {BODY_BYTES_MAX:,}")
    try:
        fields = _load(body)
    except Exception as error:  # cbor2 lets several of its own and of Python's errors out
        raise UnreadableBodyError(f"a body is not CBOR: {error}") from error
    if fields.__class__ is not dict:
        raise UnreadableBodyError("a body is not a CBOR map")
    try:
        canonical = encode_fields(fields)
    except InvalidObservationError as error:
        raise UnreadableBodyError(f"a body breaks a rule: {error}") from error
    if canonical != body:
        raise UnreadableBodyError("a body is not in canonical form")
    return fields


def _load(body: bytes) -> Any:
    """Decode CBOR that can't be made slow by colliding map keys.

    Two levels are all that most bodies have, and there no map with many entries can have a
    container for a key. What nests deeper is walked before it is decoded.
    """
    if not b"\xa0" <= body[:1] <= b"\xb8":
        raise UnreadableBodyError("a body is not a CBOR map of at most 255 fields")
    try:
        return loads(body, max_depth=2, **_STRICTLY)
    except CBORDecodeError:
        if not has_plain_keys(body):
            raise
        return loads(body, max_depth=EXTRA_DEPTH_MAX + 3, **_STRICTLY)


def reread_fields(body: bytes) -> dict[int, Any]:
    """As ``read_fields``, four times quicker, of a body that it has accepted before."""
    fields: dict[int, Any] = loads(body)
    return fields


def key_of(id: str, field: str = "id") -> bytes:
    """The 16 bytes of an observation id; ``field`` is what an error names."""
    if id.__class__ is not str or len(id) != 32 or not _HEX_DIGITS.issuperset(id):
        raise InvalidObservationError(field, "must be 32 lower-case hex digits")
    return bytes.fromhex(id)


def unix_ms(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=16)  # all that one call saves has the same
def from_unix_ms(ms: int) -> datetime:
    """The aware UTC time of milliseconds since 1970."""
    return _EPOCH + ms * _MILLISECOND


def _superseded_keys(ids: Any) -> Any:
    return [key_of(each, "supersedes") for each in ids] if isinstance(ids, (list, tuple)) else ids


def _body_ms(moment: Any) -> Any:
    return unix_ms(moment) if isinstance(moment, datetime) and moment.tzinfo else moment


def _hex_ids(keys: list[bytes]) -> tuple[str, ...]:
    return tuple(key.hex() for key in keys)


_BODY_KEYS = tuple(item.key for item in LAYOUT)
_DEFAULTS = tuple(item.default for item in LAYOUT)
_NAME_OF = {item.key: item.name for item in LAYOUT}
_values_of = attrgetter(*_NAME_OF.values())
# Fields that look different in Python and in a body, and how they cross over.
_TO_BODY: tuple[tuple[int, Callable[[Any], Any]], ...] = (
    (10, _superseded_keys),
    (15, _body_ms),
    (16, _body_ms),
)
_FROM_BODY: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("tags", tuple),
    ("source_files", tuple),
    ("references", tuple),
    ("supersedes", _hex_ids),
    ("created_at", from_unix_ms),
    ("expires_at", from_unix_ms),
)
