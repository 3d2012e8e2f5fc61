"""Asking hubs from the command line, before there is a node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import TransportError

if TYPE_CHECKING:
    from kioku.config.mesh import MeshConfig

_CLOSE_S: Final = 1.0


def spaces_of_hubs(config: MeshConfig, *, timeout_ms: int) -> list[str] | None:
    """The names of the spaces that the hubs have, ascending; None if no hub answers.

    Raises:
        ConfigError: if ``[zenoh]`` says what it may not.
    """
    from kioku.node.joining import read_offers
    from kioku.node.node import dial_zenoh
    from kioku.node.settings import settings_from

    try:
        transport = dial_zenoh(settings_from(config))
    except TransportError:
        return None
    try:
        answers = transport.ask_spaces(timeout_ms)
    except TransportError:
        return None
    finally:
        transport.close(_CLOSE_S)
    return sorted({offer.name for offer in read_offers(answers)}) if answers else None
