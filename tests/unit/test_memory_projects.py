"""Projects are listed, renamed, merged and aliased; nothing is lost, here or elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kioku
from kioku.memory import renaming
from tests.unit.memories import Clock, Stores, carry

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku.memory import Memory


def counts(memory: Memory) -> dict[str, int]:
    return {found.name: found.observations for found in memory.projects()}


def contents(memory: Memory, project: str) -> list[str]:
    return [seen.content for seen in memory.list(project=project)]


def aliases(memory: Memory) -> dict[str, tuple[str, ...]]:
    return {found.name: found.aliases for found in memory.projects() if found.aliases}


# -- listing ----------------------------------------------------------------------------------


def test_projects_are_listed_with_counts_and_the_latest_change_first(
    memory: Memory, clock: Clock
) -> None:
    memory.save_many([{"content": f"{n}", "project": "old"} for n in range(3)])
    clock.advance(timedelta(hours=1))
    newest = memory.save("a", project="new")
    memory.save("b", project="new", ttl=timedelta(minutes=1))
    memory.delete(memory.save("c", project="gone").id)
    memory.save("d")
    clock.advance(timedelta(hours=1))
    last = memory.save("e", project="new", supersedes=[newest.id])
    found = memory.projects()
    assert [(one.name, one.observations) for one in found] == [("new", 2), ("", 1), ("old", 3)]
    assert found[0].updated_at == last.updated_at
    assert [one.aliases for one in found] == [(), (), ()]


# -- renaming ---------------------------------------------------------------------------------


def test_a_rename_moves_every_observation_and_is_found_by_both_names(memory: Memory) -> None:
    saved = [memory.save(text, project="old", tags=["t"]) for text in ("a", "b")]
    memory.save("c", project="other")
    assert memory.rename_project("old", "new") == 2
    assert counts(memory) == {"new": 2, "other": 1}
    assert contents(memory, "new") == contents(memory, "old") == ["b", "a"]
    for before in saved:
        after = memory.get(before.id)
        assert after is not None
        assert (after.project, after.tags, after.content) == ("new", ("t",), before.content)
    assert [hit.observation.content for hit in memory.search("a", project="old")] == ["a"]


def test_what_another_machine_saves_late_is_found_under_the_new_name(stores: Stores) -> None:
    one, two = stores.open("one"), stores.open("two")
    one.save("early", project="old")
    carry(one, two)
    one.rename_project("old", "new")
    two.save("late", project="old")
    two.save("other", project="new-not")
    carry(two, one)
    carry(one, two)
    for memory in (one, two):
        assert sorted(contents(memory, "new")) == ["early", "late"]
        assert sorted(contents(memory, "old")) == ["early", "late"]
        assert counts(memory) == {"new": 2, "new-not": 1}
        assert memory.save("late", project="new", if_duplicate="return").is_duplicate
        near = memory.predecessors("what came late is late", project="new")
        assert near == []
    assert one.rename_project("old", "new") == 1  # what came late, too
    assert {seen.project for seen in one.list(project="new")} == {"new"}


def test_a_rename_beats_no_edit_that_it_did_not_know(stores: Stores, clock: Clock) -> None:
    one, two = stores.open("one"), stores.open("two")
    saved = one.save("before", project="old")
    carry(one, two)
    clock.advance(timedelta(minutes=1))
    two.edit(saved.id, content="edited elsewhere")
    clock.advance(timedelta(minutes=1))
    one.rename_project("old", "new")
    carry(one, two)
    carry(two, one)
    for memory in (one, two):
        assert contents(memory, "new") == ["edited elsewhere"]


def test_a_rename_leaves_everything_in_its_order_of_time(memory: Memory, clock: Clock) -> None:
    for n in range(6):
        memory.save(f"{n}", project="old" if n % 2 else "other")
        clock.advance(timedelta(minutes=1))
    before = [seen.content for seen in memory.list()]
    recent = datetime.fromtimestamp(clock.ms / 1000 - 180, UTC)
    late = [seen.content for seen in memory.list(since=recent)]
    memory.rename_project("old", "new")
    assert [seen.content for seen in memory.list()] == before
    assert [seen.content for seen in memory.list(since=recent)] == late == ["5", "4", "3"]


def test_a_rename_reaches_what_a_clock_that_was_ahead_has_stamped(stores: Stores) -> None:
    clock = Clock(stores.clock.ms + 3_600_000)
    memory = stores.open(clock=clock)
    memory.save("ahead", project="old")
    clock.advance(timedelta(hours=-1))
    memory.save("since then", project="old")
    assert memory.rename_project("old", "new") == 2
    assert {seen.project for seen in memory.list()} == {"new"}


def test_a_rename_keeps_what_only_a_newer_kioku_understands(stores: Stores) -> None:
    from kioku.observation.layout import encode_fields

    memory = stores.open()
    body = encode_fields({1: "text", 2: "old", 4: "a-newer-type", 30: {"x": 1}})
    key = kioku.make_key(b"\1" * 10, stores.clock.ms)
    memory.replica.append([kioku.Draft(kioku.SAVE, key, body)], now_ms=stores.clock.ms)
    assert memory.rename_project("old", "new") == 1
    found = memory.get(key.hex())
    assert found is not None
    assert (found.project, found.memory_type, found.unknown) == (
        "new",
        "a-newer-type",
        {30: {"x": 1}},
    )


def test_a_rename_goes_on_where_it_was_interrupted(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renaming, "BATCH", 4)
    memory.save_many([{"content": f"{n}", "project": "old"} for n in range(10)])
    steps: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        steps.append((done, total))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        memory.rename_project("old", "new", progress=stop)
    assert steps == [(4, 10)]
    assert counts(memory) == {"new": 10}
    assert len(contents(memory, "new")) == 10
    assert memory.rename_project("old", "new", dry_run=True) == 6
    assert memory.rename_project("old", "new") == 6
    assert {seen.project for seen in memory.list()} == {"new"}


def test_a_rename_can_be_taken_back(memory: Memory) -> None:
    memory.save("a", project="old")
    memory.rename_project("old", "new")
    assert memory.rename_project("new", "old") == 1
    assert counts(memory) == {"old": 1}
    assert aliases(memory) == {"old": ("new",)}
    memory.unalias_project("new")
    assert aliases(memory) == {}


def test_a_dry_run_writes_nothing(memory: Memory) -> None:
    memory.save("a", project="old")
    memory.save("b", project="more")
    before = memory.digest()
    assert memory.rename_project("old", "new", dry_run=True) == 1
    assert memory.merge_projects(["old"], "more", dry_run=True) == 1
    assert memory.alias_project("x", "old", dry_run=True)
    assert memory.digest() == before


@pytest.mark.parametrize("new", ["taken", "alias-of-taken"])
def test_a_name_that_is_taken_is_refused(memory: Memory, new: str) -> None:
    memory.save("a", project="old")
    memory.save("b", project="taken")
    memory.alias_project("alias-of-taken", "taken")
    with pytest.raises(kioku.InvalidArgumentError, match="merge old into it"):
        memory.rename_project("old", new)
    assert counts(memory) == {"taken": 1, "old": 1}


@pytest.mark.parametrize("name", ["", ".", "a\x1b", "x" * 1025, None, 3, "\ud800"])
def test_what_is_no_name_is_refused(memory: Memory, name: Any) -> None:
    memory.save("a", project="old")
    calls: list[Callable[[], object]] = [
        lambda: memory.rename_project("old", name),
        lambda: memory.merge_projects(["old"], name),
        lambda: memory.merge_projects([name], "old"),
        lambda: memory.alias_project(name, "old"),
        lambda: memory.alias_project("old", name),
    ]
    for call in calls:
        with pytest.raises((kioku.InvalidArgumentError, kioku.InvalidObservationError)):
            call()
    assert counts(memory) == {"old": 1}


def test_what_is_no_project_is_not_found(memory: Memory) -> None:
    memory.save("a", project="old")
    calls: list[Callable[[], object]] = [
        lambda: memory.rename_project("typo", "new"),
        lambda: memory.merge_projects(["typo"], "old"),
        lambda: memory.merge_projects(["old"], "typo"),
        lambda: memory.unalias_project("old"),
    ]
    for call in calls:
        with pytest.raises(kioku.NotFoundError):
            call()
    nothing: list[Any] = [[], "old", None]
    for wrong in nothing:
        with pytest.raises(kioku.InvalidArgumentError):
            memory.merge_projects(wrong, "old")
    with pytest.raises(kioku.InvalidArgumentError, match="twice"):
        memory.rename_project("old", "old")


# -- merging and aliasing ---------------------------------------------------------------------


def test_a_merge_makes_one_project_of_several(memory: Memory) -> None:
    for project in ("a", "b", "c"):
        memory.save(f"of {project}", project=project)
    assert memory.merge_projects(["a", "b"], "c") == 2
    assert counts(memory) == {"c": 3}
    assert aliases(memory) == {"c": ("a", "b")}
    assert memory.merge_projects(["a", "b", "c"], "c") == 0


def test_a_merge_into_another_name_is_one_into_its_project(memory: Memory) -> None:
    memory.save("of a", project="a")
    memory.save("of b", project="b")
    memory.alias_project("b-two", "b")
    memory.merge_projects(["a"], "b-two")
    assert counts(memory) == {"b": 2}
    assert {seen.project for seen in memory.list()} == {"b"}


def test_an_alias_edits_nothing_and_finds_both(memory: Memory) -> None:
    one, two = memory.save("of a", project="a"), memory.save("of b", project="b")
    assert memory.alias_project("a", "b")
    assert not memory.alias_project("a", "b")
    assert [memory.get(one.id), memory.get(two.id)] == [one, two]
    assert sorted(contents(memory, "a")) == sorted(contents(memory, "b")) == ["of a", "of b"]
    assert counts(memory) == {"b": 2}
    memory.unalias_project("a")
    assert contents(memory, "a") == ["of a"]
    assert counts(memory) == {"a": 1, "b": 1}


def test_an_alias_can_be_of_an_alias_and_be_changed(memory: Memory) -> None:
    for project in ("a", "b", "c", "d"):
        memory.save(f"of {project}", project=project)
    memory.alias_project("a", "b")
    memory.alias_project("b", "c")
    assert aliases(memory) == {"c": ("a", "b")}
    memory.alias_project("a", "d")
    assert aliases(memory) == {"c": ("b",), "d": ("a",)}
    memory.unalias_project("a")
    assert aliases(memory) == {"c": ("b",)}


def test_an_alias_the_other_way_round_leaves_no_circle(memory: Memory) -> None:
    memory.save("x", project="a")
    memory.alias_project("a", "b")
    memory.alias_project("b", "a")
    assert aliases(memory) == {"a": ("b",)}
    memory.unalias_project("b")
    assert aliases(memory) == {}


def test_aliases_are_not_among_what_was_saved(memory: Memory) -> None:
    memory.save("x", project="a")
    memory.alias_project("z", "a")
    assert contents(memory, "a") == ["x"]
    assert len(memory.list()) == len(memory.search("")) == 1
    assert memory.search("another name of the project") == []
    [alias] = memory.list(tags=["project-alias"])
    assert alias.memory_type == "config"
    assert alias.content == '"z" is another name of the project "a".'
    memory.delete(alias.id)
    assert contents(memory, "z") == []
    memory.undelete(alias.id)
    assert contents(memory, "z") == ["x"]


@pytest.mark.parametrize(
    "extra",
    [None, {}, {"project_alias": "a"}, {"project_alias": {"name": "z"}},
     {"project_alias": {"name": 1, "of": "a"}}, {"project_alias": {"name": "z", "of": ""}},
     {"project_alias": {"name": "z", "of": "z"}}, {"project_alias": ["z", "a"]}],
)  # fmt: skip
def test_a_malformed_alias_says_nothing(memory: Memory, extra: Any) -> None:
    memory.save("x", project="a")
    memory.save("an alias?", tags=["project-alias"], memory_type="config", extra=extra)
    assert aliases(memory) == {}
    assert contents(memory, "z") == []


def test_an_alias_that_is_held_or_expired_says_nothing(stores: Stores, clock: Clock) -> None:
    here, ahead = stores.open("here"), stores.open("ahead", Clock(clock.ms + 600_000))
    here.save("x", project="a")
    ahead.alias_project("z", "a")
    carry(ahead, here)
    assert contents(here, "z") == []
    clock.advance(timedelta(minutes=20))
    assert contents(here, "z") == ["x"]
    [alias] = here.list(tags=["project-alias"])
    here.edit(alias.id, ttl=timedelta(minutes=1))
    clock.advance(timedelta(minutes=2))
    assert contents(here, "z") == []


def test_gc_of_a_project_takes_all_of_its_names(memory: Memory) -> None:
    for project in ("a", "b", "c"):
        memory.delete(memory.save(f"of {project}", project=project).id)
    memory.alias_project("a", "b")
    assert memory.gc(timedelta(0), project="a", dry_run=True).deleted == 2
    assert memory.gc(timedelta(0), project="c", dry_run=True).deleted == 1


def test_what_is_deleted_is_listed_under_all_names(memory: Memory) -> None:
    memory.delete(memory.save("gone", project="a").id)
    memory.alias_project("a", "b")
    assert [one.content for one in memory.list(project="b", include_deleted=True)] == ["gone"]


def test_the_present_project_comes_first_under_all_of_its_names(memory: Memory) -> None:
    memory.save("words of the other", project="c", importance=3)
    memory.save("words of this one", project="a")
    memory.alias_project("a", "b")
    hits = memory.search("words", prefer_project="b")
    assert [hit.observation.project for hit in hits] == ["a", "c"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("save", "rename", "merge", "alias", "unalias", "carry")),
        st.integers(0, 1),
        st.sampled_from("abcd"),
        st.sampled_from("abcd"),
    ),
    max_size=14,
)


@given(STEPS)
def test_two_machines_agree_whatever_they_did_to_their_projects(
    steps: list[tuple[str, int, str, str]],
) -> None:
    clock = Clock()
    with kioku.open(":memory:") as one, kioku.open(":memory:") as two:
        both = (one, two)
        for memory in both:
            memory._clock = clock
        for step, which, name, other in steps:
            clock.advance(timedelta(milliseconds=which))
            apply(step, both[which], both[1 - which], name, other)
        carry(one, two)
        carry(two, one)
        clock.advance(timedelta(minutes=5))
        assert one.projects() == two.projects()
        for name in "abcd":
            found = [sorted(seen.id for seen in memory.list(project=name)) for memory in both]
            assert found[0] == found[1]
        names = [n for project in one.projects() for n in (project.name, *project.aliases)]
        assert len(names) == len(set(names))
        assert sum(counts(one).values()) == len(one.list())


def apply(step: str, memory: Memory, other: Memory, name: str, target: str) -> None:
    try:
        if step == "save":
            memory.save(f"words {name}{target}", project=name)
        elif step == "rename":
            memory.rename_project(name, target)
        elif step == "merge":
            memory.merge_projects([name], target)
        elif step == "alias":
            memory.alias_project(name, target)
        elif step == "unalias":
            memory.unalias_project(name)
        else:
            carry(memory, other)
    except (kioku.InvalidArgumentError, kioku.NotFoundError):
        pass  # what cannot be done changes nothing
