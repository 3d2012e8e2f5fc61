"""The two bodies that the log itself reads: a genesis and a retract. All others are opaque to it.

    genesis  [public_key (32), name (text), [[log_id, seq, hash], …parents]]
    retract  [[log_id, seq, hash], …]      strictly ascending, at least one

A retract names events by their full place and not by hash alone, so that no index over hashes is
needed to find them: that saves a tenth of the file (docs/adr/0011).
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import MalformedMessageError
from kioku.log.codec import check_canonical, decode, encode
from kioku.log.event import BODY_BYTES_MAX, UINT_LIMIT, EventId

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME_BYTES_MAX: Final = 128
PARENTS_MAX: Final = 16
_CONTROL: Final = frozenset(map(chr, (*range(0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000))))
TARGETS_MAX: Final = 20_000
"""Targets of one retract: under the body limit with room (at most 62 bytes each)."""


class Genesis(NamedTuple):
    """What a log says of itself in its first event."""

    public_key: bytes
    name: str
    parents: tuple[EventId, ...]


def is_name(name: str) -> bool:
    """Whether a genesis may state this name: no control characters, and not over its limit.

    The characters are listed, for what Python calls printable changes from version to version, and
    a log that one replica refuses is lost to it.
    """
    if _CONTROL.intersection(name):
        return False
    return len(name.encode("utf-8", "surrogatepass")) <= NAME_BYTES_MAX


def encode_genesis(genesis: Genesis) -> bytes:
    """Encode a genesis body."""
    return encode([genesis.public_key, genesis.name, [list(p) for p in genesis.parents]])


def decode_genesis(body: bytes) -> Genesis:
    """Read a genesis body.

    Raises:
        MalformedMessageError: if it is not exactly one, or over a limit.
    """
    value = decode(body, "genesis")
    match value:
        case [bytes(public_key), str(name), list(parents)] if (
            len(public_key) == 32 and is_name(name) and len(parents) <= PARENTS_MAX
        ):
            genesis = Genesis(public_key, name, tuple(decode_event_ids(parents, "genesis")))
        case _:
            raise MalformedMessageError("genesis: not [public key, name, parents]")
    check_canonical(value, body, "genesis")
    return genesis


def encode_targets(targets: Iterable[EventId]) -> bytes:
    """Encode the body of a retract; sorts and drops repeats.

    Raises:
        ValueError: if there is no target, or more than ``TARGETS_MAX``.
    """
    ordered = sorted(set(targets))
    if not 1 <= len(ordered) <= TARGETS_MAX:
        raise ValueError(f"a retract names 1 to {TARGETS_MAX:,} events, not {len(ordered):,}")
    return encode([list(target) for target in ordered])


def decode_targets(body: bytes) -> list[EventId]:
    """Read the body of a retract.

    Raises:
        MalformedMessageError: if it is not a strictly ascending list of event ids.
    """
    value = decode(body, "retract")
    if type(value) is not list or not 1 <= len(value) <= BODY_BYTES_MAX // 50:
        raise MalformedMessageError("retract: not a list of events")
    targets = decode_event_ids(value, "retract")
    if any(a >= b for a, b in itertools.pairwise(targets)):
        raise MalformedMessageError("retract: events repeat or are out of order")
    check_canonical(value, body, "retract")
    return targets


def decode_event_ids(items: list[Any], what: str) -> list[EventId]:
    """Check a decoded list of [log id, seq, hash].

    Raises:
        MalformedMessageError: if an item is anything else.
    """
    out = []
    for item in items:
        match item:
            case [bytes(log_id), int(seq), bytes(digest)] if (
                type(item) is list
                and type(seq) is int
                and len(log_id) == 16
                and 1 <= seq < UINT_LIMIT
                and len(digest) == 32
            ):
                out.append(EventId(log_id, seq, digest))
            case _:
                raise MalformedMessageError(f"{what}: not [log id, seq, hash]")
    return out
