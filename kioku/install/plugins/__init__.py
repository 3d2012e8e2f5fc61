"""Plugins as their clients read them; this directory is the marketplace that they come from.

``claude-code`` holds the hook for the start of a session, the MCP server, and a skill that says how
the memory is used. Its commands are looked for on ``PATH``; ``kioku mcp install --hooks`` writes
whole paths instead.
"""

from __future__ import annotations

import os
from typing import Final

DIRECTORY: Final = os.path.dirname(os.path.abspath(__file__))
