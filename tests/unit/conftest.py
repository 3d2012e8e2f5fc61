"""Stores for the tests of the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.callers import ERAS, Caller, desk_at
from tests.unit.memories import Clock, Stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kioku.memory import Memory


@pytest.fixture
def clock() -> Clock:
    """A clock that stands until the test moves it."""
    return Clock()


@pytest.fixture
def stores(tmp_path: Path, clock: Clock) -> Iterator[Stores]:
    """Stores in an empty directory."""
    found = Stores(tmp_path, clock)
    yield found
    found.close()


@pytest.fixture
def memory(stores: Stores) -> Memory:
    """One empty memory."""
    return stores.open()


@pytest.fixture(params=ERAS)
def caller(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Caller]:
    """A connection with every tool, once in each era of the protocol."""
    with desk_at(tmp_path) as desk, Caller(desk, era=request.param) as found:
        yield found


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Caller]:
    """A connection with every tool, in one era: where it makes no difference."""
    with desk_at(tmp_path) as desk, Caller(desk) as found:
        yield found
