"""Every check of the doctor: something real makes it fail, and what its hint says mends it.

A name in ``NAMES`` without a case fails here, so a new check cannot come without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kioku.doctor import NAMES
from tests.unit import ailments_of_meshes as meshes
from tests.unit import ailments_of_place as places
from tests.unit import ailments_of_stores as stores_too
from tests.unit.ailments import CASES, Bench, named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.memories import Clock, Stores

MODULES = (places.__name__, stores_too.__name__, meshes.__name__)


@pytest.fixture
def bench(home: Path, tmp_path: Path, stores: Stores, clock: Clock) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch:
        yield Bench(home, tmp_path, patch, stores, clock)


def test_every_check_has_a_case() -> None:
    assert {name for name, _ in CASES} == set(NAMES)
    assert {case.__module__ for _, case in CASES} == set(MODULES)


@pytest.mark.parametrize(
    ("name", "case"),
    CASES,
    ids=[f"{name}-{case.__name__}".replace(" ", "_") for name, case in CASES],
)
def test_it_fails_and_its_hint_mends_it(name: str, case: Any, bench: Bench) -> None:
    steps = case(bench)
    look = next(steps)
    found = [one for one in named(look(), name) if one.status != "pass"]
    assert found, "it passed"
    assert all(one.hint for one in found)
    next(steps, None)
    assert all(one.status == "pass" for one in named(look(), name)), look()
