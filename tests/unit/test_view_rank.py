"""How relevance is put together: terms, neighbours, and the little that is not words."""

from __future__ import annotations

import pytest

from kioku.observation import Observation
from kioku.view.filter import Filter
from kioku.view.rank import Candidate, Context, Strengths, explained, recency, total
from tests.unit.view_store import ViewStore

DAY = 86_400_000 << 16


def context(*strengths: Strengths, newest: int = 0) -> Context:
    return Context(strengths, {}, newest)


def candidate(event_id: int = 1, *, stamp: int = 0, importance: int = 2) -> Candidate:
    return Candidate(event_id, stamp, importance, is_preferred=False)


def test_one_term_alone_is_bm25_doubled_by_full_coverage() -> None:
    [weight, strength] = 3.0, 0.5
    expected = weight * strength / (1 + strength) * 2 * recency(0, 0)
    assert total(candidate(), context(Strengths("a", weight, {1: strength}))) == expected


def test_neighbours_lend_by_their_distance() -> None:
    of = {2: 1.0}
    scores = [
        total(candidate(), Context([Strengths("a", 1.0, of)], {1: places}, 0))
        for places in ([2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 0, 2], [0, 0, 0, 0])
    ]
    assert scores[0] == scores[1] > scores[2] == scores[3] > scores[4] == 0.0


def test_what_is_lent_is_flattened_with_what_is_there() -> None:
    """One that repeats a word, and whose neighbours do too, gains less than a second word."""
    repeated = Context([Strengths("a", 1.0, {1: 2.0, 2: 2.0, 3: 2.0})], {1: [2, 3, 0, 0]}, 0)
    both = context(Strengths("a", 1.0, {1: 2.0}), Strengths("b", 1.0, {1: 2.0}))
    assert total(candidate(), repeated) < total(candidate(), both)


def test_a_word_that_is_only_begun_counts_half_in_coverage() -> None:
    whole = context(Strengths("a", 1.0, {1: 1.0}))
    begun = context(Strengths("a", 1.0, {1: 1.0}, begun={1}))
    assert total(candidate(), begun) == pytest.approx(total(candidate(), whole) * 1.5 / 2)


def test_importance_and_recency_are_small_beside_a_word() -> None:
    newest = 365 * DAY
    shared = (Strengths("a", 1.0, {1: 1.0, 2: 1.0}), Strengths("b", 1.0, {2: 1.0}))
    great = total(candidate(1, stamp=newest, importance=5), context(*shared, newest=newest))
    small = total(candidate(2, stamp=0, importance=1), context(*shared, newest=newest))
    assert great < small


def test_recency_counts_from_the_newest_stamp_and_halves_in_a_month() -> None:
    assert recency(5 * DAY, 5 * DAY) == recency(6 * DAY, 5 * DAY) == 1.1
    assert recency(0, 30 * DAY) == pytest.approx(1.05)
    assert 1.0 <= recency(0, 10_000 * DAY) < 1.001


def test_what_adds_nothing_is_not_explained() -> None:
    how = explained(
        candidate(), context(Strengths("a", 1.0, {1: 1.0}), Strengths("b", 1.0, {7: 1.0}))
    )
    assert [term.term for term in how.terms] == ["a"]
    assert how.coverage == 1.5


# --- through the index ----------------------------------------------------------------------------


@pytest.fixture
def store() -> ViewStore:
    return ViewStore()


def fill(store: ViewStore, *contents: str, session: str = "s", first: int = 1) -> None:
    for number, content in enumerate(contents, first):
        store.show(Observation(content, session_id=session), key=number, hlc=number)


FILLER = tuple(f"filler number {number}" for number in range(20))


def test_a_neighbour_in_the_session_makes_relevant(store: ViewStore) -> None:
    fill(store, "budget planned", "we said yes to postgres", *FILLER[:4], "yes to postgres we said")
    [first, second] = store.contents("postgres budget")[:2]
    assert {first, second} == {"budget planned", "we said yes to postgres"}


def test_neighbours_lend_within_their_session_alone(store: ViewStore) -> None:
    for number, session in enumerate(("one", "two", "", ""), 1):
        base = number * 10
        store.show(Observation("budget", session_id=session), key=base, hlc=base)
    fill(store, *FILLER, session="filler", first=100)
    lone = {match.event_id: match.score for match in store.search("budget", explain=True)}
    assert len({round(score, 12) for score in lone.values()}) == 1
    store.show(Observation("budget", session_id="one"), key=11, hlc=11)
    scores = {
        text: match.how.terms[0].lent
        for match, text in zip(store.search("budget", explain=True), range(5), strict=True)
    }
    assert sum(lent > 0 for lent in scores.values()) == 2


def test_what_is_not_in_the_session_is_no_neighbour_however_near_its_stamp(
    store: ViewStore,
) -> None:
    store.show(Observation("budget", session_id="one"), key=1, hlc=10)
    store.show(Observation("budget", session_id="two"), key=2, hlc=11)
    fill(store, *FILLER, session="filler", first=100)
    assert [match.how.terms[0].lent for match in store.search("budget", explain=True)] == [0.0, 0.0]


def test_neighbours_go_by_stamp_not_by_arrival() -> None:
    notes = [
        ("budget one", 1),
        ("budget two", 2),
        *((text, 3 + n) for n, text in enumerate(FILLER)),
    ]
    answers = []
    for order in (notes, notes[::-1], notes[1::2] + notes[::2]):
        store = ViewStore()
        for text, stamp in order:
            store.show(Observation(text, session_id="s"), key=stamp, hlc=stamp)
        matches = store.search("budget one")
        answers.append(
            [(t, m.score) for t, m in zip(store.texts_of(matches), matches, strict=True)]
        )
    assert answers[0] == answers[1] == answers[2]


def test_an_expired_neighbour_lends_nothing(store: ViewStore) -> None:
    from kioku.observation import from_unix_ms

    store.show(Observation("budget", session_id="s"), key=1, hlc=1)
    gone = Observation("budget", session_id="s", expires_at=from_unix_ms(1))
    store.show(gone, key=2, hlc=2)
    fill(store, *FILLER, session="filler", first=100)
    [match] = store.search("budget", explain=True)
    assert match.how.terms[0].lent == 0.0


def test_a_neighbour_that_a_filter_leaves_out_still_lends(store: ViewStore) -> None:
    fill(store, "budget", session="s")
    store.show(Observation("budget", session_id="s", project="other"), key=2, hlc=2)
    fill(store, *FILLER, session="filler", first=100)
    [match] = store.search("budget", filter=Filter(projects=("other",)), explain=True)
    assert match.how.terms[0].lent > 0.0


def test_the_preferred_project_counts_twice_and_hides_nothing(store: ViewStore) -> None:
    for number, project in enumerate(("here", "there"), 1):
        store.show(Observation("budget plan", project=project), key=number, hlc=number)
    fill(store, *FILLER, session="filler", first=100)
    there, here = store.search("budget", explain=True)
    assert there.score == pytest.approx(here.score)
    first, second = store.search("budget", prefer=("here",), explain=True)
    assert (first.event_id, second.event_id) == (here.event_id, there.event_id)
    assert first.score == pytest.approx(2 * second.score)
    assert first.how.project == 2.0


def test_the_preferred_project_comes_first_among_the_newest_and_substrings(
    store: ViewStore,
) -> None:
    for number, project in enumerate(("here", "there", "here", "there"), 1):
        store.show(Observation(f"xbudgetx {number}", project=project), key=number, hlc=number)
    expected = ["xbudgetx 3", "xbudgetx 1", "xbudgetx 4", "xbudgetx 2"]
    assert store.contents("", prefer=("here",)) == expected
    assert store.contents("budget", prefer=("here",)) == expected
    assert store.contents("", prefer=("here",), limit=3) == expected[:3]
    within = Filter(projects=("there",))
    assert store.contents("", prefer=("here",), filter=within) == expected[2:]


def test_the_best_of_many_matches_are_weighed_with_the_preferred_among_them(
    store: ViewStore,
) -> None:
    with store.connection:
        changes = [
            store.event(Observation("alpha word"), key=number, hlc=number)
            for number in range(1, 1_200)
        ]
        late = Observation("alpha and others", project="here")
        changes.append(store.event(late, key=5_000, hlc=1))
        changes += [
            store.event(Observation("other words"), key=number, hlc=number)
            for number in range(6_000, 8_000)
        ]
        store.view.apply(store.connection, changes)
    assert late.content not in store.contents("alpha", limit=300)
    assert store.contents("alpha", prefer=("here",), limit=1) == [late.content]
