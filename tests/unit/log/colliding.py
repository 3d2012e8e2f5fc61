"""CBOR maps whose keys all have one hash in CPython, as a hostile peer would send them."""

from __future__ import annotations

import cbor2

# The constants of CPython's hash of tuples, which is xxHash without a secret.
_PRIME_1, _PRIME_2, _PRIME_5 = 11400714785074694791, 14029467366897019727, 2870177450012600261
_WORD = 1 << 64
_TARGET = 12_345_678_901


def colliding_pairs(count: int) -> list[tuple[int, int]]:
    """Pairs of integers with equal hashes."""
    inverse_1, inverse_2 = pow(_PRIME_1, -1, _WORD), pow(_PRIME_2, -1, _WORD)
    scaled = _TARGET * inverse_1 % _WORD
    need = ((scaled >> 31) | (scaled << 33)) % _WORD
    found: list[tuple[int, int]] = []
    first = 0
    while len(found) < count:
        first += 1
        lane = (_PRIME_5 + first * _PRIME_2) % _WORD
        lane = ((lane << 31) | (lane >> 33)) % _WORD * _PRIME_1 % _WORD
        second = (need - lane) * inverse_2 % _WORD
        second = second if second < _WORD // 2 else second - _WORD
        if abs(second) < (1 << 61) - 1 and second != -1:
            found.append((first, second))
    return found


def colliding_map(count: int) -> bytes:
    """A map with ``count`` entries, each of whose keys is an array of two integers."""
    pairs = colliding_pairs(count)
    assert len({hash(pair) for pair in pairs}) == 1, "they collide here"
    entries = (b"\x82" + cbor2.dumps(a) + cbor2.dumps(b) + b"\x00" for a, b in pairs)
    return b"\xba" + count.to_bytes(4, "big") + b"".join(entries)
