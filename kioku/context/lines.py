"""An observation as one line that stored text cannot break out of.

The rule this module guards: whoever wrote a note decides what it says and nothing about where it
stands. Each note is one line that begins with ``- ``, so it cannot be a heading, a fence or another
note; no character of it is invisible or turns a line around; and nothing in it can open or close a
tag. What says where a note comes from stands before its text, where the text cannot pretend to it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kioku.context.tokens import cut
from kioku.wording import origin

if TYPE_CHECKING:
    from kioku.observation import Observation

TEXT_TOKENS_MAX: Final = 40  # two lines of a terminal: what it is about, not all of it
NAME_TOKENS_MAX: Final = 12  # of who saved it, and of a project
ID_DIGITS: Final = 8  # of 32: a prefix that one in 100,000 others shares once in 40,000 times

_SCANNED_MAX: Final = 4_000  # characters of a content that may be 768 KiB
_JOINERS: Final = "\u200c\u200d"  # invisible, and part of words and of emoji
_TAG: Final = re.compile(r"<(?=[^\s<=0-9-])")  # ``a < b``, ``<=``, ``<-`` and ``<<`` stay


def harmless(text: str, tokens: int) -> str:
    """Give the beginning of a stored text as a part of one line that can do nothing."""
    text = text[:_SCANNED_MAX]
    if not text.isprintable():
        text = "".join(c if c.isprintable() or c in _JOINERS else " " for c in text)
    return cut(_TAG.sub("&lt;", " ".join(text.split())), tokens)


def line_of(observation: Observation, *, is_marked: bool, names_project: bool) -> str:
    """Give the one line of an observation: its id, what it is, when, by whom, and what it says."""
    who = origin(observation.agent_family, observation.client_id, observation.host)
    assert observation.updated_at is not None  # it comes from a store
    parts = [
        f"- {observation.id[:ID_DIGITS]}",
        f"[{harmless(observation.memory_type, NAME_TOKENS_MAX)} {observation.importance}]",
        f"{observation.updated_at:%Y-%m-%d}",
        harmless(who, NAME_TOKENS_MAX),
    ]
    if names_project and observation.project:
        parts.append(f"in {harmless(observation.project, NAME_TOKENS_MAX)}")
    if is_marked:
        parts.append("(new)")
    if observation.versions > 1:
        parts.append(f"({observation.versions} versions)")
    return f"{' '.join(parts)}: {harmless(_text_of(observation), TEXT_TOKENS_MAX)}"


def _text_of(observation: Observation) -> str:
    """What it says in short: its subject, and its summary or else its content.

    What looks to hold a credential is not put before a model unasked.
    """
    if observation.secrets:
        return f"(not shown: it looks to hold {', '.join(observation.secrets)})"
    said = observation.summary or observation.content
    return f"{observation.subject}: {said}" if observation.subject else said
