"""The collector of cycles rests while a batch is made, and only then."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

import kioku
from kioku.bulk import uncollected
from kioku.memory.saving import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    was_enabled = gc.isenabled()
    yield
    (gc.enable if was_enabled else gc.disable)()


def test_it_rests_within_the_block_and_goes_on_behind_it() -> None:
    gc.enable()
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), uncollected():
        raise KeyError
    assert gc.isenabled()


def test_who_has_stopped_it_keeps_it_stopped() -> None:
    gc.disable()
    with uncollected():
        pass
    assert not gc.isenabled()


def test_what_the_caller_does_meanwhile_is_collected() -> None:
    """Neither the items nor the progress of a large save are made while it rests."""
    gc.enable()
    seen: list[bool] = []

    def items() -> Iterator[dict[str, Any]]:
        for number in range(BATCH + 1):
            seen.append(gc.isenabled())
            yield {"content": f"note {number}"}

    with kioku.open(":memory:") as memory:
        memory.save_many(items(), progress=lambda *_: seen.append(gc.isenabled()))
    assert len(seen) == BATCH + 3
    assert all(seen)
    assert gc.isenabled()
