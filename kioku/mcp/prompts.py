"""Prompts: what a user may have an agent do with the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kioku.mcp.table import Prompt

PROMPTS: Final[tuple[Prompt, ...]] = ()
