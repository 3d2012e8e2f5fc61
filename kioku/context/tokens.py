"""How long a text is for a model, as a budget counts it.

A token is 4 bytes of UTF-8, or one Chinese, Japanese or Korean character, punctuation and
full-width forms included; what is left over at the end counts as a whole one. A quarter of a token
is the unit that adds up: a byte is one quarter, such a character four.
"""

from __future__ import annotations

import re
from typing import Final

QUARTERS: Final = 4
"""In one token, and of one CJK character."""

ELLIPSIS: Final = "…"
_WORD_QUARTERS_MAX: Final = 24  # given up so that a cut falls between words

# Wider than what the word index takes apart: whoever counts otherwise must not count more.
_CJK: Final = (
    "[\u1100-\u11ff\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef"
    "\U0001aff0-\U0001b16f\U0001f200-\U0001f2ff\U00020000-\U0003ffff]"
)


def count_tokens(text: str) -> int:
    """Count the tokens of a text: 4 bytes of Latin text or one CJK character each, rounded up."""
    return -(-quarters(text) // QUARTERS)


def quarters(text: str) -> int:
    """Count the quarters of tokens: of two texts together they are the sum of each one's."""
    if text.isascii():
        return len(text)
    cjk = "".join(re.findall(_CJK, text))
    return len(text.encode()) - len(cjk.encode()) + QUARTERS * len(cjk)


def cut(text: str, tokens: int) -> str:
    """Give a text of at most so many tokens, its end left off at a word if there is one near."""
    left = tokens * QUARTERS
    if len(text) <= left and quarters(text) <= left:
        return text
    left -= quarters(ELLIPSIS)
    end = 0
    for end, character in enumerate(text):  # noqa: B007 - where it ends is wanted
        left -= quarters(character)
        if left < 0:
            break
    kept = text[:end]
    words, _, last = kept.rpartition(" ")
    if words and quarters(last) <= _WORD_QUARTERS_MAX:
        kept = words
    return kept.rstrip() + ELLIPSIS
