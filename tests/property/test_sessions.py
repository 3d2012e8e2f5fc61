"""Sessions bring two replicas level, whatever their histories and whatever the wire does."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import BrokenChainError
from tests.property.forests import LATER_MS, Delivery, deliveries, forests
from tests.property.stores import open_store, snapshot
from tests.property.wires import pull

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kioku.replica import Replica


def feed(replica: Replica, runs: Iterable[Delivery]) -> None:
    """Ingest what chains; what does not is what this replica never heard of."""
    for run in runs:
        try:
            replica.ingest_chunk(run.data, now_ms=LATER_MS)
        except BrokenChainError:
            continue


@st.composite
def parts(draw: st.DrawFn, count: int) -> list[list[Delivery]]:
    """Some runs of one forest for each of several replicas."""
    forest = draw(forests(size_max=24))
    out = []
    for _ in range(count):
        runs = draw(deliveries(forest))
        out.append(runs[: draw(st.integers(0, len(runs)))])
    return out


@given(st.data())
def test_two_replicas_are_level_after_a_session_each_way(data: st.DataObject) -> None:
    """Frontiers, views, bodies: of any two histories of one forest, forks and gaps included."""
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(open_store(seed=seed)) for seed in (1, 2))
        for replica, runs in zip((ours, theirs), data.draw(parts(2)), strict=True):
            feed(replica, runs)
        first = pull(ours, theirs, now_ms=LATER_MS)
        second = pull(theirs, ours, now_ms=LATER_MS)
        assert first.problem == second.problem == ""
        assert second.is_level
        assert not first.refused
        assert not second.refused
        assert first.events_left == second.events_left == 0
        again = pull(ours, theirs, now_ms=LATER_MS)
        assert again.is_level
        assert not again.differing
        assert again.new_events == 0
        assert snapshot(ours, now_ms=LATER_MS) == snapshot(theirs, now_ms=LATER_MS)
