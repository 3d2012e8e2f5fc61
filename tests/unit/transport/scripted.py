"""Peers that say what a test tells them to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.log.hlc import pack
from kioku.transport.holdings import Head, Place
from kioku.transport.message import (
    End,
    HeadsAnswer,
    HeadsQuery,
    Part,
    RangeQuery,
    decode,
)
from tests.property.histories import NOW_MS
from tests.property.paper import PaperHoldings, event_at, log_ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.log.event import EventId
    from kioku.transport.message import Message
    from kioku.transport.session import Ask
    from tests.property.wires import Wire

LOGS = log_ids(3)
DIGEST = bytes(32)
DONE = End("done").encode()
OTHER_DIGEST = b"\x01" * 32


def heads_of(*tips: EventId, digest: bytes = OTHER_DIGEST, erased: bool = True) -> list[bytes]:
    """What a peer with these tips says to the first question."""
    part = Part("", tuple(Head(tip, pack(NOW_MS) + tip.seq) for tip in sorted(tips)), None)
    return [HeadsAnswer((part,), erased, digest).encode(), DONE]


def scripted(
    reply: Callable[[Message], list[bytes]], *tips: EventId
) -> Callable[[Ask, list[bytes]], list[bytes]]:
    """A peer that states ``tips`` and answers all else by ``reply``."""

    def spoil(ask: Ask, _: list[bytes]) -> list[bytes]:
        message = decode(ask.data)
        if isinstance(message, HeadsQuery):
            return heads_of(*tips)
        return reply(message)

    return spoil


def ranges_of(wire: Wire) -> list[RangeQuery]:
    """The ranges that were asked for, in order."""
    questions = (decode(ask.data) for ask in wire.asks)
    return [question for question in questions if isinstance(question, RangeQuery)]


def chunk_of(log_id: bytes, length: int, *, after: int = 0, body_bytes: int = 200) -> bytes:
    """A chunk of a log on paper."""
    paper = PaperHoldings({log_id: length}, body_bytes=body_bytes)
    place = Place(*event_at(log_id, after)[1:]) if after else None
    chunks = paper.read_range(event_at(log_id, length), place)
    assert chunks is not None
    return next(chunks)
