"""The contract of a second ranker, held to two of them, and what a search makes of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from kioku.errors import InvalidArgumentError
from kioku.memory.ranker import RANKED_MIN, fuse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kioku.memory import Memory
    from kioku.memory.ranker import Ranker
    from kioku.observation import Observation


class SharedLetters:
    """A ranker as simple as one can be: the share of the query's letters."""

    def rank(self, query: str, candidates: Sequence[Observation]) -> list[float]:
        return [len(set(query) & set(seen.content)) / len(set(query)) for seen in candidates]


class NoOpinion:
    """Gives all the same number."""

    def rank(self, query: str, candidates: Sequence[Observation]) -> list[float]:
        return [0.0] * len(candidates)


class Fixed:
    """Gives what it was told to."""

    def __init__(self, *scores: float) -> None:
        self.scores = scores
        self.seen: list[str] = []

    def rank(self, query: str, candidates: Sequence[Observation]) -> Sequence[float]:
        self.seen = [query, *(seen.content for seen in candidates)]
        return self.scores


@pytest.fixture
def filled(memory: Memory) -> Memory:
    memory.save_many(
        {"content": content}
        for content in ("alpha beta", "alpha gamma delta", "alpha epsilon zeta eta theta", "other")
    )
    return memory


@pytest.mark.parametrize("ranker", [SharedLetters(), NoOpinion()])
def test_a_ranker_gives_one_number_for_each_and_the_same_each_time(
    filled: Memory, ranker: Ranker
) -> None:
    candidates = filled.list()
    scores = list(ranker.rank("alpha", candidates))
    assert len(scores) == len(candidates)
    assert not any(map(math.isnan, scores))
    assert list(ranker.rank("alpha", candidates)) == scores
    assert list(ranker.rank("alpha", [])) == []


def test_a_ranker_without_an_opinion_changes_no_order(filled: Memory) -> None:
    plain = [hit.observation for hit in filled.search("alpha")]
    assert [hit.observation for hit in filled.search("alpha", ranker=NoOpinion())] == plain


def test_both_orders_count(filled: Memory) -> None:
    plain = [hit.observation.content for hit in filled.search("alpha")]
    ranker = Fixed(0.0, 1.0, 9.0)
    hits = filled.search("alpha", ranker=ranker, explain=True)
    assert ranker.seen == ["alpha", *plain]
    assert [hit.observation.content for hit in hits] == [plain[0], plain[2], plain[1]]
    why = hits[0].explanation
    assert why is not None
    assert (why.rank_by_words, why.rank_by_ranker, why.ranker_score) == (1, 3, 0.0)
    assert hits[0].score == why.score == 1 / 61 + 1 / 63
    assert "place 1 by words, 3 by the ranker" in str(why)


def test_a_ranker_sees_more_than_is_wanted(memory: Memory) -> None:
    memory.save_many({"content": f"alpha {number}"} for number in range(150))
    ranker = Fixed(*range(RANKED_MIN))
    [hit] = memory.search("alpha", limit=1, ranker=ranker)
    assert len(ranker.seen) == RANKED_MIN + 1
    assert hit.observation.content in ranker.seen


def test_a_blank_query_is_not_ranked(filled: Memory) -> None:
    assert filled.search("", ranker=Fixed()) == filled.search("")


@pytest.mark.parametrize("ranker", [Fixed(1.0), Fixed(1.0, 2.0, math.nan), Fixed()])
def test_a_ranker_that_breaks_the_contract_is_refused(filled: Memory, ranker: Ranker) -> None:
    with pytest.raises(InvalidArgumentError, match="ranker"):
        filled.search("alpha", ranker=ranker)


def test_equal_numbers_share_the_better_rank(filled: Memory) -> None:
    places = fuse(Fixed(5.0, 1.0, 5.0, 1.0), "alpha", filled.list())
    assert [place.by_ranker for place in places] == [1, 3, 1, 3]
