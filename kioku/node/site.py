"""What the parts of one engine share: the store, the clock, chance, the link, and the counters.

A part (publishing, comparing, answers …) is a small machine over a ``Site``: it is handed what
arrived and asked what is due. None of them reads a clock of its own, draws chance of its own or
starts anything, so a simulation can hold all of them in its hand.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from kioku.errors import LinkClosedError
from kioku.node.holdings import ReplicaHoldings

if TYPE_CHECKING:
    import random
    from dataclasses import dataclass

    from kioku.errors import StoreError
    from kioku.log.frontier import Tip
    from kioku.replica import Replica
    from kioku.transport.link import Address, Link, PutKind
else:
    from kioku.values import dataclass

Role = Literal["hub", "spoke"]

DIGESTS_MAX: Final = 1_024
"""Digests that this replica has had: a beacon that names one of them offers nothing new."""


class Clock(Protocol):
    """The two clocks of a machine: what time it is, and how much has passed."""

    def wall_ms(self) -> int:
        """Give the milliseconds since 1970; may jump."""

    def steady_ms(self) -> int:
        """Give milliseconds since some moment; never goes back."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a replica says of itself: its machine's name, its role and kioku's version."""

    machine: str
    role: Role
    version: str


class Timer:
    """A moment at which something is due; the earliest of those that were asked for."""

    __slots__ = ("due_ms",)

    def __init__(self, due_ms: int | None = None) -> None:
        self.due_ms = due_ms

    def by(self, moment_ms: int) -> None:
        """Be due at a moment, unless it is due earlier anyway."""
        self.due_ms = moment_ms if self.due_ms is None else min(self.due_ms, moment_ms)

    def is_due(self, now_ms: int) -> bool:
        """Whether its moment has come."""
        return self.due_ms is not None and self.due_ms <= now_ms

    def clear(self) -> None:
        """Be due no more."""
        self.due_ms = None


class Site:
    """One replica of one space, as its engine's parts see it."""

    def __init__(
        self, replica: Replica, *, clock: Clock, rng: random.Random, profile: Profile
    ) -> None:
        self.replica = replica
        self.clock = clock
        self.rng = rng
        self.profile = profile
        self.holdings = ReplicaHoldings(replica, clock.wall_ms)
        self.address: Address | None = None
        self.nonce = b""
        self.identity = b""
        self.link: Link | None = None
        self.is_up = False
        self.problem = ""
        self.counts: Counter[str] = Counter()
        self.digest = bytes(32)
        self._looks = 0
        self._had: dict[bytes, int] = {}

    def trouble(self, error: StoreError) -> None:
        """Note that the store failed; whatever it was for is tried again later."""
        self.problem = str(error)
        self.counts["store_errors"] += 1

    def works(self) -> None:
        """Note that the store takes what is written to it."""
        self.problem = ""

    def own_tip(self) -> Tip | None:
        """Give the newest event of our own log that others may have; None for none."""
        tips = self.holdings.tips_of(self.own_log_id)
        return tips[-1] if tips else None

    @property
    def own_log_id(self) -> bytes:
        """The log that this replica writes."""
        assert self.address is not None, "the engine is prepared first"
        return self.address.log_id

    def _ask(self, sql: str, *values: Any) -> Any:
        with self.replica.reading(now_ms=self.clock.wall_ms()) as reading:
            return reading.connection.execute(sql, values).get

    def seal_of(self, tip: Tip) -> bytes | None:
        """Give the signature under an event that is sealed here."""
        signature: bytes | None = self._ask(
            "SELECT s.signature FROM log l JOIN branch b USING(log) JOIN event e USING(branch)"
            " JOIN seal s ON s.branch = e.branch AND s.seq = e.seq"
            " WHERE l.log_id = ? AND e.seq = ? AND e.hash = ?",
            *tip,
        )
        return signature

    def count_missing(self) -> int:
        """Count the bodies that should be here and are not."""
        return int(self._ask("SELECT count(*) FROM missing"))

    def count_erasures(self) -> int:
        """Count what was ever to be erased here, done or not."""
        return int(self._ask("SELECT value FROM meta WHERE name = 'erase_due'") or 0)

    def count_held(self, log_id: bytes) -> int:
        """Count the events of a log that are stamped too far ahead to count yet."""
        return int(
            self._ask(
                "SELECT count(*) FROM held JOIN event e USING(event) JOIN branch b USING(branch)"
                " JOIN log l USING(log) WHERE l.log_id = ? AND NOT EXISTS(SELECT 1 FROM retracted r"
                " WHERE r.log_id = l.log_id AND r.seq = e.seq AND r.hash = e.hash)",
                log_id,
            )
        )

    def log_name(self, log_id: bytes) -> str:
        """Give the name that a log's genesis states; empty if it is not here."""
        return str(self._ask("SELECT name FROM log WHERE log_id = ?", log_id) or "")

    def public_key(self) -> bytes | None:
        """Give the public key of our own log."""
        key: bytes | None = self._ask(
            "SELECT public_key FROM log WHERE log_id = ?", self.own_log_id
        )
        return key

    def put(self, kind: PutKind, data: bytes) -> None:
        """Publish, if there is a link; what it cannot take is lost, and nothing depends on it."""
        if self.link is None:
            return
        try:
            self.link.put(kind, data)
        except LinkClosedError:
            self.counts["dropped"] += 1

    def jitter(self, base_ms: int) -> int:
        """Draw a time around ``base_ms``: half of it to one and a half."""
        return base_ms // 2 + int(self.rng.random() * base_ms)

    def look(self) -> bool:
        """Read the digest of what is held and sealed; gives whether it is another than before."""
        digest = self.holdings.digest()
        if digest == self.digest:
            return False
        self.digest = digest
        if digest not in self._had:
            self._looks += 1
            self._had[digest] = self._looks
            if len(self._had) > DIGESTS_MAX:
                del self._had[next(iter(self._had))]
        return True

    def has_had(self, digest: bytes) -> bool:
        """Whether everything behind a digest is held, for this replica had it itself."""
        return digest in self._had

    def is_older(self, digest: bytes, than: bytes) -> bool:
        """Whether this replica had a digest before another: who states them so has lost events."""
        had = self._had
        return digest in had and than in had and had[digest] < had[than]
