"""Strict reading of deterministic CBOR (RFC 8949 §4.2): one value, one encoding, no surprises.

The library decodes leniently, so a value is accepted only if encoding it again gives the same
bytes: that refuses long integers, trailing bytes and unsorted maps at once. Tags are refused while
decoding, and the caller checks types and counts *before* it encodes again: a value that shares
parts with itself could otherwise unfold to any size.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import cbor2

from kioku.errors import MalformedMessageError

DEPTH_MAX: Final = 12

# The tags that the library gives a meaning of its own; all others come to the tag hook.
_LIBRARY_TAGS: Final = (
    *(0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100),
    *(256, 258, 260, 261, 1004, 43000, 55799),
)


def _refuse_tag(*_: object) -> NoReturn:
    raise ValueError("tags are not used here")


_NO_TAGS: Final = dict.fromkeys(_LIBRARY_TAGS, _refuse_tag)


def decode(data: bytes, what: str) -> Any:
    """Decode one CBOR item without tags, indefinite lengths or duplicate keys.

    The caller must check the types it needs, and then ``check_canonical``.

    Raises:
        MalformedMessageError: if ``data`` is not such an item; the message begins with ``what``.
    """
    try:
        return cbor2.loads(
            data,
            max_depth=DEPTH_MAX,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
            semantic_decoders=_NO_TAGS,
            tag_hook=_refuse_tag,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedMessageError(f"{what}: not valid CBOR ({error})") from error


def encode(value: object) -> bytes:
    """Encode arrays, byte strings, texts, integers, booleans and null deterministically."""
    return cbor2.dumps(value)


def check_canonical(value: object, data: bytes, what: str) -> None:
    """Refuse ``data`` unless it is the one encoding of ``value``.

    Raises:
        MalformedMessageError: if it is another.
    """
    if cbor2.dumps(value) != data:
        raise MalformedMessageError(f"{what}: not in deterministic encoding, or bytes follow it")


def split_sequence(data: bytes, offset: int) -> int:
    """Find where the CBOR item at ``offset`` ends, without decoding it.

    Raises:
        MalformedMessageError: if no whole item of definite length is there.
    """
    open_items = 1
    end = len(data)
    while open_items:
        if offset >= end:
            raise MalformedMessageError("the data ends in the middle of an item")
        major, argument, offset = read_head(data, offset)
        open_items -= 1
        if major in (2, 3):
            offset += argument
        elif major in (4, 5, 6):
            open_items += (1, argument, 2 * argument)[(6, 4, 5).index(major)]
    if offset > end:
        raise MalformedMessageError("the data ends in the middle of an item")
    return offset


def has_items_max(data: bytes, items_max: int) -> bool:
    """Whether an item has at most so many parts; False if it is not whole.

    A decoded part takes far more memory than its one byte here. Cost: O(``items_max``).
    """
    open_items, offset, end = 1, 0, len(data)
    try:
        while open_items and items_max >= 0:
            major, argument, offset = read_head(data, offset)
            open_items -= 1
            items_max -= 1
            if major in (2, 3):
                offset += argument
            elif major in (4, 5, 6):
                open_items += (1, argument, 2 * argument)[(6, 4, 5).index(major)]
    except (MalformedMessageError, IndexError):
        return False
    return items_max >= 0 and offset <= end


def has_plain_keys(data: bytes) -> bool:
    """Whether no map in an item has an array or a map for a key; False if it is not whole.

    Python hashes those so that it is easy to make thousands collide, and to decode a map of such
    keys then takes minutes.
    """
    open_items = [1]
    in_map = [False]
    offset = 0
    try:
        while open_items:
            if not open_items[-1]:
                open_items.pop()
                in_map.pop()
                continue
            is_key = in_map[-1] and open_items[-1] % 2 == 0
            open_items[-1] -= 1
            major, argument, offset = read_head(data, offset)
            if is_key and major > 3:
                return False
            if major in (2, 3):
                offset += argument
            elif major in (4, 5, 6):
                open_items.append(2 * argument if major == 5 else 1 if major == 6 else argument)
                in_map.append(major == 5)
    except (MalformedMessageError, IndexError):
        return False
    return offset <= len(data)


def read_head(data: bytes, offset: int) -> tuple[int, int, int]:
    """Read what an item begins with: major type, argument, and the offset behind it.

    Raises:
        MalformedMessageError: if it is of indefinite or reserved length.
        IndexError: if the data ends before it.
    """
    first = data[offset]
    major, info = first >> 5, first & 0x1F
    if info < 24:
        return major, info, offset + 1
    if info > 27:
        raise MalformedMessageError("an item of indefinite or reserved length")
    size = 1 << (info - 24)
    stop = offset + 1 + size
    return major, int.from_bytes(data[offset + 1 : stop], "big"), stop
