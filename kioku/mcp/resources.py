"""Resources: what a client can read without asking a tool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kioku.mcp.table import Resource

RESOURCES: Final[tuple[Resource, ...]] = ()
