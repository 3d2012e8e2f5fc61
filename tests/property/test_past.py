"""``as_of``: what was visible at a moment is what the pure law says of the events up to then.

Whatever the order they came in, whatever was held meanwhile, and whatever was erased since: that
stays erased. The oracle folds the events stamped up to the moment from nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kioku.crdt import lww_set
from kioku.crdt import past as fold_past
from kioku.log.event import PURGE, RETRACT, SAVE, UINT_LIMIT, EventId
from kioku.log.hlc import pack, unix_ms
from kioku.observation import Observation, decode_body, encode_body
from kioku.view import ObservationView
from kioku.view.filter import Filter
from kioku.view.past import Moment, recent
from kioku.view.past_search import search
from kioku.view.search import search as present
from tests.property.authors import Author
from tests.property.forests import LATER_MS, STAMPS, WORDS, Forest, Mirror, deliveries, forests
from tests.property.histories import KEYS, LOGS, NOW_MS, Arrival, arrivals, merged
from tests.property.stores import open_store
from tests.property.test_views import oracle_list, places, questions

if TYPE_CHECKING:
    import apsw


FILTERS = (Filter(), Filter(include_superseded=True), Filter(projects=("demo",)))
moments_ms = st.sampled_from(
    sorted({0, NOW_MS - 4, LATER_MS, *(unix_ms(stamp) for stamp in STAMPS)})
)
walls = st.sampled_from((NOW_MS, NOW_MS + 30_000, LATER_MS))


def moment_at(ms: int) -> Moment:
    """A moment takes in all of its millisecond's stamps."""
    return Moment(last=pack(ms) + 0xFFFF, now_ms=ms)


@given(arrivals(), st.sampled_from((-6, -5, -1, 0, 1, 60_000, 10**9)))
def test_the_law_at_a_moment_is_the_law_of_what_is_stamped_until_then(
    history: list[Arrival], offset_ms: int
) -> None:
    last = pack(NOW_MS + offset_ms)
    whole = merged(history)
    until = merged(
        [
            arrival._replace(is_held=False)
            for arrival in history
            if arrival.event.hlc <= last or arrival.event.kind in (PURGE, RETRACT)
        ]
    )
    for key in KEYS:
        assert whole.as_of(last).winner(key) == until.winner(key)
        assert whole.as_of(last).shown(key) == until.shown(key)
        assert whole.as_of(last).is_purged(key) == until.is_purged(key)


def test_the_law_counts_what_waits_for_the_clock_once_its_time_has_come() -> None:
    event = lww_set.Event(pack(NOW_MS + 10**6), LOGS[0], 2, bytes(32), SAVE, KEYS[0])
    state = lww_set.fold(event, has_body=True, is_held=True)
    assert state.as_of(event.hlc).shown(KEYS[0]) == lww_set.Shown(event, is_held=False)
    assert state.as_of(event.hlc - 1).shown(KEYS[0]) is None


def body_of(content: str) -> bytes:
    return encode_body(Observation(content, created_at=datetime.fromtimestamp(0, UTC)))


@pytest.mark.parametrize("hides", ["a missing body", "an unreadable body"])
def test_what_cannot_be_read_now_hides_nothing_of_the_past(hides: str) -> None:
    author = Author(1, hlc=pack(NOW_MS - 10))
    older = author.append(
        author.genesis, SAVE, hlc=pack(NOW_MS - 3), key=KEYS[0], body=body_of("older")
    )
    body = body_of("newer") if hides == "a missing body" else b"\xffunreadable"
    newer = author.append(older, SAVE, hlc=pack(NOW_MS - 1), key=KEYS[0], body=body)
    bodiless = [newer] if hides == "a missing body" else []
    with open_store(view=ObservationView()) as replica:
        replica.ingest_chunk(author.chunk(author.genesis, newer, bodiless=bodiless), now_ms=NOW_MS)
        with replica.reading(now_ms=NOW_MS) as reading:
            place = places(reading.connection)
            options: Any = {"filter": Filter(), "limit": 10}
            then = recent(reading.connection, moment=moment_at(NOW_MS - 2), **options)
            assert [place[match.event_id] for match in then] == [older]
            assert recent(reading.connection, moment=moment_at(NOW_MS), **options) == []


def test_a_stamp_counts_at_its_own_moment_until_its_key_is_purged() -> None:
    author = Author(1, hlc=pack(NOW_MS - 10))
    stamp = pack(NOW_MS - 3)
    saved = author.append(author.genesis, SAVE, hlc=stamp, key=KEYS[0], body=body_of("words"))
    purge = author.append(saved, PURGE, hlc=pack(NOW_MS), key=KEYS[0], body=None)
    with open_store(view=ObservationView()) as replica:

        def winners(last: int) -> list[EventId]:
            with replica.reading(now_ms=NOW_MS) as reading:
                found = fold_past.winners(reading.connection, KEYS, last)
                return [entry.id for entry in found.values()]

        replica.ingest_chunk(author.chunk(author.genesis, saved), now_ms=NOW_MS)
        assert winners(stamp) == [saved]
        assert winners(stamp - 1) == []
        replica.ingest_chunk(author.chunk(purge, purge), now_ms=NOW_MS)
        assert winners(stamp) == []


def state_until(mirror: Mirror, last: int) -> lww_set.State:
    """The pure law, over the events up to a stamp and all that erases."""
    state = lww_set.State()
    for one, written in mirror.events.items():
        event = written.law
        if event.hlc <= last or event.kind in (PURGE, RETRACT):
            has_body = one in mirror.state.bodies
            state = state.merge(lww_set.fold(event, has_body=has_body))
    return state


@given(forests(), st.data(), moments_ms, walls)
def test_what_is_listed_as_of_a_moment_is_what_the_law_says(
    forest: Forest, data: st.DataObject, moment_ms: int, wall_ms: int
) -> None:
    moment = moment_at(moment_ms)
    with open_store(view=ObservationView()) as replica:
        mirror = Mirror(replica)
        mirror.take_all(data.draw(deliveries(forest)), repeat(NOW_MS))
        bodies = {one: written.event for one, written in mirror.events.items()}
        state = state_until(mirror, moment.last)
        with replica.reading(now_ms=wall_ms) as reading:
            place = places(reading.connection)
            winners = fold_past.winners(reading.connection, KEYS, moment.last)
            shown = fold_past.shown(reading.connection, KEYS, moment.last)
            options: Any = {"filter": Filter(), "limit": 10, "moment": moment}
            found = recent(reading.connection, **options)
            hits = {word: search(reading.connection, word, **options) for word in WORDS}
        assert {key: one.id for key, one in winners.items()} == {
            key: law_winner.id for key in KEYS if (law_winner := state.winner(key)) is not None
        }
        assert {key: place[one.event_id] for key, one in shown.items()} == {
            key: law.event.id for key in KEYS if (law := state.shown(key)) is not None
        }
        expected = oracle_list(state, bodies, moment_ms)
        assert [place[match.event_id] for match in found] == expected
        for word, matches in hits.items():
            holding = {
                one for one in expected if word in decode_body(bodies[one].body or b"").content
            }
            assert {place[match.event_id] for match in matches} == holding


@given(forests(), st.data(), moments_ms)
def test_every_store_answers_alike_whatever_its_clock_held(
    forest: Forest, data: st.DataObject, moment_ms: int
) -> None:
    seen = []
    for number in range(2):
        with open_store(seed=number, view=ObservationView()) as replica:
            sent = data.draw(deliveries(forest, always_whole=True))
            Mirror(replica).take_all(sent, repeat(NOW_MS if number else LATER_MS))
            seen.append(answers(replica, moment_ms, limit=1 + number * 9))
    for few, all_ in zip(*seen, strict=True):
        assert few == all_[:1]


def answers(replica: Any, moment_ms: int, *, limit: int) -> list[list[EventId]]:
    """What is listed, by each filter; the least lists are the beginnings of the longer ones."""
    with replica.reading(now_ms=NOW_MS) as reading:
        place = places(reading.connection)
        moment = moment_at(moment_ms)
        return [
            [
                place[match.event_id]
                for match in recent(reading.connection, filter=wanted, limit=limit, moment=moment)
            ]
            for wanted in FILTERS
        ]


@given(forests(), st.data(), moments_ms)
def test_every_store_finds_alike(forest: Forest, data: st.DataObject, moment_ms: int) -> None:
    """What waits for the clock is in the index of one store and not of another: so none does."""
    asked, seen = data.draw(questions), []
    for number in range(2):
        with open_store(seed=number, view=ObservationView()) as replica:
            sent = data.draw(deliveries(forest, always_whole=True))
            Mirror(replica).take_all(sent, repeat(LATER_MS))
            with replica.reading(now_ms=LATER_MS) as reading:
                place = places(reading.connection)
                seen.append(
                    [
                        (place[match.event_id], round(match.score, 9), match.is_substring)
                        for query, mode, scope in asked
                        for match in search(
                            reading.connection,
                            query,
                            filter=scope,
                            limit=10,
                            moment=moment_at(moment_ms),
                            mode=mode,
                        )
                    ]
                )
    assert seen[0] == seen[1]


@given(forests(), st.data())
def test_where_nothing_has_changed_since_the_past_is_the_present(
    forest: Forest, data: st.DataObject
) -> None:
    assume(all(written.event.hlc < UINT_LIMIT - 1 for written in forest.events()))
    with open_store(view=ObservationView()) as replica:
        Mirror(replica).take_all(data.draw(deliveries(forest)), repeat(LATER_MS))
        moment = moment_at(LATER_MS)
        for query, mode, scope in data.draw(questions):
            options: Any = {"filter": scope, "limit": 10, "mode": mode}
            with replica.reading(now_ms=moment.now_ms) as reading:
                then = search(reading.connection, query, moment=moment, **options)
                now = present(reading.connection, query, now_ms=moment.now_ms, **options)
            assert then == now


def tables(connection: apsw.Connection) -> list[Any]:
    return list(connection.execute("SELECT name FROM sqlite_temp_schema"))


@given(forests(), st.data(), moments_ms)
def test_looking_back_leaves_no_table(forest: Forest, data: st.DataObject, moment_ms: int) -> None:
    with open_store(view=ObservationView()) as replica:
        Mirror(replica).take_all(data.draw(deliveries(forest)), repeat(NOW_MS))
        with replica.reading(now_ms=NOW_MS) as reading:
            search(
                reading.connection,
                "token",
                filter=Filter(),
                limit=10,
                moment=moment_at(moment_ms),
            )
            assert tables(reading.connection) == []
        assert tables(reading.connection) == []
