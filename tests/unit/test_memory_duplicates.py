"""What is here already is known again, by its exact text; what it may replace is offered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import kioku
from tests.unit.memories import Clock, Stores, carry, ids

if TYPE_CHECKING:
    from kioku.memory import Memory

TEXT = "Chose Postgres over SQLite as the analytics database"
CONTENTS = (
    TEXT,
    "日本語の検索",
    "a",
    "the",
    "to be or not to be",
    "!!!",
    "→ 🎉",
    "émigré café",
    "HttpServer2 parse_header src/log/hlc.py",
    "か\u3099ぎ ｶﾅ ﾊﾟ",
    "\u1112\u1161\u11ab\u1100\u1173\u11af",
    "Ελληνικά и русский",
    "x" * 300,
    " leading and trailing ",
    "line one\n\tline two\n",
    'quotes " AND " OR NEAR(',
    "word " * 2_000,
    "w" * 5_000 + " end",
    "日" * 5_000,
    "か" * 4_095 + "か\u3099" + "き" * 10,
)


def again(memory: Memory, content: str, **fields: Any) -> kioku.Observation:
    return memory.save(content, if_duplicate="return", **fields)


@pytest.mark.parametrize("content", CONTENTS)
def test_the_same_content_in_the_same_project_is_returned(memory: Memory, content: str) -> None:
    memory.save(f"{content} and more", project="p")
    first = again(memory, content, project="p")
    second = again(memory, content, project="p", tags=["new"], importance=5)
    assert (first.is_duplicate, second.is_duplicate) == (False, True)
    assert second == first
    assert len(ids(memory)) == 2
    assert memory.get(first.id) == first


@given(
    st.lists(
        st.text(
            st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs"))
            | st.sampled_from("か\u3099ﾊﾟ한\uff41\uff21 \nÅA\u030a\u0345"),
            min_size=1,
        ),
        min_size=1,
        max_size=6,
    )
)
@example(["\u0345", "a\u0345"])
def test_whatever_the_text_the_same_is_known_and_no_other(contents: list[str]) -> None:
    contents = [content for content in contents if content.strip() and content.isprintable()]
    with kioku.open(":memory:") as memory:
        seen: set[str] = set()
        for content in contents * 2:
            saved = again(memory, content)
            assert saved.content == content
            assert saved.is_duplicate == (content in seen)
            seen.add(content)
        assert len(ids(memory)) == len(seen)


def test_saving_saves_unless_it_is_told_otherwise(memory: Memory) -> None:
    first, second = memory.save(TEXT), memory.save(TEXT, if_duplicate="save")
    assert first.id != second.id
    assert not second.is_duplicate
    assert [saved.is_duplicate for saved in memory.save_many([{"content": TEXT}])] == [False]


@pytest.mark.parametrize("value", ["", "RETURN", "skip", None, True, 1])
def test_any_other_word_is_refused_and_nothing_is_written(memory: Memory, value: Any) -> None:
    with pytest.raises(kioku.InvalidArgumentError, match="if_duplicate"):
        memory.save(TEXT, if_duplicate=value)
    with pytest.raises(kioku.InvalidArgumentError, match="if_duplicate"):
        memory.save_many([{"content": TEXT}], if_duplicate=value)
    assert ids(memory) == []


@pytest.mark.parametrize(
    "other", [f"{TEXT}.", TEXT.lower(), f" {TEXT}", TEXT.replace(" ", "  "), TEXT[:-1]]
)
def test_a_text_that_differs_at_all_is_another(memory: Memory, other: str) -> None:
    memory.save(other)
    assert not again(memory, TEXT).is_duplicate


@pytest.mark.parametrize(("one", "other"), [("a b?", "a b!"), ("a b", "a-b"), ("a B", "a b")])
def test_texts_of_the_same_words_and_length_differ(memory: Memory, one: str, other: str) -> None:
    memory.save(one)
    assert not again(memory, other).is_duplicate


def test_the_same_item_twice_in_a_row_is_saved_once(memory: Memory) -> None:
    saved = memory.save_many([{"content": TEXT}] * 3, if_duplicate="return")
    assert [one.is_duplicate for one in saved] == [False, True, True]
    assert {one.id for one in saved} == set(ids(memory))


def test_another_project_is_another(memory: Memory) -> None:
    memory.save(TEXT, project="one")
    assert not again(memory, TEXT, project="two").is_duplicate
    assert not again(memory, TEXT).is_duplicate
    assert again(memory, TEXT, project="one").is_duplicate


def test_what_cannot_be_seen_any_more_is_saved_again(stores: Stores, clock: Clock) -> None:
    memory = stores.open()
    for end in ("deleted", "purged", "expired", "superseded"):
        first = again(memory, TEXT, ttl=timedelta(hours=1) if end == "expired" else None)
        assert not first.is_duplicate
        if end == "deleted":
            memory.delete(first.id)
        elif end == "purged":
            memory.purge(first.id)
        elif end == "expired":
            clock.advance(timedelta(hours=2))
        else:
            memory.save("better", supersedes=[first.id])
    last = again(memory, TEXT)
    assert not last.is_duplicate
    assert again(memory, TEXT).id == last.id


def test_what_is_held_does_not_count_yet(stores: Stores, clock: Clock) -> None:
    here, ahead = stores.open("here"), stores.open("ahead", Clock(clock.ms + 600_000))
    ahead.save(TEXT)
    carry(ahead, here)
    assert [seen.is_held for seen in here.list()] == [True]
    assert not again(here, TEXT).is_duplicate


def test_what_was_edited_counts_as_it_is_now(memory: Memory) -> None:
    saved = memory.save(TEXT)
    memory.edit(saved.id, content="another text")
    assert not again(memory, TEXT).is_duplicate
    assert again(memory, "another text").id == saved.id


def test_what_another_machine_saved_counts(stores: Stores) -> None:
    one, two = stores.open("one"), stores.open("two")
    saved = one.save(TEXT)
    carry(one, two)
    assert again(two, TEXT).id == saved.id


def test_nothing_that_was_asked_for_is_lost(memory: Memory) -> None:
    old = memory.save("old")
    first = again(memory, TEXT, ttl=timedelta(hours=1))
    lasting = again(memory, TEXT)
    assert (lasting.is_duplicate, lasting.id != first.id) == (False, True)
    assert again(memory, TEXT, ttl=timedelta(hours=3)).id == lasting.id
    replacing = again(memory, TEXT, supersedes=[old.id])
    assert not replacing.is_duplicate
    assert again(memory, TEXT, supersedes=[old.id]).id == replacing.id


def test_of_several_the_newest_is_given(memory: Memory) -> None:
    memory.save(TEXT)
    newest = memory.save(TEXT)
    assert again(memory, TEXT).id == newest.id


def test_many_at_once_know_each_other_and_keep_their_order(memory: Memory) -> None:
    here = memory.save("here", project="p")
    items = [
        {"content": text, "project": "p"} for text in ("a b", "here", "c d", "a b", "c d", "e")
    ]
    items.append({"content": "a b", "project": "q"})
    saved = memory.save_many(items, if_duplicate="return")
    assert [one.content for one in saved] == ["a b", "here", "c d", "a b", "c d", "e", "a b"]
    assert [one.is_duplicate for one in saved] == [False, True, False, True, True, False, False]
    assert (saved[1].id, saved[3].id, saved[4].id) == (here.id, saved[0].id, saved[2].id)
    assert all(memory.get(one.id) == one for one in saved)
    assert len(ids(memory)) == 5


def test_an_import_is_no_duplicate_of_itself(stores: Stores) -> None:
    one, two = stores.open("one"), stores.open("two")
    one.save_many([{"content": TEXT}, {"content": TEXT}])
    copied = two.save_many(one.list(), keep_times=True, if_duplicate="return")
    assert not any(seen.is_duplicate for seen in copied)
    assert len(two.list()) == 2
    [marked] = two.save_many([again(two, TEXT)])
    assert not marked.is_duplicate


# -- predecessors -----------------------------------------------------------------------------


def test_what_says_nearly_the_same_is_a_likely_predecessor(memory: Memory) -> None:
    memory.save_many(
        [{"content": f"Lesson {n}: something else that was learned"} for n in range(200)]
    )
    old = memory.save("The public API listens on port 8080 behind nginx", project="p")
    memory.save("The weekly review moved to Thursday", project="p")
    [found] = memory.predecessors("The public API listens on port 9090 behind nginx", project="p")
    assert found.observation == old
    assert 0.6 <= found.similarity < 1


def test_what_is_only_about_something_similar_is_not(memory: Memory) -> None:
    memory.save("Postgres is the analytics database of the billing service")
    assert memory.predecessors("Redis holds the sessions of the billing service") == []
    assert memory.predecessors("The of and to") == []
    assert memory.predecessors("!!!") == []


def test_one_subject_needs_fewer_common_words(memory: Memory) -> None:
    old = memory.save("Port 8080 is what the API uses in staging", subject="API port")
    new = "In production it listens on port 9090, the API does"
    assert memory.predecessors(new) == []
    assert [p.observation.id for p in memory.predecessors(new, subject="api PORT")] == [old.id]


def test_predecessors_are_of_the_project_and_visible_now(stores: Stores, clock: Clock) -> None:
    memory = stores.open()
    kept = memory.save("Deploys run every Friday from the release branch", project="p")
    memory.save("Deploys run every Tuesday from the release branch", project="other")
    memory.save(
        "Deploys run every Sunday from the release branch", project="p", ttl=timedelta(hours=1)
    )
    gone = memory.save("Deploys run every Saturday from the release branch", project="p")
    memory.delete(gone.id)
    old = memory.save("Deploys run every Wednesday from the release branch", project="p")
    memory.save("We deploy whenever we like", project="p", supersedes=[old.id])
    clock.advance(timedelta(hours=2))
    found = memory.predecessors("Deploys run every Monday from the release branch", project="p")
    assert [near.observation.id for near in found] == [kept.id]


def test_the_nearest_come_first_and_no_more_than_asked_for(memory: Memory) -> None:
    for words in ("one two three", "one two three four", "one two three four five six seven"):
        memory.save(f"alpha beta gamma delta {words}")
    found = memory.predecessors("alpha beta gamma delta one two three four", limit=2)
    assert [near.observation.content[23:] for near in found] == [
        "one two three four",
        "one two three",
    ]
    assert found[0].similarity == 1


def test_japanese_is_compared_by_its_pairs_of_characters(memory: Memory) -> None:
    old = memory.save("公開サーバーは八千八十番の接続口で待ち受ける")
    memory.save("会議は毎週木曜日の午後に東京で開かれる")
    [found] = memory.predecessors("公開サーバーは九千九十番の接続口で待ち受ける")
    assert found.observation.id == old.id


def test_it_is_found_among_many_that_share_its_words(memory: Memory) -> None:
    words = "deploy release branch staging production cluster worker queue".split()
    old = memory.save(f"On Friday: {' '.join(words)}")
    fillers = (
        f"{words[n % 8]} {words[(n + 3) % 8]} {words[(n + 5) % 8]} number {n}" for n in range(900)
    )
    memory.save_many([{"content": text} for text in fillers])
    found = memory.predecessors(f"On Monday: {' '.join(words)}")
    assert found[0].observation.id == old.id


@pytest.mark.parametrize("limit", [0, -1, 11, True, 1.0, "3", None])
def test_a_limit_that_is_none_is_refused(memory: Memory, limit: Any) -> None:
    with pytest.raises(kioku.InvalidArgumentError, match="limit"):
        memory.predecessors(TEXT, limit=limit)


@pytest.mark.parametrize(
    "fields",
    [
        {"content": " "},
        {"content": 3},
        {"content": "a", "project": "\x1b"},
        {"content": "a", "subject": None},
        {"content": "\ud800"},
    ],
)
def test_what_no_observation_could_say_has_no_predecessor(
    memory: Memory, fields: dict[str, Any]
) -> None:
    with pytest.raises(kioku.InvalidObservationError):
        memory.predecessors(**fields)
