"""The runner: chooses workloads, runs them one after the other, prints and keeps what they find."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from bench import peers
from bench.measure import NotMeasuredError
from bench.report import table, write_json
from bench.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.outcome import Workload

QUICK_SCALE = 0.1
ROUNDS = 5


def main(workloads: Sequence[Workload]) -> None:
    """Run what the command line asks for; exit code 1 if a workload could not be measured.

    A budget that is missed is told and is no failure: a benchmark measures, a test judges.
    """
    options = _options(workloads)
    if options.peers:
        peers.install_all()
    chosen = [each for each in workloads if _is_chosen(each, options)]
    facts = _facts(options)
    print("  ".join(f"{name} {value}" for name, value in facts.items() if name != "peers"))
    print("peers: " + ", ".join(f"{name} {found}" for name, found in facts["peers"].items()))
    with tempfile.TemporaryDirectory(prefix="kioku-bench-", dir=options.directory) as folder:
        workspace = Workspace(Path(folder), rounds=options.rounds, scale=options.scale)
        is_measured = [_measure(workload, workspace, facts) for workload in chosen]
    sys.exit(0 if all(is_measured) else 1)


def _measure(workload: Workload, workspace: Workspace, facts: Mapping[str, Any]) -> bool:
    began = time.monotonic()
    try:
        outcome = workload.run(workspace)
    except NotMeasuredError as error:
        print(f"\nrow {workload.row}  {workload.title}\n  FAILED: {error}", flush=True)
        return False
    print(table(workload, outcome))
    path = write_json(workload, outcome, {**facts, "seconds": time.monotonic() - began})
    print(f"  {time.monotonic() - began:.0f} s; wrote {os.path.relpath(path)}", flush=True)
    return True


def _is_chosen(workload: Workload, options: argparse.Namespace) -> bool:
    if options.only:
        return workload.row in options.only
    return not (options.quick and workload.is_long)


def _options(workloads: Sequence[Workload]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure kioku against floors, peers and budgets."
    )
    parser.add_argument("--only", type=_rows, default=(), metavar="1,3", help="these rows only")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of every size, and no row that takes long"
    )
    parser.add_argument(
        "--scale", type=float, metavar="X", help="multiply every size (budgets hold for 1)"
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="rounds (5)")
    parser.add_argument("--peers", action="store_true", help="install absent peers first")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path(tempfile.gettempdir()),
        help="where stores are built; on a real disk, or an fsync costs nothing",
    )
    options = parser.parse_args()
    known = {each.row for each in workloads}
    if unknown := sorted(set(options.only) - known):
        parser.error(f"no row {unknown[0]}; there are {', '.join(map(str, sorted(known)))}")
    if options.scale is None:
        options.scale = QUICK_SCALE if options.quick else 1.0
    return options


def _rows(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _facts(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "kioku": version("kioku-log"),
        "python": platform.python_version(),
        "sqlite": apsw.sqlite_lib_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "filesystem": _filesystem(options.directory),
        "scale": options.scale,
        "rounds": options.rounds,
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "peers": {peer: peers.version(peer) for peer in peers.PEERS},
    }


def _filesystem(directory: Path) -> str:
    """Name the file system under ``directory``: on tmpfs FULL costs what NORMAL does."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return "unknown"
    path, found = directory.resolve(), ("", "unknown")
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, mount, kind, *_ = line.split()
        if path.is_relative_to(mount) and len(mount) >= len(found[0]):
            found = mount, kind
    return found[1]
