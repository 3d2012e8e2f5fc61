"""The piece of a content that shows why it was found."""

from __future__ import annotations

import apsw
import pytest

from kioku.view.snippet import Snippets

CONNECTION = apsw.Connection(":memory:")


def snippet(content: str, query: str) -> str:
    return Snippets(CONNECTION, query).of(content).text


def marked(content: str, query: str) -> str:
    """The snippet with its marks in brackets."""
    text, marks = Snippets(CONNECTION, query).of(content)
    for start, end in reversed(marks):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    return text


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


@pytest.mark.parametrize(
    ("content", "query", "shown"),
    [
        ("Databases are a database", "database", "[Databases] are a [database]"),
        ("a naïve café", "naive cafe", "a [naïve] [café]"),
        ("see the HttpServer and http_server", "server", "see the [HttpServer] and http_[server]"),
        ("http_server and server http", "HttpServer", "[http_server] and server http"),
        ("the red fox, fox red", '"red fox"', "the [red fox], fox red"),
        ("alphabet alpha", "alp*", "[alphabet] [alpha]"),
        ("a postgresql", "postg", "a [postgresql]"),
        ("a post of postgresql", "post", "a [post] of postgresql"),
        ("xneedley", "needle", "x[needle]y"),
        ("全体の検索トークンを見る", "検索", "全体の[検索]トークンを見る"),
        ("日本語のdatabaseと語", "database 語", "日本[語]の[database]と[語]"),
        ("50% off", "%", "50[%] off"),
        ("nothing here", "elsewhere", "nothing here"),
        ("what the -word", "the -word", "what [the] -word"),
        ("A\n\n  B", "b", "A [B]"),
    ],
)
def test_hits_are_marked(content: str, query: str, shown: str) -> None:
    assert marked(content, query) == shown


def test_marks_are_those_of_the_piece_that_is_shown() -> None:
    content = "alpha " + "filler " * 100 + "alpha beta" + " filler" * 100
    shown = marked(content, "alpha beta")
    assert "[alpha] [beta]" in shown
    assert shown.startswith("…")


def test_a_hit_far_into_a_long_text_is_found() -> None:
    assert "[needle]" in marked("filler " * 100_000 + "a needle" + " filler" * 1_000, "needle")
