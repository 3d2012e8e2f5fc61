"""Forests: whole logs by several authors, and every way in which their chunks may reach a store.

Where ``histories`` draws what the pure law sees, this draws what a store sees: real signed chunks
of trees of events, cut anywhere, some without bodies, in any order and more than once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from hypothesis import strategies as st

from kioku.crdt import lww_set
from kioku.errors import BrokenChainError
from kioku.log.event import GENESIS, PURGE, RETRACT, SAVE, TOMBSTONE, UINT_LIMIT, ZERO_KEY, EventId
from kioku.log.hlc import pack
from kioku.log.payload import encode_targets
from kioku.observation import Observation, encode_body
from tests.property.authors import Author, Written
from tests.property.histories import KEYS, NOW_MS, UNKNOWN_KIND

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kioku.replica import Replica

# All stamps of a forest but the last there is have passed by then.
LATER_MS = NOW_MS + 2 * 10**9
OFFSETS_MS = (-3, -2, -1, -1, 0, 0, 1, 59_999, 60_000, 60_001, 10**9)
# Any stamp may be signed: also the first there is and the last, which no wall ever reaches.
STAMPS = (*(pack(NOW_MS + offset_ms) for offset_ms in OFFSETS_MS), 0, UINT_LIMIT - 1)
WORDS = ("postgres", "sqlite", "データベース", "token", "merge")
LATER_FORMAT = "later format"
_STEPS = (SAVE,) * 6 + (TOMBSTONE,) * 3 + (PURGE, RETRACT, RETRACT, UNKNOWN_KIND, LATER_FORMAT)


class Delivery(NamedTuple):
    """A sealed run of one author's log, as some replica sends it."""

    author: Author
    run: list[EventId]
    bodiless: frozenset[EventId]

    @property
    def data(self) -> bytes:
        return self.author.chunk(self.run[0], self.run[-1], bodiless=self.bodiless)


class Forest(NamedTuple):
    """Authors with their logs."""

    authors: list[Author]

    def events(self) -> list[Written]:
        """Every event, in an order in which it could have been written."""
        return [written for author in self.authors for written in author.written.values()]


def _time(unix_ms: int) -> datetime:
    return datetime.fromtimestamp(unix_ms / 1000, UTC)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """An observation in a few words, sometimes what no view can read."""
    if draw(st.integers(0, 9)) == 0:
        return b"\xffunreadable"
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3))
    expires = draw(st.sampled_from((None, None, None, -1, 1, 5 * 10**8)))
    expires_at = None if expires is None else _time(NOW_MS + expires)
    observation = Observation(
        " ".join(words),
        project=draw(st.sampled_from(("", "demo"))),
        tags=tuple(draw(st.sets(st.sampled_from(("db", "api")), max_size=2).map(sorted))),
        importance=draw(st.integers(1, 5)),
        supersedes=tuple(key.hex() for key in draw(st.sets(st.sampled_from(KEYS), max_size=1))),
        created_at=_time(NOW_MS),
        expires_at=expires_at,
    )
    return encode_body(observation)


@st.composite
def forests(draw: st.DrawFn, *, size_max: int = 14) -> Forest:
    """Up to three logs that know each other's events, with branches, ties and retracts."""
    count = draw(st.integers(1, 3))
    authors = [Author(number + 1, hlc=pack(NOW_MS - 10)) for number in range(count)]
    everything = [author.genesis for author in authors]
    for _ in range(draw(st.integers(0, size_max))):
        author = draw(st.sampled_from(authors))
        # Mostly the tip; sometimes any event, and the log has a branch.
        is_branching = draw(st.integers(0, 5)) == 0
        before = draw(st.sampled_from(list(author.written) if is_branching else author.tips()))
        hlc = draw(st.sampled_from(STAMPS))
        step = draw(st.sampled_from(_STEPS))
        everything.append(_write(draw, author, before, hlc=hlc, step=step, known=everything))
    return Forest(authors)


def _write(
    draw: st.DrawFn,
    author: Author,
    before: EventId,
    *,
    hlc: int,
    step: int | str,
    known: list[EventId],
) -> EventId:
    key = draw(st.sampled_from(KEYS))
    if isinstance(step, str):
        return author.append_later(before, SAVE, hlc=hlc, key=key, body=draw(bodies()))
    if step == RETRACT:
        # Mostly other logs' events, for only those can come after what retracts them.
        stranger = EventId(bytes(16), 1, bytes(32))
        others = [one for one in known if one.seq > 1 and one.log_id != author.log_id]
        is_from_others = draw(st.booleans()) and bool(others)
        pool = others if is_from_others else [*known, stranger]
        targets = draw(st.sets(st.sampled_from(pool), min_size=1, max_size=3))
        body = encode_targets(targets)
        return author.append(before, RETRACT, hlc=hlc, key=ZERO_KEY, body=body)
    if step == UNKNOWN_KIND and draw(st.booleans()):
        key = ZERO_KEY  # a kind to come may be about no key
    has_body = step in (SAVE, UNKNOWN_KIND) or (step == TOMBSTONE and draw(st.booleans()))
    drawn = draw(bodies()) if has_body else None
    return author.append(before, step, hlc=hlc, key=key, body=drawn)


@st.composite
def deliveries(draw: st.DrawFn, forest: Forest, *, always_whole: bool = False) -> list[Delivery]:
    """Every branch of every log, cut into runs, some without bodies, doubled and shuffled.

    With ``always_whole`` each event comes with its body at least once.
    """
    out = []
    for author in forest.authors:
        for tip in author.tips():
            path = author.path(tip)
            for run in _cut(draw, path):
                may_lack = [one for one in run if _may_lack_body(author.written[one])]
                lacking = frozenset[EventId]()
                if may_lack and draw(st.integers(0, 3)) == 0:
                    lacking = draw(st.frozensets(st.sampled_from(may_lack)))
                out.append(Delivery(author, run, lacking))
                if always_whole and lacking:
                    out.append(Delivery(author, run, frozenset()))
    again = draw(st.lists(st.sampled_from(out), max_size=3))
    return draw(st.permutations(out + again))


def _cut(draw: st.DrawFn, path: list[EventId]) -> list[list[EventId]]:
    cuts = sorted(draw(st.sets(st.integers(1, len(path)), max_size=3)) - {len(path)})
    return [path[a:b] for a, b in zip([0, *cuts], [*cuts, len(path)], strict=True)]


def _may_lack_body(written: Written) -> bool:
    return written.event.body is not None and written.event.kind not in (GENESIS, RETRACT)


class Mirror:
    """A store fed with deliveries, and beside it the pure law's state of the same events."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self.state = lww_set.State()
        self.seen: dict[EventId, bool] = {}
        self.events: dict[EventId, Written] = {}

    def take(self, delivery: Delivery, now_ms: int) -> bool:
        """Ingest a run; False if what it follows is not held yet, and then nothing changed."""
        try:
            self.replica.ingest_chunk(delivery.data, now_ms=now_ms)
        except BrokenChainError:
            return False
        self.state = self.state.released(now_ms)
        for one in delivery.run:
            written = delivery.author.written[one]
            event = written.law
            if one not in self.seen:
                self.seen[one] = lww_set.is_held(event.hlc, event.kind, now_ms)
                self.events[one] = written
            has_body = written.event.body is not None and one not in delivery.bodiless
            added = lww_set.fold(event, has_body=has_body, is_held=self.seen[one])
            self.state = self.state.merge(added)
        return True

    def take_all(self, waiting: Iterable[Delivery], clock: Iterable[int]) -> None:
        """Ingest in the given order; what does not chain yet is offered again, as a peer would."""
        left = list(waiting)
        times = iter(clock)
        while left:
            refused = [delivery for delivery in left if not self.take(delivery, next(times))]
            assert len(refused) < len(left), "no run chains to what is held"
            left = refused
