"""The frozen bytes of an observation: one encoder a body field, which also holds its rule.

A body is one deterministic (RFC 8949 §4.2) CBOR map with small integer keys, so that no field name
can ever match a search of raw bytes. Fields that have their default are left out. ``encode_fields``
is the only writer and, by encoding again what was decoded, the only judge of what may be read: if
you change a rule here, bodies that peers hold become readable or unreadable (docs/adr/0021).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

from cbor2 import dumps

from kioku.errors import InvalidObservationError, TooLargeError

CONTENT_BYTES_MAX = 768 * 1024  # half of a body: room for the other fields and for JSON's escapes
TEXT_BYTES_MAX = 1024  # every other text, and each item of a list
ITEMS_MAX = 64  # of a list
TAG_CHARACTERS_MAX = 128
BODY_BYTES_MAX = 3 * 512 * 1024  # the largest body that a message carries (DESIGN §8)
EXTRA_DEPTH_MAX = 16  # lists and maps within each other; real JSON stays under ten
FIRST_UNKNOWN = 18  # body keys from here on belong to later versions

_UINT_MAX = 2**64 - 1
_MS_MAX = 253_402_300_799_999  # the last millisecond of the year 9999, where datetime ends
# C0 but newline and tab, DEL, C1, lone surrogates: what no terminal and no peer should be sent.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

# Encodes one field, key and all, or raises. Most texts but the content repeat from one observation
# to the next (project, host, tags …), so that remembering their checked bytes halves the work.
_Encoder = Callable[[Any], bytes]
_remember = lru_cache(maxsize=1024)


@_remember
def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes((major << 5 | number,))
    width = 0 if number < 1 << 8 else 1 if number < 1 << 16 else 2 if number < 1 << 32 else 3
    return bytes((major << 5 | 24 + width,)) + number.to_bytes(1 << width, "big")


def _refuse_type(name: str, wanted: str, value: object) -> NoReturn:
    raise InvalidObservationError(name, f"must be {wanted}, not {type(value).__name__}")


def _refuse_forbidden(name: str, text: str) -> None:
    found = _FORBIDDEN.search(text)
    if found is None:
        return
    character = found[0]
    if character >= "\ud800":
        reason = f"has half a character (U+{ord(character):04X}) at {found.start()}; remove it"
    elif character == "\r":
        reason = f"has a carriage return at {found.start()}; end lines with a newline alone"
    else:
        reason = f"has the control character U+{ord(character):04X} at {found.start()}; remove it"
    raise InvalidObservationError(name, reason)


def _text_bytes(name: str, value: Any, limit: int) -> bytes:
    if value.__class__ is not str:
        _refuse_type(name, "text", value)
    if not value.isprintable():  # quick, and true of most; false also for newlines
        _refuse_forbidden(name, value)
    data: bytes = value.encode()
    if not data:
        raise InvalidObservationError(name, "is empty; leave it out")
    if len(data) > limit:
        raise TooLargeError(name, len(data), limit)
    return data


def _text(key: int, name: str) -> _Encoder:
    def encode(value: Any) -> bytes:
        data = _text_bytes(name, value, TEXT_BYTES_MAX)
        return bytes((key,)) + _head(3, len(data)) + data

    return _remember(encode)


def _texts(key: int, name: str, characters: int = TEXT_BYTES_MAX) -> _Encoder:
    def encode(value: Any) -> bytes:
        parts = [bytes((key,)), _list_head(name, value)]
        for item in value:
            data = _text_bytes(name, item, TEXT_BYTES_MAX)
            if len(item) > characters:
                raise TooLargeError(name, len(item), characters, "characters")
            parts += (_head(3, len(data)), data)
        return b"".join(parts)

    remembered = _remember(encode)

    def encode_list(value: Any) -> bytes:
        try:
            return remembered(tuple(value) if value.__class__ is list else value)
        except TypeError:  # not hashable, so not valid either
            return encode(value)

    return encode_list


def _list_head(name: str, value: Any) -> bytes:
    if value.__class__ is not list and value.__class__ is not tuple:
        _refuse_type(name, "a list", value)
    if not value:
        raise InvalidObservationError(name, "is empty; leave it out")
    if len(value) > ITEMS_MAX:
        raise TooLargeError(name, len(value), ITEMS_MAX, "items")
    return _head(4, len(value))


def _content(value: Any) -> bytes:
    if value.__class__ is str and (not value or value.isspace()):
        raise InvalidObservationError("content", "is blank; say what to remember")
    data = _text_bytes("content", value, CONTENT_BYTES_MAX)
    return b"\x01%b%b" % (_head(3, len(data)), data)


@_remember
def _memory_type(value: Any) -> bytes:
    if value == "note":
        raise InvalidObservationError("memory_type", "note is the default; leave it out")
    data = _text_bytes("memory_type", value, TEXT_BYTES_MAX)
    return b"\x04" + _head(3, len(data)) + data


def _importance(value: Any) -> bytes:
    if value.__class__ is not int or value not in (1, 3, 4, 5):  # 2, the default, is left out
        raise InvalidObservationError("importance", "must be a whole number from 1 to 5")
    return bytes((5, value))


def _supersedes(value: Any) -> bytes:
    head = _list_head("supersedes", value)
    if any(item.__class__ is not bytes or len(item) != 16 for item in value):
        raise InvalidObservationError("supersedes", "must be ids of 16 bytes")
    return b"\x0a" + head + b"".join([b"\x50" + item for item in value])


def _milliseconds(key: int, name: str) -> _Encoder:
    def encode(value: Any) -> bytes:
        if value.__class__ is not int or not 0 <= value <= _MS_MAX:
            raise InvalidObservationError(name, "must be a time with a zone, from 1970 to 9999")
        if value > 0xFFFF_FFFF:  # any time after February 1970
            return wide + value.to_bytes(8, "big")
        return bytes((key,)) + _head(0, value)

    wide = bytes((key, 0x1B))
    return encode


def _extra(value: Any) -> bytes:
    if not isinstance(value, Mapping) or not value:
        _refuse_type("extra", "a map with text keys", value)
    return b"\x11" + dumps(_plain("extra", value, 0), canonical=True)


def _unknown(key: int) -> _Encoder:
    def encode(value: Any) -> bytes:
        return _head(0, key) + dumps(_plain(f"body field {key}", value, 0), canonical=True)

    return encode


def _plain(name: str, value: Any, depth: int) -> Any:
    """``value`` if it is JSON-like (or bytes), with exact types all through; else raise."""
    kind = value.__class__
    if depth > EXTRA_DEPTH_MAX:
        raise TooLargeError(name, depth, EXTRA_DEPTH_MAX, "levels")
    if kind is str:
        _refuse_forbidden(name, value)
        return value
    if kind is list or kind is tuple:
        return [_plain(name, item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        if any(key.__class__ is not str for key in value):
            raise InvalidObservationError(name, "must have text keys all through")
        return {
            _plain(name, key, depth): _plain(name, item, depth + 1) for key, item in value.items()
        }
    _refuse_scalar(name, value)
    return value


def _refuse_scalar(name: str, value: Any) -> None:
    """Raise unless a value that holds no others has one canonical CBOR form."""
    kind = value.__class__
    if kind is float and value - value != 0:
        raise InvalidObservationError(name, f"must not hold {value}")
    if kind is int and not -_UINT_MAX - 1 <= value <= _UINT_MAX:
        raise InvalidObservationError(name, "must not hold whole numbers of more than 64 bits")
    if kind is bytes and name == "extra":
        _refuse_type(name, "what JSON can hold", value)
    if kind not in (float, int, bool, bytes) and value is not None:
        _refuse_type(name, "what JSON can hold", value)


def _refuse_tag(*_: object) -> NoReturn:
    raise InvalidObservationError("body", "must not have CBOR tags")


# Tags that cbor2 would act on; those that it does not know fail the exact types above. Some are
# dangerous to decode: a bigfloat of ten bytes can ask for gigabytes.
TAGS = dict.fromkeys(
    (*range(6), 25, *range(28, 31), 35, 36, 37, 100, 256, 258, 260, 261, 1004, 43000, 55799),
    _refuse_tag,
)


class Field(NamedTuple):
    """One body field: its key, its name in Python, the value that is left out, its encoder."""

    key: int
    name: str
    default: Any
    encode: _Encoder


# The frozen layout of version 1. Keys ascend and are below 24, so that each is one byte.
LAYOUT = (
    Field(1, "content", None, _content),
    Field(2, "project", "", _text(2, "project")),
    Field(3, "tags", (), _texts(3, "tags", TAG_CHARACTERS_MAX)),
    Field(4, "memory_type", "note", _memory_type),
    Field(5, "importance", 2, _importance),
    Field(6, "subject", "", _text(6, "subject")),
    Field(7, "summary", "", _text(7, "summary")),
    Field(8, "source_files", (), _texts(8, "source_files")),
    Field(9, "references", (), _texts(9, "references")),
    Field(10, "supersedes", (), _supersedes),
    Field(11, "agent_family", "", _text(11, "agent_family")),
    Field(12, "client_id", "", _text(12, "client_id")),
    Field(13, "host", "", _text(13, "host")),
    Field(14, "session_id", "", _text(14, "session_id")),
    Field(15, "created_at", None, _milliseconds(15, "created_at")),
    Field(16, "expires_at", None, _milliseconds(16, "expires_at")),
    Field(17, "extra", {}, _extra),
)


def encode_fields(fields: Mapping[int, Any]) -> bytes:
    """The one encoding of a map of body keys, which must ascend; keys of later versions too.

    Raises:
        InvalidObservationError, TooLargeError: a field breaks its rule.
    """
    head, encoders = _plan(tuple(fields))
    pairs = zip(encoders, fields.values(), strict=True)
    try:
        parts = [encode(value) for encode, value in pairs]
    except TypeError:  # not hashable, so not valid either: ask past what is remembered
        pairs = zip(encoders, fields.values(), strict=True)
        parts = [getattr(encode, "__wrapped__", encode)(value) for encode, value in pairs]
    body = head + b"".join(parts)
    if len(body) > BODY_BYTES_MAX:
        raise TooLargeError("observation", len(body), BODY_BYTES_MAX)
    return body


def content_start(content: str) -> bytes:
    """What stands behind the head of a body with this content, whatever its other fields are."""
    return encode_fields({1: content})[1:]


@_remember
def _plan(keys: tuple[int, ...]) -> tuple[bytes, list[_Encoder]]:
    """The head of a body with these keys, and their encoders."""
    if any(key.__class__ is not int or not 0 < key <= _UINT_MAX for key in keys):
        raise InvalidObservationError("body", "must have whole numbers as keys")
    if any(key >= following for key, following in pairwise(keys)):
        raise InvalidObservationError("body", "must have ascending keys")
    if keys[:1] != (1,):
        raise InvalidObservationError("content", "is missing; say what to remember")
    known = {item.key: item.encode for item in LAYOUT}
    return _head(5, len(keys)), [known.get(key) or _unknown(key) for key in keys]
