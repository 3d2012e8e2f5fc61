"""Private parts: what stands between ``<private>`` and ``</private>`` is never stored.

Whatever the case, over as many lines as it likes, one within another. A part that is never closed
is an error: to store it would break the promise, and to drop all that follows would lose what was
meant to be kept. A closing tag by itself is text.
"""

from __future__ import annotations

import re
from typing import Final

from kioku.errors import InvalidObservationError

PRIVATE_MARK: Final = "[private]"
"""What stands where a private part was, so that a reader knows that something is missing."""

_TAG: Final = re.compile(r"<(/?)private(?:\s[^<>]{0,200})?(?<!/)>", re.IGNORECASE)


def private_parts(field: str, text: str) -> list[tuple[int, int]]:
    """Give the parts, tags included, from start to end; ``field`` is what an error names.

    Raises:
        InvalidObservationError: if one is never closed.
    """
    parts: list[tuple[int, int]] = []
    open_at: list[int] = []
    for tag in _TAG.finditer(text):
        if not tag[1]:
            open_at.append(tag.start())
        elif open_at:
            start = open_at.pop()
            if not open_at:
                parts.append((start, tag.end()))
    if open_at:
        raise InvalidObservationError(
            field, f"<private> at character {open_at[0]:,} is never closed; close it by </private>"
        )
    return parts
