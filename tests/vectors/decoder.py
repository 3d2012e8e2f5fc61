"""A second reader of kioku's formats, written from their description and from nothing else.

It imports nothing of kioku and no CBOR library: where both readers agree on the golden bytes, the
description is enough to write a third. Whatever it meets that is not the one encoding of a value is
an error, and every hash, commitment, link and seal is computed again.
"""

from __future__ import annotations

import struct
from hashlib import blake2b
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ZERO = bytes(32)


def read(data: bytes) -> Any:
    """Read one whole CBOR item in its one encoding (RFC 8949, 4.2)."""
    value, end = _item(data, 0)
    assert end == len(data), "bytes follow the item"
    return value


def _item(data: bytes, at: int) -> tuple[Any, int]:
    if data[at] >> 5 == 7:
        return _simple(data, at)
    major, argument, at = _head(data, at)
    if major < 2:
        return (-1 - argument if major else argument), at
    if major < 4:
        raw = data[at : at + argument]
        assert len(raw) == argument, "the data ends early"
        return (raw if major == 2 else raw.decode("utf-8")), at + argument
    if major == 4:
        values = []
        for _ in range(argument):
            value, at = _item(data, at)
            values.append(value)
        return values, at
    if major == 5:
        return _map(data, at, argument)
    raise AssertionError("a tag")


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    major, info = data[at] >> 5, data[at] & 31
    if info < 24:
        return major, info, at + 1
    assert info < 28, "an indefinite or reserved length"
    size = 1 << (info - 24)
    raw = data[at + 1 : at + 1 + size]
    argument = int.from_bytes(raw, "big")
    assert argument >= (24 if size == 1 else 1 << (4 * size)), "a number longer than it must be"
    return major, argument, at + 1 + size


def _simple(data: bytes, at: int) -> tuple[Any, int]:
    info = data[at] & 31
    if info in _SIMPLE:
        return _SIMPLE[info], at + 1
    size, code = _FLOATS[info]
    raw = data[at + 1 : at + 1 + size]
    (number,) = struct.unpack(code, raw)
    for smaller_size, smaller in _FLOATS.values():
        if smaller_size < size:
            assert not _fits(smaller, number), "a float longer than it must be"
    return number, at + 1 + size


_SIMPLE = {20: False, 21: True, 22: None}
_FLOATS = {25: (2, ">e"), 26: (4, ">f"), 27: (8, ">d")}


def _fits(code: str, number: float) -> bool:
    try:
        return bool(struct.unpack(code, struct.pack(code, number))[0] == number)
    except OverflowError:
        return False


def _map(data: bytes, at: int, count: int) -> tuple[dict[Any, Any], int]:
    out: dict[Any, Any] = {}
    before = b""
    for _ in range(count):
        start = at
        key, at = _item(data, at)
        assert before < data[start:at], "keys repeat or are out of order"
        before = data[start:at]
        out[key], at = _item(data, at)
    return out, at


def write(value: Any) -> bytes:
    """Write arrays, byte strings, texts, null and unsigned integers: what hashes are taken of."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return _write_head(0, value)
    if isinstance(value, list):
        return _write_head(4, len(value)) + b"".join(map(write, value))
    raw = value.encode() if isinstance(value, str) else value
    return _write_head(3 if isinstance(value, str) else 2, len(raw)) + raw


def _write_head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    size = next(size for size in (1, 2, 4, 8) if argument < 1 << (8 * size))
    info = {1: 24, 2: 25, 4: 26, 8: 27}[size]
    return bytes([major << 5 | info]) + argument.to_bytes(size, "big")


def digest(person: str, data: bytes, *, key: bytes = b"", size: int = 32) -> bytes:
    """BLAKE2b with a personalisation, which keeps every use apart from the others."""
    return blake2b(data, digest_size=size, key=key, person=person.encode()).digest()


def log_id_of(public_key: bytes) -> bytes:
    return digest("kioku.log.v1", public_key, size=16)


def commitment_of(salt: bytes, body: bytes) -> bytes:
    return digest("kioku.body.v1", body, key=salt)


def check_seal(public_key: bytes, place: list[Any], signature: bytes) -> None:
    """Raise InvalidSignature if the log's key did not sign [log id, seq, hash]."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    key.verify(signature, write(["kioku.seal.v1", *place]))


def frontier_digest(tips: list[list[Any]]) -> bytes:
    total = sum(int.from_bytes(digest("kioku.tip.v1", write(tip)), "big") for tip in tips)
    return (total % (1 << 256)).to_bytes(32, "big")


def read_chunk(data: bytes, public_key: bytes) -> list[dict[str, Any]]:
    """Read a chunk of the log that ``public_key`` writes, and check all of it.

    Returns:
        An event each: seq, hash, header, kind, hlc, key, commitment, salt, body.
    """
    title, log_id, seq, prev, items, signature = read(data)
    assert title == "kioku.chunk.v1"
    assert log_id == log_id_of(public_key)
    assert (seq == 1) == (prev == ZERO)
    events = []
    for item in items:
        event = _read_event(item, [log_id, seq, prev])
        events.append(event)
        prev = event["hash"]
        seq += 1
    check_seal(public_key, [log_id, seq - 1, prev], signature)
    return events


def _read_event(item: list[Any], place: list[Any]) -> dict[str, Any]:
    if len(item) == 3:
        header, salt, body = item
        version, *named, hlc, kind, key, commitment = read(header)[:8]
        assert version > 1
        assert named == place, "the header names another place"
    else:
        kind, hlc, key, commitment, salt, body = (*item[:4], None, None)
        if len(item) == 5:
            salt, body = item[3:]
            commitment = commitment_of(salt, body)
        header = write([1, *place, hlc, kind, key, commitment])
    assert body is None or commitment == commitment_of(salt, body), "another body"
    return {
        "seq": place[1],
        "hash": digest("kioku.event.v1", header),
        "header": header,
        "kind": kind,
        "hlc": hlc,
        "key": key,
        "commitment": commitment,
        "salt": salt,
        "body": body,
    }
