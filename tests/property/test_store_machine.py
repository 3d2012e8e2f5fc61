"""Stores in files that are written, killed, reopened, copied, restored, fed and told wrong times.

The model is the pure law over the events that a store was told. After every step the store must
know all of them (so nothing acknowledged is lost) and answer as the law does; at the end, when
everybody has heard everything, all stores must be equal (invariants 1-4, 9-11, 13-18, 27).
"""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from kioku.log.event import GENESIS, PURGE, RETRACT, SAVE, TOMBSTONE, ZERO_KEY, EventId
from kioku.log.hlc import pack
from kioku.log.payload import encode_targets
from kioku.replica import Draft
from tests.property.histories import KEYS, NOW_MS
from tests.property.machine import Image, Store
from tests.property.stores import damage, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator

STORES_MAX = 4
# Past every stamp that a clock ten years ahead, or an import, can have given.
HEALED_MS = NOW_MS + 60 * 365 * 86_400_000
IMPORTED_MS = (-(10**9), 0, 30_000, 10**12)
JUMPS_MS = (0, 0, 30_000, 90_000, -90_000, 10 * 365 * 86_400_000, -10 * 365 * 86_400_000)

numbers = st.integers(0, STORES_MAX - 1)
keys = st.sampled_from(KEYS)
plain_drafts = st.lists(
    st.one_of(
        st.tuples(st.just(SAVE), keys, st.binary(min_size=1, max_size=8)),
        st.tuples(st.just(TOMBSTONE), keys, st.none() | st.binary(max_size=4)),
        st.tuples(st.just(PURGE), keys, st.none()),
    ).map(lambda fields: Draft(*fields)),
    min_size=1,
    max_size=3,
)


class Stores(RuleBasedStateMachine):
    """Some stores of one space, and the world's clock."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.mkdtemp(prefix="kioku-machine-")
        self.stores: list[Store] = []
        self.images: dict[int, Image] = {}
        self.now_ms = NOW_MS
        self.made = 0
        self.has_rolled_back = False

    @initialize(count=st.integers(1, 2))
    def begin(self, count: int) -> None:
        self.stores = [Store(self.new_path(), number) for number in range(count)]

    def new_path(self) -> str:
        self.made += 1
        return f"{self.directory}/store{self.made}.db"

    def at(self, number: int) -> Store:
        self.now_ms += 1
        return self.stores[number % len(self.stores)]

    def wall(self, store: Store) -> int:
        return self.now_ms + store.offset_ms

    @rule(number=numbers, drafts=plain_drafts)
    def append(self, number: int, drafts: list[Draft]) -> None:
        store = self.at(number)
        store.append(drafts, self.wall(store))

    @rule(number=numbers, drafts=plain_drafts, ahead_ms=st.sampled_from(IMPORTED_MS))
    def bring(self, number: int, drafts: list[Draft], ahead_ms: int) -> None:
        """Append what happened at another time, as an import does."""
        store = self.at(number)
        hlc = pack(NOW_MS + ahead_ms)
        drafts = [draft._replace(hlc=hlc) for draft in drafts]
        store.append(drafts, self.wall(store))

    @rule(number=numbers, data=st.data())
    def retract(self, number: int, data: st.DataObject) -> None:
        store = self.at(number)
        known = sorted(store.model.events) or [EventId(bytes(16), 1, bytes(32))]
        targets = data.draw(st.sets(st.sampled_from(known), min_size=1, max_size=2))
        store.append([Draft(RETRACT, ZERO_KEY, encode_targets(targets))], self.wall(store))

    @rule(number=numbers, other=numbers, count=st.integers(1, 3))
    def pull(self, number: int, other: int, count: int) -> None:
        """Take a few chunks from another store; the session is cut after them."""
        store, source = self.at(number), self.stores[other % len(self.stores)]
        if source is not store:
            chunks: Iterator[bytes] = source.replica.export_chunks(store.replica.frontier())
            for _, data in zip(range(count), chunks, strict=False):
                store.ingest(data, self.wall(store))

    @rule(number=numbers)
    def reopen(self, number: int) -> None:
        self.at(number).reopen()

    @rule(number=numbers, drafts=plain_drafts)
    def crash(self, number: int, drafts: list[Draft]) -> None:
        store = self.at(number)
        store.crash(drafts, self.wall(store))

    @rule(number=numbers)
    def rebuild(self, number: int) -> None:
        store = self.at(number)
        store.replica.rebuild()

    @rule(number=numbers)
    def examine(self, number: int) -> None:
        store = self.at(number)
        assert not damage(store.replica, now_ms=self.wall(store))

    @rule(number=numbers)
    def seal(self, number: int) -> None:
        self.at(number).replica.frontier()

    @rule(number=numbers, jump_ms=st.sampled_from(JUMPS_MS))
    def jump(self, number: int, jump_ms: int) -> None:
        self.at(number).offset_ms = jump_ms

    @rule(milliseconds=st.sampled_from((1, 1_000, 100_000)))
    def wait(self, milliseconds: int) -> None:
        self.now_ms += milliseconds

    @precondition(lambda self: len(self.stores) < STORES_MAX)
    @rule(number=numbers, with_keys=st.booleans())
    def copy(self, number: int, with_keys: bool) -> None:
        store = self.at(number)
        self.stores.append(store.copy_to(self.new_path(), len(self.stores), with_keys=with_keys))

    @rule(number=numbers)
    def remember(self, number: int) -> None:
        store = self.at(number)
        self.images[store.number] = store.image()

    @precondition(lambda self: self.images)
    @rule(number=numbers, with_keys=st.booleans())
    def roll_back(self, number: int, with_keys: bool) -> None:
        """Put an old state back in place: seen by the key's mark, or, with the keys, by nobody."""
        store = self.at(number)
        image = self.images.pop(store.number, None)
        if image is not None:
            store.put_back(image, with_keys=with_keys)
            self.has_rolled_back = True

    @invariant()
    def every_store_is_what_the_law_says(self) -> None:
        for store in self.stores:
            store.check(self.wall(store))

    def teardown(self) -> None:
        try:
            self.heal()
        finally:
            for store in self.stores:
                store.replica.close()
            shutil.rmtree(self.directory)

    def heal(self) -> None:
        """Give everything to everybody; then all must be equal."""
        for store in self.stores:
            # A copy without keys gives its tail to a log of its own only when it writes.
            store.append([Draft(SAVE, KEYS[0], b"last")], HEALED_MS)
        for _ in range(2):
            for store in self.stores:
                for source in self.stores:
                    if source is not store:
                        for data in source.replica.export_chunks():
                            store.ingest(data, HEALED_MS)
        seen = [snapshot(store.replica, now_ms=HEALED_MS) for store in self.stores]
        for store, state in zip(self.stores, seen, strict=True):
            store.check(HEALED_MS)
            assert not damage(store.replica, now_ms=HEALED_MS)
            assert state == seen[0]
        self.check_acknowledged()
        # Only a disk that was put back unseen may fork a log: no copy, crash or wrong clock does.
        logs = [tip.log_id for tip in seen[0].frontier]
        assert self.has_rolled_back or len(logs) == len(set(logs))

    def check_acknowledged(self) -> None:
        """Every acknowledged event, or its copy in a later log, is everywhere."""
        for store in self.stores:
            for one in store.acknowledged:
                event = store.model.events[one]
                like = (event.hlc, event.kind, event.key)
                for other in self.stores:
                    known = {(e.hlc, e.kind, e.key) for e in other.model.events.values()}
                    state = other.model.state
                    assert like in known or state.is_erased(event) or event.kind == GENESIS


TestStores = Stores.TestCase
# Shrinking steps over files takes minutes: only the long run does it.
_QUICK = [phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)]
TestStores.settings = settings(
    max_examples=max(20, settings().max_examples // 3),
    phases=settings().phases if settings().max_examples > 500 else _QUICK,
)
