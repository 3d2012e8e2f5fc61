"""How a machine catches up, as somebody sees who looks at it twenty times a second."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from kioku.node.node import ask_leader
from tests.integration.mesh import until

if TYPE_CHECKING:
    from tests.integration.mesh import Machine

SAMPLE_S = 0.05
FIRST_S_MAX = 0.1
REST_S_MAX = 0.5
STEP_MAX = 0.05


class Growth(NamedTuple):
    """When what is visible grew: (seconds since it connected, how much there was)."""

    samples: tuple[tuple[float, int], ...]
    total: int

    @property
    def first_s(self) -> float:
        """How long nothing was seen after the first event of another machine was there."""
        return self.samples[0][0]

    @property
    def rest_s_max(self) -> float:
        """The longest time in which nothing grew."""
        times = [at for at, _ in self.samples]
        return max((b - a for a, b in pairwise(times)), default=0.0)

    @property
    def step_max(self) -> float:
        """The greatest step between two looks, as a part of all."""
        counts = [0, *(count for _, count in self.samples)]
        return max(b - a for a, b in pairwise(counts)) / self.total

    @property
    def seconds(self) -> float:
        """How long all of it took."""
        return self.samples[-1][0]

    def describe(self) -> str:
        return (
            f"first after {self.first_s * 1000:.0f} ms, all after {self.seconds:.1f} s"
            f" ({self.total / self.seconds:,.0f}/s), longest rest {self.rest_s_max * 1000:.0f} ms,"
            f" greatest step {self.step_max:.1%}"
        )

    def check(self) -> None:
        """Demand what is promised of a catch-up."""
        assert self.first_s <= FIRST_S_MAX, self.describe()
        assert self.rest_s_max <= REST_S_MAX, self.describe()
        assert self.step_max <= STEP_MAX, self.describe()


def watch(machine: Machine, *, until_visible: int) -> Growth:
    """Look at what a machine shows until it is all there; each time it has grown is a sample.

    The clock begins when its node has reached a peer: before, there is nothing to show.
    """

    def is_connected() -> bool:
        status = ask_leader(str(machine.store))
        return status is not None and status.transport == "open"

    until(is_connected, lambda: machine.log, poll_s=SAMPLE_S / 10)
    began = time.monotonic()
    samples: list[tuple[float, int]] = []

    def look() -> bool:
        visible = machine.glance().visible
        if visible > (samples[-1][1] if samples else 0):
            samples.append((time.monotonic() - began, visible))
        return visible >= until_visible

    until(look, lambda: f"{samples[-3:]}: {machine.log}", poll_s=SAMPLE_S)
    return Growth(tuple(samples), until_visible)
