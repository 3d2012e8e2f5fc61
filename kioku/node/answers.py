"""The answers to peers' questions: a bounded queue, a few replies at a time.

A question costs its asker nothing and us a read of the store, so: no more than ``PENDING_MAX`` wait
at once, what comes on top is ended unanswered (which means "unknown", and its asker tries again),
and each turn of the loop gives a few replies before it looks at what else arrived.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.errors import KiokuError, StoreError
from kioku.transport.answering import answer
from kioku.transport.limits import QUERY_BYTES_MAX
from kioku.transport.message import End

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.node.site import Site
    from kioku.transport.link import Query
    from kioku.transport.message import EndStatus

PENDING_MAX: Final = 64
"""More than the hubs and spokes of fifty machines ask at once."""
REPLIES_PER_TURN: Final = 4
"""At most 1 MiB of chunks: about 20 ms of reading."""


class _Pending(NamedTuple):
    query: Query
    replies: Iterator[bytes]


class Answerer:
    """Answers what is asked, in the order it was."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._pending: deque[_Pending] = deque()

    @property
    def is_busy(self) -> bool:
        """Whether there is more to answer."""
        return bool(self._pending)

    def accept(self, query: Query) -> None:
        """Take a question in; it is ended at once where too many wait.

        So is one that is longer than a question can be: 64 of those would hold 256 MiB.
        """
        if len(query.data) > QUERY_BYTES_MAX:
            self._note("malformed")
            query.answer(End("malformed").encode())
            query.end()
            return
        if len(self._pending) >= PENDING_MAX:
            self._site.counts["dropped"] += 1
            query.end()
            return
        replies = answer(self._site.holdings, query.data, ended=self._note)
        self._pending.append(_Pending(query, replies))

    def _note(self, status: EndStatus) -> None:
        if status in {"malformed", "version"}:
            self._site.counts["rejected"] += 1

    def advance(self) -> None:
        """Give a few replies, of the question that waits longest."""
        if not self._pending:
            return
        pending = self._pending.popleft()
        if self._give(pending):
            self._pending.append(pending)
        else:
            pending.query.end()
            self._site.counts["answered"] += 1

    def _give(self, pending: _Pending) -> bool:
        """Give the next replies of one answer; gives whether there may be more."""
        try:
            for _ in range(REPLIES_PER_TURN):
                reply = next(pending.replies, None)
                if reply is None:
                    return False
                pending.query.answer(reply)
        except StoreError as error:
            self._site.trouble(error)
            return False
        except KiokuError:
            self._site.counts["dropped"] += 1
            return False
        return True

    def stop(self) -> None:
        """Leave everything unanswered."""
        while self._pending:
            self._pending.popleft().query.end()
