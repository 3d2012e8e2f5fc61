"""A stranger's home for every test of installing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.install.homes import Home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without any client."""
    return Home(tmp_path / "home")
