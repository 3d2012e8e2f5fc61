"""The piece of a content that shows why it was found."""

from __future__ import annotations

import pytest

from kioku.view.search import snippet


def test_a_short_content_is_its_own_snippet() -> None:
    assert snippet("one\n  two\tthree", "two") == "one two three"


def test_a_snippet_shows_where_the_words_are() -> None:
    content = (
        "filler words " * 50 + "the databases were chosen for analytics " + "more filler " * 50
    )
    shown = snippet(content, "database analytics")
    assert "databases were chosen for analytics" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert len(shown) <= 162


@pytest.mark.parametrize("query", ["", "absent", "%", "語", '"unbalanced', "İ"])
def test_without_a_place_a_snippet_is_the_beginning(query: str) -> None:
    assert snippet("word " * 100, query).startswith("word word")
    assert len(snippet("x" * 1_000, query)) <= 162


def test_a_japanese_snippet_shows_the_run() -> None:
    assert "有効期限" in snippet("あ" * 500 + "有効期限" + "い" * 500, "有効期限")
