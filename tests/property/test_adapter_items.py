"""Items of an agent framework: the framework's own store answers alike, and machines agree."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langgraph.store.base import (
    BaseStore,
    GetOp,
    ListNamespacesOp,
    MatchCondition,
    PutOp,
    SearchOp,
)
from langgraph.store.memory import InMemoryStore

from kioku.adapters.langgraph import KiokuStore
from kioku.memory import open_store
from tests.unit.memories import Clock, carry
from tests.unit.memories import settings as settings_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kioku.memory import Memory

ALL = 10_000

labels = st.sampled_from(
    ["a", "b", "A", "a/b", "%2F", "x*", "ユーザー", "two words", "runs", "x" * 600]
)
namespaces = st.lists(labels, min_size=1, max_size=3).map(tuple)
prefixes = st.lists(labels, max_size=2).map(tuple)
keys = st.sampled_from(["k", "K", "k*", "", "a/b", "ключ", "run", "running", "y" * 1_200])
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, -1e300, 2**70]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
)  # fmt: skip
values = st.dictionaries(
    st.sampled_from(["n", "t", "deep", "\x7f"]),
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=2) | st.dictionaries(st.text("n$", max_size=2), inner)
        ),
        max_leaves=4,
    ),
    max_size=3,
)
operators = st.sampled_from(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"])
filters = st.none() | st.dictionaries(
    st.sampled_from(["n", "t", "deep"]),
    scalars | st.lists(scalars, max_size=2) | st.dictionaries(operators, scalars, max_size=2),
    max_size=2,
)
conditions = st.builds(
    MatchCondition,
    st.sampled_from(["prefix", "suffix"]),
    st.lists(labels | st.just("*"), max_size=2).map(tuple),
)
puts = st.builds(
    PutOp,
    namespaces,
    keys,
    values | st.none(),
    st.sampled_from([None, False]),
    st.sampled_from([None, 90]),
)
operations = st.one_of(
    puts,
    puts,
    st.builds(GetOp, namespaces, keys),
    st.builds(SearchOp, prefixes, filters, st.integers(0, 4), st.integers(0, 4), st.none()),
    st.builds(
        ListNamespacesOp,
        st.none() | st.lists(conditions, max_size=2).map(tuple),
        st.none() | st.integers(1, 3),
        st.integers(0, 4),
        st.integers(0, 2),
    ),
)


def opened(stack: ExitStack, name: str, clock: Clock) -> Memory:
    memory = open_store(":memory:", settings_of(name), space="shared", clock=clock)
    return stack.enter_context(closing(memory))


def told(item: Any) -> Any:
    """What two stores must say alike of an item; its times are each store's own."""
    return None if item is None else (item.namespace, item.key, item.value)


def in_order(items: Iterable[Any]) -> list[Any]:
    return sorted((told(item) for item in items), key=lambda one: (one[0], one[1]))


def all_that_matches(store: BaseStore, op: SearchOp) -> list[Any]:
    return list(store.search(op.namespace_prefix, filter=op.filter, limit=ALL))


def expected_of(model: InMemoryStore, op: Any) -> Any:
    """What the framework's store says; of a search all, in no order."""
    if isinstance(op, SearchOp):
        return in_order(all_that_matches(model, op))
    if isinstance(op, ListNamespacesOp):
        # It goes on to list a namespace whose items are gone, or that was only asked about.
        fresh = InMemoryStore()
        for item in model.search((), limit=ALL):
            fresh.put(item.namespace, item.key, item.value)
        return fresh.batch([op])[0]
    return told(model.batch([op])[0])


@settings(max_examples=60)
@given(st.lists(st.lists(operations, min_size=1, max_size=6), max_size=6))
def test_the_same_operations_give_what_the_frameworks_own_store_gives(
    batches: list[list[Any]],
) -> None:
    model = InMemoryStore()
    with ExitStack() as stack:
        clock = Clock()
        store = KiokuStore(opened(stack, "one", clock))
        for ops in batches:
            clock.ms += 1
            expected = []
            for op in ops:
                try:
                    expected.append(None if isinstance(op, PutOp) else expected_of(model, op))
                except (TypeError, ValueError, OverflowError):
                    expected.append("compares what cannot be; ours does not match")
            found = store.batch(ops)
            model.batch([op for op in ops if isinstance(op, PutOp)])
            # All reads of a batch see what was there before it, so they can be compared by now.
            for op, ours, theirs in zip(ops, found, expected, strict=True):
                if isinstance(theirs, str):
                    continue
                if isinstance(op, SearchOp):
                    check_window(store, op, ours, theirs, is_after=any_put(ops))
                else:
                    assert (told(ours) if isinstance(op, GetOp) else ours) == theirs
        everything = store.search((), limit=ALL)
        assert in_order(everything) == expected_of(model, SearchOp(()))
        times = [item.updated_at for item in everything]
        assert times == sorted(times, reverse=True), "the newest change first"


def any_put(ops: list[Any]) -> bool:
    return any(isinstance(op, PutOp) for op in ops)


def check_window(
    store: KiokuStore, op: SearchOp, ours: Any, theirs: Any, *, is_after: bool
) -> None:
    """A search gives some of what matches: which, its own order says."""
    assert len(ours) == len(theirs[op.offset : op.offset + op.limit])
    assert all(told(item) in theirs for item in ours)
    if not is_after:
        whole = all_that_matches(store, op)
        assert in_order(whole) == theirs
        assert [told(item) for item in whole[op.offset : op.offset + op.limit]] == [
            told(item) for item in ours
        ]


# --- several machines ----------------------------------------------------------------------------

MACHINES = 3
few = st.sampled_from([(("a",), "k"), (("a",), "other"), (("a", "b"), "k")])
machines = st.integers(0, MACHINES - 1)
steps = st.one_of(
    st.tuples(st.just("put"), machines, few, st.integers(0, 99)),
    st.tuples(st.just("put"), machines, few, st.integers(0, 99)),
    st.tuples(st.just("delete"), machines, few, st.just(0)),
    st.tuples(st.just("purge"), machines, few, st.just(0)),
    st.tuples(st.just("carry"), machines, few, machines),
)


def carry_all(memories: list[Memory]) -> None:
    for _ in range(2):
        for source in memories:
            carry(source, *memories)


def purge_one(memory: Memory) -> list[str]:
    """Erase the newest item for ever, past the store."""
    ids = [one.id for one in memory.list(project="langgraph", limit=1)]
    for each in ids:
        memory.purge(each)
    return ids


def order_of(memory: Memory, observation_id: str) -> tuple[Any, ...]:
    """Where the event that an observation stands for is in the order of all."""
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        entry = reading.winner(bytes.fromhex(observation_id))
    assert entry is not None
    return (entry.hlc, entry.log_id, entry.seq)


def shown(store: KiokuStore) -> list[Any]:
    return in_order(store.search((), limit=ALL))


@settings(max_examples=60)
@given(st.lists(steps, max_size=14), machines, st.data())
def test_machines_show_the_same_items_once_they_have_met(
    history: list[tuple[str, int, Any, int]], last: int, data: st.DataObject
) -> None:
    clock = Clock()
    with ExitStack() as stack:
        memories = [opened(stack, f"m{n}", clock) for n in range(MACHINES)]
        stores = [KiokuStore(memory) for memory in memories]
        purged: set[str] = set()
        for number, (step, machine, (namespace, key), value) in enumerate(history):
            clock.ms += data.draw(st.integers(0, 1))
            if step == "purge":
                purged.update(purge_one(memories[machine]))
            elif step == "carry":
                carry(memories[machine], memories[value])
            else:
                content = {"value": value, "step": number} if step == "put" else None
                stores[machine].batch([PutOp(namespace, key, content)])
                assert (stores[machine].get(namespace, key) is None) == (content is None)
        carry_all(memories)
        first = shown(stores[0])
        for store in stores:
            assert shown(store) == first
            assert [told(store.get(one[0], one[1])) for one in first] == first
        ids = {one.id for one in memories[0].list(project="langgraph", limit=ALL)}
        assert not ids & purged

        # Whatever happened, a put now counts everywhere, and of each item one observation is left.
        for namespace, key, _ in first:
            stores[last].put(namespace, key, {"value": "now"})
        carry_all(memories)
        assert all(one[2] == {"value": "now"} for store in stores for one in shown(store))
        assert len(memories[0].list(project="langgraph", limit=ALL)) == len(first)

        for namespace, key, _ in first:
            stores[last].delete(namespace, key)
        carry_all(memories)
        assert [shown(store) for store in stores] == [[]] * MACHINES


@settings(max_examples=30)
@given(few, st.lists(st.tuples(machines, st.integers(0, 1)), min_size=1, max_size=5))
def test_of_puts_that_have_not_met_the_greatest_is_shown(
    item: Any, puts: list[tuple[int, int]]
) -> None:
    """Each machine has put without the others: the last by the clock, then by the log, counts."""
    clock = Clock()
    with ExitStack() as stack:
        memories = [opened(stack, f"m{n}", clock) for n in range(MACHINES)]
        for number, (machine, passed) in enumerate(puts):
            clock.ms += passed
            KiokuStore(memories[machine]).put(item[0], item[1], {"number": number})
        carry_all(memories)
        listed = memories[0].list(project="langgraph", limit=ALL)
        greatest = max(listed, key=lambda one: order_of(memories[0], one.id))
        for memory in memories:
            found = KiokuStore(memory).get(*item)
            assert found is not None
            assert json.loads(greatest.content) == found.value
