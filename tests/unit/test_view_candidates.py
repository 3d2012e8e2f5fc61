"""Which observations are looked at: of a word that is being typed, and of very many matches."""

from __future__ import annotations

import pytest

from kioku.observation import Observation
from kioku.view.candidates import WHOLE_MAX
from kioku.view.search import FEW
from tests.unit.view_store import ViewStore


@pytest.fixture
def store() -> ViewStore:
    return ViewStore()


def fill(store: ViewStore, *contents: str) -> None:
    for number, content in enumerate(contents, 1):
        store.show(Observation(content), key=number, hlc=number)


# --- a word that is still being typed -------------------------------------------------------------


def test_a_last_word_may_be_a_beginning(store: ViewStore) -> None:
    fill(store, "postgres chosen", "nothing of it")
    for query in ("postg", "we chose postg"):
        [match] = [each for each in store.search(query) if not each.is_substring][:1]
        assert store.texts_of([match]) == ["postgres chosen"]
    for query in ("postg ", "postg?", "postg chooses", '"postg"', "po"):
        assert not [each for each in store.search(query, mode="and") if not each.is_substring], (
            query
        )


def test_a_word_that_many_have_is_finished(store: ViewStore) -> None:
    fill(store, "postgres and more of it", *["a post"] * FEW)
    assert "postgres and more of it" not in store.contents("post", limit=FEW)
    assert store.contents("post", limit=FEW + 1)[FEW:] == ["postgres and more of it"]
    assert store.search("post", limit=FEW + 1)[FEW].is_substring


def test_a_whole_word_counts_more_than_a_beginning(store: ViewStore) -> None:
    fill(store, "postgres office and letters", "post office and letters", *["other words"] * 20)
    first, second = store.search("post", limit=2)
    assert store.texts_of([first])[0].startswith("post office")
    assert first.score > second.score > 0


# --- many matches ---------------------------------------------------------------------------------


def crowd(store: ViewStore, *others: str, count: int = WHOLE_MAX + 200) -> None:
    """``count`` observations that hold "common", and ``others``."""
    texts = [*(f"common words number {number}" for number in range(count)), *others]
    with store.connection:
        changes = [
            store.event(Observation(text), key=key, hlc=key) for key, text in enumerate(texts, 1)
        ]
        store.view.apply(store.connection, changes)


def test_a_rare_word_beside_a_very_common_one_is_found(store: ViewStore) -> None:
    crowd(store, "common and rare", "rare alone", "words of neither")
    assert store.contents("common rare")[0] == "common and rare"
    assert store.contents("common rare")[1] == "rare alone"
    assert len(store.search("common rare", limit=500)) == 500
    assert store.contents("common rare", mode="and") == ["common and rare"]


def test_a_word_is_left_to_the_others_only_if_they_have_enough(store: ViewStore) -> None:
    crowd(store, *["rare words of its own"] * 3)
    found = store.search("common rare", limit=50)
    assert store.texts_of(found)[:3] == ["rare words of its own"] * 3
    assert [match.is_substring for match in found] == [False] * 50
