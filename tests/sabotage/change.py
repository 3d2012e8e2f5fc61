"""What one sabotage is."""

from __future__ import annotations

from typing import NamedTuple


class Change(NamedTuple):
    """One line of one file, made wrong, and the tests that must turn red."""

    what: str
    path: str
    old: str
    new: str
    tests: str


class Mutant(NamedTuple):
    """A change with its place in the list."""

    group: str
    number: int
    change: Change

    @property
    def name(self) -> str:
        """What the report calls it."""
        return f"{self.group}-{self.number}"
