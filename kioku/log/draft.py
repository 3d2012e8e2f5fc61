"""Drafts: events that a caller wants appended, checked before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.errors import InvalidArgumentError, MalformedMessageError, TooLargeError
from kioku.log.event import BODY_BYTES_MAX, GENESIS, RETRACT, UINT_LIMIT, ZERO_KEY, find_breach
from kioku.log.hlc import next_stamp, pack
from kioku.log.payload import TARGETS_MAX, decode_targets, encode_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kioku.log.event import EventId


class Draft(NamedTuple):
    """An event to append; ``hlc`` only for one that happened elsewhere or before.

    ``fields`` is what whoever encoded the body put into it, so that the view need not decode what
    was encoded a moment ago; it is stored nowhere.
    """

    kind: int
    key: bytes
    body: bytes | None = None
    hlc: int | None = None
    fields: Mapping[int, Any] | None = None


def retracts(targets: Iterable[EventId]) -> Iterator[Draft]:
    """Give the retracts that erase ``targets``, each within the limit of a body."""
    ordered = sorted(targets)
    for start in range(0, len(ordered), TARGETS_MAX):
        yield Draft(RETRACT, ZERO_KEY, encode_targets(ordered[start : start + TARGETS_MAX]))


def check_draft(draft: Draft) -> None:
    """Refuse what no peer would accept: one such event would stop our log everywhere.

    Raises:
        InvalidArgumentError: if the draft breaks the table of kinds or has a field out of range.
        TooLargeError: if its body is over the limit.
    """
    kind, key, body, hlc, _ = draft
    if kind == GENESIS:
        raise InvalidArgumentError("a genesis is written by the log itself")
    if not (0 <= kind < UINT_LIMIT and (hlc is None or 0 <= hlc < UINT_LIMIT)):
        raise InvalidArgumentError("kind and hlc must be whole numbers from 0 to 2^63 - 1")
    if type(key) is not bytes or len(key) != len(ZERO_KEY):
        raise InvalidArgumentError(f"a key is {len(ZERO_KEY)} bytes")
    breach = find_breach(kind, key, has_commitment=body is not None)
    if breach is not None:
        raise InvalidArgumentError(breach)
    if body is not None:
        _check_body(kind, body)


def _check_body(kind: int, body: bytes) -> None:
    if type(body) is not bytes:
        raise InvalidArgumentError("a body is bytes")
    if len(body) > BODY_BYTES_MAX:
        raise TooLargeError("body", len(body), BODY_BYTES_MAX)
    if kind == RETRACT:
        try:
            decode_targets(body)
        except MalformedMessageError as error:
            raise InvalidArgumentError(f"{error}; encode_targets makes it") from error


def stamps_of(drafts: Iterable[Draft], last: int, now_ms: int, *, trusts: int) -> Iterator[int]:
    """Give every draft's stamp: its own, or the next of our clock.

    One of its own past ``trusts`` is taken for the wall: what happened elsewhere has not happened
    later than now, and what is stamped far ahead could not even be deleted here.
    """
    for draft in drafts:
        if draft.hlc is None:
            last = next_stamp(last, now_ms)
            yield last
        else:
            yield draft.hlc if draft.hlc <= trusts else pack(now_ms)
