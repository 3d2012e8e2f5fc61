"""Asking hubs from the command line, before there is a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kioku.config.mesh import MeshConfig


def spaces_of_hubs(config: MeshConfig, *, timeout_ms: int) -> list[str] | None:  # noqa: ARG001
    """The names of the spaces that the hubs have, ascending; None if no hub answers."""
    return None
