"""The law of project names: which names are one project, and which of them it goes by.

An alias says "NAME is another name of OF". It is an observation like any other, so it may arrive
in any order, from several machines that did not know of each other. What they add up to depends on
the set of them alone:

1. Of several aliases of one name the greatest counts (by the order of their events).
2. Where those that count lead round in a circle, the least of the circle does not.
3. A name's project is where following them ends. That name is the one it goes by.

So every name has exactly one project, none leads astray, and the last word on a name is the one
that counts. An alias of a name to itself says nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Alias(NamedTuple):
    """One statement, and the place of its event in the order of all."""

    order: tuple[int, bytes, int, bytes]
    """Stamp, log id, seq and hash."""
    name: str
    of: str


class ProjectNames:
    """What a set of aliases adds up to. Cost: O(n) to build, O(length of a chain) to ask."""

    def __init__(self, aliases: Iterable[Alias]) -> None:
        counting: dict[str, Alias] = {}
        for alias in sorted(aliases):
            if alias.name != alias.of:
                counting[alias.name] = alias
        self._next = {name: alias.of for name, alias in counting.items()}
        for circle in _circles(self._next):
            least = min(circle, key=lambda name: counting[name].order)
            del self._next[least]
        self._names: dict[str, list[str]] = {}
        for name in sorted(self._next):
            self._names.setdefault(self.project_of(name), []).append(name)

    def project_of(self, name: str) -> str:
        """The name that the project of ``name`` goes by; itself if no alias says otherwise."""
        while name in self._next:
            name = self._next[name]
        return name

    def next_of(self, name: str) -> str | None:
        """What the alias of a name says that it is another name of; None if none counts."""
        return self._next.get(name)

    def leads_to(self, name: str, other: str) -> bool:
        """Whether following the aliases of ``name`` one comes to ``other``."""
        while name != other and name in self._next:
            name = self._next[name]
        return name == other

    def aliases_of(self, project: str) -> tuple[str, ...]:
        """The other names of a project, in order; empty for a name that is none's own."""
        return tuple(self._names.get(project, ()))

    def names_of(self, name: str) -> tuple[str, ...]:
        """All names of the project that ``name`` belongs to, the one it goes by first."""
        project = self.project_of(name)
        return (project, *self.aliases_of(project))

    def __iter__(self) -> Iterator[str]:
        """The projects that have more than one name."""
        return iter(self._names)


def _circles(following: dict[str, str]) -> list[list[str]]:
    """The circles of a graph in which each name has at most one that follows."""
    circles = []
    seen: set[str] = set()
    for start in following:
        path: dict[str, None] = {}
        name = start
        while name in following and name not in seen and name not in path:
            path[name] = None
            name = following[name]
        if name in path:
            walked = list(path)
            circles.append(walked[walked.index(name) :])
        seen.update(path)
    return circles
