"""Claude Code takes the plugin directory, and runs what it says when a session begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.clients.stage import Check

CHECKS: list[Check] = []
