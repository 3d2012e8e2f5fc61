"""What a session found out and brought, as values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dataclasses import dataclass

    from kioku.log.event import EventId
    from kioku.log.frontier import Tip
    from kioku.transport.link import QueryKind
else:
    from kioku.values import dataclass


class Ask(NamedTuple):
    """A question to the peer, for the link to carry."""

    request_id: int
    kind: QueryKind
    data: bytes
    timeout_ms: int


class PeerTips(NamedTuple):
    """A log of which the peer stated other tips than we did, and which: none if it lacks it."""

    log_id: bytes
    tips: tuple[Tip, ...]


class Refusal(NamedTuple):
    """A log that was refused, with the tip that was offered.

    Leave it out of the next comparisons with that peer, until it offers another tip. Unless
    ``is_lasting``, what came may have been spoilt on its way: forget the refusal after a while.
    """

    tip: EventId
    reason: str
    is_lasting: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a session ended.

    Args:
        problem: why it ended early; ``""`` if it did all that it could.
        is_compared: whether the comparison was finished; if not, nothing below says anything of
            the peer.
        is_level: whether both now have the same frontier, logs that are refused left out: ours of
            now, the peer's as it stated it.
        peer_digest: the fingerprint that the peer gave last.
        erased: whether the peer stated all of its frontier at one moment, at which nothing that it
            should have erased was left. Only then may a receipt be made of ``differing``.
        differing: the logs of which we stated other tips. Of every other log the peer covers all
            that we stated when the session began; of these, what is an ancestor-or-self of one of
            the tips given here.
        refused: logs that were refused in this session, and were not before.
        behind: events that we lacked when the frontiers were compared.
        events_left: how many of those are still lacking.
        events_refused: how many of those are of logs that were refused in this session.
        ahead: events that the peer lacked.
        new_events: events that came.
        new_bodies: missing bodies that came.
    """

    problem: str
    is_compared: bool
    is_level: bool
    peer_digest: bytes | None
    erased: bool
    differing: tuple[PeerTips, ...]
    refused: tuple[Refusal, ...]
    behind: int
    events_left: int
    events_refused: int
    ahead: int
    new_events: int
    new_bodies: int
    round_trips: int
    bytes_in: int
    bytes_out: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class SessionStatistics:
    """A snapshot of a session in numbers.

    Args:
        round_trips: questions asked; some wait for their answers side by side.
        events_left: events that are known to lack here.
        hostile: replies that broke a rule, and changed nothing.
        useless: replies that came late, twice or out of order, and changed nothing.
        cuts: questions that ended without an explicit end.
    """

    round_trips: int
    bytes_in: int
    bytes_out: int
    new_events: int
    new_bodies: int
    events_left: int
    hostile: int
    useless: int
    cuts: int
