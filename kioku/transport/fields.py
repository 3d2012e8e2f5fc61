"""Reading the fields of a message: each reader gives a checked value, or refuses the message."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

from kioku.errors import MalformedMessageError
from kioku.log.chunk import MESSAGE_BYTES_MAX
from kioku.log.event import UINT_LIMIT, EventId
from kioku.log.payload import is_name
from kioku.transport.holdings import Place

if TYPE_CHECKING:
    from collections.abc import Callable


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
