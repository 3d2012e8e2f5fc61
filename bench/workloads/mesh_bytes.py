"""Rows 11 and 16: what goes over the wire for ten missing events of a million, and for nothing.

A relay stands between hub and spoke and counts what really passes, with all that TCP's payload
holds: Zenoh's handshake, its declarations and headers, beacons, the comparison and the events. Row
11 connects anew each round, so its numbers hold a whole connection; the floor is the chunks alone.
Row 16 looks at five nodes that have nothing to do for a minute.
"""

from __future__ import annotations

import os
import shutil
import statistics
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.measure import Contender, in_turn
from bench.mesh import build, lacking_bytes, meshed
from bench.outcome import Check, Outcome, Series, Workload
from bench.runner import main
from tests.integration.relay import Relay

if TYPE_CHECKING:
    from bench.workspace import Workspace
    from tests.integration.mesh import Machine, Mesh

HELD = 1_000_000
MISSING = 10
SHARE_MAX, FIXED_BYTES, TIP_BYTES = 1.05, 8 * 1024, 80
IDLE_S = 60.0
SPOKES = 4
CORE_PERCENT_MAX, PEER_BYTES_MAX = 0.5, 20 * 1024
CHUNKS, WIRE = "the chunks alone", "kioku, on the wire"


def port_of(machine: Machine) -> int:
    """The port on which a hub listens."""
    return int(machine.endpoint.rpartition(":")[2])


def _connect(spoke: Machine, relay: Relay) -> None:
    """Let a spoke reach its hub through a relay."""
    path = spoke.directory / "config" / "config.toml"
    hub = relay.target_endpoint
    path.write_text(path.read_text("utf-8").replace(hub, relay.endpoint), "utf-8")


def _copy(folder: Path, machine: Machine) -> None:
    """Give a machine a store that is there already, without its key: it begins a log of its own."""
    machine.store.parent.mkdir(exist_ok=True)
    shutil.copy(folder / "default.db", machine.store)


class Lacking:
    """A hub and a spoke that lacks some events each round; what passes between is counted."""

    def __init__(self, mesh: Mesh, hub: Machine, spoke: Machine, relay: Relay) -> None:
        self._mesh = mesh
        self._hub = hub
        self._spoke = spoke
        self._relay = relay
        self.chunk_bytes = 0
        self._saved = hub.glance().visible

    def miss(self) -> float:
        """Let the hub save what the spoke lacks, and weigh it."""
        build(self._hub, start_at=self._saved, count=MISSING)
        self._saved += MISSING
        self.chunk_bytes = lacking_bytes(self._hub, self._spoke)
        return float(self.chunk_bytes)

    def fetch(self) -> float:
        """Let the spoke come back, and weigh all that passed until it was level."""
        before = self._relay.bytes_total
        self._spoke.serve()
        self._mesh.await_level(self._hub, self._spoke)
        passed = self._relay.bytes_total - before
        self._spoke.end()
        return float(passed)


def measure_bytes(workspace: Workspace) -> Outcome:
    """Measure row 11."""
    count = workspace.size(HELD)
    with meshed(workspace) as mesh:
        hub = mesh.hub(serve=False)
        _copy(workspace.built("kioku", count), hub)
        hub.serve()
        mesh.await_level(hub, events=count)
        with Relay(port_of(hub)) as relay:
            spoke = mesh.spoke("spoke", hub, serve=False)
            _connect(spoke, relay)
            _copy(workspace.built("kioku", count), spoke)
            spoke.serve()
            mesh.await_level(hub, spoke, events=count)
            spoke.end()
            lacking = Lacking(mesh, hub, spoke, relay)
            series = in_turn(
                [
                    Contender(CHUNKS, "B", lacking.miss),
                    Contender(WIRE, "B", lacking.fetch, CHUNKS),
                ],
                rounds=workspace.rounds,
            )
            tips = hub.glance().logs
            mesh.end()
    chunks, wire = (one.median for one in series if isinstance(one, Series))
    limit = SHARE_MAX * chunks + FIXED_BYTES + TIP_BYTES * min(tips, 64)
    return Outcome(
        durability="FULL",
        sizes={"events held": count, "missing": MISSING, "tips": tips},
        series=series,
        checks=[Check("on the wire, bytes", wire, limit)],
        notes=["all of a connection: handshake, declarations, beacons, comparison and events"],
    )


# -- nothing to do ------------------------------------------------------------------------------


class Spent(NamedTuple):
    """What a process has used so far."""

    processor_s: float
    disk_bytes: int

    @classmethod
    def of(cls, pid: int) -> Spent:
        """Read it from the system's tables."""
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        ticks = int(fields[11]) + int(fields[12])
        written = dict(
            line.split(": ") for line in Path(f"/proc/{pid}/io").read_text("utf-8").splitlines()
        )
        return cls(ticks / os.sysconf("SC_CLK_TCK"), int(written["write_bytes"]))


def _idle(mesh: Mesh, relays: list[Relay], seconds: float, kept: dict[str, list[float]]) -> float:
    """Look at all nodes for some time; gives the processor's part of the busiest, in percent."""
    pids = [machine.server.pid for machine in mesh.machines if machine.server is not None]
    before = [Spent.of(pid) for pid in pids]
    passed = [relay.bytes_total for relay in relays]
    time.sleep(seconds)
    spent = [Spent.of(pid) for pid in pids]
    minutes = seconds / 60
    part = [
        100 * (b.processor_s - a.processor_s) / seconds for a, b in zip(before, spent, strict=True)
    ]
    kept["mean"].append(statistics.fmean(part))
    kept["bytes"].append(
        max(relay.bytes_total - a for relay, a in zip(relays, passed, strict=True)) / minutes
    )
    kept["disk"].append(
        float(max(b.disk_bytes - a.disk_bytes for a, b in zip(before, spent, strict=True)))
    )
    return max(part)


def measure_idle(workspace: Workspace) -> Outcome:
    """Measure row 16."""
    seconds = max(IDLE_S * workspace.scale, 5.0)
    kept: dict[str, list[float]] = {"mean": [], "bytes": [], "disk": []}
    with meshed(workspace) as mesh, ExitStack() as stack:
        hub = mesh.hub()
        relays = []
        for number in range(SPOKES):
            relay = stack.enter_context(Relay(port_of(hub)))
            spoke = mesh.spoke(f"spoke-{number}", hub, serve=False)
            _connect(spoke, relay)
            spoke.serve()
            relays.append(relay)
        build(hub, start_at=0, count=workspace.size(1_000))
        mesh.await_level(events=SPOKES + 1)
        time.sleep(2 * seconds)  # the last receipts for a save are written 90 s after it
        busiest = "processor, the busiest node"
        series = in_turn(
            [Contender(busiest, "% core", partial(_idle, mesh, relays, seconds, kept))],
            rounds=min(workspace.rounds, 3),
        )
        mesh.end()
    told = [
        Series("processor, mean of 5", "% core", kept["mean"]),
        Series("bytes a minute, a peer", "B", kept["bytes"]),
        Series("disk writes, a node", "B", kept["disk"]),
    ]
    return Outcome(
        durability="FULL",
        sizes={"nodes": SPOKES + 1, "seconds": round(seconds)},
        series=[*series, *told],
        checks=[
            Check("processor, % of a core", statistics.median(kept["mean"]), CORE_PERCENT_MAX),
            Check("bytes a minute, a peer", statistics.median(kept["bytes"]), PEER_BYTES_MAX),
            Check("disk writes, bytes", max(kept["disk"]), 0),
        ],
    )


BYTES = Workload(
    row=11,
    name="mesh-bytes",
    title="bytes on the wire for 10 missing of 1,000,000",
    budget="the events + 5 % + 8 KiB + 80 a tip",
    run=measure_bytes,
    is_long=True,
)
IDLE = Workload(
    row=16,
    name="mesh-idle",
    title="an idle node of 5",
    budget="<= 0.5 % of a core, <= 20 KiB a minute a peer, no disk write",
    run=measure_idle,
)

if __name__ == "__main__":
    main([BYTES, IDLE])
