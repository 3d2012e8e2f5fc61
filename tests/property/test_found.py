"""Histories that a property or the state machine once failed on, each by the name of its fact."""

from __future__ import annotations

import pytest

from kioku.log.chunk import CHUNK_BYTES_MAX
from kioku.log.event import PURGE, SAVE, TOMBSTONE
from kioku.log.hlc import horizon, pack, unix_ms
from kioku.replica import Draft
from tests.property.authors import Author
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import open_store, snapshot


def test_a_late_body_is_shown_before_the_same_chunk_beats_it() -> None:
    author = Author(1, hlc=pack(NOW_MS))
    old = author.append(author.genesis, SAVE, hlc=pack(NOW_MS), key=KEYS[0], body=b"old")
    new = author.append(old, SAVE, hlc=pack(NOW_MS + 1), key=KEYS[0], body=b"new")
    with open_store() as replica:
        replica.ingest_chunk(author.chunk(author.genesis, author.genesis), now_ms=NOW_MS)
        replica.ingest_chunk(author.chunk(old, old, bodiless={old}), now_ms=NOW_MS)
        counts = replica.ingest_chunk(author.chunk(old, new), now_ms=NOW_MS)
        assert (counts.new_events, counts.new_bodies) == (1, 1)
        seen = snapshot(replica, now_ms=NOW_MS)
        assert seen.followed == {(KEYS[0], new, False)}


def test_what_is_saved_under_a_purged_key_is_erased_at_once() -> None:
    with open_store() as replica:
        replica.append([Draft(PURGE, KEYS[0])], now_ms=NOW_MS)
        replica.append([Draft(SAVE, KEYS[0], b"secret")], now_ms=NOW_MS)
        replica.append([Draft(PURGE, KEYS[1]), Draft(SAVE, KEYS[1], b"secret")], now_ms=NOW_MS)
        assert b"secret" not in b"".join(replica.export_chunks())
        assert len(snapshot(replica, now_ms=NOW_MS).with_body) == 1  # the genesis


@pytest.mark.parametrize("count", [1, 2])
def test_an_import_stamped_years_ahead_does_not_take_the_clock_along(count: int) -> None:
    ahead = pack(NOW_MS + 10**12)
    with open_store() as replica:
        imported = [Draft(SAVE, key, b"imported", ahead) for key in KEYS[:count]]
        entries = replica.append(imported, now_ms=NOW_MS)
        assert all(entry.hlc <= horizon(NOW_MS) for entry in entries)
        [entry] = replica.append([Draft(SAVE, KEYS[2], b"mine")], now_ms=NOW_MS)
        assert unix_ms(entry.hlc) == NOW_MS


def test_an_edit_of_a_just_imported_event_wins() -> None:
    """An import may be stamped up to 60 s ahead of this wall: the clock follows that far."""
    with open_store() as replica:
        drafts = [Draft(SAVE, KEYS[0], b"old", pack(NOW_MS + 50_000)), Draft(TOMBSTONE, KEYS[1])]
        replica.append(drafts, now_ms=NOW_MS)
        [edit] = replica.append([Draft(SAVE, KEYS[0], b"new")], now_ms=NOW_MS)
        with replica.reading(now_ms=NOW_MS) as reading:
            winner = reading.winner(KEYS[0])
        assert winner is not None
        assert winner.id == edit.id


@pytest.mark.parametrize("body_bytes", [52_200, 52_300, 52_345])
def test_a_chunk_that_is_full_to_the_last_byte_can_be_passed_on(body_bytes: int) -> None:
    author = Author(1, hlc=pack(NOW_MS))
    tip = first = author.genesis
    for number in range(5):
        hlc, key = pack(NOW_MS + number), bytes((number + 1,)) * 16
        tip = author.append(tip, SAVE, hlc=hlc, key=key, body=bytes(body_bytes))
        first = author.path(tip)[1]
    full = author.chunk(first, tip)
    assert len(full) <= CHUNK_BYTES_MAX
    with open_store(seed=1) as replica, open_store(seed=2) as other:
        replica.ingest_chunk(author.chunk(author.genesis, author.genesis), now_ms=NOW_MS)
        replica.ingest_chunk(full, now_ms=NOW_MS)
        for chunk in replica.export_chunks():
            other.ingest_chunk(chunk, now_ms=NOW_MS)
        assert snapshot(other, now_ms=NOW_MS) == snapshot(replica, now_ms=NOW_MS)
