"""A session: one pull from one peer, sans-IO. It finds what differs, and fetches what lacks here.

    heads ⟳ (which logs differ) ──▶ ranges and hashes, several logs side by side, the newest first
          ──▶ missing bodies ──▶ outcome

The caller carries each ``Ask`` to the peer, hands in what comes, and says when a question is over.
Nothing is believed: a reply to no question, of another log, over its credit or that the store
refuses changes nothing but a counter, and a peer that gives nothing is left (``Limits``). What was
committed stays, wherever a session ends: the next one begins there.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from kioku.errors import LogLimitError, PeerError
from kioku.log.chunk import CHUNK_BYTES_MAX
from kioku.log.frontier import DIGEST_MODULUS, tip_sum
from kioku.transport.bodies import BodiesPull
from kioku.transport.compare import Comparison, events_beyond
from kioku.transport.limits import DEFAULT_LIMITS
from kioku.transport.message import End, decode
from kioku.transport.outcome import Ask, Outcome, PeerTips, SessionStatistics
from kioku.transport.pull import LogPull

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterator

    from kioku.log.event import EventId
    from kioku.log.frontier import Tip
    from kioku.transport.holdings import Holdings
    from kioku.transport.limits import Limits
    from kioku.transport.message import EndStatus

__all__ = ["Ask", "Outcome", "Session", "SessionStatistics"]

Job = Comparison | LogPull | BodiesPull

SHARE_BYTES_MIN: Final = CHUNK_BYTES_MAX + 4_096
"""The least credit to ask for many events with: a whole chunk, of more than one event."""
FEW_EVENTS_BYTES: Final = 16 * 1024
EVENT_BYTES: Final = 1_024
"""A log that lacks few events gets credit by their number, so that many such logs are fetched side
by side. One that turns out to be larger costs another question.
"""

_USELESS: Final = "gave no answer that could be used"
_ENDS: Final[dict[EndStatus, str]] = {
    "refused": "refused to answer",
    "malformed": "did not understand the question",
    "version": "speaks another version of the protocol",
}


class _Running:
    """A question that waits for its end."""

    def __init__(self, job: Job, credit_bytes: int) -> None:
        self.job = job
        self.credit_bytes = credit_bytes
        self.idle_replies = 0


class Session:
    """One pull from one peer. Not safe to share between threads."""

    def __init__(
        self,
        holdings: Holdings,
        *,
        rng: random.Random,
        refused: Collection[EventId] = (),
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Prepare to compare ``holdings`` with a peer's.

        Args:
            holdings: what is held here.
            rng: draws the numbers of questions, so that they differ from other sessions'.
            refused: tips that this peer offered and that were refused, which are not asked for.
            limits: how far it goes.
        """
        self._holdings = holdings
        self._rng = rng
        self._refused = frozenset(refused)
        self._limits = limits
        self._next_id = rng.getrandbits(60)
        self._credit_bytes = min(limits.first_credit_bytes, limits.credit_bytes)
        self._at_once = limits.ranges_at_once
        self._answered = self._cut_before = 0
        self._comparison = Comparison(holdings, limits)
        self._pulls: list[LogPull] | None = None
        self._bodies: BodiesPull | None = None
        self._running: dict[int, _Running] = {}
        self._queue: deque[LogPull] = deque()
        self._began_ms = self._now_ms = self._given_up = 0
        self._behind = self._ahead = 0
        self._round_trips = self._bytes_in = self._bytes_out = 0
        self._hostile = self._useless = self._cuts = self._cuts_in_a_row = 0
        self._outcome: Outcome | None = None

    # -- driving it

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it runs."""
        return self._outcome

    @property
    def events_left(self) -> int:
        """How many events are known to lack here; 0 until the comparison is over."""
        return sum(pull.events_left for pull in self._pulls or ())

    def begin(self, now_ms: int) -> list[Ask]:
        """Give the first question."""
        self._began_ms = self._now_ms = now_ms
        return self._advance()

    def receive(self, request_id: int, data: bytes, now_ms: int) -> list[Ask]:
        """Take a reply; gives what to ask next.

        Raises:
            StoreError: if what came cannot be stored; this session is of no more use.
        """
        self._now_ms = now_ms
        running = self._running.get(request_id)
        if running is None:
            self._useless += 1
            return []
        self._bytes_in += len(data)
        try:
            message = decode(data)
            if isinstance(message, End):
                self._end(request_id, message.status)
            elif running.job.receive(message):
                self._cuts_in_a_row = 0
            else:
                self._useless += 1
                running.idle_replies += 1
        except PeerError as error:
            self._note_hostile(running, error)
        if request_id in self._running:
            self._leave_if_over(request_id, running)
        return self._advance()

    def finish(self, request_id: int, problem: str, now_ms: int) -> list[Ask]:
        """Note that a question is over; gives what to ask next.

        Without an explicit end before it, that means "unknown", and what was not committed is
        asked for again.
        """
        self._now_ms = now_ms
        running = self._running.pop(request_id, None)
        if running is None:
            return []
        self._cuts += 1
        if request_id >= self._cut_before:
            self._cut_before = self._next_id
            self._credit_bytes = max(SHARE_BYTES_MIN, self._credit_bytes // 2)
            self._at_once = max(1, self._at_once // 2)
            self._cut(running, problem or "did not answer")
        else:
            running.job.cut()
            self._put_back(running.job)
        return self._advance()

    def statistics(self) -> SessionStatistics:
        """Give a snapshot in numbers. Cost: O(logs that differ)."""
        return SessionStatistics(
            round_trips=self._round_trips,
            bytes_in=self._bytes_in,
            bytes_out=self._bytes_out,
            new_events=sum(pull.new_events for pull in self._pulls or ()),
            new_bodies=self._bodies.new_bodies if self._bodies else 0,
            events_left=self.events_left,
            hostile=self._hostile,
            useless=self._useless,
            cuts=self._cuts,
        )

    # -- what ends a question

    def _end(self, request_id: int, status: EndStatus) -> None:
        running = self._running.pop(request_id)
        job = running.job
        if isinstance(job, Comparison):
            if status != "done":
                self._stop(_ENDS.get(status, _USELESS))
            elif not job.is_answered:
                self._cut(running, "left out what was asked for")
            return
        if status == "credit":
            self._credit_bytes = min(2 * self._credit_bytes, self._limits.credit_bytes)
        self._answered += 1
        if self._answered >= self._at_once:
            self._at_once = min(self._at_once + 1, self._limits.ranges_at_once)
            self._answered = 0
        job.end(status)
        self._put_back(job)

    def _cut(self, running: _Running, problem: str) -> None:
        self._cuts_in_a_row += 1
        running.job.cut()
        if self._cuts_in_a_row > self._limits.cuts_max:
            self._stop(problem)
        else:
            self._put_back(running.job)

    def _put_back(self, job: Job) -> None:
        if not isinstance(job, LogPull):
            return
        if not job.is_done:
            self._queue.appendleft(job)
            return
        self._given_up += job.given_up_count
        if self._given_up > self._limits.given_up_max:
            self._stop("offers events that it does not give")

    def _leave_if_over(self, request_id: int, running: _Running) -> None:
        """Wait no longer for the rest of answers that are of no use."""
        job = running.job
        if isinstance(job, LogPull) and job.is_spoilt:
            del self._running[request_id]
            job.cut()
            self._put_back(job)
        elif running.idle_replies > self._limits.idle_replies_max:
            del self._running[request_id]
            self._cut(running, _USELESS)

    def _note_hostile(self, running: _Running, error: PeerError) -> None:
        self._hostile += 1
        running.idle_replies += 1
        if isinstance(running.job, Comparison) and isinstance(error, LogLimitError):
            self._stop(str(error))

    # -- what to ask next

    def _advance(self) -> list[Ask]:
        if self._outcome is not None:
            return []
        asks = list(self._next_asks())
        if not self._running:
            self._stop("")
        return asks

    def _next_asks(self) -> Iterator[Ask]:
        if not self._comparison.is_done:
            if not self._running:
                yield self._ask(self._comparison, self._comparison.query())
            return
        if self._pulls is None:
            if self._running:
                return
            self._begin_pulls()
        yield from self._next_ranges()
        if self._running:
            return
        if self._bodies is None:
            self._bodies = BodiesPull(self._holdings, self._rng, self._limits)
        if not self._bodies.is_done:
            yield self._ask(self._bodies, self._bodies.query())

    def _begin_pulls(self) -> None:
        pulls = []
        for _, theirs, ours in self._comparison.differences.values():
            wanted = [head for head in theirs if head.tip not in self._refused]
            goals = [head for head in wanted if self._may_lack(head.tip, ours)]
            if goals:
                pulls.append(LogPull(self._holdings, goals, ours, self._limits))
            self._ahead += events_beyond(ours, (head.tip for head in theirs))
        pulls.sort(key=lambda pull: -pull.newest)
        self._pulls = pulls
        self._queue.extend(pulls)
        self._behind = self.events_left

    def _may_lack(self, tip: Tip, ours: Collection[Tip]) -> bool:
        """Whether a peer's tip is not held here; what lies past all of ours cannot be."""
        if all(one.seq < tip.seq for one in ours):
            return True
        return tip not in ours and not self._holdings.holds(tip)

    def _next_ranges(self) -> Iterator[Ask]:
        """Ask for several logs side by side, as far as the credit goes."""
        while self._queue and len(self._running) < self._at_once:
            pull = self._queue[0]
            pull.begin()
            if pull.is_done:
                self._queue.popleft()
                continue
            credit_bytes = 0 if pull.kind == "hashes" else self._share(pull)
            if credit_bytes is None:
                return
            self._queue.popleft()
            yield self._ask(pull, pull.query(credit_bytes), credit_bytes)

    def _share(self, pull: LogPull) -> int | None:
        """Give the credit that a range may have now; None if it must wait for others to end."""
        given = sum(running.credit_bytes for running in self._running.values())
        if pull.needs_full_credit:
            return None if given else self._limits.credit_bytes
        free = self._credit_bytes - given
        least = min(SHARE_BYTES_MIN, FEW_EVENTS_BYTES + EVENT_BYTES * pull.events_left)
        if given and free < least:
            return None
        if least < SHARE_BYTES_MIN:
            return least
        count = min(self._at_once - len(self._running), len(self._queue))
        return min(max(free // count, least), self._limits.credit_bytes)

    def _ask(self, job: Job, data: bytes, credit_bytes: int = 0) -> Ask:
        request_id = self._next_id
        self._next_id += 1
        self._running[request_id] = _Running(job, credit_bytes)
        self._round_trips += 1
        self._bytes_out += len(data)
        return Ask(request_id, job.kind, data, self._limits.timeout_ms)

    # -- the outcome

    def _stop(self, problem: str) -> None:
        self._running.clear()
        comparison, numbers = self._comparison, self.statistics()
        is_compared = comparison.is_done
        refused = [refusal for pull in self._pulls or () for refusal in pull.refusals]
        self._outcome = Outcome(
            problem=problem,
            is_compared=is_compared,
            is_level=is_compared and self._is_level({refusal.tip for refusal in refused}),
            peer_digest=comparison.peer_digest,
            erased=is_compared and comparison.is_erased and comparison.is_one_moment,
            differing=tuple(
                PeerTips(log_id, tuple(head.tip for head in theirs))
                for log_id, theirs, _ in comparison.differences.values()
            ),
            refused=tuple(refused),
            behind=self._behind,
            events_left=numbers.events_left,
            events_refused=sum(p.events_left for p in self._pulls or () if p.refusals),
            ahead=self._ahead,
            new_events=numbers.new_events,
            new_bodies=numbers.new_bodies,
            round_trips=numbers.round_trips,
            bytes_in=numbers.bytes_in,
            bytes_out=numbers.bytes_out,
            duration_ms=self._now_ms - self._began_ms,
        )

    def _is_level(self, refused: Collection[EventId]) -> bool:
        """Whether our digest of now is the one that the peer gave, without the refused logs."""
        comparison = self._comparison
        left = int.from_bytes(comparison.peer_digest or b"", "big")
        left -= int.from_bytes(self._holdings.digest(), "big")
        for log_id, theirs, _ in comparison.differences.values():
            tips = [head.tip for head in theirs]
            if any(tip in self._refused or tip in refused for tip in tips):
                left -= sum(map(tip_sum, tips))
                left += sum(map(tip_sum, self._holdings.tips_of(log_id)))
        return left % DIGEST_MODULUS == 0
