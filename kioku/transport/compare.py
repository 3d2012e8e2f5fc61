"""Comparing frontiers by sums of prefixes: which logs differ, in few questions and few bytes.

    ""  → 16 sums     only the digits whose sums differ from ours are asked further
    "3" → 16 sums
    "3c" → 24 heads   a prefix with at most 32 tips is listed

One changed log among 100,000 is found with four questions of some hundred bytes. A question takes
up to 64 prefixes, so many changes cost few questions more (docs/adr/0071). What is found is a fact
about the peer at the moment of each answer; ``is_one_moment`` says whether all were the same.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.errors import LogLimitError, MalformedMessageError
from kioku.transport.limits import HEX_DIGITS_MAX, PREFIXES_MAX, SUM_BYTES
from kioku.transport.message import HeadsAnswer, HeadsQuery, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kioku.log.event import EventId
    from kioku.log.frontier import Tip
    from kioku.transport.holdings import Head, Holdings
    from kioku.transport.limits import Limits

_DIGITS: Final = "0123456789abcdef"
_NOTHING: Final = bytes(SUM_BYTES)


class Difference(NamedTuple):
    """A log of which the peer stated other tips than we did."""

    log_id: bytes
    theirs: tuple[Head, ...]
    ours: tuple[Tip, ...]


class Comparison:
    """The questions that find how a peer's frontier differs from ours."""

    kind: Final = "heads"

    def __init__(self, holdings: Holdings, limits: Limits) -> None:
        self._holdings = holdings
        self._limits = limits
        self._waiting: deque[str] = deque([""])
        self._asked: list[str] = []
        self._question: frozenset[str] = frozenset()
        self._heads = 0
        self._sums = 0
        self._digest: bytes | None = None
        self.is_one_moment = True
        self.is_erased = True
        self.differences: dict[bytes, Difference] = {}

    @property
    def peer_digest(self) -> bytes | None:
        """The fingerprint that the peer's last answer gave."""
        return self._digest

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to ask."""
        return not (self._asked or self._waiting)

    @property
    def is_answered(self) -> bool:
        """Whether all that was asked for was answered."""
        return not self._asked

    def cut(self) -> None:
        """Note that no more comes: what is left out will be asked again."""

    def query(self) -> bytes:
        """Give the next question; again what was asked, where no answer came."""
        while self._waiting and len(self._asked) < PREFIXES_MAX:
            self._asked.append(self._waiting.popleft())
        self._asked.sort()
        self._question = frozenset(self._asked)
        return HeadsQuery(tuple(self._asked)).encode()

    def receive(self, message: Message) -> bool:
        """Take an answer; gives whether it was of any use.

        Raises:
            MalformedMessageError: if it is none to what was asked; nothing changed.
            LogLimitError: if the peer states more than a space may have.
        """
        if not isinstance(message, HeadsAnswer):
            raise MalformedMessageError("not an answer of heads")
        answered = {part.prefix for part in message.parts}
        if not answered.issubset(self._question):
            raise MalformedMessageError("heads of a prefix that was not asked for")
        if not answered.issubset(self._asked):
            return False
        if any(part.heads is None and len(part.prefix) == HEX_DIGITS_MAX for part in message.parts):
            raise MalformedMessageError("sums of one log alone")
        self.is_one_moment &= self._digest in {None, message.digest}
        self.is_erased &= message.erased
        self._digest = message.digest
        self._asked = [prefix for prefix in self._asked if prefix not in answered]
        for part in message.parts:
            if part.heads is not None:
                self._compare_heads(part.prefix, part.heads)
            else:
                self._compare_sums(part.prefix, part.sums or ())
        return True

    def _compare_heads(self, prefix: str, heads: Sequence[Head]) -> None:
        self._heads += len(heads)
        if self._heads > self._limits.heads_max:
            raise LogLimitError(f"a peer states over {self._limits.heads_max:,} tips")
        theirs: dict[bytes, list[Head]] = {}
        for head in heads:
            theirs.setdefault(head.tip.log_id, []).append(head)
        self._note(theirs, self._our_tips(prefix))

    def _compare_sums(self, prefix: str, sums: Sequence[bytes]) -> None:
        self._sums += 1
        if self._sums > self._limits.sums_max:
            raise LogLimitError("a peer's tips lie under more prefixes than a space can have")
        ours = self._holdings.sums(prefix)
        for digit, mine, its in zip(_DIGITS, ours, sums, strict=True):
            if its == mine:
                continue
            if its == _NOTHING:
                self._note({}, self._our_tips(prefix + digit))
            else:
                self._waiting.append(prefix + digit)

    def _our_tips(self, prefix: str) -> dict[bytes, list[Tip]]:
        ours: dict[bytes, list[Tip]] = {}
        for head in self._holdings.heads(prefix):
            ours.setdefault(head.tip.log_id, []).append(head.tip)
        return ours

    def _note(self, theirs: dict[bytes, list[Head]], ours: dict[bytes, list[Tip]]) -> None:
        for log_id in sorted(theirs.keys() | ours.keys()):  # a seed must replay exactly
            heads, tips = theirs.get(log_id, []), ours.get(log_id, [])
            if [head.tip for head in heads] != tips:
                self.differences[log_id] = Difference(log_id, tuple(heads), tuple(tips))


def events_beyond(tips: Iterable[EventId], known: Iterable[EventId]) -> int:
    """Count the events of one log that ``tips`` have beyond ``known``.

    Exact where the log is one chain; of a log that forked, its longest way alone counts.
    """
    longest = max((tip.seq for tip in tips), default=0)
    return max(0, longest - max((tip.seq for tip in known), default=0))
