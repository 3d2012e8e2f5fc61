"""Reading the fields of a message: each reader gives a checked value, or refuses the message."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from kioku.errors import MalformedMessageError
from kioku.log.chunk import MESSAGE_BYTES_MAX
from kioku.log.event import UINT_LIMIT, EventId
from kioku.log.payload import is_name
from kioku.transport.holdings import Place
from kioku.transport.limits import BODIES_MAX, HEX_DIGITS_MAX, PREFIXES_MAX, SEQS_MAX

if TYPE_CHECKING:
    from collections.abc import Callable


_DIGITS: Final = frozenset("0123456789abcdef")


def malformed(reason: str) -> MalformedMessageError:
    """Make the error that refuses a message."""
    return MalformedMessageError(f"message: {reason}")


def read_uint(value: Any, *, low: int = 0, high: int = UINT_LIMIT - 1) -> int:
    """Read a whole number; true and false are none."""
    if type(value) is not int or not low <= value <= high:
        raise malformed("not a whole number within its limits")
    return value


def read_flag(value: Any) -> bool:
    """Read true or false."""
    if type(value) is not bool:
        raise malformed("neither true nor false")
    return value


def read_bytes(value: Any, *, low: int, high: int) -> bytes:
    """Read a byte string of a length within limits."""
    if type(value) is not bytes or not low <= len(value) <= high:
        raise malformed("not bytes of the right length")
    return value


def read_name(value: Any) -> str:
    """Read a text that people are shown: short, and without control characters."""
    if type(value) is not str or not is_name(value):
        raise malformed("not a name")
    return value


def read_list(value: Any, *, low: int, high: int) -> list[Any]:
    """Read a list of a length within limits; its items are not read yet."""
    if type(value) is not list or not low <= len(value) <= high:
        raise malformed("not a list of the right length")
    return value


read_id = partial(read_bytes, low=16, high=16)
read_hash = partial(read_bytes, low=32, high=32)
read_seq = partial(read_uint, low=1)
read_chunk = partial(read_bytes, low=1, high=MESSAGE_BYTES_MAX)


def read_place(value: Any) -> Place:
    """Read [seq, hash]."""
    seq, digest = read_list(value, low=2, high=2)
    return Place(read_seq(seq), read_hash(digest))


def read_event(value: Any) -> EventId:
    """Read [log id, seq, hash]."""
    log_id, seq, digest = read_list(value, low=3, high=3)
    return EventId(read_id(log_id), read_seq(seq), read_hash(digest))


def read_optional(read: Callable[[Any], Any], value: Any) -> Any:
    """Read null, or what ``read`` reads."""
    return None if value is None else read(value)


def rising(items: list[Any]) -> tuple[Any, ...]:
    """Give items of which each is greater than the one before."""
    if any(low >= high for low, high in itertools.pairwise(items)):
        raise malformed("items repeat or are out of order")
    return tuple(items)


def read_prefix(value: Any) -> str:
    """Read what a log id begins with, in hex digits."""
    if type(value) is not str or len(value) > HEX_DIGITS_MAX or not _DIGITS.issuperset(value):
        raise malformed("not a prefix of a log id")
    return value


def read_prefixes(value: Any) -> tuple[str, ...]:
    """Read prefixes, each once and in order."""
    return rising([read_prefix(item) for item in read_list(value, low=1, high=PREFIXES_MAX)])


def read_seqs(value: Any) -> tuple[int, ...]:
    """Read seqs, each once and in order."""
    return rising([read_seq(item) for item in read_list(value, low=1, high=SEQS_MAX)])


def read_events(value: Any) -> tuple[EventId, ...]:
    """Read events, each once and in order."""
    return rising([read_event(item) for item in read_list(value, low=1, high=BODIES_MAX)])


def read_places(value: Any) -> tuple[Place, ...]:
    """Read places of one log, each once and in order."""
    return rising([read_place(item) for item in read_list(value, low=0, high=SEQS_MAX)])
