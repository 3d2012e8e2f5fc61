"""Break the package one line at a time and demand that a test notices: ``make sabotage``.

Each mutant of ``mutants.py`` is written into a copy of the package and of the tests, and only the
tests that should catch it are run there. A mutant that survives is a rule that no test holds; one
whose line is not found exactly once has drifted from the code. Either fails the run, and so does a
test that is red without any mutant, for it would seem to catch everything.

Usage: python -m tests.sabotage [--part K/N] [GROUP …]     for instance ``merge fold``; all without
an argument. ``--part 1/24`` takes every twenty-fourth, from the first on: 24 such runs take all.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from tests.sabotage.mutants import MUTANTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.sabotage.change import Change, Mutant

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 2
TIMEOUT_S = 300
SOUND_TIMEOUT_S = 1_200
"""Of all tests at once, which are run without any mutant."""
_FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Run the mutants that were asked for (all by default); 0 if each was caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.sabotage")
    parser.add_argument("groups", nargs="*", metavar="GROUP")
    parser.add_argument("--part", type=_part, default=(1, 1), metavar="K/N")
    options = parser.parse_args(arguments)
    if unknown := set(options.groups) - {mutant.group for mutant in MUTANTS}:
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    part, parts = options.part
    in_groups = [m for m in MUTANTS if not options.groups or m.group in options.groups]
    return attempt_all(in_groups[part - 1 :: parts])


def _part(text: str) -> tuple[int, int]:
    part, parts = map(int, text.split("/"))
    if not 1 <= part <= parts:
        raise ValueError(text)
    return part, parts


def attempt_all(chosen: Sequence[Mutant]) -> int:
    """Run ``chosen``, and their tests once without any; 0 if each was caught."""
    for mutant in chosen:
        if problem := drift(mutant.change):
            print(f"DRIFTED   {mutant.name:<10} {mutant.change.path}: {problem}")
    tests = sorted({test for mutant in chosen for test in mutant.change.tests.split()})
    red = run(None, tests)
    if red != "survived":
        print(f"red without any mutant: {red}")
        return 1
    with ThreadPoolExecutor(AT_ONCE) as pool:
        caught = sum(pool.map(attempt, [m for m in chosen if not drift(m.change)]))
    print(f"{caught} of {len(chosen)} mutants caught")
    return 0 if caught == len(chosen) else 1


def drift(change: Change) -> str | None:
    """Say why a change cannot be made, or None."""
    count = (ROOT / change.path).read_text("utf-8").count(change.old)
    return None if count == 1 else f"its line is there {count} times"


def attempt(mutant: Mutant) -> bool:
    """Run one mutant, print a line about it, and say whether it was caught."""
    outcome = run(mutant.change, mutant.change.tests.split())
    is_caught = outcome.startswith("by ")
    verdict = "caught  " if is_caught else "SURVIVED" if outcome == "survived" else "BROKEN  "
    print(f"{verdict}  {mutant.name:<10} {mutant.change.what}  {outcome}", flush=True)
    return is_caught


def run(change: Change | None, tests: list[str]) -> str:
    """Run tests against a mutated copy: ``by TEST`` when one failed, ``survived``, or what went
    wrong instead.
    """
    with tempfile.TemporaryDirectory(prefix="kioku-sabotage-") as directory:
        copy = Path(directory)
        ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
        for name in ("kioku", "tests"):
            shutil.copytree(ROOT / name, copy / name, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", copy)
        if change is not None:
            target = copy / change.path
            target.write_text(target.read_text("utf-8").replace(change.old, change.new), "utf-8")
        quick = ["-p", "no:cacheprovider", "-p", "tests.sabotage.profile"]
        options = ["-x", "-q", "--tb=line", *quick, "--hypothesis-profile=sabotage"]
        timeout_s = SOUND_TIMEOUT_S if change is None else TIMEOUT_S
        try:
            result = subprocess.run(
                [sys.executable, "-m", "pytest", *options, *tests],
                cwd=copy,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"gave no answer within {timeout_s} s"
    failed = _FAILED.search(result.stdout)
    if result.returncode == 1 and failed:
        return f"by {failed[1]}"
    return "survived" if result.returncode == 0 else result.stdout[-2_000:] + result.stderr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
