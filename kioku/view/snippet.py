"""The piece of a content that shows why it was found, and where in it the hits are.

Words are found as the index finds them, by FTS5's own tokenizer, so that "database" marks
"databases" and "naive" marks "naïve". Runs of Chinese, Japanese and Korean characters, and what was
found by its letters alone, are looked for as they stand.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import apsw

from kioku.view.query import parse
from kioku.view.text import blank_cjk, identifiers, is_cjk, lower_ascii, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kioku.view.query import Term

SNIPPET_CHARACTERS: Final = 160
_ARGUMENTS: Final = ["unicode61", "remove_diacritics", "2"]  # as in schema.py
_EXAMINED_MAX = 16_384  # characters around the first literal hit: a hit further off shows no more
_PLACES_MAX = 64  # of one text: what lies behind them would not change the window


class Snippet(NamedTuple):
    """A piece of text on one line, and the spans of it that matched, ascending and apart."""

    text: str
    marks: tuple[tuple[int, int], ...] = ()


_Span = tuple[int, int, str]
"""Where something begins and ends, and what it is."""


class Snippets:
    """Makes the snippets of one query's hits."""

    def __init__(self, connection: apsw.Connection, query: str) -> None:
        """Prepare for a query; only FTS5's tokenizer is taken from ``connection``."""
        self._tokenizer = connection.fts5_tokenizer("porter", _ARGUMENTS)
        parsed = parse(query)
        self._words = _Words(self._stems, parsed.any_terms)
        self._needles = parsed.needles
        self._unfinished = parsed.completed().any_terms if parsed.unfinished else ()

    def of(self, content: str, width: int = SNIPPET_CHARACTERS) -> Snippet:
        """Give the piece of ``content`` with most of the query in it, of about ``width``."""
        line = " ".join(content.split())
        if len(line) > _EXAMINED_MAX:
            line = self._around_hit(line)
        spans = self._spans(line)
        start, end = _window(line, spans, width)
        before, after = "…" if start else "", "…" if end < len(line) else ""
        shift = len(before) - start
        marks = [(b + shift, min(e, end) + shift) for b, e, _ in spans if start <= b < end]
        return Snippet(f"{before}{line[start:end]}{after}", tuple(_apart(marks)))

    def _spans(self, line: str) -> list[_Span]:
        """Where the words are; else where they are begun; else where their letters are."""
        tokens = self._tokens(line)
        spans = self._words.find(line, tokens)
        if not spans and self._unfinished:
            spans = _Words(self._stems, self._unfinished).find(line, tokens)
        if not spans:
            lowered = lower_ascii(line)
            spans = [span for needle in self._needles for span in _literal(lowered, needle)]
        return sorted(spans)

    def _tokens(self, line: str) -> list[_Span]:
        """The words of the line as the index has them, with their places in characters."""
        if not line.isascii():
            line = blank_cjk(line)  # they stand apart in the index
        data = line.encode("utf-8", "replace")
        found: Any = self._tokenizer(
            data, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_colocated=False
        )
        if len(data) == len(line):
            return list(found)
        tokens, passed, characters = [], 0, 0
        for start, end, stem in found:
            characters += len(data[passed:start].decode("utf-8", "replace"))
            length = len(data[start:end].decode("utf-8", "replace"))
            tokens.append((characters, characters + length, stem))
            passed, characters = end, characters + length
        return tokens

    def _stems(self, text: str) -> list[str]:
        return [stem for _, _, stem in self._tokens(text)]

    def _around_hit(self, line: str) -> str:
        """The part of a long line around the first place that holds the query's letters."""
        lowered = lower_ascii(line)
        places = [place for each in self._needles if (place := lowered.find(each)) >= 0]
        start = max(0, min(places, default=0) - _EXAMINED_MAX // 4)
        return line[start : start + _EXAMINED_MAX]


class _Words:
    """What the terms of a query look like in the index."""

    def __init__(self, stems: Callable[[str], list[str]], terms: tuple[Term, ...]) -> None:
        self._stems = stems
        self._alone: set[str] = set()
        self._begun: list[str] = []
        self._rows: list[list[str]] = []
        self._runs: list[str] = []
        for phrase in (phrase for term in terms for phrase in term.phrases):
            if phrase.text and is_cjk(phrase.text[0]):
                self._runs.append(phrase.text.replace(" ", ""))
                continue
            words = stems(phrase.text)
            if len(words) > 1:
                self._rows.append(words)
            elif phrase.is_prefix:
                self._begun += words
            else:
                self._alone.update(words)

    def find(self, line: str, tokens: list[_Span]) -> list[_Span]:
        """Where they are, at most ``_PLACES_MAX`` of each kind."""
        alone, begun = self._alone, tuple(self._begun)
        spans = [token for token in tokens if token[2] in alone][:_PLACES_MAX]
        if begun:
            spans += [token for token in tokens if token[2].startswith(begun)][:_PLACES_MAX]
        for row in self._rows:
            spans += islice(_in_a_row(tokens, row), _PLACES_MAX)
        for run in self._runs:
            spans += _literal(line, run)
        if alone:
            spans += islice(self._by_parts(line), _PLACES_MAX)
        return spans

    def _by_parts(self, line: str) -> Iterator[_Span]:
        """The camelCase words that have one of the words for a part."""
        for start, end in identifiers(line):
            word = line[start:end]
            if not self._alone.isdisjoint(self._stems(" ".join(parts_of(word)))):
                yield start, end, word


def _in_a_row(tokens: list[_Span], row: list[str]) -> Iterator[_Span]:
    for number, token in enumerate(tokens):
        if token[2] == row[0] and [each[2] for each in tokens[number : number + len(row)]] == row:
            yield token[0], tokens[number + len(row) - 1][1], " ".join(row)


def _literal(line: str, text: str) -> Iterator[_Span]:
    place = line.find(text)
    for _ in range(_PLACES_MAX):
        if place < 0:
            return
        yield place, place + len(text), text
        place = line.find(text, place + len(text))


def _window(line: str, spans: list[_Span], width: int) -> tuple[int, int]:
    """The span of about ``width`` characters with the most different hits, the first of equals."""
    if len(line) <= width:
        return 0, len(line)
    start, most = 0, 0
    for begin, _, _ in spans[:_PLACES_MAX]:
        limit = begin + width * 3 // 4
        count = len({what for place, _, what in spans if begin <= place < limit})
        if count > most:
            start, most = begin, count
    start = max(0, min(start - width // 4, len(line) - width))
    if start:  # begin with a whole word, if one begins soon
        space = line.find(" ", start, start + 16)
        start = space + 1 if space >= 0 else start
    end = start + width
    if end < len(line):
        space = line.rfind(" ", end - 16, end)
        end = space if space > start else end
    return start, min(end, len(line))


def _apart(marks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ascending spans, with those that overlap as one."""
    apart: list[tuple[int, int]] = []
    for start, end in marks:
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart
