"""A line that is being typed, taken apart as a shell would, and words put back into it.

The rule this module guards: **a line is only ever read**. Nothing of it is expanded or evaluated,
neither here nor in the scripts that the shells run, and what goes back into it is quoted so that
the shell takes it as the text that it is, whatever a stored name contains.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_BLANKS = " \t\n"
# What bash takes as it stands, outside of quotes; letters of any script are added.
_PLAIN = frozenset("%+,-./0123456789:=@_")
_ESCAPED_IN_DOUBLE = '\\"$`'


class Word(NamedTuple):
    """One word of a line.

    Attributes:
        text: what the shell would pass on, without expanding anything.
        quote: the quote that is still open at its end, ``""`` if none.
        kept: how many characters of ``text`` stand before what readline replaces: it begins a
            word anew at an open quote, and at characters such as ``:`` and ``=``.
    """

    text: str
    quote: str
    kept: int


def split(line: str, breaks: str = "") -> list[Word]:
    """The words of a line up to the cursor; the last is the one being typed, maybe empty.

    ``breaks`` are the characters at which the line editor begins a word anew (bash alone).
    """
    words = []
    at = 0
    while True:
        while at < len(line) and line[at] in _BLANKS:
            at += 1
        word, at = _word(line, at, breaks)
        words.append(word)
        if at >= len(line):
            return words


def _word(line: str, at: int, breaks: str) -> tuple[Word, int]:
    text: list[str] = []
    quote = ""
    kept = 0
    while at < len(line):
        character = line[at]
        if not quote and character in _BLANKS:
            return Word("".join(text), "", kept), at
        if character == "\\" and quote != "'":
            taken, at = _escaped(line, at, quote)
            text.append(taken)
            continue
        at += 1
        if character == quote:
            quote = ""
        elif character in "\"'" and not quote:
            quote, kept = character, len(text)
        else:
            text.append(character)
            if character in breaks and not quote:
                kept = len(text)
    return Word("".join(text), quote, kept), at


def _escaped(line: str, at: int, quote: str) -> tuple[str, int]:
    """What a backslash and the character behind it stand for, and where they end."""
    following = line[at + 1 : at + 2]
    if quote and following not in _ESCAPED_IN_DOUBLE:
        return "\\" + following, at + 2
    return following, at + 2


def quoted(text: str, word: Word) -> str:
    """What bash must insert so that ``text`` stands where ``word`` is being typed."""
    rest = text[word.kept :]
    if not word.quote:
        return "".join(c if c in _PLAIN or c.isalnum() else "\\" + c for c in rest)
    if word.quote == "'":
        inside = rest.replace("'", "'\\''")
    else:
        inside = re.sub(r'([\\"$`])', r"\\\1", rest)
        inside = inside.replace("!", "\"'!'\"")  # between double quotes nothing else stops it
    # Readline takes a quote at either end for the one that it would put there, and puts none.
    before = word.quote if inside.startswith(word.quote) else ""
    behind = word.quote if inside.endswith(word.quote) else ""
    return before + inside + behind
