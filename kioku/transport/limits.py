"""What bounds the messages and sessions of the protocol, in one place (DESIGN §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.log.chunk import MESSAGE_BYTES_MAX
from kioku.log.frontier import TIPS_MAX

if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    from kioku.values import dataclass

PROTOCOL_VERSION: Final = 1
PREFIXES_MAX: Final = 64
HEADS_MAX: Final = 32
"""Tips that are listed under one prefix; where there are more, sums are given."""
SUMS: Final = 16
SUM_BYTES: Final = 16
SEQS_MAX: Final = 32
BODIES_MAX: Final = 256
"""Events whose bodies are asked for at once."""
SPACES_MAX: Final = 64
IDENTITY_BYTES_MAX: Final = 16
CREDENTIAL_BYTES_MAX: Final = 64
HEX_DIGITS_MAX: Final = 32
ITEMS_MAX: Final = 3 + PREFIXES_MAX * (4 + 6 * HEADS_MAX)
"""The parts of the message that has most of them, a full answer of heads."""

QUERY_BYTES_MAX: Final = 32 * 1024
"""More than the longest question, for 256 bodies: what is longer is not even read."""
CREDIT_BYTES_MAX: Final = MESSAGE_BYTES_MAX
"""Bytes of chunks that may be on their way: whatever one message can hold fits."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a session goes; the defaults are the protocol's.

    Args:
        credit_bytes: of all ranges together that are on their way at once.
        first_credit_bytes: with which it begins, to be doubled while the peer keeps up.
        ranges_at_once: logs that are fetched side by side, so that a far peer costs few waits;
            fewer while the peer leaves questions unanswered.
        timeout_ms: how long one question may take, all of its answers included.
        cuts_max: questions in a row that may end without an explicit end; those that were on
            their way together count as one.
        idle_asks_max: questions about one log in a row that may bring nothing new: enough to find
            a split in the longest log there can be, twice.
        given_up_max: tips of a peer that may turn out to be none.
        heads_max: tips that a peer may state.
        sums_max: prefixes under which a peer may give sums: ten times what 100,000 tips need.
        bodies_max: events whose bodies are asked of one peer in vain.
        missing_max: missing bodies that are looked at.
        idle_replies_max: replies to one question that may be of no use, as what comes twice is.
    """

    credit_bytes: int = CREDIT_BYTES_MAX
    first_credit_bytes: int = 1_280 * 1024
    ranges_at_once: int = 8
    timeout_ms: int = 10_000
    cuts_max: int = 2
    idle_asks_max: int = 40
    given_up_max: int = 64
    heads_max: int = TIPS_MAX
    sums_max: int = 8_192
    bodies_max: int = 1_024
    missing_max: int = 16_384
    idle_replies_max: int = 64


DEFAULT_LIMITS: Final = Limits()
