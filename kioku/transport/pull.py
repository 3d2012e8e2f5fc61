"""Fetching one log from one peer: ranges towards its tips, and a search for the split if it forked.

    range ──▶ chunks … End("done")     the goal is held: the next goal, or done
              chunks … End("credit")   ask again from what was committed
              chunks … (cut)           the same
              End("unknown")           ``after`` is not on the way to the goal: hashes
    hashes ─▶ … the split is found     range, from the last seal at or below it

``after`` is our greatest sealed event that may be on the way. That is right unless the log forked
(or the peer lost what it had stated), so it is tried first. Each chunk is ingested as it comes, in
a transaction of its own; what counts is what the store then holds, never what the peer says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import (
    BrokenChainError,
    LogLimitError,
    MalformedMessageError,
    PeerError,
    UnsupportedVersionError,
)
from kioku.log.event import EventId
from kioku.transport.holdings import Place
from kioku.transport.message import ChunkReply, HashesAnswer, HashesQuery, RangeQuery
from kioku.transport.outcome import Refusal
from kioku.transport.peek import chunk_start
from kioku.transport.split import SplitSearch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kioku.log.frontier import Tip
    from kioku.transport.holdings import Head, Holdings
    from kioku.transport.limits import Limits
    from kioku.transport.link import QueryKind
    from kioku.transport.message import EndStatus, Message

STRIKES_MAX: Final = 2
"""Chunks of a log that the store may refuse: one may have been spoilt on its way, two are not."""
SEARCHES_MAX: Final = 2
"""Searches for a split that may bring nothing: the second is for what changed during the first."""


class LogPull:
    """The questions that bring one log's events up to the tips that a peer stated."""

    def __init__(
        self, holdings: Holdings, goals: Sequence[Head], ours: Iterable[Tip], limits: Limits
    ) -> None:
        """Plan to fetch ``goals``, tips of one log that are not held; the newest will be first.

        ``ours`` are its tips here. The store is not asked: thousands of logs may wait their turn.
        """
        self._holdings = holdings
        self._limits = limits
        self._goals = [head.tip for head in sorted(goals, key=lambda head: -head.hlc)]
        self._given_up: list[EventId] = []
        self.newest = max(head.hlc for head in goals)
        self.log_id = self._goals[0].log_id
        self.refusals: tuple[Refusal, ...] = ()
        self.new_events = 0
        self.needs_full_credit = False
        self.credit_bytes = 0
        self.is_spoilt = False
        self._bytes = 0
        self._strikes = 0
        self._idle_asks = 0
        self._search: SplitSearch | None = None
        self._is_answered = self._is_absent = False
        self._searches = 0
        self._after: Place | None = None
        before = (tip.seq for tip in ours if tip.seq < self._goals[0].seq)
        self._reached = max(before, default=0)
        self._has_begun = False

    @property
    def given_up_count(self) -> int:
        """How many of the peer's tips were given up, other than by refusing them."""
        return 0 if self.refusals else len(self._given_up)

    # -- what to ask

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to ask: all is held, or was given up."""
        return not self._goals

    @property
    def kind(self) -> QueryKind:
        """What the next question is."""
        return "range" if self._search is None else "hashes"

    @property
    def events_left(self) -> int:
        """How many events lack here, as far as the peer's tips tell."""
        lacking = [*self._goals, *self._given_up]
        longest = max((goal.seq for goal in lacking), default=0)
        return max(len(lacking) - 1, longest - self._reached) if lacking else 0

    def begin(self) -> None:
        """Look, before the first question, what is held by now; then there may be none."""
        if self._has_begun:
            return
        self._has_begun = True
        self._goals = [goal for goal in self._goals if not self._holdings.holds(goal)]
        if self._goals:
            self._begin_goal()

    def query(self, credit_bytes: int) -> bytes:
        """Give the next question, with so much credit if it is for a range."""
        self._idle_asks += 1
        self._bytes = 0
        self._is_answered = self.is_spoilt = False
        goal = self._goals[0]
        if self._search is not None:
            self.credit_bytes = 0
            return HashesQuery(goal, self._search.seqs()).encode()
        self.credit_bytes = credit_bytes
        return RangeQuery(goal, self._after, credit_bytes).encode()

    # -- what comes

    def receive(self, message: Message) -> bool:
        """Take a reply; gives whether it was of any use.

        Raises:
            PeerError: if it breaks a rule; nothing was stored of it.
        """
        match message:
            case ChunkReply() if self._search is None:
                return self._take_chunk(message.data)
            case HashesAnswer() if self._search is not None and not self._is_answered:
                self._is_answered = True
                self._is_absent = message.places is None
                if message.places is not None:
                    self._search.take(message.places)
                return True
            case HashesAnswer() if self._search is not None:
                return False
            case _:
                raise MalformedMessageError("not an answer to what was asked")

    def _take_chunk(self, data: bytes) -> bool:
        start = chunk_start(data)
        if start.log_id != self.log_id or start.last_seq > self._goals[0].seq:
            raise MalformedMessageError("a chunk of events that were not asked for")
        if start.first_seq > self._reached + 1 or start.last_seq <= self._reached:
            return False  # one before it was lost, or it came twice
        self._bytes += len(data)
        if self._bytes > self.credit_bytes:
            self.is_spoilt = True
            raise MalformedMessageError("more than there was credit for")
        try:
            new_events = self._holdings.ingest(data)
        except PeerError as error:
            self._strike(error)
            raise
        self._reached = start.last_seq
        if new_events:
            self.new_events += new_events
            self._idle_asks = 0
            self._searches = 0
        return True

    def _strike(self, error: PeerError) -> None:
        self._strikes += 1
        self.is_spoilt = True
        is_final = isinstance(error, LogLimitError)
        if is_final or self._strikes >= STRIKES_MAX:
            is_lasting = is_final or isinstance(error, UnsupportedVersionError)
            self.refusals = tuple(Refusal(goal, str(error), is_lasting) for goal in self._goals)
            self._give_up()
        elif isinstance(error, BrokenChainError):
            self._begin_search()

    def end(self, status: EndStatus) -> None:
        """Note that the answers are complete."""
        if self.is_done:
            return
        if self._search is not None:
            self._end_hashes(self._search, status)
        elif status == "unknown":
            self._not_on_the_way()
        elif status == "credit" and not self._bytes:
            self._ask_for_more()
        elif status in {"done", "credit"}:
            self._resume()
        else:
            self._give_up()
        self._check_idle()

    def cut(self) -> None:
        """Note that no more comes, and it was not complete: go on from what is held."""
        if not self.is_done and self._search is None:
            self._resume()
        self._check_idle()

    # -- from where to ask

    def _begin_goal(self) -> None:
        """Take our greatest sealed event that may be before the goal."""
        goal = self._goals[0]
        tips = self._holdings.tips_of(self.log_id)
        below = [tip for tip in tips if tip.seq < goal.seq]
        if tips and not below:
            self._begin_search()
        else:
            self._stand_at(max(below, key=lambda tip: tip.seq, default=None))

    def _stand_at(self, event: EventId | None) -> None:
        self._after = event and Place(event.seq, event.hash)
        self._reached = event.seq if event else 0

    def _resume(self) -> None:
        """Go on behind what was committed: the tip that was reached, if one alone stands there."""
        goal = self._goals[0]
        while self._goals and self._holdings.holds(self._goals[0]):
            self._goals.pop(0)
        if not self._goals:
            return
        if self._goals[0] != goal:
            self._searches = 0
            self._begin_goal()
        elif self._reached > (self._after.seq if self._after else 0):
            tips = self._holdings.tips_of(self.log_id)
            reached = [tip for tip in tips if tip.seq == self._reached]
            if len(reached) == 1:
                self._stand_at(reached[0])
            else:
                self._begin_goal()

    def _begin_search(self) -> None:
        """Look for the split: ``after`` is not on the way to the goal."""
        if self._searches >= SEARCHES_MAX:
            self._give_up_goal()
            return
        self._searches += 1
        search = SplitSearch(self._goals[0], self._holdings.holds)
        if search.is_done:
            self._end_search(search)
        else:
            self._search = search

    def _not_on_the_way(self) -> None:
        if self._after is None:
            self._give_up_goal()  # nothing is before the beginning: the goal is not there
        else:
            self._begin_search()

    def _end_hashes(self, search: SplitSearch, status: EndStatus) -> None:
        if not self._is_answered:
            if status != "done":
                self._give_up()
        elif self._is_absent:
            self._give_up_goal()
        elif search.is_done:
            self._end_search(search)

    def _end_search(self, search: SplitSearch) -> None:
        self._search = None
        place = search.split and self._holdings.sealed_at_or_below(search.split)
        self._stand_at(place and EventId(self.log_id, *place))

    # -- giving up

    def _ask_for_more(self) -> None:
        """Ask again with all the credit there is: the next chunk needs more than it was given."""
        if self.credit_bytes >= self._limits.credit_bytes:
            self._give_up_goal()
        self.needs_full_credit = True

    def _check_idle(self) -> None:
        if self._idle_asks > self._limits.idle_asks_max:
            self._give_up()

    def _give_up_goal(self) -> None:
        """Leave a goal to a later session: the peer does not have it any more, or lies."""
        self._given_up.append(self._goals.pop(0))
        self._search = None
        if self._goals:
            self._searches = 0
            self._begin_goal()

    def _give_up(self) -> None:
        self._given_up += self._goals
        self._goals.clear()
        self._search = None
