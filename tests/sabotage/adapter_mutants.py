"""More sabotages: of items of agent frameworks, and of finding them by their references."""

from __future__ import annotations

from tests.sabotage.change import Change

ITEMS = "kioku/adapters/items.py"
LANGGRAPH = "kioku/adapters/langgraph.py"
SCOPE = "kioku/view/scope.py"

FILTER_TESTS = "tests/unit/test_view_filter.py"
ITEM_TESTS = "tests/property/test_adapter_items.py"
STORE_TESTS = "tests/unit/test_adapter_langgraph.py"

ADAPTER_GROUPS: dict[str, list[Change]] = {
    "adapter": [
        Change(
            "half a word of a reference is taken for a word",
            SCOPE,
            "    if start != reference:\n",
            "    if False:\n",
            FILTER_TESTS,
        ),
        Change(
            "a put leaves what another machine put under the name",
            ITEMS,
            "deletions += [(one.id, _OLDER) for one in known[1:]]",
            "pass",
            ITEM_TESTS,
        ),
        Change(
            "a deletion deletes only what counts",
            ITEMS,
            'deletions += [(one.id, "") for one in known]',
            'deletions += [(one.id, "") for one in known[:1]]',
            STORE_TESTS,
        ),
        Change(
            "what is held counts before its time",
            ITEMS,
            "return sorted(found, key=lambda one: one.is_held)",
            "return found",
            STORE_TESTS,
        ),
        Change(
            "a value that no longer counts is found by its words",
            ITEMS,
            "if [known.id for known in self.find(memory, name)[:1]] == [one.id]:",
            "if True:",
            STORE_TESTS,
        ),
        Change(
            "of two puts in a batch the first counts",
            LANGGRAPH,
            "puts[name] = _put(op, name, memory)",
            "puts.setdefault(name, _put(op, name, memory))",
            STORE_TESTS,
        ),
        Change(
            "names whose paths are cut alike are one item",
            ITEMS,
            "found = [one for one in listed if self._name_of(one) == name]",
            "found = listed",
            STORE_TESTS,
        ),
    ],
}
