"""What queries read is a function of the events too: views, lists and searches converge.

Stores are fed real chunks with real observations in different ways; then every table of the view,
every list and every search must be equal, order and scores included, and what is listed must be
what the pure law and the rule of supersession say.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from kioku.log.event import EventId
from kioku.observation import Observation, UnreadableBodyError, decode_body
from kioku.view import ObservationView
from kioku.view.filter import Filter
from kioku.view.search import Match, Mode, recent, search
from tests.property.forests import (
    LATER_MS,
    WORDS,
    Forest,
    Mirror,
    deliveries,
    forests,
)
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import open_store

if TYPE_CHECKING:
    import apsw

    from kioku.crdt.lww_set import Shown, State
    from kioku.log.event import Event
    from kioku.replica import Replica

QUERIES = (*WORDS, "postgres token", "sqlite -merge", "データ", "ostgr", '"token merge"', "tok*")
FILTERS = (
    Filter(),
    Filter(include_superseded=True),
    Filter(projects=("demo",)),
    Filter(tags=("db",)),
    Filter(importance=3),
)
MODES: tuple[Mode, ...] = ("or", "and", "and_or")
questions = st.lists(
    st.tuples(st.sampled_from(QUERIES), st.sampled_from(MODES), st.sampled_from(FILTERS)),
    min_size=3,
    max_size=8,
)
times = st.sampled_from((NOW_MS - 1, NOW_MS, NOW_MS + 5 * 10**8, LATER_MS))


def places(connection: apsw.Connection) -> dict[int, EventId]:
    rows: Any = connection.execute(
        "SELECT e.event, l.log_id, e.seq, e.hash FROM event e"
        " JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log"
    )
    return {row[0]: EventId(*row[1:]) for row in rows}


Question = tuple[str, Mode, Filter]


def everything(replica: Replica, asked: list[Question], now_ms: int) -> list[object]:
    """The view's tables, and the answers to some questions, without row numbers."""
    with replica.reading(now_ms=now_ms) as reading:
        connection = reading.connection
        place = places(connection)

        def told(matches: list[Match]) -> list[object]:
            return [(place[m.event_id], round(m.score, 9), m.is_substring) for m in matches]

        records: Any = connection.execute("SELECT * FROM record")
        superseded: Any = connection.execute("SELECT key, by_event FROM superseded")
        answers: list[object] = [
            {(place[row[0]], *row[1:]) for row in records},
            {(key, place[event]) for key, event in superseded},
        ]
        for query, mode, scope in asked:
            options: Any = {"filter": scope, "limit": 10, "now_ms": now_ms}
            answers.append(told(recent(connection, **options)))
            answers.append(told(search(connection, query, mode=mode, **options)))
        return answers


@given(forests(), st.data(), times)
def test_views_lists_and_searches_converge(
    forest: Forest, data: st.DataObject, now_ms: int
) -> None:
    asked, seen = data.draw(questions), []
    for number in range(2):
        with open_store(seed=number, view=ObservationView()) as replica:
            sent = data.draw(deliveries(forest, always_whole=True))
            # The second store's clock is ahead at first, so it holds nothing that the first does.
            Mirror(replica).take_all(sent, repeat(NOW_MS if number else LATER_MS))
            everything(replica, asked, now_ms)
            seen.append(everything(replica, asked, LATER_MS))
    assert seen[0] == seen[1]


@given(forests(), st.data(), times)
def test_a_rebuilt_view_is_the_live_one(forest: Forest, data: st.DataObject, now_ms: int) -> None:
    with open_store(view=ObservationView()) as replica:
        Mirror(replica).take_all(data.draw(deliveries(forest)), repeat(NOW_MS))
        asked = data.draw(questions)
        before = everything(replica, asked, now_ms)
        replica.rebuild()
        assert everything(replica, asked, now_ms) == before


def readable(shown: Shown | None, bodies: dict[EventId, Event]) -> Observation | None:
    if shown is None:
        return None
    body = bodies[shown.event.id].body
    assert body is not None
    try:
        return decode_body(body)
    except UnreadableBodyError:
        return None


def oracle_list(state: State, bodies: dict[EventId, Event], now_ms: int) -> list[EventId]:
    """The law: shown, readable, not expired, and superseded by nothing greater that is so too."""
    alive = []
    for key in KEYS:
        shown = state.shown(key)
        observation = readable(shown, bodies)
        if shown is None or observation is None:
            continue
        expires = observation.expires_at
        if expires is None or expires.timestamp() * 1000 > now_ms:
            alive.append((key, shown, observation))
    listed = []
    for key, shown, _ in alive:
        hidden = any(
            key.hex() in other.supersedes and not by.is_held and by.event.order > shown.event.order
            for _, by, other in alive
        )
        if not hidden:
            listed.append(shown.event)
    return [event.id for event in sorted(listed, key=lambda e: e.order, reverse=True)]


@given(forests(), st.data(), times)
def test_the_list_is_what_the_law_and_supersession_say(
    forest: Forest, data: st.DataObject, now_ms: int
) -> None:
    with open_store(view=ObservationView()) as replica:
        mirror = Mirror(replica)
        mirror.take_all(data.draw(deliveries(forest)), repeat(NOW_MS))
        state = mirror.state.released(now_ms)
        bodies = {one: written.event for one, written in mirror.events.items()}
        expected = oracle_list(state, bodies, now_ms)
        with replica.reading(now_ms=now_ms) as reading:
            place = places(reading.connection)
            found = recent(reading.connection, filter=Filter(), limit=10, now_ms=now_ms)
            assert [place[match.event_id] for match in found] == expected
            for word in WORDS:
                hits = search(reading.connection, word, filter=Filter(), limit=10, now_ms=now_ms)
                holding = {
                    one for one in expected if word in decode_body(bodies[one].body or b"").content
                }
                assert {place[match.event_id] for match in hits} == holding
