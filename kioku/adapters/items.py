"""Items in a memory: values that are put under a name, as agent frameworks keep them.

An item is an observation like any other: its value is the content, and its path (the labels of its
namespace, then its key) the subject and a reference. Who searches the memory finds it too.

The rule this module guards: **whichever machines put an item, all show the same value of it**. An
observation's id is drawn, never made of a name, so two machines that put the same item at once make
two observations. Of those that say the same name the greatest event counts, everywhere; the next
put replaces it and deletes the others, and a deletion deletes all (docs/adr/0094). Reading writes
nothing: it would be an event, and could let an older value win over somebody's put.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import InvalidArgumentError, InvalidObservationError, NotFoundError
from kioku.memory.filters import LIMIT_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from dataclasses import replace
    from datetime import datetime

    from kioku.memory import Memory
    from kioku.observation import Observation
else:
    from kioku.values import replace

FIRST_PAGE: Final = 100
"""So many are read before any is looked at; then ten times as many, and so on."""

_PATH_BYTES_MAX: Final = 1_000  # a reference has room for it; longer ones are told apart by extra
_UNSTORABLE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_ESCAPED: Final = re.compile("[%/*]")
_OLDER: Final = "another machine put the same item"
_ATTEMPTS: Final = 5


class Name(NamedTuple):
    """What machines know an item by."""

    namespace: tuple[str, ...]
    key: str

    @property
    def path(self) -> str:
        """Its place as people read it, cut to what a reference holds."""
        return _cut("/".join(map(_escape, (*self.namespace, self.key))))


class Put(NamedTuple):
    """What an item becomes."""

    content: str
    expires_at: datetime | None


class Found(NamedTuple):
    """An item as a search gives it."""

    name: Name
    observation: Observation
    score: float | None = None


class Items:
    """The items of one framework in one project; each call is given the memory they are in."""

    def __init__(self, scheme: str, *, project: str, memory_type: str) -> None:
        """``scheme`` begins each reference, and names the extra field that says the name."""
        self._scheme = scheme
        self._project = project
        self._memory_type = memory_type

    def find(self, memory: Memory, name: Name) -> list[Observation]:
        """Give the observations that say this name, first the one that counts."""
        listed = self._listed(memory, name.path, LIMIT_MAX)
        found = [one for one in listed if self._name_of(one) == name]
        return sorted(found, key=lambda one: one.is_held)  # stable: the greatest event first

    def newest(
        self, memory: Memory, prefix: tuple[str, ...], enough: int = LIMIT_MAX
    ) -> Iterator[Found]:
        """Give the items below a namespace, the newest change first; ``enough`` will be taken."""
        seen: set[Name] = set()
        for one in self._pages(memory, _below(prefix), max(enough, FIRST_PAGE)):
            name = self._name_of(one)
            if name is None or name in seen or name.namespace[: len(prefix)] != prefix:
                continue
            seen.add(name)
            # What is held counts only where nothing else says its name.
            for known in self.find(memory, name)[:1] if one.is_held else (one,):
                yield Found(name, known)

    def ranked(self, memory: Memory, prefix: tuple[str, ...], words: str) -> Iterator[Found]:
        """Give the items below a namespace that have the words, the best first.

        One whose words only a value had that no longer counts is none of them.
        """
        seen: set[str] = set()
        for size in (FIRST_PAGE, LIMIT_MAX):
            hits = memory.search(
                words,
                project=self._project,
                reference=f"{self._scheme}:{_below(prefix)}",
                include_superseded=True,
                limit=size,
            )
            for hit in hits:
                one = hit.observation
                name = self._name_of(one)
                if name is None or one.id in seen or name.namespace[: len(prefix)] != prefix:
                    continue
                seen.add(one.id)
                if [known.id for known in self.find(memory, name)[:1]] == [one.id]:
                    yield Found(name, one, hit.score)
            if len(hits) < size:
                return

    def write(self, memory: Memory, puts: Mapping[Name, Put | None]) -> None:
        """Put items, 1,000 a transaction, then delete: those of None, and what was put over.

        Raises:
            InvalidObservationError: if one cannot be saved; then nothing was written.
        """
        deletions: list[tuple[str, str]] = []
        for attempt in range(_ATTEMPTS):
            saves, deletions = self._planned(memory, puts)
            try:
                memory.save_many(saves)
                break
            except InvalidObservationError as error:
                if error.field != "id" or attempt == _ATTEMPTS - 1:
                    raise  # else it was purged just now: what is put then is a new one
        for known, reason in deletions:
            with suppress(NotFoundError):  # somebody else did it meanwhile
                memory.delete(known, reason=reason)

    def _planned(
        self, memory: Memory, puts: Mapping[Name, Put | None]
    ) -> tuple[list[Any], list[tuple[str, str]]]:
        """What is saved, and the ids that are deleted behind it, with the reason."""
        saves: list[Any] = []
        deletions: list[tuple[str, str]] = []
        for name, put in puts.items():
            known = self.find(memory, name)
            if put is None:
                deletions += [(one.id, "") for one in known]
                continue
            saves.append(replace(known[0], **put._asdict()) if known else self._new(name, put))
            deletions += [(one.id, _OLDER) for one in known[1:]]
        return saves, deletions

    def _new(self, name: Name, put: Put) -> dict[str, Any]:
        return {
            **put._asdict(),
            "project": self._project,
            "memory_type": self._memory_type,
            "subject": name.path,
            "references": [f"{self._scheme}:{name.path}"],
            "extra": {self._scheme: {"namespace": list(name.namespace), "key": name.key}},
        }

    def _name_of(self, observation: Observation) -> Name | None:
        """Which item an observation is, if it is one."""
        told = observation.extra.get(self._scheme)
        if not isinstance(told, Mapping):
            return None
        labels, key = told.get("namespace"), told.get("key")
        if not isinstance(labels, list) or not isinstance(key, str):
            return None
        return Name(tuple(map(str, labels)), key)

    def _listed(self, memory: Memory, path: str, limit: int, **more: Any) -> list[Observation]:
        """An item counts whatever else says that it supersedes it."""
        return memory.list(
            project=self._project,
            reference=f"{self._scheme}:{path}",
            include_superseded=True,
            limit=limit,
            **more,
        )

    def _pages(self, memory: Memory, path: str, size: int) -> Iterator[Observation]:
        """The newest first, as far as somebody asks: a page, then a larger one of what is older."""
        seen: set[str] = set()
        until: datetime | None = None
        while True:
            size = min(size, LIMIT_MAX)
            page = self._listed(memory, path, size, until=until)
            fresh = [one for one in page if one.id not in seen]
            yield from fresh
            if len(page) < size:
                return
            if not fresh and size == LIMIT_MAX:
                raise InvalidArgumentError(
                    f"namespace: over {LIMIT_MAX:,} items of one millisecond; ask for one below"
                )
            seen.update(one.id for one in fresh)
            last = page[-1].updated_at
            assert last is not None, "what is stored has a stamp"
            until, size = last + timedelta(milliseconds=1), size * 10


def check_text(field: str, text: str) -> None:
    """Refuse a name that no observation can say.

    Raises:
        InvalidArgumentError: if it holds a control character, or half a character.
    """
    found = _UNSTORABLE.search(text)
    if found is not None:
        raise InvalidArgumentError(
            f"{field}: has the character U+{ord(found[0]):04X}, which is not stored; leave it out"
        )


def _below(prefix: tuple[str, ...]) -> str:
    """What the paths below a namespace begin with."""
    return _cut("".join(f"{_escape(label)}/" for label in prefix)) + "*"


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def _cut(path: str) -> str:
    return path.encode()[:_PATH_BYTES_MAX].decode(errors="ignore")
