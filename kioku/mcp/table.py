"""The forms in which tools, resources and prompts are described: tables that no SDK knows of.

``server`` turns them into the protocol's words. A tool is a plain function over a ``Desk``; its
named parameters, with ``Annotated[kind, Field(description=…, le=…)]``, become the input schema, and
the type of what its ``Result`` holds becomes the output schema. It runs in a thread, may block, and
raises a ``KiokuError`` to fail: the error's own words are what the agent reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kioku.mcp.desk import Desk

S = TypeVar("S")

PROFILES: Final = frozenset({"agent", "read-only", "all"})
"""The values of ``--tools``: what an agent needs, what changes nothing, everything."""


@dataclass(frozen=True, slots=True)
class Result(Generic[S]):
    """What a tool answers, twice: some clients show the model the one, some the other.

    ``structured`` is a frozen dataclass: a field that has its default value is left out of what is
    sent, and is not required by the schema. ``text`` stands alone.
    """

    structured: S
    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool: ``function(desk, *, …) -> Result[…]``, and what clients are told of it.

    ``profiles`` are the values of ``--tools`` that offer it. ``left_out`` are arguments that other
    memories take: they are accepted and change nothing, and the sentence is put before the text
    and the ``notes`` of the structure, if it has any.
    ``refused`` are some that would change what a caller relies on: the sentence is the error.
    """

    name: str
    function: Callable[..., Result[Any]]
    title: str
    description: str
    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool
    profiles: frozenset[str]
    left_out: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """Something to read: ``read(desk)``, or ``read(desk, value)`` where the uri ends in ``{name}``.

    The value is what stands there, unquoted. ``complete(desk, begin)`` gives values to choose from.
    An unknown value is a ``NotFoundError``.
    """

    uri: str
    read: Callable[..., str]
    name: str
    title: str
    description: str
    mime_type: str = "text/markdown"
    complete: Callable[[Desk, str], list[str]] | None = None

    @property
    def is_template(self) -> bool:
        """Whether its uri ends in a variable."""
        return self.uri.endswith("}")


@dataclass(frozen=True, slots=True)
class PromptArgument:
    """One argument of a prompt: a text; ``complete`` as of a resource."""

    name: str
    description: str
    required: bool = False
    complete: Callable[[Desk, str], list[str]] | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt: ``write(desk, **arguments)`` gives what the user would say.

    ``profiles`` are those that have the tools which it speaks of.
    """

    name: str
    write: Callable[..., str]
    title: str
    description: str
    arguments: tuple[PromptArgument, ...] = ()
    profiles: frozenset[str] = PROFILES
