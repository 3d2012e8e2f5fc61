"""docs/mcp.md tells of every tool, parameter, resource and prompt that there is."""

from __future__ import annotations

import inspect
import re

import pytest

from kioku.mcp.prompts import PROMPTS
from kioku.mcp.resources import RESOURCES
from kioku.mcp.table import PROFILES
from kioku.mcp.tools import TOOLS
from tests.tidy.repository import ROOT

GUIDE = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
_BESIDES = {"desk", "limit", "offset", "space"}  # told once, for all tools that list
_OF_A_SAVE = {"edit_memory"}  # has the fields of a save


def _row(name: str) -> str:
    found = re.search(rf"^\| `{re.escape(name)}`.*$", GUIDE, re.MULTILINE)
    assert found, f"docs/mcp.md has no row of {name}"
    return found[0]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_guide_has_each_tool_with_its_parameters(tool: object) -> None:
    name = tool.name  # type: ignore[attr-defined]
    parameters = inspect.signature(tool.function).parameters  # type: ignore[attr-defined]
    row = _row(name)
    if name in _OF_A_SAVE:
        row += _row("save_observation")
    assert not [one for one in parameters if one not in _BESIDES and f"`{one}`" not in row]


def test_the_guide_has_each_resource_prompt_and_profile() -> None:
    names = [one.uri for one in RESOURCES] + [one.name for one in PROMPTS] + sorted(PROFILES)
    assert not [name for name in names if f"`{name}`" not in GUIDE]
