"""What came too early, too late or twice, through real chunks: cases that have a name.

Each of these lost or revived something in the memory that kioku replaces: a tombstone before its
save, a copy after gc, a superseder first, a second write with the same id.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from kioku.log.event import PURGE, RETRACT, SAVE, TOMBSTONE, ZERO_KEY
from kioku.log.hlc import pack
from kioku.log.payload import encode_targets
from kioku.observation import Observation, encode_body
from kioku.view import ObservationView
from kioku.view.filter import Filter
from kioku.view.search import recent
from tests.property.authors import Author
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import open_store, snapshot

if TYPE_CHECKING:
    from kioku.log.event import EventId
    from kioku.replica import Replica

KEY = KEYS[0]


class Writers:
    """Two logs, so that either may arrive first."""

    def __init__(self) -> None:
        self.first = Author(1, hlc=pack(NOW_MS - 2))
        self.second = Author(2, hlc=pack(NOW_MS - 1))

    def write(
        self, author: Author, kind: int, ms: int, *, body: bytes | None, key: bytes = KEY
    ) -> EventId:
        (tip,) = author.tips()
        return author.append(tip, kind, hlc=pack(NOW_MS + ms), key=key, body=body)

    def chunks(self) -> list[bytes]:
        return [a.chunk(a.genesis, a.tips()[0]) for a in (self.first, self.second)]


@pytest.fixture
def writers() -> Writers:
    return Writers()


def in_every_order(chunks: list[bytes]) -> list[list[bytes]]:
    """Also doubled: the last may come again after the first."""
    return [[*order, *order] for order in permutations(chunks)]


def feed(replica: Replica, chunks: list[bytes]) -> None:
    for chunk in chunks:
        replica.ingest_chunk(chunk, now_ms=NOW_MS + 10)


def test_a_tombstone_that_comes_before_its_save_deletes_it(writers: Writers) -> None:
    writers.write(writers.first, SAVE, 0, body=b"body")
    tombstone = writers.write(writers.second, TOMBSTONE, 1, body=None)
    for chunks in in_every_order(writers.chunks()):
        with open_store() as replica:
            feed(replica, chunks)
            known = snapshot(replica, now_ms=NOW_MS + 10).keys[KEY]
            assert known.winner == (tombstone, False)
            assert known.shown is None


def test_a_copy_that_comes_after_gc_stays_dead(writers: Writers) -> None:
    """What gc does: it retracts the saves under an old tombstone, and so erases their bodies."""
    save = writers.write(writers.first, SAVE, 0, body=b"body")
    tombstone = writers.write(writers.second, TOMBSTONE, 1, body=None)
    body = encode_targets([save])
    writers.write(writers.second, RETRACT, 2, body=body, key=ZERO_KEY)
    for chunks in in_every_order(writers.chunks()):
        with open_store() as replica:
            feed(replica, chunks)
            seen = snapshot(replica, now_ms=NOW_MS + 10)
            assert seen.keys[KEY].winner == (tombstone, False)
            assert save not in seen.with_body
            assert save not in seen.missing


def test_a_retract_that_comes_first_still_counts(writers: Writers) -> None:
    """Without a tombstone too: the retracted save never wins, whenever it comes."""
    save = writers.write(writers.first, SAVE, 0, body=b"body")
    writers.write(writers.second, RETRACT, 1, body=encode_targets([save]), key=ZERO_KEY)
    for chunks in in_every_order(writers.chunks()):
        with open_store() as replica:
            feed(replica, chunks)
            known = snapshot(replica, now_ms=NOW_MS + 10).keys[KEY]
            assert known.winner is None
            assert known.shown is None


def test_a_purge_that_comes_first_leaves_nothing_to_come(writers: Writers) -> None:
    save = writers.write(writers.first, SAVE, 5, body=b"body")
    writers.write(writers.second, PURGE, 1, body=None)
    for chunks in in_every_order(writers.chunks()):
        with open_store() as replica:
            feed(replica, chunks)
            seen = snapshot(replica, now_ms=NOW_MS + 10)
            assert seen.keys[KEY] == (None, None, True)
            assert save not in seen.with_body
            assert save not in seen.missing


def test_of_two_writes_with_one_id_the_greater_wins_everywhere(writers: Writers) -> None:
    """Also at the same stamp: then the log's id decides, not who came last."""
    one = writers.write(writers.first, SAVE, 0, body=b"one")
    other = writers.write(writers.second, SAVE, 0, body=b"other")
    for chunks in in_every_order(writers.chunks()):
        with open_store() as replica:
            feed(replica, chunks)
            known = snapshot(replica, now_ms=NOW_MS + 10).keys[KEY]
            assert known.winner == (max(one, other), True)
            replica.rebuild()  # which folds both in one batch, in the order they came
            assert snapshot(replica, now_ms=NOW_MS + 10).keys[KEY] == known


def test_a_superseder_that_comes_first_hides_what_it_replaces(writers: Writers) -> None:
    old = encode_body(Observation("old"))
    new = encode_body(Observation("new", supersedes=(KEY.hex(),)))
    writers.write(writers.first, SAVE, 0, body=old)
    writers.write(writers.second, SAVE, 1, body=new, key=KEYS[1])
    for chunks in in_every_order(writers.chunks()):
        with open_store(view=ObservationView()) as replica:
            feed(replica, chunks)
            with replica.reading(now_ms=NOW_MS + 10) as reading:
                found = recent(reading.connection, filter=Filter(), limit=10, now_ms=NOW_MS + 10)
                keys = [reading.entry(match.event_id).key for match in found]
            assert keys == [KEYS[1]]
