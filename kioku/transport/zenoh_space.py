"""One replica's part in one space, over Zenoh: what it publishes, asks and answers.

The rule this module guards: Zenoh's threads do nothing here but read a key and hand over. What a
stranger sent under a key that no replica writes, or over the limit of a message, is counted and
dropped before anybody sees it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final

from kioku.transport import key_expressions, zenoh_faults
from kioku.transport.link import PUT_KINDS, QUERY_KINDS, Put, Query, Reply, ReplyEnd

if TYPE_CHECKING:
    from collections.abc import Callable

    import zenoh

    from kioku.transport.link import Address, Delivery, PutKind, QueryKind
    from kioku.transport.zenoh_session import ZenohSession

QUERIES_WAITING_MAX: Final = 256
"""Questions of others that wait for ``end``: four for each of 64 peers. More are turned away."""


class ZenohLink:
    """One replica's part in one space; ``ZenohTransport.join`` gives one."""

    def __init__(
        self,
        session: ZenohSession,
        address: Address,
        deliver: Callable[[Delivery], None],
        *,
        leave: Callable[[ZenohLink], None],
    ) -> None:
        """``leave`` is told when the link is closed."""
        self._session = session
        self._address = address
        self._deliver = deliver
        self._leave = leave
        self._is_silent = False
        self._keys = {
            kind: key_expressions.of_one(address, kind) for kind in PUT_KINDS + QUERY_KINDS
        }
        self._declared = self._declare()

    def put(self, kind: PutKind, data: bytes) -> None:
        """Publish to all replicas of the space; dropped when the network cannot take it."""
        import zenoh

        if self._is_shut() or not self._session.is_allowed(len(data)):
            return
        self._session.attempt(
            lambda: self._session.driver.put(
                self._keys[kind],
                data,
                congestion_control=zenoh.CongestionControl.DROP,
                allowed_destination=zenoh.Locality.REMOTE,
            )
        )

    def ask(
        self, to: Address, kind: QueryKind, data: bytes, *, request_id: int, timeout_ms: int
    ) -> None:
        """Ask one replica; ``Reply`` and then one ``ReplyEnd`` with this number are delivered."""
        import zenoh

        if self._is_shut():
            return
        question = _Question(self._session, self.hand_over, request_id)
        if not self._session.is_allowed(len(data)):
            question.fail("too large")
            return
        is_sent = self._session.attempt(
            lambda: self._session.driver.get(
                key_expressions.of_one(to, kind),
                self._session.callback(question.receive, question.end),
                target=zenoh.QueryTarget.BEST_MATCHING,
                consolidation=zenoh.ConsolidationMode.NONE,
                timeout=timeout_ms / 1_000,
                congestion_control=zenoh.CongestionControl.DROP,
                payload=data,
                allowed_destination=zenoh.Locality.REMOTE,
            )
        )
        if not is_sent:
            question.fail("not sent")

    def close(self) -> None:
        """Leave the space: nothing is delivered any more. Safe to call twice."""
        if self._is_shut():
            return
        self.silence()
        self._leave(self)
        for declared in self._declared:
            self._session.attempt(declared.undeclare)

    def silence(self) -> None:
        """Deliver nothing any more."""
        self._is_silent = True

    def hand_over(self, delivery: Delivery) -> None:
        """Give a delivery to whoever joined, unless the link was closed. Never raises."""
        if self._is_silent:
            return
        try:
            self._deliver(delivery)
        except Exception:  # noqa: BLE001 - nobody would hear of it on Zenoh's thread
            self._session.counters.count("failures")

    def _declare(self) -> list[Any]:
        declare = self._session.driver
        return [
            declare.declare_queryable(
                key_expressions.of_all_kinds(self._address),
                self._session.callback(self._receive_query),
            ),
            declare.declare_subscriber(
                key_expressions.of_all_puts(self._address.space_id),
                self._session.callback(self._receive_put),
            ),
        ]

    def _receive_put(self, sample: zenoh.Sample) -> None:
        import zenoh

        key = key_expressions.read_put(str(sample.key_expr))
        if key is None or sample.kind != zenoh.SampleKind.PUT:
            self._session.counters.count("garbage")
            return
        data = self._session.received(sample.payload)
        if data is not None:
            self._session.counters.count("puts_received")
            self.hand_over(Put(key.sender, key.kind, data))

    def _receive_query(self, query: zenoh.Query) -> None:
        kind = key_expressions.read_query(str(query.key_expr), self._address)
        data = self._session.received(query.payload)
        if kind is None:
            self._session.counters.count("garbage")
        if kind is None or data is None or self._is_silent:
            _drop(query)
        elif not self._session.counters.admit(QUERIES_WAITING_MAX):
            query.reply_err(b"busy")
            _drop(query)
        else:
            waiting = _Waiting(self._session, query, self._keys[kind])
            self._session.counters.count("queries_received")
            self.hand_over(Query(kind, data, waiting.answer, waiting.end))

    def _is_shut(self) -> bool:
        return self._is_silent or self._session.is_closed


class _Question:
    """A question of ours on its way: hands over its replies, and then its one end."""

    def __init__(
        self, session: ZenohSession, hand_over: Callable[[Delivery], None], request_id: int
    ) -> None:
        self._session = session
        self._hand_over = hand_over
        self._request_id = request_id
        self._problem = "no answer"
        self._is_over = False

    def receive(self, reply: zenoh.Reply) -> None:
        """Take one of Zenoh's replies, of which a failure is one."""
        sample, error = reply.ok, reply.err
        if error is not None:
            self._problem = zenoh_faults.of_reply(error.payload.to_bytes())
        data = self._session.received(sample.payload) if sample is not None else None
        if data is not None:
            self._problem = "" if self._problem == "no answer" else self._problem
            self._hand_over(Reply(self._request_id, data))

    def end(self) -> None:
        """Take Zenoh's word that no more replies come."""
        self.fail(self._problem)

    def fail(self, problem: str) -> None:
        """Say that no more replies come, unless that was said."""
        if not self._is_over:
            self._is_over = True
            self._hand_over(ReplyEnd(self._request_id, problem))


class _Waiting:
    """A question of another replica that was admitted: whoever drops it has ended it."""

    def __init__(self, session: ZenohSession, query: zenoh.Query, key: str) -> None:
        self._session = session
        self._query = query
        self._key = key
        self._lock = threading.Lock()
        self._is_over = False

    def answer(self, data: bytes) -> None:
        """Send one reply."""
        if self._session.is_allowed(len(data)):
            with self._lock:
                if not self._is_over and not self._session.is_closed:
                    self._session.attempt(lambda: self._query.reply(self._key, data))

    def end(self) -> None:
        """Say that no more replies come."""
        with self._lock:
            if self._is_over:
                return
            self._is_over = True
        self._session.counters.release()
        self._session.attempt(lambda: _drop(self._query))

    def __del__(self) -> None:
        self.end()


def _drop(query: zenoh.Query) -> None:
    query.drop()  # type: ignore[no-untyped-call]  # Zenoh's stubs leave its types out
