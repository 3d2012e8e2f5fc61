"""What a person wants saved: typed, or read from standard input when they typed ``-``."""

from __future__ import annotations

import sys

from kioku.errors import InvalidObservationError, TooLargeError
from kioku.observation.layout import CONTENT_BYTES_MAX


def content_of(typed: str) -> str:
    """The content; ``-`` stands for standard input, without its last line break."""
    return from_standard_input() if typed == "-" else typed


def from_standard_input() -> str:
    """Read UTF-8 text; Windows line ends and a byte order mark are taken as what they mean.

    Raises:
        InvalidObservationError: it is not UTF-8, or more than an observation can hold; no more
            than that is read.
    """
    if sys.stdin is None:
        raise InvalidObservationError("content", "standard input is closed")
    # A byte order mark and a final \r\n may come on top of the largest content.
    data = sys.stdin.buffer.read(CONTENT_BYTES_MAX + 6)
    if len(data) > CONTENT_BYTES_MAX + 5:
        raise TooLargeError("content", len(data), CONTENT_BYTES_MAX)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidObservationError(
            "content",
            f"standard input is not valid UTF-8 (byte {error.start:,}); convert it first",
        ) from error
    return text.replace("\r\n", "\n").removesuffix("\n")
