"""What ``search`` and ``list`` can be narrowed by, checked and put into the view's terms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict

from kioku.errors import InvalidArgumentError
from kioku.log import hlc
from kioku.observation import key_of, unix_ms
from kioku.view.filter import Filter, test_of_bodies
from kioku.view.schema import ALIAS

if TYPE_CHECKING:
    from kioku.observation import Observation

LIMIT_MAX: Final = 10_000
"""Results of one call: more than anybody reads, and room for a script."""

MODES: Final = ("or", "and", "and_or")

Names = str | Iterable[str] | None


class Filters(TypedDict, total=False):
    """What ``search`` and ``list`` can be narrowed by; None is not given.

    Of several values any one does, but for ``tags`` and ``extra``, which must all be there.
    ``since`` is inclusive and ``until`` exclusive; both compare stamps, which every machine reads
    alike, and ``created_since`` and ``created_until`` the ``created_at`` that people see.
    ``source_file`` is a path or its last parts, ``reference`` a whole one or, with ``*`` behind it,
    how it begins, ``subject`` a part of it, ``supersedes`` the id of what the wanted ones replace;
    ``expires`` says whether they have an end. ``include_aliases`` adds what says that a project has
    another name (``Memory.projects`` shows them).
    """

    memory_type: Names
    tags: Names
    agent_family: Names
    client_id: Names
    host: Names
    session_id: Names
    since: datetime | None
    until: datetime | None
    importance: int | None
    source_file: Names
    reference: Names
    subject: str | None
    supersedes: str | None
    expires: bool | None
    created_since: datetime | None
    created_until: datetime | None
    extra: Mapping[str, Any] | None
    include_superseded: bool
    include_aliases: bool


def make_filter(project: Names, given: Mapping[str, Any]) -> Filter:
    """Check what a caller wants to see and put it in the view's terms.

    Raises:
        InvalidArgumentError: if a filter is unknown or of the wrong kind.
    """
    unknown = given.keys() - Filters.__optional_keys__
    if unknown:
        raise InvalidArgumentError(f"{min(unknown)}: is no filter of a search")
    chosen = {"project": project, **given}
    values = {}
    for name, value in chosen.items():
        if value is not None:
            field, check = _CHECKS[name]
            values[field] = check(name, value)
    return Filter(**values)


def names(name: str, value: object) -> tuple[str, ...]:
    """Check one text or several; empty ones count as not given."""
    if isinstance(value, str):
        value = (value,)
    if not isinstance(value, Iterable):
        raise InvalidArgumentError(f"{name}: is neither a text nor a list of texts")
    found = tuple(text for one in value if (text := _text(name, one)))
    if len(found) > NAMES_MAX:
        raise InvalidArgumentError(f"{name}: more than {NAMES_MAX} values")
    return found


def check_search(query: object, *, limit: object, mode: object) -> None:
    """Refuse what is no search at all; any text is a query."""
    check_limit(limit)
    if not isinstance(query, str):
        raise InvalidArgumentError(f"query: {type(query).__name__} is not text")
    if mode not in MODES:
        raise InvalidArgumentError(f"mode: {mode!r} is none of {', '.join(MODES)}")


def check_limit(limit: object) -> None:
    """Refuse a number of results that is none, or more than anybody can read."""
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= LIMIT_MAX:
        raise InvalidArgumentError(f"limit: {limit!r} is not a number from 1 to {LIMIT_MAX:,}")


def is_wanted(observation: Observation, body: bytes, wanted: Filter) -> bool:
    """The view's filter, asked of an observation that has no record (its stamp apart)."""
    test = test_of_bodies(wanted)
    return (
        all(
            not getattr(wanted, field) or getattr(observation, name) in getattr(wanted, field)
            for name, field in _COLUMNS
        )
        and set(wanted.tags) <= set(observation.tags)
        and (wanted.importance is None or observation.importance >= wanted.importance)
        and (wanted.supersedes is None or wanted.supersedes.hex() in observation.supersedes)
        and wanted.expires in (None, observation.expires_at is not None)
        and (wanted.shows_aliases or ALIAS not in observation.tags)
        and (test is None or test(body))
    )


NAMES_MAX: Final = 64  # as many as an observation has tags
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or (not value.isascii() and _SURROGATE.search(value)):
        raise InvalidArgumentError(f"{name}: is not text")
    return value


def _optional_text(name: str, value: object) -> str | None:
    return _text(name, value) or None


def _importance(name: str, value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= 5:
        raise InvalidArgumentError(f"{name}: {value!r} is not a number from 1 to 5")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgumentError(f"{name}: is neither True nor False")
    return value


def _ms(name: str, moment: object) -> int:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InvalidArgumentError(f"{name}: is not a datetime with a time zone")
    return max(0, unix_ms(moment))


def _stamp(name: str, moment: object) -> int:
    return min(hlc.pack(_ms(name, moment)), hlc.STAMP_LIMIT - 1)


def _key(name: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"{name}: is not an id")
    return key_of(value, name)


def _extra(name: str, value: object) -> tuple[tuple[str, Any], ...]:
    if not isinstance(value, Mapping):
        raise InvalidArgumentError(f"{name}: is not a dict of names and values")
    return tuple((_text(name, key), item) for key, item in value.items())


_CHECKS: Final[dict[str, tuple[str, Callable[[str, object], Any]]]] = {
    "project": ("projects", names),
    "memory_type": ("memory_types", names),
    "tags": ("tags", names),
    "agent_family": ("agent_families", names),
    "client_id": ("client_ids", names),
    "host": ("hosts", names),
    "session_id": ("session_ids", names),
    "since": ("since", _stamp),
    "until": ("until", _stamp),
    "importance": ("importance", _importance),
    "source_file": ("source_files", names),
    "reference": ("references", names),
    "subject": ("subject", _optional_text),
    "supersedes": ("supersedes", _key),
    "expires": ("expires", _flag),
    "created_since": ("created_since", _ms),
    "created_until": ("created_until", _ms),
    "extra": ("extra", _extra),
    "include_superseded": ("include_superseded", _flag),
    "include_aliases": ("include_aliases", _flag),
}
_COLUMNS: Final = (
    ("project", "projects"),
    ("memory_type", "memory_types"),
    ("agent_family", "agent_families"),
    ("client_id", "client_ids"),
    ("host", "hosts"),
    ("session_id", "session_ids"),
)
