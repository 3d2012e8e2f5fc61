"""What several files of integration tests get."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.mesh import Machine, Mesh
from tests.integration.mesh_typing import said
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


@pytest.fixture
def mesh(tmp_path: Path) -> Iterator[Mesh]:
    """Machines, all of them ended when the test is."""
    with Mesh(tmp_path) as opened:
        yield opened


@pytest.fixture
def pair(mesh: Mesh) -> tuple[Machine, Machine]:
    """A hub and a spoke that are level, each with a node."""
    hub = mesh.hub("alpha")
    said(hub, "listening on")
    spoke = mesh.spoke("beta", hub)
    said(spoke, "level with 1 peer")
    said(hub, "level with 1 peer")
    return hub, spoke
