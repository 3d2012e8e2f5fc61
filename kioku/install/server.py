"""The server as it is registered, whatever the client: its name, its command, its environment."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

NAME: Final = "kioku"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class Server(NamedTuple):
    """One server of a client's config.

    ``command`` is the whole command line, the program first.
    """

    name: str
    command: tuple[str, ...]
    environ: dict[str, str]


def is_name(name: str) -> bool:
    """Whether every client takes this for a server's name."""
    return bool(_NAME.fullmatch(name))
