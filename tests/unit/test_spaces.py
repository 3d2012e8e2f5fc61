"""Several spaces at once: which are meant, in what order they answer, and what stops them all."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kioku
from kioku.errors import ConfigError, InvalidArgumentError, SpaceError
from kioku.log.glance import glance
from kioku.memory.hit import Hit
from kioku.memory.spaces import SPACES_MAX, fuse
from kioku.observation import Observation

if TYPE_CHECKING:
    from pathlib import Path

DAY = datetime(2026, 5, 1, tzinfo=UTC)


def save(space: str, *contents: str, private: bool = False) -> list[str]:
    """Save into a space, and give the ids."""
    with kioku.open(space=space, private=private) as memory:
        return [memory.save(content).id for content in contents]


def found(names: list[str] | None, query: str, limit: int = 10) -> list[tuple[str, str]]:
    """Where what is found, in order."""
    with kioku.open_spaces(names) as opened:
        hits = opened.search(query, limit=limit)
    return [(one.space, one.hit.observation.content) for one in hits]


def test_each_hit_says_where_it_is() -> None:
    save("work", "a database at work")
    save("home", "a database at home", "a garden")
    assert sorted(found(["work", "home"], "database")) == [
        ("home", "a database at home"),
        ("work", "a database at work"),
    ]


def test_a_hit_carries_what_its_own_space_says_of_it() -> None:
    save("work", "a database at work", "the database")
    with kioku.open(space="work") as memory, kioku.open_spaces(["work"]) as opened:
        alone = memory.search("database")
        together = opened.search("database")
    assert [one.hit for one in together] == alone
    assert [one.score for one in together] == [1 / 61, 1 / 62]


def test_the_best_of_each_space_come_before_the_second_of_any() -> None:
    save("work", *[f"database {'filler ' * n}" for n in range(1, 5)])
    save("home", "my database", "my other database in the cellar")
    places = [space for space, _ in found(["work", "home"], "database", limit=4)]
    assert sorted(places[:2]) == sorted(places[2:]) == ["home", "work"]


def test_the_order_of_names_and_repeated_names_change_nothing() -> None:
    for space in ("a", "b", "c"):
        save(space, "database one", "database two")
    expected = found(["a", "b", "c"], "database")
    assert found(["c", "a", "b", "a"], "database") == expected
    assert len(expected) == 6


def test_all_is_every_space_but_the_private_ones() -> None:
    save("work", "database")
    save("home", "database")
    save("private", "database")
    save("diary", "database", private=True)
    assert {space for space, _ in found(None, "database")} == {"home", "work"}
    assert {space for space, _ in found(["all"], "database")} == {"home", "work"}
    named = found(["all", "diary"], "database")
    assert {space for space, _ in named} == {"home", "work", "diary"}


def test_all_of_no_spaces_is_nothing() -> None:
    assert kioku.spaces() == []
    assert found(None, "anything") == []


def test_a_list_of_several_spaces_has_the_newest_first() -> None:
    ids = [save(space, f"number {n}")[0] for n, space in enumerate("abcab")]
    with kioku.open_spaces() as opened:
        listed = opened.list(limit=4)
        everything = opened.list()
    assert [one.observation.id for one in everything] == ids[::-1]
    assert [one.space for one in everything] == list("bacba")
    assert listed == everything[:4]


def test_filters_hold_in_every_space() -> None:
    for space in ("a", "b"):
        with kioku.open(space=space) as memory:
            memory.save("a database", project="one")
            memory.save("a database", project="two")
    with kioku.open_spaces() as opened:
        hits = opened.search("database", project="two", mode="and")
        assert [one.hit.observation.project for one in hits] == ["two", "two"]
        listed = opened.list(project="one")
        assert [one.observation.project for one in listed] == ["one", "one"]


@pytest.mark.parametrize("damage", [b"not a database at all" * 100, b""])
@pytest.mark.parametrize("names", [["bad", "good"], ["all"]])
def test_a_space_that_cannot_be_read_is_named_and_nothing_is_answered(
    home: Path, names: list[str], damage: bytes
) -> None:
    save("good", "database")
    if damage:
        (home / "state" / "bad.db").write_bytes(damage)
    else:
        (home / "state" / "bad.db").mkdir()
    with pytest.raises(SpaceError, match="space bad: ") as caught:
        kioku.open_spaces(names)
    assert caught.value.space == "bad"
    assert str(home / "state" / "bad.db") in caught.value.reason


def test_damage_that_a_search_meets_is_named_too(home: Path) -> None:
    save("good", "database")
    save("bad", "database")
    with kioku.open(space="bad") as memory, memory.replica.transaction(now_ms=1) as transaction:
        transaction.connection.execute("UPDATE event SET body = zeroblob(9) WHERE kind = 1")
    with kioku.open_spaces() as opened:
        with pytest.raises(SpaceError, match="space bad: "):
            opened.search("database")
        with pytest.raises(SpaceError, match="space bad: "):
            opened.list()


def test_a_space_that_is_not_there_is_named_and_not_created(home: Path) -> None:
    save("good", "database")
    with pytest.raises(SpaceError, match=r"space gone: .*gone.db is not there"):
        kioku.open_spaces(["good", "gone"])
    assert not (home / "state" / "gone.db").exists()


@pytest.mark.parametrize("name", ["../good", "Good", "", "a/b", "x" * 33])
def test_a_name_is_checked_before_it_is_a_path(name: str) -> None:
    save("good", "database")
    with pytest.raises(ConfigError, match="is not a space name"):
        kioku.open_spaces(["good", name])


def test_a_bad_name_is_said_as_what_it_was_given_as() -> None:
    with pytest.raises(ConfigError) as caught:
        kioku.open(space="A b")
    wanted = "space: 'A b' is not a space name: use 1 to 32 of a-z, 0-9 and -; change it"
    assert str(caught.value) == wanted


def test_all_is_no_space() -> None:
    with pytest.raises(ConfigError, match="stands for every space"):
        kioku.open(space="all")


def test_what_is_no_list_of_names_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="give a list of names"):
        kioku.open_spaces("work")
    with pytest.raises(InvalidArgumentError, match=f"name at most {SPACES_MAX}"):
        kioku.open_spaces([f"s{n}" for n in range(SPACES_MAX + 1)])


def test_a_bad_argument_is_no_fault_of_a_space() -> None:
    save("good", "database")
    with kioku.open_spaces() as opened, pytest.raises(InvalidArgumentError, match="limit"):
        opened.search("database", limit=0)


def test_closing_closes_every_space() -> None:
    save("a", "x")
    opened = kioku.open_spaces(["a"])
    opened.close()
    opened.close()
    with pytest.raises(kioku.ReplicaClosedError):
        opened.search("x")


def test_spaces_says_what_is_there_and_what_is_private(home: Path) -> None:
    save("work", "x")
    save("private", "x")
    (home / "state" / "broken.db").write_text("no store")
    (home / "state" / "Not A Space.db").write_text("somebody's")
    (home / "state" / "notes.txt").write_text("somebody's")
    broken, private, work = kioku.spaces()
    assert (broken.name, broken.is_private) == ("broken", False)
    assert str(home / "state" / "broken.db") in broken.problem
    assert (private.name, private.is_private, private.problem) == ("private", True, "")
    assert (work.name, work.is_private, work.problem) == ("work", False, "")
    assert work.path == str(home / "state" / "work.db")
    assert work.file_bytes == os.path.getsize(work.path)


def test_looking_at_spaces_writes_nothing(home: Path) -> None:
    save("work", "x")
    before = {file.name: file.read_bytes() for file in (home / "state").iterdir()}
    kioku.spaces()
    assert {file.name: file.read_bytes() for file in (home / "state").iterdir()} == before


def test_a_glance_cannot_write(home: Path) -> None:
    save("work", "x")
    path = str(home / "state" / "work.db")
    with pytest.raises(kioku.StoreError), glance(path) as connection:
        connection.execute("DELETE FROM meta")
    with kioku.open(space="work") as memory:
        assert memory.list()


# -- the law of merging


def hits(draws: list[tuple[bool, int]]) -> list[Hit]:
    """Hits as one space answers: those by a substring last."""
    return [
        Hit(
            Observation(content=str(n), updated_at=DAY + timedelta(seconds=age)),
            score=0.0,
            snippet="",
            is_substring=is_substring,
        )
        for n, (is_substring, age) in enumerate(sorted(draws, key=lambda draw: draw[0]))
    ]


ANSWERS = st.dictionaries(
    st.sampled_from("abcd"),
    st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=5).map(hits),
)


@given(ANSWERS, st.randoms(use_true_random=False))
def test_merging_depends_on_the_answers_alone_and_keeps_each_order(
    answers: dict[str, list[Hit]], random: object
) -> None:
    fused = fuse(answers)
    shuffled = list(answers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fuse({space: answers[space] for space in shuffled}) == fused
    for space, answer in answers.items():
        assert [one.hit for one in fused if one.space == space] == answer
    assert sum(map(len, answers.values())) == len(fused)
    substrings = [one.hit.is_substring for one in fused]
    assert substrings == sorted(substrings)
    for first, second in pairwise(fused):
        if first.hit.is_substring == second.hit.is_substring:
            assert first.score >= second.score


@given(ANSWERS, st.integers(1, 8))
def test_a_smaller_limit_gives_the_beginning_of_the_same_answer(
    answers: dict[str, list[Hit]], limit: int
) -> None:
    cut = fuse({space: answer[:limit] for space, answer in answers.items()})[:limit]
    words = [one for one in fuse(answers) if not one.hit.is_substring]
    assert cut[: len(words)] == words[:limit]
