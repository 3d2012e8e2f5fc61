"""Words: any string is a query, what is written is found, what leaves is forgotten."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kioku.observation import Observation
from kioku.view.filter import Filter
from kioku.view.query import parse
from kioku.view.snippet import Snippets
from kioku.view.text import IDENTIFIER_CHARACTERS_MAX, analyse, set_apart
from tests.unit.view_store import ViewStore

if TYPE_CHECKING:
    from kioku.view.search import Match

plain = st.characters(exclude_categories=("Cc", "Cs"))
awkward = st.sampled_from(
    "\"*-%_^():+{}[]\\ '\u2019“”、。😀\u3099ﾞ\ufe0f\u200b日本語データカナ한글ｶﾅaBcHTTPSa1"
)
contents = st.text(plain | awkward, min_size=1).filter(lambda text: not text.isspace())
queries = st.text() | st.text(awkward | st.sampled_from(' ANDORNOTNEAR\x00\ud800"*-'))
# Characters that have one form alone, so that a part of a run looks as it does within it.
cjk = st.text(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
    | st.characters(min_codepoint=0x3041, max_codepoint=0x3096)
    | st.characters(min_codepoint=0x30A1, max_codepoint=0x30FA)
    | st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3)
    | st.sampled_from("ー々〆ゝヽㄅㄆ𠮷𩸽"),
    min_size=1,
    max_size=30,
)
modes = st.sampled_from(("or", "and", "and_or"))


def parts_spelled_out(text: str) -> list[str]:
    """The parts of the camelCase words of a text, as the rule says it."""
    parts: list[str] = []
    for word in re.findall("[A-Za-z0-9]+", text):
        is_identifier = re.search("[a-z][A-Z]|[A-Z0-9][A-Z][a-z]", word)
        if is_identifier and len(word) <= IDENTIFIER_CHARACTERS_MAX:
            parts += re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", word)
    return parts


@given(st.text(st.sampled_from("aBCd2 _-é日\n"), max_size=200) | contents)
def test_identifiers_are_followed_by_their_parts(text: str) -> None:
    apart = set_apart(text)
    parts = parts_spelled_out(apart)
    assert analyse(text) == (f"{apart}\n{' '.join(parts)}" if parts else apart)


@given(st.lists(contents, max_size=4), queries, modes, st.integers(1, 5), st.booleans())
def test_any_string_is_a_valid_query(
    texts: list[str], query: str, mode: str, limit: int, is_filtered: bool
) -> None:
    store = ViewStore()
    for number, text in enumerate(texts, 1):
        store.show(Observation(text), key=number, hlc=number)
    matches = store.search(query, mode=mode, limit=limit, filter=Filter(importance=is_filtered))
    assert len(matches) <= limit
    assert len({match.event_id for match in matches}) == len(matches)
    for text in store.texts_of(matches):
        snippet = Snippets(store.connection, query).of(text)
        assert len(snippet.text) <= 162
        marks = [place for mark in snippet.marks for place in mark]
        assert marks == sorted(marks)
        assert all(start < end <= len(snippet.text) for start, end in snippet.marks)


@given(st.text(max_size=6_000) | st.lists(queries, max_size=200).map(" ".join))
def test_parsing_is_total_and_bounded(query: str) -> None:
    parsed = parse(query)
    assert len(parsed.any_terms) <= 64
    assert len(parsed.needles) <= 4
    assert all(needle and needle.strip() for needle in parsed.needles)


@given(cjk, st.data(), contents, contents)
def test_any_part_of_a_cjk_run_is_found(
    run: str, data: st.DataObject, before: str, after: str
) -> None:
    start = data.draw(st.integers(0, len(run) - 1))
    end = data.draw(st.integers(start + 1, len(run)))
    store = ViewStore()
    store.show(Observation(f"{before} {run} {after}"), key=1, hlc=1)
    matches = store.search(run[start:end])
    assert [match.is_substring for match in matches] == [False]


@given(contents, st.data())
def test_any_word_of_a_text_finds_it(text: str, data: st.DataObject) -> None:
    words = text.split()
    word = data.draw(st.sampled_from(words))
    store = ViewStore()
    store.show(Observation(text), key=1, hlc=1)
    is_one_letter = len(word.strip("\"*-?!.,;:'()[]{}")) <= 1
    asks_otherwise = word[0] == "-" or '"' in word or "*" in word
    if not (is_one_letter or asks_otherwise):
        assert len(store.search(word)) == 1


@given(contents)
def test_analysis_is_stable_and_only_adds_to_ascii(text: str) -> None:
    assert analyse(text) == analyse(text)
    if text.isascii():
        assert analyse(text).startswith(text)


steps = st.lists(
    st.tuples(st.integers(1, 4), st.none() | st.builds(Observation, contents, subject=contents)),
    max_size=12,
)


@given(steps, st.sampled_from(("alpha", "日本", "a")), st.randoms())
def test_an_index_that_followed_equals_one_built_anew(
    changes: list[tuple[int, Observation | None]], query: str, random: object
) -> None:
    followed = ViewStore()
    last: dict[int, tuple[int, Observation]] = {}
    for hlc, (key, observation) in enumerate(changes, 1):
        if observation is not None:
            followed.show(observation, key=key, hlc=hlc)
            last[key] = (hlc, observation)
        elif key in last:
            followed.hide(key)
            del last[key]
    anew = ViewStore()
    for key, (hlc, observation) in last.items():
        anew.show(observation, key=key, hlc=hlc)
    assert followed.words() == anew.words()
    assert _found(followed, followed.search(query)) == _found(anew, anew.search(query))
    assert followed.newest() == anew.newest()


def _found(store: ViewStore, matches: list[Match]) -> list[tuple[str, float, bool]]:
    texts = store.texts_of(matches)
    return [
        (text, match.score, match.is_substring) for text, match in zip(texts, matches, strict=True)
    ]
