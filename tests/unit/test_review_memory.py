"""An import that claims to come from the future is this memory's own to change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kioku import Observation

if TYPE_CHECKING:
    from kioku.memory import Memory

ID = "ab" * 16


def from_the_future(memory: Memory) -> Observation:
    ahead = memory.save("now").created_at
    assert ahead is not None
    ahead += timedelta(days=3_650)
    imported = Observation("from the future", id=ID, updated_at=ahead, created_at=ahead)
    (found,) = memory.save_many([imported], keep_times=True)
    return found


def test_an_import_from_the_future_can_be_deleted(memory: Memory) -> None:
    assert from_the_future(memory).id == ID
    memory.delete(ID)
    assert memory.get(ID) is None
    assert memory.undelete(ID).content == "from the future"


def test_an_import_from_the_future_can_be_edited_and_says_when_it_came(memory: Memory) -> None:
    imported = from_the_future(memory)
    saved = memory.list()[-1]
    assert imported.updated_at == saved.updated_at, "this memory's wall"
    memory.edit(ID, content="edited")
    found = memory.get(ID)
    assert found is not None
    assert found.content == "edited"
