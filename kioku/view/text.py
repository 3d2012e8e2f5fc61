"""What the word index is given: the text of an observation, prepared for FTS5's own tokenizer.

FTS5's ``porter unicode61 remove_diacritics 2`` already lowers, folds, stems and splits at spaces
and punctuation (``_ - / .`` too), twenty times quicker than Python could. Only what it cannot do is
done here:

- Chinese, Japanese and Korean characters stand apart, so that a phrase finds any run of them.
- Half- and full-width forms and decomposed kana and Hangul become the usual ones.
- ``HttpServer2`` is followed, at the end of the text, by its parts ``Http Server 2``.

A row leaves the index only when it is told exactly what it was given. So the result must depend on
the text alone, on no table that changes with Python or Unicode: every class below is spelled out,
and ``unicodedata`` only sees characters whose compositions can no longer change. If you change a
rule, raise ``schema.VERSION``: the view is then built again.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IDENTIFIER_CHARACTERS_MAX = 64  # a longer run is a hash or an encoded blob, not a name

CJK = (
    "\u1100-\u11ff"  # Hangul letters
    "\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u303c"  # marks of repetition, Suzhou numerals
    "\u3041-\u3096\u309d-\u309f"  # Hiragana
    "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"  # Katakana and ー
    "\u3105-\u318e\u31a0-\u31bf"  # Bopomofo, Hangul compatibility letters
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\ua960-\ua97f\uac00-\ud7fb"  # Hangul
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff"  # rare kana, rare Han
)
# What plain English never needs is compiled, and kept by ``re``, when it is first used: a command
# that saves or searches once would pay for it each time.
CJK_RUN = f"[{CJK}]+"
FIRST_CJK = CJK[0]
# Runs that have a usual form: decomposed Hangul, kana with a separate voice mark, other widths.
_UNUSUAL = "[\u1100-\u11ff\u3099\u309a\uff01-\uffee]"
_UNUSUAL_RUN = "[\u1100-\u11ff]+|[\u3041-\u30ff][\u3099\u309a]|[\uff01-\uffee]+"
# The shape of a text has a byte for each character: A, a, 0, or a space for what is in no word.
_SHAPES = bytes(
    ord("A" if c.isupper() else "a" if c.islower() else "0" if c.isdecimal() else " ")
    for c in (chr(byte) if byte < 128 else " " for byte in range(256))
)
# The capital that begins a part: aB, HTTPServer, 2Go. A pattern that begins with one byte is looked
# for seven times as quickly as a class of characters is.
_BOUNDARY = re.compile(b"A(?:(?<=aA)|(?<=[A0]A)(?=a))")
_PART = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def searchable(fields: Mapping[int, Any]) -> list[str]:
    """The texts of a body (its keys, see observation/layout.py) that a search should find."""
    texts = [fields[1]]
    texts += [fields[key] for key in (6, 7) if key in fields]  # subject, summary
    for key in (3, 8, 9):  # tags, source files, references
        if key in fields:
            texts += fields[key]
    return texts


def analyse(text: str) -> str:
    """``text`` as the index is given it. Cost: 1 µs for 300 bytes of plain English."""
    if not text.isascii():
        text = set_apart(text)
    parts = [_spaced(text[start:end]) for start, end in identifiers(text)]
    return f"{text}\n{' '.join(parts)}" if parts else text


def is_cjk(character: str) -> bool:
    """Whether a character is one of those that stand apart."""
    return not character.isascii() and re.match(CJK_RUN, character) is not None


def blank_cjk(text: str) -> str:
    """``text`` with a space for each of those characters, so that all else stays in its place."""
    return re.sub(CJK_RUN, lambda run: " " * len(run[0]), text)


def set_apart(text: str) -> str:
    """``text`` in usual forms, with each CJK character a word of its own."""
    return re.sub(CJK_RUN, _apart, usual_form(text))


def usual_form(text: str) -> str:
    """``text`` with the usual forms of CJK characters and of other widths."""
    return re.sub(_UNUSUAL_RUN, _compose, text) if re.search(_UNUSUAL, text) else text


def identifier_parts(text: str) -> list[str]:
    """The parts of every camelCase word in ``text``, in order."""
    parts: list[str] = []
    for start, end in identifiers(text):
        parts += parts_of(text[start:end])
    return parts


def identifiers(text: str) -> Iterator[tuple[int, int]]:
    """Where the camelCase words begin and end, in order."""
    shape = text.encode("ascii", "replace").translate(_SHAPES)
    end = 0
    while boundary := _BOUNDARY.search(shape, end):
        start = shape.rfind(b" ", end, boundary.start()) + 1
        end = shape.find(b" ", boundary.start())
        if end < 0:
            end = len(shape)
        if end - start <= IDENTIFIER_CHARACTERS_MAX:
            yield start, end


def parts_of(identifier: str) -> list[str]:
    """The parts of one camelCase word."""
    return _PART.findall(identifier)


@lru_cache(maxsize=1024)  # names are said again and again
def _spaced(identifier: str) -> str:
    return " ".join(parts_of(identifier))


def _apart(run: re.Match[str]) -> str:
    return f" {' '.join(run[0])} "


def _compose(run: re.Match[str]) -> str:
    from unicodedata import normalize

    return normalize("NFKC", run[0])


def lower_ascii(text: str) -> str:
    """``text`` with A to Z lowered and nothing else, as SQLite's ``lower`` does."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
