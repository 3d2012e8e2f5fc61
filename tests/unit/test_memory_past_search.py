"""``search(as_of=…)``: the words of then, ranked as they were, whatever has changed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from kioku.errors import InvalidArgumentError
from tests.unit.memories import NOON_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kioku.memory import Memory
    from kioku.observation import Observation
    from tests.unit.memories import Clock

MINUTE = timedelta(minutes=1)
NOON = datetime.fromtimestamp(NOON_MS / 1000, UTC)
WORDS = tuple("deploy queue worker release token merge index staging handbook reader".split())


class ByLength:
    """A ranker to whom the longer text is the better one."""

    def rank(self, query: str, candidates: Sequence[Observation]) -> list[float]:
        return [float(len(seen.content)) for seen in candidates]


def found(memory: Memory, query: str, **options: Any) -> list[str]:
    return [hit.observation.content for hit in memory.search(query, **options)]


def test_the_words_of_then_are_found_and_those_of_now_are_not(memory: Memory, clock: Clock) -> None:
    kept = memory.save("Postgres holds the reports")
    clock.advance(MINUTE)
    memory.edit(kept.id, content="SQLite holds the reports")
    assert found(memory, "postgres") == []
    assert found(memory, "postgres", as_of=NOON) == ["Postgres holds the reports"]
    assert found(memory, "sqlite", as_of=NOON) == []
    assert found(memory, "reports", as_of=NOON) == ["Postgres holds the reports"]
    assert found(memory, "", as_of=NOON) == ["Postgres holds the reports"]
    assert found(memory, "reports", as_of=NOON - MINUTE) == []


@pytest.mark.parametrize("mode", ["or", "and", "and_or"])
def test_every_way_of_asking_looks_in_both_halves(memory: Memory, clock: Clock, mode: str) -> None:
    same, changed = memory.save("token merge ostrich"), memory.save("token merge emuland")
    gone = memory.save("token only")
    clock.advance(MINUTE)
    memory.edit(changed.id, content="quite different")
    memory.delete(gone.id)
    both = {"token merge ostrich", "token merge emuland"}

    def asked(query: str, **options: Any) -> set[str]:
        return set(found(memory, query, mode=mode, as_of=NOON, **options))

    assert asked("merge") == both
    assert asked('"token merge"') == both
    assert asked("mer") == both  # still being typed
    assert asked("tok* -only") == both
    assert asked("stric") == {"token merge ostrich"}  # only its letters
    assert asked("mulan", substring=True) == {"token merge emuland"}
    assert asked("token merge") == both | (set() if mode == "and" else {"token only"})
    assert asked("merge", since=NOON + MINUTE) == set()
    assert memory.get(same.id) is not None


def test_supersession_and_expiry_are_those_of_the_moment(memory: Memory, clock: Clock) -> None:
    old = memory.save("the old queue", ttl=timedelta(minutes=5))
    clock.advance(MINUTE)
    new = memory.save("the new queue", supersedes=[old.id])
    clock.advance(MINUTE)
    memory.delete(new.id)
    assert found(memory, "queue", as_of=NOON) == ["the old queue"]
    assert found(memory, "queue", as_of=NOON + MINUTE) == ["the new queue"]
    assert found(memory, "queue", as_of=NOON + 2 * MINUTE) == ["the old queue"]
    assert found(memory, "queue", as_of=NOON + 5 * MINUTE) == []
    [superseded] = memory.search(
        "old", as_of=NOON + MINUTE, include_superseded=True, mode="and", explain=True
    )
    assert superseded.explanation is not None
    assert superseded.explanation.superseded_by == (new.id,)


def test_the_limit_is_filled_past_what_is_superseded(memory: Memory, clock: Clock) -> None:
    kept = memory.save("a queue that stays")
    old = [memory.save("queue queue queue").id for _ in range(30)]
    newer = memory.save("something else", supersedes=old)
    clock.advance(MINUTE)
    memory.delete(newer.id)
    assert found(memory, "queue", as_of=NOON, limit=2) == [kept.content]


def test_preferred_projects_count_more_in_both_halves(memory: Memory, clock: Clock) -> None:
    for project in ("near", "far"):
        for name in ("stays", "changes"):
            memory.save(f"queue {name}", project=project, session_id=f"{project} {name}")
    clock.advance(MINUTE)
    for seen in memory.list():
        if "changes" in seen.content:
            memory.edit(seen.id, content="other")
    hits = memory.search("queue", as_of=NOON, prefer_project="near")
    assert [hit.observation.project for hit in hits] == ["near", "near", "far", "far"]
    newest = memory.search("", as_of=NOON, prefer_project="near")
    assert [hit.observation.project for hit in newest] == ["near", "near", "far", "far"]


def test_what_has_changed_since_scores_as_it_did(memory: Memory, clock: Clock) -> None:
    """Between two indexes only the counts of all texts differ, and those by little."""
    random = Random(5)
    for number in range(120):
        words = random.choices(WORDS, k=random.randrange(3, 40))
        memory.save(f"note {number}: {' '.join(words)}", session_id=f"s-{number}")
    before = {
        query: memory.search(query, limit=120) for query in ("staging", "token merge", "reader")
    }
    clock.advance(MINUTE)
    for number, seen in enumerate(memory.list(limit=120)):
        if number % 8 == 0:
            memory.edit(seen.id, content="words of a later day")
        elif number % 8 == 1:
            memory.delete(seen.id)
    for query, hits in before.items():
        then = memory.search(query, limit=120, as_of=NOON)
        scores = {hit.observation.id: hit.score for hit in then}
        assert scores.keys() == {hit.observation.id for hit in hits}
        for hit in hits:
            assert scores[hit.observation.id] == pytest.approx(hit.score, rel=0.25)


def test_long_texts_that_have_changed_are_still_long_beside_the_others(
    memory: Memory, clock: Clock
) -> None:
    """All that has changed is long, and holds the word: by themselves those texts would be of
    usual length, and the word would tell nothing.
    """
    for number in range(80):
        memory.save(f"staging {number} {' '.join(WORDS[:4])}", session_id=f"s-{number}")
    long = [
        memory.save(f"reader {number} {' '.join(WORDS[:6] * 10)}", session_id=f"l-{number}")
        for number in range(8)
    ]
    before = memory.search("reader", limit=8)
    clock.advance(MINUTE)
    for seen in long[1:]:
        memory.edit(seen.id, content=f"{seen.content} and more")
    then = memory.search("reader", limit=8, as_of=NOON)
    assert [hit.score for hit in then] == pytest.approx([hit.score for hit in before], rel=0.25)


def test_what_came_later_lends_nothing(memory: Memory, clock: Clock) -> None:
    memory.save("the queue", session_id="s-one")
    before = memory.search("queue handbook")
    clock.advance(MINUTE)
    memory.save("the queue and its handbook", session_id="s-one")
    [now] = [
        hit for hit in memory.search("queue handbook") if hit.observation.content == "the queue"
    ]
    [then] = memory.search("queue handbook", as_of=NOON)
    [was] = before
    assert then.score < now.score
    assert then.observation == was.observation


def test_letters_do_not_find_what_was_superseded(memory: Memory, clock: Clock) -> None:
    old, changing = memory.save("an ostrich"), memory.save("another ostrich")
    newer = memory.save("birds", supersedes=[old.id, changing.id])
    clock.advance(MINUTE)
    memory.edit(changing.id, content="no bird")
    memory.delete(newer.id)
    assert found(memory, "stric", as_of=NOON) == []
    assert found(memory, "stric", as_of=NOON + MINUTE) == ["an ostrich"]


def test_a_word_that_nothing_holds_any_more_still_weighs(memory: Memory, clock: Clock) -> None:
    rare = memory.save("the zebra is common knowledge", session_id="s-rare")
    for number in range(20):
        memory.save(f"common knowledge {number}", session_id=f"s-{number}")
    clock.advance(MINUTE)
    memory.edit(rare.id, content="forgotten")
    [best, *others] = memory.search("common zebra", as_of=NOON, limit=30)
    assert best.observation.id == rare.id
    assert best.score > 2 * others[0].score


def test_a_ranker_has_its_say_about_the_past(memory: Memory, clock: Clock) -> None:
    first, second = memory.save("queue, short"), memory.save("queue, and a longer text")
    clock.advance(MINUTE)
    memory.delete(first.id)

    hits = memory.search("queue", as_of=NOON, ranker=ByLength())
    assert {hit.observation.id for hit in hits} == {first.id, second.id}


def test_what_is_no_time_is_refused(memory: Memory) -> None:
    with pytest.raises(InvalidArgumentError, match="as_of: is not a datetime"):
        memory.search("words", as_of="yesterday")  # type: ignore[arg-type]
