"""Filters that only a body can answer, with words, letters and lists alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kioku.observation import Observation, from_unix_ms
from kioku.view.filter import Filter
from tests.unit.view_store import ViewStore, key_of

WANTED = Observation(
    "alpha xbetax",
    subject="The Ledger of 2026",
    source_files=("src/billing/ledger.py", "README.md"),
    references=("TICKET-77", "https://example.com/a?b=c"),
    supersedes=(key_of(99).hex(),),
    created_at=from_unix_ms(1_000),
    expires_at=from_unix_ms(10**13),
    extra={"severity": 2, "owner": "ada", "open": True, "none": None},
)


@pytest.fixture
def store() -> ViewStore:
    store = ViewStore()
    for key in range(1, 10):
        other = Observation(
            "alpha xbetax", source_files=("other.py",), subject="other", extra={"x": 1}
        )
        store.show(other, key=key, hlc=key)
    store.show(WANTED, key=20, hlc=20)
    return store


@pytest.mark.parametrize(
    "filter",
    [
        Filter(source_files=("src/billing/ledger.py",)),
        Filter(source_files=("ledger.py",)),
        Filter(source_files=("billing/ledger.py",)),
        Filter(source_files=("/README.md",)),
        Filter(source_files=("absent.py", "ledger.py")),
        Filter(references=("TICKET-77",)),
        Filter(references=("absent", "https://example.com/a?b=c")),
        Filter(references=("TICK*",)),
        Filter(references=("https://example.com/*",)),
        Filter(references=("absent*", "TICKET*")),
        Filter(references=("*",)),
        Filter(subject="ledger of"),
        Filter(subject="2026"),
        Filter(supersedes=key_of(99)),
        Filter(expires=True),
        Filter(created_since=1_000),
        Filter(created_until=1_001),
        Filter(created_since=1_000, created_until=1_001),
        Filter(extra=(("severity", 2),)),
        Filter(extra=(("owner", "ada"), ("open", True))),
        Filter(extra=(("none", None),)),
    ],
)
def test_a_filter_of_bodies_narrows_words_letters_and_lists(
    store: ViewStore, filter: Filter
) -> None:
    for query in ("alpha", "beta", ""):
        assert store.texts_of(store.search(query, filter=filter)) == [WANTED.content], query
    assert store.newest(filter=filter) == [WANTED.content]


@pytest.mark.parametrize(
    "filter",
    [
        Filter(source_files=("edger.py",)),
        Filter(source_files=("src/billing",)),
        Filter(references=("TICKET",)),
        Filter(references=("icket*",)),
        Filter(references=("ticket*",)),
        Filter(references=("TICKET-77\0",)),
        Filter(references=("TICKET-77\ud800",)),
        Filter(subject="invoice"),
        Filter(supersedes=key_of(1)),
        Filter(created_until=1_000),
        Filter(created_since=1_001),
        Filter(extra=(("severity", 3),)),
        Filter(extra=(("severity", "2"),)),
        Filter(extra=(("open", 1),)),
        Filter(extra=(("absent", None),)),
        Filter(source_files=("\ud800",)),
        Filter(expires=True, subject="other"),
    ],
)
def test_a_filter_of_bodies_matches_no_more_than_it_says(store: ViewStore, filter: Filter) -> None:
    assert store.search("alpha", filter=filter) == store.search("", filter=filter) == []


_REFERENCES = st.text(
    st.sampled_from("ab7Running/:.-*\"'( éがか\u3099각한각"), min_size=1, max_size=12
)


@settings(max_examples=60)
@given(st.lists(_REFERENCES, min_size=1, max_size=5), st.data())
def test_the_word_index_hides_no_reference(references: list[str], data: st.DataObject) -> None:
    """What is looked up by the words of a reference is what reading every body gives."""
    store = ViewStore()
    for number, reference in enumerate(references, 1):
        told = Observation(str(number), references=("Else/where", reference, "b"))
        store.show(told, key=number, hlc=number)
    one = data.draw(st.sampled_from(references))
    wanted = one[: data.draw(st.integers(1, len(one)))] + data.draw(st.sampled_from(["", "*"]))
    start = wanted.removesuffix("*")
    expected = [
        str(number)
        for number, reference in enumerate(references, 1)
        if wanted in ("b", reference)
        or (start != wanted and reference.startswith(start))
        or (start != wanted and ("b".startswith(start) or "Else/where".startswith(start)))
    ]
    assert store.newest(filter=Filter(references=(wanted,))) == expected[::-1]


_PATHS = st.lists(
    st.text(st.sampled_from("ab7Running:.-*\"'( éがか\u3099각한각"), min_size=1, max_size=8),
    min_size=1,
    max_size=3,
)


@settings(max_examples=60)
@given(st.lists(_PATHS, min_size=1, max_size=5), st.data())
def test_the_word_index_hides_no_source_file(paths: list[list[str]], data: st.DataObject) -> None:
    """What is looked up by the words of a path is what reading every body gives."""
    store = ViewStore()
    for number, parts in enumerate(paths, 1):
        told = Observation(str(number), source_files=("Else/where", "/".join(parts), "b"))
        store.show(told, key=number, hlc=number)
    one = data.draw(st.sampled_from(paths))
    ends = ["/".join(one[data.draw(st.integers(0, len(one) - 1)) :]), *data.draw(_FURTHER)]
    expected = [
        str(number)
        for number, parts in enumerate(paths, 1)
        if any(f"/{'/'.join(parts)}".endswith(f"/{end}") or end in ("b", "where") for end in ends)
    ]
    assert store.newest(filter=Filter(source_files=tuple(ends))) == expected[::-1]


_FURTHER = st.lists(st.sampled_from(["where", "b", "nowhere.py", "7"]), max_size=2)


def test_what_never_ends_can_be_asked_for(store: ViewStore) -> None:
    assert len(store.search("alpha", filter=Filter(expires=False))) == 9


def test_of_several_values_any_one_does(store: ViewStore) -> None:
    for key, project in ((30, "p"), (31, "q"), (32, "r")):
        store.show(Observation("gamma", project=project, host=project), key=key, hlc=key)
    several: dict[str, Any] = {"projects": ("p", "r", "absent"), "hosts": ("p", "q", "r")}
    for query in ("gamma", "amm", ""):
        assert len(store.search(query, filter=Filter(**several))) == 2, query
    assert len(store.newest(filter=Filter(**several))) == 2
