"""Answers to a peer's questions, out of what is held here: sans-IO, and bounded for each question.

A question that cannot be read, or asks for what is not here, gets an ``End`` that says so and costs
next to nothing. Chunks and bodies are read one by one, as they are taken: a peer that goes away
costs what it was sent. No answer is longer than the credit of its question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import MalformedMessageError, UnsupportedVersionError
from kioku.log.chunk import CHUNK_BYTES_MAX
from kioku.transport.limits import CREDIT_BYTES_MAX, HEADS_MAX, HEX_DIGITS_MAX, QUERY_BYTES_MAX
from kioku.transport.message import (
    BodiesAnswer,
    BodiesQuery,
    ChunkReply,
    End,
    EndStatus,
    HashesAnswer,
    HashesQuery,
    HeadsAnswer,
    HeadsQuery,
    Message,
    Part,
    RangeQuery,
    decode,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from kioku.log.event import EventId
    from kioku.transport.holdings import Body, Holdings

BODY_OVERHEAD_BYTES: Final = 96
"""At most what an event's name and salt add to its body in an answer."""
_READS_AT_ONCE: Final = 4
_SAME_MOMENT_ATTEMPTS: Final = 3


def answer(
    holdings: Holdings,
    data: bytes,
    *,
    credit_bytes: int = CREDIT_BYTES_MAX,
    ended: Callable[[EndStatus], None] = lambda _: None,
) -> Iterator[bytes]:
    """Give the answers to a query, the last one an ``End``.

    Args:
        holdings: what is held here.
        data: the query, whatever a peer may have sent.
        credit_bytes: at most so much, if the query would take more.
        ended: told how it ended: ``malformed`` and ``version`` are for the counters.

    Raises:
        StoreError: if the store cannot be read; then no ``End`` was given.
    """
    status: EndStatus
    try:
        query = decode(data[: QUERY_BYTES_MAX + 1])
    except UnsupportedVersionError:
        status = "version"
    except MalformedMessageError:
        status = "malformed"
    else:
        status = yield from _answers(holdings, query, credit_bytes)
    ended(status)
    yield End(status).encode()


def _answers(
    holdings: Holdings, query: Message, credit_bytes: int
) -> Generator[bytes, None, EndStatus]:
    match query:
        case HeadsQuery():
            yield _heads(holdings, query).encode()
        case HashesQuery():
            places = holdings.hashes(query.goal, query.seqs)
            yield HashesAnswer(None if places is None else tuple(places)).encode()
        case RangeQuery():
            return (yield from _chunks(holdings, query, credit_bytes))
        case BodiesQuery():
            return (yield from _bodies(holdings, query, credit_bytes))
        case _:
            return "refused"
    return "done"


def _heads(holdings: Holdings, query: HeadsQuery) -> HeadsAnswer:
    """State what is under the prefixes.

    ``erased`` is read last: what the heads cover was there before, so a true one speaks of it too.
    A frontier that grows meanwhile is looked at again, for the digest must be that of the heads.
    """
    answer = HeadsAnswer((), erased=False, digest=holdings.digest())
    for _ in range(_SAME_MOMENT_ATTEMPTS):
        parts = tuple(_part(holdings, prefix) for prefix in query.prefixes)
        erased, before = holdings.is_erased(), answer.digest
        answer = HeadsAnswer(parts, erased, holdings.digest())
        if answer.digest == before:
            return answer
    return answer._replace(erased=False)


def _part(holdings: Holdings, prefix: str) -> Part:
    if len(prefix) == HEX_DIGITS_MAX or holdings.count_tips(prefix) <= HEADS_MAX:
        return Part(prefix, tuple(holdings.heads(prefix)[:HEADS_MAX]), None)
    return Part(prefix, None, tuple(holdings.sums(prefix)))


def _chunks(
    holdings: Holdings, query: RangeQuery, credit_bytes: int
) -> Generator[bytes, None, EndStatus]:
    left = min(query.credit_bytes, credit_bytes)
    chunks = holdings.read_range(query.goal, query.after)
    if chunks is None:
        return "unknown"
    for chunk in chunks:
        if len(chunk) > left:
            return "credit"
        left -= len(chunk)
        yield ChunkReply(chunk).encode()
    return "done"


def _bodies(
    holdings: Holdings, query: BodiesQuery, credit_bytes: int
) -> Generator[bytes, None, EndStatus]:
    """Give bodies, none that was read before the answer in front of it was taken.

    What is purged between two answers is never sent (DESIGN §10, 12).
    """
    events, left = query.events, credit_bytes
    while events:
        batch, count = _batch(holdings, events, min(left, CHUNK_BYTES_MAX), left)
        if batch:
            yield BodiesAnswer(batch).encode()
        elif count < len(events):
            return "credit"
        left -= sum(map(_size, batch))
        events = events[count:]
    return "done"


def _batch(
    holdings: Holdings, events: Sequence[EventId], room: int, left: int
) -> tuple[tuple[Body, ...], int]:
    """Read bodies for one answer; gives also how many events it is an answer to.

    The first may take up all that is ``left``, the others what there is ``room`` for.
    """
    batch: list[Body] = []
    for start in range(0, len(events), _READS_AT_ONCE):
        asked = events[start : start + _READS_AT_ONCE]
        for body in holdings.bodies(asked):
            room -= _size(body)
            if room < 0 and (batch or _size(body) > left):
                return tuple(batch), events.index(body.event, start)
            batch.append(body)
    return tuple(batch), len(events)


def _size(body: Body) -> int:
    return len(body.body) + BODY_OVERHEAD_BYTES
