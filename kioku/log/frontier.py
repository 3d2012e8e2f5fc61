"""Frontiers: what a replica has seen, as the set of its logs' tips.

A log is a chain and has one tip, unless its store was cloned or rolled back unseen: then it is a
tree and has several. Two replicas with equal frontiers hold equal events. The digest is the sum of
the tips' hashes modulo 2**256, so a tip that moves changes it in O(1); it is a hint, never a proof.

Source: Parker et al. 1983 (version vectors); Bellare & Micciancio 1997 (incremental hashing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import MalformedMessageError
from kioku.log.codec import check_canonical, decode, encode
from kioku.log.digest import blake2b
from kioku.log.event import EventId
from kioku.log.payload import decode_event_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TIPS_MAX: Final = 100_000
"""Tips of one space: past that a hub's comparison no longer fits its budget (DESIGN §8)."""

TIPS_PER_LOG_MAX: Final = 16
"""Tips of one log: more than that is an owner that equivocates on purpose."""

Tip = EventId
DIGEST_MODULUS: Final = 1 << 256


def tip_sum(tip: Tip) -> int:
    """Give what a tip adds to the digest."""
    hashed = blake2b(encode(list(tip)), digest_size=32, person=b"kioku.tip.v1")
    return int.from_bytes(hashed.digest(), "big")


class Frontier:
    """An immutable set of tips, in a fixed order.

    Iterating gives ``Tip(log_id, seq, hash)`` ascending by log id; equality is the set's.
    """

    __slots__ = ("_by_log", "_tips")

    def __init__(self, tips: Iterable[Tip] = ()) -> None:
        self._tips = tuple(sorted(set(tips)))
        self._by_log: dict[bytes, list[Tip]] = {}
        for tip in self._tips:
            self._by_log.setdefault(tip.log_id, []).append(tip)

    def __iter__(self) -> Iterator[Tip]:
        return iter(self._tips)

    def __len__(self) -> int:
        return len(self._tips)

    def __contains__(self, tip: object) -> bool:
        return isinstance(tip, tuple) and tip in self._by_log.get(tip[0], ())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Frontier) and self._tips == other._tips

    def __hash__(self) -> int:
        return hash(self._tips)

    def __repr__(self) -> str:
        return f"Frontier({len(self)} tips, digest {self.digest().hex()[:16]}…)"

    def digest(self) -> bytes:
        """Give the fingerprint of the set: 32 bytes. Cost: O(tips), about 2 µs each."""
        return (sum(map(tip_sum, self._tips)) % DIGEST_MODULUS).to_bytes(32, "big")

    def of_log(self, log_id: bytes) -> list[Tip]:
        """Give the tips of one log, ascending by seq."""
        return list(self._by_log.get(log_id, ()))

    def to_bytes(self) -> bytes:
        """Encode as a CBOR array of [log id, seq, hash], ascending."""
        return encode([list(tip) for tip in self._tips])

    @classmethod
    def from_bytes(cls, data: bytes) -> Frontier:
        """Decode what ``to_bytes`` gave.

        Raises:
            MalformedMessageError: if it is not exactly that, or repeats a tip.
        """
        value = decode(data, "frontier")
        if type(value) is not list or len(value) > TIPS_MAX:
            raise MalformedMessageError(f"frontier: not a list of at most {TIPS_MAX:,} tips")
        frontier = cls(decode_event_ids(value, "frontier"))
        check_canonical([list(tip) for tip in frontier], data, "frontier")
        return frontier
