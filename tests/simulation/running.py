"""Running worlds: one, or many in turn, each from its seed."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
import traceback
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final

from kioku.replica import Replica
from kioku.view.schema import ObservationView
from tests.simulation.limits import small_chunks
from tests.simulation.machine import Crash
from tests.simulation.world import World

if TYPE_CHECKING:
    from tests.simulation.options import Options

SHARED_MEMORY: Final = "/dev/shm"


@dataclass(slots=True)
class Result:
    """What became of one run, or of several together."""

    options: Options
    digest: str
    quiet_ms: int
    receipts_ms: int
    seen: Counter[str] = field(default_factory=Counter)
    problem: str = ""
    lines: list[str] = field(default_factory=list)


def run(options: Options, *, keeps_lines: bool = False) -> Result:
    """Run one world to its verdict, in a directory that is removed."""
    home = SHARED_MEMORY if os.path.isdir(SHARED_MEMORY) else None
    directory = tempfile.mkdtemp(prefix="kioku-simulation-", dir=home)
    problem = ""
    gc.disable()  # a run is short: what it leaves is collected once, between runs
    try:
        template = os.path.join(directory, "m0")
        make_template(template)
        world = World(options, directory, template, keeps_lines=keeps_lines)
        try:
            with small_chunks() if options.has_small_chunks else nullcontext():
                world.run()
        except (Exception, Crash):  # noqa: BLE001 - whatever it is, its seed must be told
            problem = traceback.format_exc()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        gc.enable()
    trace = world.trace
    return Result(
        options, trace.digest(), world.quiet_ms, world.receipts_ms, trace.seen, problem, trace.lines
    )


def make_template(path: str) -> None:
    """Create an empty store of the space, which every machine begins with."""
    Replica.open(
        path, rng=Random(0), name="nobody", view=ObservationView(), space="sim", durability="normal"
    ).close()
