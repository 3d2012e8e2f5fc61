"""Contenders in turn: each round runs every contender once, so that noise falls on all alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.outcome import Absent, Series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class NotMeasuredError(Exception):
    """A contender could not be measured; the run goes on without it."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to measure: ``run`` returns one value in ``unit``, a time or a rate.

    A peer that fails is reported as not measured; kioku or a floor that fails ends the workload.
    """

    name: str
    unit: str
    run: Callable[[], float]
    against: str = ""
    note: str = ""
    is_peer: bool = False


def in_turn(
    contenders: Sequence[Contender], *, rounds: int, warm_ups: int = 0
) -> list[Series | Absent]:
    """Run every contender ``rounds`` times in turn, after ``warm_ups`` rounds that do not count."""
    values: dict[str, list[float]] = {each.name: [] for each in contenders}
    absent: dict[str, str] = {}
    for number in range(-warm_ups, rounds):
        for contender in contenders:
            if contender.name in absent:
                continue
            try:
                value = contender.run()
            except NotMeasuredError as error:
                if not contender.is_peer:
                    raise
                absent[contender.name] = str(error)
                continue
            if number >= 0:
                values[contender.name].append(value)
    return [_result(each, values[each.name], absent.get(each.name)) for each in contenders]


def _result(contender: Contender, values: list[float], reason: str | None) -> Series | Absent:
    if reason is not None:
        return Absent(contender.name, reason)
    return Series(contender.name, contender.unit, values, contender.against, contender.note)
