"""What a workload says: series of measurements, and checks of them against the budget."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bench.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Series:
    """One contender's values, a round each, in the order they were taken.

    ``against`` names the series that this one's ratio is taken to; "" for none.
    """

    name: str
    unit: str
    values: Sequence[float]
    against: str = ""
    note: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


@dataclass(frozen=True, slots=True)
class Absent:
    """A contender that was not measured, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """A measured value beside its budget; ``limit`` is a ceiling, or a floor if ``is_minimum``."""

    label: str
    value: float
    limit: float
    is_minimum: bool = False

    @property
    def is_within(self) -> bool:
        return self.value >= self.limit if self.is_minimum else self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that one workload found."""

    durability: str
    sizes: Mapping[str, int]
    series: Sequence[Series | Absent]
    checks: Sequence[Check]
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """A row of the table of budgets, and the function that measures it."""

    row: int
    name: str
    title: str
    budget: str
    run: Callable[[Workspace], Outcome] = field(repr=False)
    is_long: bool = False


def named(series: Sequence[Series | Absent], name: str) -> Series | None:
    """Return the measured series of that name; None if it was not measured."""
    found = [each for each in series if isinstance(each, Series) and each.name == name]
    return found[0] if found else None


def ratio(series: Sequence[Series | Absent], name: str, against: str) -> float | None:
    """Return the median of the quotients round by round; None if either was not measured.

    Contenders take turns, so what slows one round slows both sides of its quotient.
    """
    above, below = named(series, name), named(series, against)
    if above is None or below is None:
        return None
    return statistics.median(
        over / under for over, under in zip(above.values, below.values, strict=True)
    )


def ratio_check(
    series: Sequence[Series | Absent],
    pair: tuple[str, str],
    limit: float,
    *,
    is_minimum: bool = False,
) -> list[Check]:
    """Return the check of ``pair``'s ratio against the budget; none if either was not measured."""
    value = ratio(series, *pair)
    if value is None:
        return []
    return [Check(f"{pair[0]} / {pair[1]}", value, limit, is_minimum)]
