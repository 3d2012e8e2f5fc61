"""What a LangGraph store on a memory refuses, and in which words."""

from __future__ import annotations

import asyncio
import importlib
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

import kioku
from kioku.adapters.langgraph import KiokuStore

if TYPE_CHECKING:
    from kioku.memory import Memory

ALICE = ("users", "alice")


@pytest.fixture
def store(memory: Memory) -> KiokuStore:
    return KiokuStore(memory)


def test_what_this_store_does_not_do_is_refused(store: KiokuStore, memory: Memory) -> None:
    with pytest.raises(NotImplementedError, match="leave index out"):
        store.put(ALICE, "k", {"text": "x"}, index=["text"])
    with pytest.raises(NotImplementedError, match="put the item again"):
        store.get(ALICE, "k", refresh_ttl=True)
    with pytest.raises(NotImplementedError, match="put the item again"):
        asyncio.run(store.asearch(ALICE, refresh_ttl=True))
    for config in (
        {"refresh_on_read": True},
        {"omit_expired": False},
        {"sweep_interval_minutes": 5},
    ):
        with pytest.raises(NotImplementedError, match=f"no {next(iter(config))}"):
            KiokuStore(memory, ttl=config)  # type: ignore[arg-type]
    store.put(ALICE, "k", {"text": "x"}, index=False)
    assert store.get(ALICE, "k", refresh_ttl=False) is not None


@pytest.mark.parametrize(
    ("op", "words"),
    [
        (PutOp(ALICE, "k", {"at": timedelta(1)}), "value.at: JSON has no timedelta"),
        (PutOp(ALICE, "k", {"a": [{"b": float("nan")}]}), r"value.a\[0\].b: nan"),
        (PutOp(ALICE, "k", {"a": {1: 2}}), "value.a: the key 1 is no text"),
        (PutOp(ALICE, "k", {"a": "\ud800"}), "half a character"),
        (PutOp(ALICE, "k", {"a": 10**5000}), "give it as text"),
        (PutOp(ALICE, "k", [1]), "value: list is no mapping"),  # type: ignore[arg-type]
        (PutOp(ALICE, "k", {"a": "x" * 800_000}), "value: .* the limit is 786,432"),
        (PutOp(ALICE, "k\x00", {}), r"key: has the character U\+0000"),
        (PutOp(("a\x1b",), "k", {}), r"namespace: has the character U\+001B"),
        (PutOp(ALICE, "k", {}, ttl=0), "ttl: 0 is not"),
        (PutOp(ALICE, "k", {}, ttl=float("inf")), "ttl: inf is not"),
        (PutOp(ALICE, "k", {}, ttl=1e12), "after the year 9999"),
        (SearchOp(ALICE, {"n": {"$near": 1}}), r"'\$near' is no operator; known: \$eq"),
        (SearchOp(ALICE, {"n": [{"$gt": 1, "m": 1}]}), "'m' is no operator"),
        (SearchOp(ALICE, [1]), "filter: is no mapping"),  # type: ignore[arg-type]
        (SearchOp(ALICE, None, -1), "limit: -1 is not"),
        (SearchOp(ALICE, None, 1, -1), "offset: -1 is not"),
        (SearchOp(ALICE, None, 1, 0, 5), "query: int is not text"),  # type: ignore[arg-type]
        (ListNamespacesOp((MatchCondition("middle", ("a",)),)), "neither prefix nor suffix"),  # type: ignore[arg-type]
        ("get", "str is no operation"),
    ],
)
def test_a_batch_is_refused_whole_and_says_why(store: KiokuStore, op: Any, words: str) -> None:
    with pytest.raises(kioku.UsageError, match=words):
        store.batch([PutOp(ALICE, "before", {}), op, PutOp(ALICE, "behind", {})])
    assert store.search(()) == []


@pytest.mark.parametrize("namespace", [(), ("",), ("a.b",), (1,), "a.b"])
def test_a_namespace_is_refused_as_the_framework_does(store: KiokuStore, namespace: Any) -> None:
    for op in (PutOp(namespace, "k", {}), GetOp(namespace, "k")):
        with pytest.raises(InvalidNamespaceError):
            store.batch([op])
    with pytest.raises(InvalidNamespaceError):
        store.put(namespace, "k", {})


def test_arguments_of_a_store_are_checked(memory: Memory) -> None:
    for options, words in (
        ({"project": ""}, "project"),
        ({"ttl": {"default": 1}}, "default is unknown"),
        ({"ttl": {"default_ttl": -1}}, "-1 is not"),
    ):
        with pytest.raises(kioku.InvalidArgumentError, match=words):
            KiokuStore(memory, **options)


def test_without_the_framework_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "kioku.adapters.langgraph")
    monkeypatch.setitem(sys.modules, "langgraph.store.base", None)
    with pytest.raises(ImportError, match=r"pip install 'kioku-log\[langgraph\]'") as caught:
        importlib.import_module("kioku.adapters.langgraph")
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__
