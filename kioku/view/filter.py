"""Which observations are wanted: a value, and the test of those parts that only bodies can answer.

The thin record answers for most of a filter (``scope``). Source files, references, the subject, the
writer's own time and extra stand in the body alone: ``needles`` are bytes that any wanted body
holds, which SQLite looks for quickly, and ``wants`` is asked of the few that hold them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.observation import reread_fields
from kioku.view.schema import ALIAS
from kioku.view.text import lower_ascii

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Test = Callable[[Mapping[int, Any]], bool]


class Filter(NamedTuple):
    """Which observations are wanted; None and empty mean any, of several values any one does."""

    projects: tuple[str, ...] = ()
    memory_types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """All of them."""
    agent_families: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    session_ids: tuple[str, ...] = ()
    since: int | None = None
    """The least stamp, inclusive."""
    until: int | None = None
    """The greatest stamp, exclusive."""
    importance: int | None = None
    """The least."""
    supersedes: bytes | None = None
    """A key: only what says that it replaces this one."""
    expires: bool | None = None
    """Whether it has an end."""
    source_files: tuple[str, ...] = ()
    """Whole paths, or their last parts."""
    references: tuple[str, ...] = ()
    """Whole ones, or with ``*`` at the end how they begin."""
    subject: str | None = None
    """A part of the subject; the case of A to Z does not count."""
    created_since: int | None = None
    """The writer's clock in milliseconds, inclusive."""
    created_until: int | None = None
    """The same, exclusive."""
    extra: tuple[tuple[str, Any], ...] = ()
    """Names and their values, all of them."""
    include_superseded: bool = False
    include_aliases: bool = False
    """Also what says that a project has another name; else only who asks for its tag sees it."""

    @property
    def shows_aliases(self) -> bool:
        """Whether aliases of projects are among what is wanted."""
        return self.include_aliases or ALIAS in self.tags


NO_FILTER: Final = Filter()


def needles(filter: Filter) -> list[str]:
    """Texts that stand as they are in any wanted body, as far as one can tell."""
    found = [name for name, _ in filter.extra]
    found += [path.strip("/") for path in filter.source_files if len(filter.source_files) == 1]
    found += [start_of(one) for one in filter.references if len(filter.references) == 1]
    return [text for text in found if text]


def start_of(reference: str) -> str:
    """What a wanted reference begins with, if it may go on; else all of it."""
    return reference.removesuffix("*")


def test_of_bodies(filter: Filter) -> Callable[[bytes], bool] | None:
    """Give the test of a body that was accepted before; None if the filter asks nothing of it."""
    tests = [make(value) for name, make in _TESTS if (value := getattr(filter, name)) not in _UNSET]
    if not tests:
        return None

    def wants(body: bytes) -> bool:
        fields = reread_fields(body)
        return all(test(fields) for test in tests)

    return wants


_UNSET: Final = (None, ())


def _source_files(wanted: tuple[str, ...]) -> Test:
    ends = tuple(f"/{path.strip('/')}" for path in wanted)
    return lambda fields: any(f"/{path}".endswith(ends) for path in fields.get(8, ()))


def _references(wanted: tuple[str, ...]) -> Test:
    whole = set(wanted)
    starts = tuple(start_of(one) for one in wanted if one.endswith("*"))
    return lambda fields: any(one in whole or one.startswith(starts) for one in fields.get(9, ()))


def _subject(wanted: str) -> Test:
    needle = lower_ascii(wanted)
    return lambda fields: needle in lower_ascii(fields.get(6, ""))


def _created_since(least: int) -> Test:
    return lambda fields: fields.get(15, -1) >= least


def _created_until(limit: int) -> Test:
    return lambda fields: 0 <= fields.get(15, -1) < limit


def _extra(wanted: tuple[tuple[str, Any], ...]) -> Test:
    def has_all(fields: Mapping[int, Any]) -> bool:
        extra = fields.get(17, {})
        return all(name in extra and _is_same(extra[name], value) for name, value in wanted)

    return has_all


def _is_same(one: object, other: object) -> bool:
    """Whether two JSON values are equal; True is not 1, as it is in Python."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


_TESTS: Final[tuple[tuple[str, Callable[[Any], Test]], ...]] = (
    ("source_files", _source_files),
    ("references", _references),
    ("subject", _subject),
    ("created_since", _created_since),
    ("created_until", _created_until),
    ("extra", _extra),
)
