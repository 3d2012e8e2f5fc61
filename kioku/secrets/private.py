"""Private parts: what stands between ``<private>`` and ``</private>`` is never stored.

Whatever the case, over as many lines as it likes, one within another. A part that is never closed
is an error: to store it would break the promise, and to drop all that follows would lose what was
meant to be kept. A closing tag by itself is text, and so is an opening one that nothing closes and
that stands in code quotes by itself, as in this sentence's ``<private>``: who writes so names it.
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
    tags = list(_TAG.finditer(text))
    parts, unclosed = _paired(tags)
    if meant := [tag for tag in unclosed if not _is_quoted(tag)]:
        at = meant[0].start()
        raise InvalidObservationError(
            field, f"<private> at character {at:,} is never closed; close it by </private>"
        )
    if not unclosed:
        return parts
    named = {tag.start() for tag in unclosed}  # a part that stands behind one is no part of it
    return _paired([tag for tag in tags if tag.start() not in named])[0]


def _paired(tags: list[re.Match[str]]) -> tuple[list[tuple[int, int]], list[re.Match[str]]]:
    """Give the outermost parts, and the opening tags that nothing closes."""
    parts: list[tuple[int, int]] = []
    opened: list[re.Match[str]] = []
    for tag in tags:
        if not tag[1]:
            opened.append(tag)
        elif opened:
            start = opened.pop().start()
            if not opened:
                parts.append((start, tag.end()))
    return parts, opened


def _is_quoted(tag: re.Match[str]) -> bool:
    text, start, end = tag.string, tag.start(), tag.end()
    return text[max(start - 1, 0) : start] == "`" == text[end : end + 1]
