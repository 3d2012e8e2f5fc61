"""What several files of integration tests get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.windows import KINDS, Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(params=KINDS)
def sit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Person]]:
    """Sit down at a window of some size, and of some environment."""
    opened = []

    def sit_down(columns: int = 100, rows: int = 40, **more: str) -> Person:
        opened.append(KINDS[request.param](tmp_path, columns, rows, more))
        return Person(opened[-1])

    yield sit_down
    for window in opened:
        window.close()
