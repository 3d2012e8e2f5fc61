"""The analysis of texts and of queries."""

from __future__ import annotations

import pytest

from kioku.view.query import NEEDLES_MAX, QUERY_CHARACTERS_MAX, TERMS_MAX, parse
from kioku.view.text import analyse, identifier_parts, searchable


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain words, with-dashes under_scores a/path/to.py 3D S3 x2Y HTTP",
        "naïve Ünïcode straße ελληνικά русский",
        "lonely 😀 emoji 👩‍👩‍👧 — dash “quotes”",
        "a" * 500,
    ],
)
def test_most_texts_are_given_as_they_are(text: str) -> None:
    assert analyse(text) == text


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("HttpServer", ["Http", "Server"]),
        ("camelCase", ["camel", "Case"]),
        ("HTTPServer2", ["HTTP", "Server", "2"]),
        ("utf8Decoder", ["utf", "8", "Decoder"]),
        ("getUserName_fromDB", ["get", "User", "Name", "from", "DB"]),
        ("two Http2Servers here", ["Http", "2", "Servers"]),
        ("aB cD", ["a", "B", "c", "D"]),
        ("x" * 40 + "Y" * 40, []),
    ],
)
def test_identifiers_have_parts(word: str, parts: list[str]) -> None:
    assert identifier_parts(word) == parts


def test_parts_follow_the_text() -> None:
    assert analyse("the HttpServer died") == "the HttpServer died\nHttp Server"


@pytest.mark.parametrize(
    ("text", "analysed"),
    [
        ("日本語", " 日 本 語 "),
        ("OAuthトークン", "OAuth ト ー ク ン \nO Auth"),
        ("データ、ベース", " デ ー タ 、 ベ ー ス "),
        ("한국어 test", " 한 국 어  test"),
        ("ｶﾞｲﾄﾞ", " ガ イ ド "),
        ("か\u3099", " が "),
        ("\u1112\u1161\u11ab", " 한 "),
        ("\uff21\uff22\uff23", "ABC"),
        ("𠮷野", " 𠮷 野 "),
        ("人々", " 人 々 "),
    ],
)
def test_cjk_characters_stand_apart_in_their_usual_form(text: str, analysed: str) -> None:
    assert analyse(text) == analysed


def test_what_is_searchable_is_what_a_person_wrote() -> None:
    fields = {
        1: "content",
        2: "project",
        3: ["tag"],
        4: "bug",
        6: "subject",
        7: "summary",
        8: ["file"],
        9: ["reference"],
        10: [bytes(16)],
        11: "family",
        12: "client",
        13: "host",
        14: "session",
        17: {"extra": "extra"},
    }
    texts = searchable(fields)
    assert texts == ["content", "subject", "summary", "tag", "file", "reference"]


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("database", '"database"'),
        ("which database did they choose?", '"database" OR "choose"'),
        ("the", '"the"'),
        ("is it", '"is" OR "it"'),
        ('"exact phrase" more', '"exact phrase" OR "more"'),
        ('un"balanced', '"un" OR "balanced"'),
        ("noise -word", '("noise") NOT ("word")'),
        ('noise -"a phrase" -wor*', '("noise") NOT ("a phrase" OR "wor"*)'),
        ("pre* fix", '"pre"* OR "fix"'),
        ("kioku-mesh", '"kioku-mesh"'),
        ("--flag", '"--flag"'),
        ("AND OR NOT NEAR(x)", '"NEAR" OR "x"'),
        ("HttpServer", '("HttpServer" OR "Http Server")'),
        ("get_userName", '("get_userName" OR "get user Name")'),
        ("日本", '"日 本"'),
        ("検索トークン", '"検 索 ト ー ク ン" OR "検 索" OR "ト ー ク ン"'),
        ("OAuthを使う", '("OAuth" OR "O Auth") OR "を 使 う"'),
        ("Caroline's", '"Caroline"'),
        ("a:b,c=d", '"a:b" OR "c" OR "d"'),
        ("twice twice", '"twice"'),
        ("nul\x00byte", '"nul" OR "byte"'),
        ("half\ud800", '"half"'),
    ],
)
def test_a_query_becomes_quoted_words(text: str, expression: str) -> None:
    assert parse(text).match_any() == expression


def test_all_words_are_joined_with_and() -> None:
    assert parse("alpha beta -gamma").match_all() == '("alpha" AND "beta") NOT ("gamma")'


@pytest.mark.parametrize("text", ["%", "***", '""', "😀", "-", "-%", "?!", "\\"])
def test_what_has_no_word_is_a_needle(text: str) -> None:
    query = parse(text)
    assert query.any_terms == ()
    assert query.needles == (text,)


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\x00", "-word"])
def test_what_asks_for_nothing_has_no_needle(text: str) -> None:
    query = parse(text)
    assert (query.any_terms, query.needles) == ((), ())


def test_needles_ignore_case_and_stop_words() -> None:
    assert parse("The Postgres's URL=x").needles == ("postgres's", "url=x")
    assert parse("e").needles == ()
    assert parse("É").needles == ("É",)


def test_a_huge_query_is_bounded() -> None:
    query = parse(" ".join(f"w{number}" for number in range(10_000)))
    assert len(query.any_terms) == TERMS_MAX
    assert len(query.needles) == NEEDLES_MAX
    assert len(parse("x" * 100_000).match_any()) == QUERY_CHARACTERS_MAX + 2
