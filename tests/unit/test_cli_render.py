"""The printer: stored text reaches a terminal as text, whatever it holds."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.cli import render

HARMFUL = {chr(c) for c in range(0xA0) if unicodedata.category(chr(c)) == "Cc"} | set(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


@given(st.text())
def test_a_line_has_no_character_that_moves_a_cursor(text: str) -> None:
    shown = render.one_line(text)
    assert not HARMFUL & set(shown)
    assert len(shown.splitlines()) <= 1


@given(st.text())
def test_text_keeps_its_lines_and_tabs_and_nothing_else_that_moves_a_cursor(text: str) -> None:
    shown = render.plain(text)
    assert not (HARMFUL - {"\n", "\t"}) & set(shown)
    assert shown.count("\n") == text.count("\n")


@given(st.text())
def test_json_says_the_same_without_harm(text: str) -> None:
    shown = render.json_text({"text": text})
    assert not HARMFUL & set(shown)
    assert json.loads(shown) == {"text": text}


@pytest.mark.parametrize("text", ["plain", "日本語", "👩‍👩‍👧", "عربي \u200f", ""])
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert render.one_line(text) == render.plain(text) == text
