"""Several spaces at once: which there are, and one search over some of them.

The rule this module guards: **what was asked for is what was searched**. A space that is not there
or cannot be read ends the call with an error that names it; no result is ever silently missing. A
private space takes part only when it is named: what an agent is shown has left the machine.

The scores of two stores cannot be compared (how rare a word is, BM25 counts within one store), but
places can: hits are merged by reciprocal rank (Cormack et al. 2009; docs/adr/0056), so the answer
is a function of what each store would answer alone.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from heapq import merge
from typing import TYPE_CHECKING, Any, Final

from kioku.config import ALL_SPACES, is_space, load_settings, store_path
from kioku.errors import InvalidArgumentError, SpaceError, StoreError
from kioku.log.glance import is_private_store
from kioku.memory.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from kioku.config import Settings
    from kioku.memory.facade import Memory
    from kioku.memory.hit import Hit
    from kioku.observation import Observation

SPACES_MAX: Final = 32
"""Spaces of one call: each is an open file, and a search of its own."""
RANK_OFFSET: Final = 60
"""Of reciprocal rank fusion, as its authors found it: how little the first places differ."""
_SUFFIX: Final = ".db"


@dataclass(frozen=True, slots=True)
class Space:
    """A space that has a store here; ``problem`` says why that cannot be read, ``""`` if it can."""

    name: str
    path: str
    file_bytes: int
    is_private: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SpaceHit:
    """A hit of a search over several spaces: where it was found, and its score among all of them.

    ``hit.score`` still is the one within its own space.
    """

    space: str
    hit: Hit
    score: float


@dataclass(frozen=True, slots=True)
class SpaceObservation:
    """One of a list over several spaces, and where it is."""

    space: str
    observation: Observation


class Spaces:
    """Some spaces, open for reading; ``kioku.open_spaces`` gives it, its ``with`` ends it.

    ``names`` are those of the spaces, ascending.
    """

    def __init__(self, memories: dict[str, Memory]) -> None:
        """Take over open memories by their spaces' names."""
        self._memories = memories
        self.names = tuple(memories)

    def search(self, query: str = "", *, limit: int = 10, **options: Any) -> list[SpaceHit]:
        """Find observations in all of them, the best first; ``options`` are ``Memory.search``'s.

        A hit of place n in its own space scores ``1 / (60 + n)``; as everywhere, hits that hold
        none of the words come last. Equal ones put the newer first, then go by the space's name.

        Raises:
            InvalidArgumentError: as from ``Memory.search``.
            SpaceError: if one of them cannot be read.
        """
        found = {}
        for name, memory in self._memories.items():
            with _named(name):
                found[name] = memory.search(query, limit=limit, **options)
        return fuse(found)[:limit]

    def list(self, *, limit: int = 100, **options: Any) -> list[SpaceObservation]:
        """Give the newest of all of them; ``options`` are ``Memory.list``'s.

        Raises:
            InvalidArgumentError: as from ``Memory.list``.
            SpaceError: if one of them cannot be read.
        """
        lists = []
        for name, memory in self._memories.items():
            with _named(name):
                shown = memory.list(limit=limit, **options)
            lists.append([SpaceObservation(name, observation) for observation in shown])
        merged = merge(*lists, key=lambda one: _changed_s(one.observation), reverse=True)
        return [one for one, _ in zip(merged, range(limit), strict=False)]

    def close(self) -> None:
        """Close the stores; safe to call twice."""
        for memory in self._memories.values():
            memory.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def spaces() -> list[Space]:
    """Give every space that has a store in the state directory, by name; opens none of them.

    Raises:
        ConfigError: if a setting cannot be used.
    """
    return spaces_of(load_settings(os.environ))


def spaces_of(settings: Settings) -> list[Space]:
    """Give every space that has a store where ``settings`` say."""
    return [_space(settings, name) for name in names_of(settings)]


def names_of(settings: Settings) -> list[str]:
    """Give the names of the spaces that have a store, ascending; looks at no store."""
    try:
        files = os.listdir(settings.state_dir)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"{settings.state_dir}: {error.strerror}; make it readable") from error
    names = (file.removesuffix(_SUFFIX) for file in files if file.endswith(_SUFFIX))
    return sorted(name for name in names if is_space(name))


def open_spaces(names: Iterable[str] | None = None) -> Spaces:
    """Open several spaces at once, to search them together.

    Args:
        names: the spaces; ``all`` stands for every space that is there and not private, and so
            does None. A private one must be named.

    Raises:
        ConfigError: if one is not a space name, or a setting cannot be used.
        SpaceError: if one is not there, or cannot be read.
    """
    if isinstance(names, str):
        raise InvalidArgumentError(f"names: {names!r} is one text; give a list of names")
    settings = load_settings(os.environ)
    chosen = _chosen(settings, (ALL_SPACES,) if names is None else tuple(names))
    with ExitStack() as opened:
        memories = {}
        for name in chosen:
            path = store_path(settings.state_dir, name)
            with _named(name):
                if not os.path.exists(path):
                    raise StoreError(f"{path} is not there; `kioku spaces` shows those that are")
                memories[name] = open_store(path, settings, space=name)
            opened.callback(memories[name].close)
        opened.pop_all()
    return Spaces(memories)


def _chosen(settings: Settings, names: Sequence[str]) -> list[str]:
    chosen = {name for name in names if name != ALL_SPACES}
    if ALL_SPACES in names:
        chosen |= {name for name in names_of(settings) if not _is_private(settings, name)}
    if len(chosen) > SPACES_MAX:
        raise InvalidArgumentError(f"{len(chosen)} spaces at once; name at most {SPACES_MAX}")
    return sorted(chosen)


def _is_private(settings: Settings, name: str) -> bool:
    with _named(name):
        return is_private_store(store_path(settings.state_dir, name))


def _space(settings: Settings, name: str) -> Space:
    path = store_path(settings.state_dir, name)
    try:
        is_private, problem = is_private_store(path), ""
    except StoreError as error:
        is_private, problem = False, str(error)
    try:
        size = os.path.getsize(path)
    except OSError:
        size = 0
    return Space(name, path, size, is_private, problem)


def fuse(found: Mapping[str, Sequence[Hit]]) -> list[SpaceHit]:
    """Merge what each space answered, the best first, into one order of all of it."""
    hits = [
        SpaceHit(space, hit, 1 / (RANK_OFFSET + place))
        for space, answer in found.items()
        for place, hit in enumerate(answer, 1)
    ]
    return sorted(hits, key=_order)


def _order(found: SpaceHit) -> tuple[bool, float, float, str]:
    changed_s = _changed_s(found.hit.observation)
    return (found.hit.is_substring, -found.score, -changed_s, found.space)


def _changed_s(observation: Observation) -> float:
    assert observation.updated_at is not None  # it comes from a store
    return observation.updated_at.timestamp()


@contextmanager
def _named(space: str) -> Iterator[None]:
    """Say of which space an error of a store is."""
    try:
        yield
    except StoreError as error:
        raise SpaceError(space, str(error)) from error
