"""What may be the name of a project that nobody typed."""

from __future__ import annotations

from typing import Final

PROJECT_LENGTH_MAX: Final = 128  # characters: an owner and a name fit well
PRESENT: Final = "."  # what people type for "the project that I am in"


def is_project_name(text: str) -> bool:
    """Whether it can be a detected name: one printable line, and not the word for the present."""
    is_plain = text.isprintable() and text == text.strip() and text != PRESENT
    return is_plain and 0 < len(text) <= PROJECT_LENGTH_MAX
