"""Secrets of many lines: private keys, whole; and credentials that base64 wraps."""

from __future__ import annotations

import re
from binascii import Error, a2b_base64
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PRIVATE_KEY: Final = "private key"
_BEGIN: Final = "-----BEGIN "
_HEAD: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_TAIL: Final = re.compile(r"-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_CUT_OFF: Final = re.compile(r"(?:[A-Za-z0-9+/=\s:,]|\\[nr])*")
_LETTERS_MIN: Final = 40  # of the key itself: fewer are a text that speaks of keys
_LETTER: Final = re.compile(r"[A-Za-z0-9+/=]")
_BASE64: Final = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/]{24,}={0,2}")
_DECODED_MAX: Final = 16_384  # of one run: a picture in a text is no place for a password

Place = tuple[str, int, int]


def private_keys(text: str) -> Iterator[Place]:
    """Give each private key from its first dash to its last; cut off, as far as it goes."""
    start = text.find(_BEGIN)
    while start >= 0:
        following = text.find(_BEGIN, start + len(_BEGIN))
        head = _HEAD.match(text, start)
        if head is not None:
            found = _key(text, head.end(), following if following >= 0 else len(text))
            if found is not None:
                yield PRIVATE_KEY, start, found
        start = following


def _key(text: str, start: int, limit: int) -> int | None:
    tail = _TAIL.search(text, start, limit)
    cut_off = _CUT_OFF.match(text, start, limit)
    end = tail.start() if tail else cut_off.end() if cut_off else start
    body = text[start:end]
    if len(_LETTER.findall(body[:1000])) < _LETTERS_MIN or "..." in body:
        return None
    return tail.end() if tail else start + len(body.rstrip())


def in_base64(text: str, find: Callable[[str], Sequence[Place]]) -> Iterator[Place]:
    """Give each run of base64 in which, unpacked, ``find`` finds something."""
    for run in _BASE64.finditer(text):
        packed = run[0][:_DECODED_MAX]
        try:
            unpacked = a2b_base64(packed[: len(packed) // 4 * 4]).decode("ascii")
        except (Error, ValueError):
            continue
        found = find(unpacked)
        if found:
            yield f"{found[0][0]} in base64", *run.span()
