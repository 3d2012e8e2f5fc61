"""What the tools give, as values: their types are the output schemas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a save."""

    id: str
    project: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One observation of a result."""

    id: str
    content: str
    origin: str
    project: str = ""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a search found, the best first."""

    hits: list[Found]


@dataclass(frozen=True, slots=True)
class Status:
    """How the memory stands."""

    space: str
    session_id: str
    agent_family: str
    client_id: str
    pc_id: str
    project: str
    observations: int
