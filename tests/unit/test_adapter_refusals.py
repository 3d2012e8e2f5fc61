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
    from pathlib import Path

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
    with pytest.raises(kioku.InvalidArgumentError, match=r"memory: str is none; .* kioku.open"):
        KiokuStore("memory.db")  # type: ignore[arg-type]


def test_without_the_framework_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "kioku.adapters.langgraph")
    monkeypatch.setitem(sys.modules, "langgraph.store.base", None)
    with pytest.raises(ImportError, match=r"pip install 'kioku-log\[langgraph\]'") as caught:
        importlib.import_module("kioku.adapters.langgraph")
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


# --- credentials and private parts ---------------------------------------------------------------

TOKEN = "ghp_" + "a1B2c3D4e5F6" * 3
KEY_BEGIN = "-----BEGIN RSA PRIVATE KEY-----\n" + "abcdEFGH1234" * 10
KEY_END = "abcdEFGH1234" * 10 + "\n-----END RSA PRIVATE KEY-----"


def test_what_must_not_be_saved_is_taken_out_of_each_text(store: KiokuStore) -> None:
    store.put(
        ALICE, "k", {"a": f"it is {TOKEN}", "b": ["<private>x</private>y"], "password": "hunter2x9"}
    )
    item = store.get(ALICE, "k")
    assert item is not None
    assert item.value == {
        "a": "it is [redacted: github token]",
        "b": ["[private]y"],
        "password": "[redacted: password]",
    }


@pytest.mark.parametrize(
    ("op", "words"),
    [
        (PutOp(ALICE, "k", {"a": "<private>x", "b": "y</private>"}), "value.a: .* never closed"),
        (PutOp(ALICE, "k", {"<private>x</private>": 1}), "value: has a private part"),
        (PutOp(ALICE, "k", {"a": KEY_BEGIN, "b": KEY_END}), "several of its parts"),
        (PutOp(ALICE, TOKEN, {}), "key: holds what looks like a credential"),
        (PutOp(("users", TOKEN), "k", {}), "namespace: holds what looks like a credential"),
    ],
)
def test_what_cannot_be_taken_out_is_refused(store: KiokuStore, op: PutOp, words: str) -> None:
    with pytest.raises(kioku.UsageError, match=words):
        store.batch([PutOp(ALICE, "before", {}), op])
    assert store.search(()) == []


def test_the_memorys_policy_is_the_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for policy in ("refuse", "allow"):
        monkeypatch.setenv("KIOKU_SECRETS", policy)
        with kioku.open(tmp_path / f"{policy}.db") as memory:
            assert memory.secrets == policy
            store = KiokuStore(memory)
            if policy == "refuse":
                with pytest.raises(kioku.SecretRefusedError, match="value"):
                    store.put(ALICE, "k", {"a": TOKEN})
            else:
                store.put(ALICE, TOKEN, {"a": TOKEN})
                item = store.get(ALICE, TOKEN)
                assert item is not None
                assert item.value == {"a": TOKEN}
