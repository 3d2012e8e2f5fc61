"""Has the clients, runs every check, says what was so; 0 unless a client that was had failed."""

from __future__ import annotations

import concurrent.futures
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import NamedTuple

from tests.clients import connected, oracle, plugin, session, sharing
from tests.clients.offline import offline
from tests.clients.packages import NODE, PACKAGES, Had, Node, NotHadError, find_node, install
from tests.clients.stage import Check, Stage

CHECKS = [*connected.CHECKS, *sharing.CHECKS, *session.CHECKS, *plugin.CHECKS, *oracle.CHECKS]
WORKERS = 2
REASON_MAX = 2_000  # characters


class Outcome(NamedTuple):
    """How a check ended: "ok", "FAILED" or "NOT RUN", and why."""

    check: Check
    state: str
    reason: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        line = f"{self.state:8}{' + '.join(self.check.clients):24}{self.check.words}"
        return f"{line}  {self.seconds:.1f} s" if self.state == "ok" else f"{line}: {self.reason}"


def say(text: str = "") -> None:
    print(text, flush=True)


def have() -> tuple[Node | None, dict[str, Had], dict[str, str]]:
    """Have Node and the clients, all at once: those that are here, and the reason for others."""
    try:
        node = find_node()
    except NotHadError as error:
        return None, {}, dict.fromkeys(PACKAGES, f"no Node ({NODE}): {error}")
    had: dict[str, Had] = {}
    reasons: dict[str, str] = {}
    with concurrent.futures.ThreadPoolExecutor(len(PACKAGES)) as pool:
        waited = {client: pool.submit(install, client, node) for client in PACKAGES}
        for client, future in waited.items():
            try:
                had[client] = future.result()
            except NotHadError as error:
                reasons[client] = str(error)
    return node, had, reasons


def run(check: Check, stage: Stage) -> Outcome:
    """Run one check."""
    began = time.monotonic()
    try:
        check.find_out(stage)
    except Exception as error:  # noqa: BLE001 - any failure of a check is its outcome
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        reason = f"{type(error).__name__}: {str(error)[:REASON_MAX]} ({where})"
        return Outcome(check, "FAILED", reason)
    return Outcome(check, "ok", seconds=time.monotonic() - began)


def run_all(node: Node, had: dict[str, Had]) -> list[Outcome]:
    """Run the checks whose clients are here, two at a time, and say each as it ends."""
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="kioku-clients-") as directory, offline() as away:
        say(f"offline: {away.described}")
        stage = Stage(node, had, away, Path(directory))
        able = [check for check in CHECKS if had.keys() >= set(check.clients)]
        with concurrent.futures.ThreadPoolExecutor(min(WORKERS, os.cpu_count() or 1)) as pool:
            for future in concurrent.futures.as_completed(
                [pool.submit(run, check, stage) for check in able]
            ):
                outcomes.append(future.result())
                say(str(outcomes[-1]))
    return outcomes


def main() -> int:
    """Run it all."""
    began = time.monotonic()
    node, had, reasons = have()
    names = ", ".join(f"{client} {one.version}" for client, one in had.items())
    say(f"clients: {names or 'none'} ({time.monotonic() - began:.0f} s)")
    outcomes = run_all(node, had) if node and had else []
    for check in CHECKS:
        if lacking := [client for client in check.clients if client in reasons]:
            outcomes.append(Outcome(check, "NOT RUN", reasons[lacking[0]]))
            say(str(outcomes[-1]))
    counts = {state: sum(one.state == state for one in outcomes) for state in ("ok", "FAILED")}
    rest = len(outcomes) - sum(counts.values())
    say(
        f"real clients: {counts['ok']} ok, {counts['FAILED']} failed, {rest} NOT RUN"
        f"; {time.monotonic() - began:.0f} s"
    )
    return 1 if counts["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
