"""All texts of an observation, each with where it stands: ``content``, ``tags[0]``, ``extra``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kioku.secrets.detection import find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.observation import Observation

TEXTS: Final = (
    "content",
    "project",
    "subject",
    "summary",
    "agent_family",
    "client_id",
    "host",
    "session_id",
)
LISTS: Final = ("tags", "source_files", "references")
NESTED: Final = ("extra", "unknown")


def texts_of(observation: Observation) -> Iterator[tuple[str, str]]:
    """Give the field and the text of each."""
    for name in TEXTS:
        yield name, getattr(observation, name)
    for name in LISTS:
        for number, text in enumerate(getattr(observation, name)):
            yield f"{name}[{number}]", text
    for name in NESTED:
        for text in _within(getattr(observation, name)):
            yield name, text


def _within(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _within(name)
            yield from _within(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _within(item)


def kinds_in(observation: Observation) -> tuple[str, ...]:
    """Give the kinds of credentials that an observation looks to hold, each once."""
    found = (one.kind for _, text in texts_of(observation) for one in find(text))
    return tuple(dict.fromkeys(found))
