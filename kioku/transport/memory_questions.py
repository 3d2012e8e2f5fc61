"""A question on a ``MemoryMesh``, as the one who asked and the one who was asked see it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from kioku.transport.link import Reply, ReplyEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.transport.counting import Counters
    from kioku.transport.link import Delivery

QUERIES_WAITING_MAX: Final = 256
"""As many as over Zenoh."""


class Question:
    """A question on its way: hands over its replies, and then its one end."""

    def __init__(
        self,
        hand_over: Callable[[Delivery], None],
        request_id: int,
        *,
        finish: Callable[[Question], None],
    ) -> None:
        """``finish`` is told when it is over."""
        self._hand_over = hand_over
        self._request_id = request_id
        self._finish = finish
        self._is_over = False
        self.has_reply = False
        self.due_ms = 0

    def reply(self, data: bytes) -> None:
        """Take one reply."""
        if not self._is_over:
            self.has_reply = True
            self._hand_over(Reply(self._request_id, data))

    def end(self, problem: str = "") -> None:
        """Take note that no more replies come; without a problem there must have been one."""
        if not self._is_over:
            self._is_over = True
            self._finish(self)
            reason = problem or ("" if self.has_reply else "no answer")
            self._hand_over(ReplyEnd(self._request_id, reason))


class Waiting:
    """A question at the replica that was asked: whoever drops it has ended it."""

    def __init__(
        self,
        question: Question,
        carry_back: Callable[[Callable[[], None]], None],
        may_answer: Callable[[bytes], bool],
        counters: Counters,
    ) -> None:
        self._question = question
        self._carry_back = carry_back
        self._may_answer = may_answer
        self._counters = counters
        self._lock = threading.RLock()
        self._is_admitted = False
        self._is_over = False

    def admit(self) -> bool:
        """Let it wait for its end, unless too many do."""
        self._is_admitted = self._counters.admit(QUERIES_WAITING_MAX)
        if not self._is_admitted:
            self._is_over = True
            question = self._question
            self._carry_back(lambda: question.end("busy"))
        return self._is_admitted

    def answer(self, data: bytes) -> None:
        """Send one reply."""
        with self._lock:
            if not self._is_over and self._may_answer(data):
                copy, question = bytes(data), self._question
                self._carry_back(lambda: question.reply(copy))

    def end(self) -> None:
        """Say that no more replies come."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
        if self._is_admitted:
            self._counters.release()
        self._carry_back(self._question.end)

    def __del__(self) -> None:
        if self._is_admitted:  # one that was lost on its way is answered by nobody
            self.end()
