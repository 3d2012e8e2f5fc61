"""What a context is: values, frozen, that hold no store open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass
    from datetime import datetime

    from kioku.observation import Observation
else:
    from kioku.values import dataclass


@dataclass(frozen=True, slots=True)
class ContextNote:
    """One observation that an agent is told of.

    Attributes:
        observation: the whole of it.
        is_new: whether somebody else added it since the last time.
        line: what the text says of it, on one line.
    """

    observation: Observation
    is_new: bool
    line: str


@dataclass(frozen=True, slots=True)
class ContextSection:
    """Some notes of a kind, the most important first.

    Attributes:
        name: ``decisions``, ``threads`` or ``news``.
        title: what the text calls it.
        notes: those that fit the budget.
        has_more: whether there are more than these.
    """

    name: str
    title: str
    notes: tuple[ContextNote, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Context:
    """What an agent should know when it starts.

    Attributes:
        text: all of it, to be put before a model; empty if there is nothing to tell.
        tokens: how long the text is, its last line break included; never more than the budget.
        budget: how long it might have been.
        project: the project that was asked for; ``""`` for all.
        since: what counts as new came after this; None if who asks was never here before.
        sections: decisions, threads and news, each maybe empty.
    """

    text: str
    tokens: int
    budget: int
    project: str
    since: datetime | None
    sections: tuple[ContextSection, ...]
