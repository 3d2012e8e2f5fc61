"""What must hold of a store whatever happened to it: asked of all of it, log and view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.view.audit import find_differences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kioku import Memory

WAITING = {"held", "missing", "erasures"}


def problems(memory: Memory) -> list[str]:
    """Everything that a deep look finds wrong; an erasure that waits is not wrong."""
    findings = memory.replica.check(deep=True, now_ms=memory.now_ms())
    found = [str(one) for one in findings if one.status != "pass" and one.name not in WAITING]
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        found += list(find_differences(reading.connection))
    return found


def contents(memory: Memory) -> dict[str, str]:
    """Everything that is shown, by id."""
    return {one.id: one.content for one in memory.list(limit=10_000)}


def assert_whole(memory: Memory, acknowledged: Iterable[tuple[str, str]] = ()) -> None:
    """Demand that nothing is wrong and that all of this is there, and found by its words."""
    assert problems(memory) == []
    there = contents(memory)
    for key, content in acknowledged:
        assert there.get(key) == content, f"{key} is lost"
