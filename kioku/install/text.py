"""What the three formats have in common: their one error, and how a text ends its lines."""

from __future__ import annotations


class TextError(Exception):
    """A text is not what it should be, or cannot be changed there; says why, without its name."""


def newline_of(text: str) -> str:
    """How most lines of a text end."""
    returns = text.count("\r\n")
    return "\r\n" if returns * 2 > text.count("\n") else "\n"
