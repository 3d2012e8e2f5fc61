"""What a search answers is a function of the events: order, scores and their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from kioku.observation import Observation, from_unix_ms
from kioku.view.filter import Filter
from kioku.view.rank import Score
from tests.unit.view_store import NOW_MS, ViewStore, key_of

if TYPE_CHECKING:
    from kioku.view.search import Match

WORDS = ("alpha", "beta", "gamma", "alphabet", "日本語", "検索", "HttpServer", "src/log/hlc.py")
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
observations = st.builds(
    Observation,
    texts,
    project=st.sampled_from(("", "p", "q")),
    session_id=st.sampled_from(("", "s", "t")),
    importance=st.integers(1, 5),
    tags=st.sampled_from(((), ("t",))),
    subject=st.sampled_from(("", "alpha")),
    source_files=st.sampled_from(((), ("src/a.py",))),
    expires_at=st.sampled_from((None, from_unix_ms(NOW_MS), from_unix_ms(NOW_MS + 1))),
    created_at=st.sampled_from((None, from_unix_ms(5))),
    supersedes=st.sampled_from(((), (key_of(1).hex(),))),
    extra=st.sampled_from(({}, {"a": 1})),
)
notes = st.lists(
    st.tuples(observations, st.integers(1, 3), st.sampled_from("ab")), min_size=1, max_size=12
)
filters = st.builds(
    Filter,
    projects=st.sampled_from(((), ("p",), ("p", "q"))),
    tags=st.sampled_from(((), ("t",))),
    importance=st.sampled_from((None, 3)),
    since=st.sampled_from((None, 2)),
    until=st.sampled_from((None, 3)),
    supersedes=st.sampled_from((None, key_of(1))),
    expires=st.sampled_from((None, True, False)),
    source_files=st.sampled_from(((), ("a.py",))),
    references=st.sampled_from(((), ("r",))),
    subject=st.sampled_from((None, "ALPHA")),
    created_since=st.sampled_from((None, 5)),
    created_until=st.sampled_from((None, 5)),
    extra=st.sampled_from(((), (("a", 1),))),
    include_superseded=st.booleans(),
)
questions = st.fixed_dictionaries(
    {
        "query": st.lists(
            st.sampled_from((*WORDS, "-beta", '"alpha beta"', "alph*", "alph", "%")), max_size=4
        ).map(" ".join)
        | st.text(),
        "mode": st.sampled_from(("or", "and", "and_or")),
        "prefer": st.sampled_from(((), ("p",))),
        "substring": st.booleans(),
        "limit": st.integers(1, 20),
        "explain": st.just(True),
    }
)


def told(store: ViewStore, matches: list[Match]) -> list[Any]:
    keys = {shown.event_id: key for key, shown in store.shown.items()}
    return [(keys[match.event_id], *match[1:]) for match in matches]


def filled(order: list[tuple[int, tuple[Observation, int, str]]]) -> ViewStore:
    store = ViewStore()
    for key, (observation, hlc, log) in order:
        store.show(observation, key=key, hlc=hlc, log=f"{log}")
    return store


@given(notes, st.data(), questions, filters)
def test_an_answer_does_not_depend_on_the_order_of_arrival(
    written: list[tuple[Observation, int, str]],
    data: st.DataObject,
    question: dict[str, Any],
    filter: Filter,
) -> None:
    """Each note in a log of its own, so that its place is the same wherever it arrives."""
    alone = [
        (key, (observation, hlc, chr(ord("a") + key)))
        for key, (observation, hlc, _) in enumerate(written, 1)
    ]
    other = data.draw(st.permutations(alone))
    one, two = filled(alone), filled(other)
    assert told(one, one.search(filter=filter, **question)) == told(
        two, two.search(filter=filter, **question)
    )


@given(notes, questions, filters)
def test_a_filter_of_any_kind_takes_any_query_and_only_takes_away(
    written: list[tuple[Observation, int, str]], question: dict[str, Any], filter: Filter
) -> None:
    store = filled(list(enumerate(written, 1)))
    question = {**question, "limit": 100, "substring": True}
    everything = store.search(filter=Filter(include_superseded=True), **question)
    found = store.search(filter=filter, **question)
    assert {match.event_id for match in found} <= {match.event_id for match in everything}
    assert len({match.event_id for match in found}) == len(found)


@given(notes, questions)
def test_the_parts_of_a_score_add_up_to_it(
    written: list[tuple[Observation, int, str]], question: dict[str, Any]
) -> None:
    store = filled(list(enumerate(written, 1)))
    for match in store.search(**question):
        how = match.how
        words = sum(term.own + term.lent for term in how.terms)
        product = words * how.coverage * how.importance * how.recency * how.project
        assert abs(match.score - product) <= 1e-9 * match.score
        assert all(term.own >= 0 <= term.lent for term in how.terms)
        assert match.is_substring <= (how == Score())


@given(notes, questions, st.integers(1, 12))
def test_asking_for_fewer_gives_the_first_of_more(
    written: list[tuple[Observation, int, str]], question: dict[str, Any], limit: int
) -> None:
    store = filled(list(enumerate(written, 1)))
    more = store.search(**{**question, "limit": 50})
    assert store.search(**{**question, "limit": limit}) == more[:limit]
