"""How many last words an observation has: only what may have lost without a word counts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.unit.memories import Clock, Stores, carry

if TYPE_CHECKING:
    from kioku.memory import Memory

SECOND = timedelta(seconds=1)


def shown(memory: Memory, id: str) -> tuple[str, str, int]:
    found = memory.get(id)
    assert found is not None
    assert [seen.versions for seen in memory.list()] == [found.versions]
    assert [hit.observation.versions for hit in memory.search(found.content)] == [found.versions]
    past = memory.get(id, as_of=found.updated_at)
    assert past is not None
    assert past.versions == found.versions
    return found.project, found.content, found.versions


@pytest.fixture
def here(stores: Stores) -> Memory:
    return stores.open("here")


@pytest.fixture
def there(stores: Stores) -> Memory:
    return stores.open("there")


def meet(one: Memory, two: Memory) -> None:
    carry(one, two)
    carry(two, one)


def test_a_rename_of_what_others_wrote_is_no_second_version(
    here: Memory, there: Memory, clock: Clock
) -> None:
    saved = there.save("text", project="old")
    meet(here, there)
    here.rename_project("old", "new")
    here.rename_project("new", "newest")
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id) == ("newest", "text", 1)
    clock.advance(SECOND)
    assert there.edit(saved.id, content="more").versions == 1  # the rename said nothing of its own
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id) == ("newest", "more", 1)


def test_a_rename_of_what_won_takes_no_word_of_the_loser(
    here: Memory, there: Memory, clock: Clock
) -> None:
    saved = here.save("text", project="old")
    meet(here, there)
    clock.advance(SECOND)
    here.edit(saved.id, content="mine")
    there.edit(saved.id, content="theirs")
    meet(here, there)
    before = shown(here, saved.id)
    here.rename_project("old", "new")
    meet(here, there)
    for memory in (here, there):
        project, content, versions = shown(memory, saved.id)
        assert (content, versions) == before[1:]
        assert (project, versions) == ("new", 2)


def test_an_edit_within_the_millisecond_that_a_rename_beats_is_shown(
    here: Memory, there: Memory, clock: Clock
) -> None:
    saved = here.save("text", project="old")
    carry(here, there)
    clock.advance(timedelta(milliseconds=1))
    here.edit(saved.id, content="more")  # some ticks earlier in the millisecond of the rename
    there.rename_project("old", "new")
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id) == ("new", "text", 2)


def test_two_renames_at_once_are_no_lost_edit(here: Memory, there: Memory) -> None:
    saved = here.save("text", project="old")
    meet(here, there)
    here.rename_project("old", "one")
    there.rename_project("old", "two")
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id)[1:] == ("text", 1)


def test_an_edit_of_the_project_alone_can_be_lost(
    here: Memory, there: Memory, clock: Clock
) -> None:
    saved = here.save("text", project="old")
    meet(here, there)
    clock.advance(SECOND)
    here.edit(saved.id, project="one")
    clock.advance(SECOND)
    there.edit(saved.id, project="two")
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id) == ("two", "text", 2)


def test_what_lies_a_millisecond_before_is_no_rename_where_its_words_differ(
    here: Memory, there: Memory, clock: Clock
) -> None:
    saved = here.save("text", project="p")
    meet(here, there)
    clock.advance(timedelta(milliseconds=1))
    there.edit(saved.id, content="other", project="q")
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id) == ("q", "other", 2)


def test_a_way_back_to_earlier_words_can_be_lost(here: Memory, there: Memory, clock: Clock) -> None:
    saved = here.save("text")
    clock.advance(SECOND)
    here.edit(saved.id, content="more")
    meet(here, there)
    clock.advance(SECOND)
    there.edit(saved.id, content="text")
    clock.advance(SECOND)
    here.edit(saved.id, content="most")
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id) == ("", "most", 2)


def test_a_renamed_one_that_was_imported_elsewhere_is_one_version(
    here: Memory, there: Memory
) -> None:
    saved = here.save("text", project="old")
    carry(here, there)
    here.rename_project("old", "new")
    renamed = here.get(saved.id)
    assert renamed is not None
    there.save_many([renamed], keep_times=True)
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id) == ("new", "text", 1)


def test_what_two_machines_imported_alike_is_one_version(here: Memory, there: Memory) -> None:
    source = here.save("text")
    item = here.get(source.id)
    assert item is not None
    there.save_many([item], keep_times=True)
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, source.id) == ("", "text", 1)


def test_words_that_went_on_are_not_kept_up_by_who_repeated_them(
    here: Memory, there: Memory, clock: Clock
) -> None:
    source = here.save("text")
    item = here.get(source.id)
    assert item is not None
    there.save_many([item], keep_times=True)
    clock.advance(SECOND)
    here.edit(source.id, content="more")
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, source.id) == ("", "more", 1)


def test_an_undelete_elsewhere_says_nothing_new(here: Memory, there: Memory, clock: Clock) -> None:
    saved = here.save("text")
    here.delete(saved.id)
    meet(here, there)
    clock.advance(SECOND)
    assert there.undelete(saved.id).versions == 1
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id) == ("", "text", 1)


def test_going_back_to_earlier_words_leaves_the_loser_shown(
    here: Memory, there: Memory, clock: Clock
) -> None:
    saved = here.save("text")
    meet(here, there)
    clock.advance(SECOND)
    there.edit(saved.id, content="theirs")
    clock.advance(SECOND)
    here.edit(saved.id, content="mine")
    clock.advance(SECOND)
    here.edit(saved.id, content="text")
    meet(here, there)
    for memory in (here, there):
        assert shown(memory, saved.id) == ("", "text", 2)
