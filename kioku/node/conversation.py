"""One session with one peer while it runs: its questions on the link, and their deadlines.

The link promises nothing, not even that a question ends. So each has a deadline of ours, which
moves on with every reply: a slow peer is let finish, a silent one is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kioku.node.peers import Peer
    from kioku.node.site import Site
    from kioku.transport.session import Ask, Outcome, Session

GRACE_MS: Final = 2_000
"""How much longer than the link we wait: it knows better why a question failed."""


class _Asked:
    """A question on its way."""

    __slots__ = ("due_ms", "timeout_ms")

    def __init__(self, ask: Ask, now_ms: int) -> None:
        self.timeout_ms = ask.timeout_ms
        self.due_ms = now_ms + ask.timeout_ms + GRACE_MS

    def heard(self, now_ms: int) -> None:
        self.due_ms = now_ms + self.timeout_ms + GRACE_MS


class Conversation:
    """A running session."""

    def __init__(self, site: Site, peer: Peer, session: Session) -> None:
        self._site = site
        self.peer = peer
        self.session = session
        self.digest = peer.digest
        """What the peer had when it began; it can only have got more since."""
        self.stated = site.replica.extent()
        """What this replica stated when it began."""
        self.must_ms: int | None = None
        """Since when it had to be, if it had: so it must again, should it come to nothing."""
        self.began_ms = 0
        self.problem = ""
        """Why the peer was left before the session ended."""
        self._asked: dict[int, _Asked] = {}

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it runs."""
        return self.session.outcome

    @property
    def events_left(self) -> int:
        """How many events it knows of that are not here yet."""
        return self.session.events_left

    @property
    def due_ms(self) -> int | None:
        """When the first of its questions is given up."""
        return min((asked.due_ms for asked in self._asked.values()), default=None)

    def begin(self, now_ms: int) -> bool:
        """Ask the first questions."""
        self.began_ms = now_ms
        self._send(self.session.begin(now_ms), now_ms)
        return True

    def reply(self, number: int, data: bytes, now_ms: int) -> bool:
        """Hand a reply on; gives whether anything here had asked for it."""
        asked = self._asked.get(number)
        if asked is None:
            return False
        asked.heard(now_ms)
        self._send(self.session.receive(number, data, now_ms), now_ms)
        return True

    def end(self, number: int, problem: str, now_ms: int) -> bool:
        """Learn that no more replies come; gives whether anything here had asked."""
        asked = self._asked.pop(number, None)
        if asked is None:
            return False
        self._send(self.session.finish(number, problem, now_ms), now_ms)
        return True

    def advance(self, now_ms: int) -> bool:
        """Give up questions that nobody answered, and with one that was waited for, the peer."""
        for number, asked in list(self._asked.items()):
            if asked.due_ms <= now_ms:
                del self._asked[number]
                cuts = self.session.statistics().cuts
                asks = self.session.finish(number, "", now_ms)
                if self.session.statistics().cuts > cuts:
                    self._site.counts["timeouts"] += 1
                    self.problem = f"no answer within {asked.timeout_ms // 1_000} s"
                    return True
                self._send(asks, now_ms)
        return True

    def _send(self, asks: Iterable[Ask], now_ms: int) -> None:
        for ask in asks:
            self._asked[ask.request_id] = _Asked(ask, now_ms)
            problem = self._ask(ask)
            if problem:
                self.end(ask.request_id, problem, now_ms)

    def _ask(self, ask: Ask) -> str:
        link = self._site.link
        if link is None:
            return "the link is down"
        try:
            link.ask(
                self.peer.address,
                ask.kind,
                ask.data,
                request_id=ask.request_id,
                timeout_ms=ask.timeout_ms,
            )
        except TransportError as error:
            return str(error)
        return ""
