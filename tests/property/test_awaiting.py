"""However saves, cancellations and a close fall together: what was acknowledged is there, once.

The program of a run is drawn; where the thread stands at each of its steps is left to chance, but
for a gate that holds the thread, so that some saves are known not to have had their turn.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

import kioku
from tests.unit.gates import SECONDS_MAX, Gate, turns

steps = st.lists(
    st.one_of(
        st.just(("save", 0)),
        st.just(("save", 0)),
        st.tuples(st.just("cancel"), st.integers(0, 30)),
        st.tuples(st.just("turn"), st.integers(1, 40)),
        st.sampled_from((("hold", 0), ("let go", 0), ("close", 0))),
    ),
    min_size=4,
    max_size=40,
)
Outcomes = list["kioku.Observation | BaseException"]


class Run:
    """One program over one memory, and what became of each of its saves."""

    def __init__(self, memory: kioku.AsyncMemory) -> None:
        self.memory = memory
        self.gate: Gate | None = None
        self.saves: list[asyncio.Task[kioku.Observation]] = []
        self.others: list[asyncio.Task[None]] = []
        self.waiting: set[int] = set()
        self.never: set[int] = set()

    async def take(self, step: tuple[str, int]) -> None:
        name, number = step
        match name:
            case "save":
                self.save()
            case "cancel":
                self.cancel(number)
            case "turn":
                await turns(number)
            case "hold":
                await self.hold()
            case "let go":
                self.let_go()
            case "close":
                self.others.append(asyncio.create_task(self.memory.close()))

    def save(self) -> None:
        if self.gate is not None:
            self.waiting.add(len(self.saves))
        saving = self.memory.save(f"thought {len(self.saves)}")
        self.saves.append(asyncio.create_task(saving))

    def cancel(self, number: int) -> None:
        if number < len(self.saves) and self.saves[number].cancel() and number in self.waiting:
            self.never.add(number)

    async def hold(self) -> None:
        if self.gate is None and not self.others:
            self.gate = Gate()
            self.others.append(asyncio.create_task(self.memory.run(self.gate.stand)))
            await self.gate.reached.wait()

    def let_go(self) -> None:
        if self.gate is not None:
            self.gate.open()
            self.gate = None
            self.waiting.clear()

    async def end(self) -> Outcomes:
        self.let_go()
        outcomes = await asyncio.gather(*self.saves, return_exceptions=True)
        await asyncio.gather(*self.others)
        return outcomes


@given(steps)
def test_an_acknowledged_save_is_there_once_and_a_cancelled_one_at_most(
    program: list[tuple[str, int]],
) -> None:
    async def play(store: str) -> tuple[Outcomes, set[int]]:
        async with kioku.open_async(store, durability="normal") as memory:
            run = Run(memory)
            for step in program:
                await run.take(step)
            return await run.end(), run.never

    with TemporaryDirectory() as directory:
        store = f"{directory}/played.db"
        outcomes, never = asyncio.run(asyncio.wait_for(play(store), SECONDS_MAX))
        with kioku.open(store) as memory:
            found = memory.list(limit=1_000)
    count = Counter(observation.content for observation in found)
    for number, outcome in enumerate(outcomes):
        content = f"thought {number}"
        if isinstance(outcome, kioku.Observation):
            assert [seen.id for seen in found if seen.content == content] == [outcome.id]
        elif number in never or isinstance(outcome, kioku.KiokuError):
            assert count[content] == 0
        else:
            assert isinstance(outcome, asyncio.CancelledError)
            assert count[content] <= 1
