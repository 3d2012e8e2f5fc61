"""``make sim``: many seeds in turn, or one again.

    python -m tests.simulation                    500 seeds, from a random one on
    python -m tests.simulation --seeds 5000       more of them; --minutes 20 instead of a number
    python -m tests.simulation --all "machines=5 operations=200"
    python -m tests.simulation --seed 17          one, with every step that it took
    python -m tests.simulation --options "seed=17 machines=3 troubles=clones"

A seed that fails prints the options that replay it exactly. A run of ``FULL_RUN`` seeds or more
fails also if a situation that the simulator promises never came about.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import islice
from random import SystemRandom
from typing import TYPE_CHECKING, Final

from tests.simulation.coverage import never_seen
from tests.simulation.options import Options
from tests.simulation.running import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulation.running import Result

FULL_RUN: Final = 200
"""Seeds after which every promised situation has come about, with much to spare."""
SHOWN_LINES: Final = 200


def main(arguments: list[str]) -> int:
    """Run what was asked for; 0 if everything held."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seed", type=int, help="replay one seed")
    parser.add_argument("--options", help="replay these options, as a failure prints them")
    parser.add_argument("--seeds", type=int, default=500, help="how many (500)")
    parser.add_argument("--begin", type=int, help="the first seed (random)")
    parser.add_argument("--minutes", type=float, help="as many as fit into so many minutes")
    parser.add_argument("--all", default="", help='what all have in common: "machines=5 …"')
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    given = parser.parse_args(arguments)
    if given.options or given.seed is not None:
        return replay(Options.read(given.options or f"seed={given.seed}"))
    begin = SystemRandom().randrange(10**9) if given.begin is None else given.begin
    count = given.seeds if given.minutes is None else 10**9
    worlds = (Options.draw(seed).changed(given.all) for seed in range(begin, begin + count))
    return run_many(worlds, given.minutes, given.workers)


def replay(options: Options) -> int:
    """Run one world and print what happened in it."""
    print(options)
    result = run(options, keeps_lines=True)
    print("\n".join(result.lines[-SHOWN_LINES:]))
    print(
        f"trace {result.digest}, quiet after {result.quiet_ms} ms,"
        f" receipts after {result.receipts_ms} ms"
    )
    print(result.problem or "everything held")
    return 1 if result.problem else 0


def run_many(worlds: Iterator[Options], minutes: float | None, workers: int) -> int:
    """Run worlds, as many as there are or fit into the time, and print what they came to."""
    began = time.monotonic()
    end = None if minutes is None else began + minutes * 60
    seen: Counter[str] = Counter()
    quiet: list[int] = []
    receipts: list[int] = []
    failed = 0
    for result in _results(worlds, end, workers):
        seen += result.seen
        quiet.append(result.quiet_ms)
        receipts.append(result.receipts_ms)
        if result.problem:
            failed += 1
            print(f'FAILED  python -m tests.simulation --options "{result.options}"')
            print(result.problem, flush=True)
    took = time.monotonic() - began
    print(
        f"{len(quiet)} seeds, {failed} failed; {took:.1f} s,"
        f" {len(quiet) * 60 / took:.0f} seeds a minute;"
        f" quiet after {sorted(quiet)[len(quiet) // 2]} ms, at most {max(quiet)} ms;"
        f" receipts after {sorted(receipts)[len(receipts) // 2]} ms, at most {max(receipts)} ms"
    )
    missed = never_seen(seen) if len(quiet) >= FULL_RUN else []
    for situation in missed:
        print(f"NEVER SEEN  {situation}")
    return 1 if failed or missed else 0


def _results(worlds: Iterator[Options], end: float | None, workers: int) -> Iterator[Result]:
    with ProcessPoolExecutor(workers) as pool:
        running = {pool.submit(run, options) for options in islice(worlds, workers * 2)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
                if end is None or time.monotonic() < end:
                    running |= {pool.submit(run, options) for options in islice(worlds, 1)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
