"""LangGraph's store on a memory, against the real framework."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime  # noqa: TC002 - the graph reads the annotations of its nodes
from langgraph.store.base import (
    GetOp,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)

import kioku
from kioku.adapters import items
from kioku.adapters.langgraph import KiokuStore
from tests.unit.memories import Clock, carry

if TYPE_CHECKING:
    from pathlib import Path

    from kioku.memory import Memory
    from tests.unit.memories import Stores

ALICE = ("users", "alice")


@pytest.fixture
def store(memory: Memory) -> KiokuStore:
    return KiokuStore(memory)


# --- in a graph ----------------------------------------------------------------------------------


@dataclass
class State:
    who: str
    greeting: str = ""


def remember(state: State, runtime: Runtime[None]) -> dict[str, str]:
    assert runtime.store is not None
    runtime.store.put(("users", state.who), "visits", {"text": f"{state.who} came by"})
    return {}


def greet(state: State, runtime: Runtime[None]) -> dict[str, str]:
    assert runtime.store is not None
    [item] = runtime.store.search(("users", state.who), query="came")
    return {"greeting": item.value["text"]}


async def aremember(state: State, runtime: Runtime[None]) -> dict[str, str]:
    assert runtime.store is not None
    await runtime.store.aput(("users", state.who), "visits", {"text": f"{state.who} came by"})
    return {}


async def agreet(state: State, runtime: Runtime[None]) -> dict[str, str]:
    assert runtime.store is not None
    [item] = await runtime.store.asearch(("users", state.who), query="came")
    assert await runtime.store.aget(("users", state.who), "visits") is not None
    return {"greeting": item.value["text"]}


def compiled(store: KiokuStore, first: Any, second: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("remember", first)
    builder.add_node("greet", second)
    builder.add_edge(START, "remember")
    builder.add_edge("remember", "greet")
    builder.add_edge("greet", END)
    return builder.compile(store=store)


def test_the_nodes_of_a_compiled_graph_have_the_store(store: KiokuStore) -> None:
    graph = compiled(store, remember, greet)
    assert graph.invoke({"who": "alice"})["greeting"] == "alice came by"
    assert store.list_namespaces() == [ALICE]


def test_a_graph_is_awaited_with_either_kind_of_memory(store: KiokuStore, tmp_path: Path) -> None:
    async def run() -> None:
        graph = compiled(store, aremember, agreet)
        assert (await graph.ainvoke({"who": "alice"}))["greeting"] == "alice came by"
        async with kioku.open_async(tmp_path / "awaited.db") as memory:
            awaited = KiokuStore(memory)
            graph = compiled(awaited, aremember, agreet)
            found = await asyncio.gather(*(graph.ainvoke({"who": f"u{n}"}) for n in range(4)))
            assert [one["greeting"] for one in found] == [f"u{n} came by" for n in range(4)]
            assert len(await awaited.alist_namespaces(prefix=("users",))) == 4
            await awaited.adelete(("users", "u1"), "visits")
            assert await awaited.aget(("users", "u1"), "visits") is None
            with pytest.raises(kioku.InvalidArgumentError, match="await aget"):
                awaited.get(ALICE, "visits")

    asyncio.run(run())


# --- items are observations ----------------------------------------------------------------------


def test_an_item_is_an_observation_that_anybody_finds(memory: Memory) -> None:
    store = KiokuStore(memory, project="bot", memory_type="pattern")
    store.put(ALICE, "diet", {"text": "Alice eats no meat"})
    [hit] = memory.search("meat", project="bot")
    one = hit.observation
    assert (one.memory_type, one.subject) == ("pattern", "users/alice/diet")
    assert one.references == ("langgraph:users/alice/diet",)
    assert one.agent_family == "claude"
    store.put(ALICE, "diet", {"text": "Alice eats fish"})
    changed = memory.get(one.id)
    assert changed is not None
    assert "fish" in changed.content
    assert KiokuStore(memory).get(ALICE, "diet") is None, "another project is another store"


def test_a_put_keeps_what_people_added_and_when_it_was_first_put(
    memory: Memory, store: KiokuStore, clock: Clock
) -> None:
    store.put(ALICE, "diet", {"n": 1})
    [one] = memory.list(project="langgraph")
    memory.edit(one.id, tags=["checked"], importance=5)
    clock.advance(timedelta(days=1))
    store.put(ALICE, "diet", {"n": 2})
    [now] = memory.list(project="langgraph")
    assert (now.tags, now.importance) == (("checked",), 5)
    item = store.get(ALICE, "diet")
    assert item is not None
    assert item.updated_at - item.created_at == timedelta(days=1)


def test_what_a_person_wrote_into_an_item_is_given_as_its_content(
    memory: Memory, store: KiokuStore
) -> None:
    store.put(ALICE, "diet", {"n": 1})
    [one] = memory.list(project="langgraph")
    for text in ("no meat, please", "[1]"):
        memory.edit(one.id, content=text)
        item = store.get(ALICE, "diet")
        assert item is not None
        assert item.value == {"content": text}


def test_an_item_stays_whatever_says_that_it_supersedes_it(
    memory: Memory, store: KiokuStore
) -> None:
    store.put(ALICE, "diet", {"text": "meat"})
    [one] = memory.list(project="langgraph")
    memory.save("Nobody eats anything", project="langgraph", supersedes=[one.id])
    assert store.get(ALICE, "diet") is not None
    assert len(store.search(())) == len(store.search((), query="meat")) == 1


def test_an_item_is_found_under_every_name_of_its_project(
    memory: Memory, store: KiokuStore
) -> None:
    store.put(ALICE, "diet", {"n": 1})
    memory.rename_project("langgraph", "acme/bot")
    store.put(ALICE, "diet", {"n": 2})
    item = KiokuStore(memory, project="acme/bot").get(ALICE, "diet")
    assert item is not None
    assert item.value == {"n": 2}


def test_a_batch_reads_what_was_there_and_its_last_put_of_an_item_counts(
    memory: Memory, store: KiokuStore
) -> None:
    store.put(ALICE, "old", {"n": 0})
    puts = [PutOp(ALICE, "k", {"n": 1}), PutOp(ALICE, "old", None), PutOp(ALICE, "k", {"n": 2})]
    results = store.batch([*puts, GetOp(ALICE, "k"), GetOp(ALICE, "old"), SearchOp(ALICE)])
    assert results[:4] == [None] * 4
    assert [bool(result) for result in results[4:]] == [True, True]
    assert [(item.key, item.value) for item in store.search(())] == [("k", {"n": 2})]
    store.batch([PutOp(ALICE, "k", {"n": 3}), PutOp(ALICE, "k", None)])
    assert store.search(()) == []
    assert len(memory.list(project="langgraph", include_deleted=True)) == 2


def test_long_names_that_begin_alike_are_several_items(store: KiokuStore) -> None:
    for end in ("1", "2"):
        store.put(("n" * 600, "m" * 600, end), "k" + end, {"end": end})
    for end in ("1", "2"):
        item = store.get(("n" * 600, "m" * 600, end), "k" + end)
        assert item is not None
        assert item.value == {"end": end}
        assert len(store.search(("n" * 600, "m" * 600, end))) == 1


# --- searching -----------------------------------------------------------------------------------


def test_a_query_is_answered_by_words_and_says_how_well(store: KiokuStore) -> None:
    store.put(ALICE, "a", {"text": "the databases of the north", "n": 1})
    store.put(ALICE, "b", {"text": "a database, and another database", "n": 2})
    store.put(ALICE, "c", {"text": "nothing of the sort", "n": 3})
    store.put(("users", "bob"), "d", {"text": "one database", "n": 4})
    found = store.search(ALICE, query="which database")
    assert {item.key for item in found} == {"a", "b"}
    scores = [item.score for item in found]
    assert all(score is not None and score > 0 for score in scores)
    assert scores == sorted(scores, key=lambda score: -(score or 0))
    second = store.search(ALICE, query="database", limit=1, offset=1)
    assert [item.key for item in second] == [found[1].key]
    assert [item.key for item in store.search((), query="database", filter={"n": {"$gt": 2}})] == [
        "d"
    ]
    assert {item.key for item in store.search(ALICE, query=" ")} == {"a", "b", "c"}
    assert [item.score for item in store.search(ALICE)] == [None] * 3


def test_every_page_is_looked_through(
    store: KiokuStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(items, "LIMIT_MAX", 20)
    monkeypatch.setattr(items, "FIRST_PAGE", 2)
    for n in range(70):
        clock.ms += n % 2
        store.put(ALICE, f"k{n}", {"n": n, "text": "word"})
    assert [item.key for item in store.search(ALICE, limit=100)] == [
        f"k{n}" for n in range(69, -1, -1)
    ]
    assert [item.key for item in store.search((), filter={"n": {"$lt": 2}})] == ["k1", "k0"]
    store.batch([PutOp(("many",), f"k{n}", {}) for n in range(30)])
    with pytest.raises(kioku.InvalidArgumentError, match="one millisecond"):
        store.search(("many",), limit=100)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (MatchCondition("prefix", ("a", "*", "v1")), [("a", "b", "v1"), ("a", "b", "v1", "x")]),
        (MatchCondition("suffix", ("v1",)), [("a", "b", "v1")]),
        (MatchCondition("suffix", ("*", "x")), [("a", "b", "v1", "x"), ("c", "x")]),
    ],
)
def test_namespaces_are_listed_by_conditions(
    store: KiokuStore, condition: MatchCondition, found: list[tuple[str, ...]]
) -> None:
    for namespace in (("a", "b", "v1", "x"), ("a", "b", "v1"), ("c", "x"), ("a",)):
        store.put(namespace, "k", {})
    assert store.batch([ListNamespacesOp((condition,))]) == [found]
    assert store.list_namespaces(max_depth=1) == [("a",), ("c",)]
    assert store.list_namespaces(max_depth=1, offset=1, limit=1) == [("c",)]


# --- what an end is ------------------------------------------------------------------------------


def test_an_item_ends_so_many_minutes_after_its_last_put(
    store: KiokuStore, clock: Clock, memory: Memory
) -> None:
    store.put(ALICE, "code", {"n": 1}, ttl=1.5)
    clock.advance(timedelta(seconds=89))
    assert store.get(ALICE, "code") is not None
    store.put(ALICE, "code", {"n": 2}, ttl=1)
    clock.advance(timedelta(seconds=59))
    assert store.search(ALICE) != []
    clock.advance(timedelta(seconds=1))
    assert store.get(ALICE, "code") is None
    assert store.search(ALICE) == store.list_namespaces() == []
    kept = KiokuStore(memory, ttl={"default_ttl": 1})
    kept.put(ALICE, "code", {"n": 3})
    kept.put(ALICE, "other", {"n": 3}, ttl=None)
    kept.put(ALICE, "third", {"n": 3}, ttl=1)
    kept.put(ALICE, "third", {"n": 4}, ttl=None)
    clock.advance(timedelta(minutes=1))
    assert {item.key for item in store.search(ALICE)} == {"other", "third"}


def test_reading_writes_nothing(memory: Memory, store: KiokuStore) -> None:
    store.put(ALICE, "code", {"n": 1}, ttl=5)
    digest = memory.statistics().events
    store.get(ALICE, "code")
    store.search(ALICE, query="n")
    store.batch([GetOp(ALICE, "code"), SearchOp(ALICE)])
    assert memory.statistics().events == digest


# --- several machines ----------------------------------------------------------------------------


def test_the_words_of_a_value_that_no_longer_counts_find_nothing(
    stores: Stores, clock: Clock
) -> None:
    one, two = stores.open("one"), stores.open("two")
    KiokuStore(one).put(ALICE, "diet", {"text": "meat"})
    clock.ms += 1
    KiokuStore(two).put(ALICE, "diet", {"text": "fish"})
    carry(two, one)
    store = KiokuStore(one)
    assert store.search((), query="meat") == []
    assert [item.value for item in store.search((), query="fish")] == [{"text": "fish"}]
    assert len(store.search(())) == 1


def test_what_is_deleted_is_deleted_whoever_put_it(stores: Stores, clock: Clock) -> None:
    one, two = stores.open("one"), stores.open("two")
    for memory in (one, two):
        clock.ms += 1
        KiokuStore(memory).put(ALICE, "diet", {"text": "meat"})
    carry(two, one)
    KiokuStore(one).delete(ALICE, "diet")
    carry(one, two)
    for memory in (one, two):
        assert KiokuStore(memory).get(ALICE, "diet") is None
        assert memory.search("meat") == []


def test_what_a_clock_that_is_ahead_has_put_counts_when_its_time_has_come(
    stores: Stores, clock: Clock
) -> None:
    ahead = Clock(clock.ms + 3_600_000)
    one, two = stores.open("one"), stores.open("two", ahead)
    KiokuStore(one).put(ALICE, "diet", {"text": "fish"})
    KiokuStore(two).put(ALICE, "diet", {"text": "meat"})
    KiokuStore(two).put(ALICE, "only", {"text": "there"})
    carry(two, one)
    store = KiokuStore(one)
    assert {item.value["text"] for item in store.search(ALICE)} == {"fish", "there"}
    assert store.search(ALICE, query="meat") == []
    clock.advance(timedelta(hours=1))
    assert {item.value["text"] for item in store.search(ALICE)} == {"meat", "there"}


def test_an_item_that_is_purged_while_it_is_put_is_put_anew(
    memory: Memory, store: KiokuStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(ALICE, "code", {"n": 1})
    [known] = memory.list(project="langgraph")
    save_many = memory.save_many

    def purged_before(saves: Any) -> Any:
        memory.purge(known.id)
        return save_many(saves)

    monkeypatch.setattr(memory, "save_many", purged_before)
    store.put(ALICE, "code", {"n": 2})
    [now] = memory.list(project="langgraph")
    assert (now.id != known.id, now.content) == (True, '{"n": 2}')
