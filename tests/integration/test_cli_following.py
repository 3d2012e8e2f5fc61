"""``watch`` and ``diff`` as people and scripts run them: other processes' saves, pipes, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

import kioku
from tests.integration.child import Child
from tests.integration.cli_process import (
    INTERRUPTIBLE,
    SECONDS_MAX,
    assert_refused,
    done,
    environment,
    run,
    save_many,
)
from tests.integration.json_output import assert_documented

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAVES = 200

SAVER = """
import sys
import kioku

with kioku.open() as memory:
    for number in range(int(sys.argv[1])):
        print(memory.save(f"number {number}", project="demo").id, flush=True)
"""


class Watcher:
    """``kioku watch`` as a process; ended with its test."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*INTERRUPTIBLE, "watch", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
        )

    def line(self) -> str:
        """The next line, once it is there."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().rstrip("\n")

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C: the exit code, and what it said of it."""
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=SECONDS_MAX)
        return self.process.returncode, err.decode()


@pytest.fixture
def watchers() -> Iterator[list[Watcher]]:
    started: list[Watcher] = []
    yield started
    for watcher in started:
        watcher.process.kill()
        watcher.process.communicate()


def watch(watchers: list[Watcher], *arguments: str) -> Watcher:
    watchers.append(Watcher(*arguments))
    return watchers[-1]


def test_another_processes_saves_are_all_seen_in_order(watchers: list[Watcher]) -> None:
    [first] = save_many("before")
    watcher = watch(watchers, "--json")
    assert json.loads(watcher.line())["id"] == first  # so it has begun to watch
    with Child(SAVER, SAVES) as saver:
        saved = [saver.read_line() for _ in range(SAVES)]
        assert saver.finish() == (0, "", "")
    lines = [watcher.line() for _ in range(SAVES)]
    assert_documented("watch", "\n".join(lines))
    told = [json.loads(line) for line in lines]
    assert [one["id"] for one in told] == saved
    assert [one["observation"]["content"] for one in told] == [f"number {n}" for n in range(SAVES)]
    assert watcher.interrupt() == (130, "kioku: interrupted\n")
    resumed = watch(watchers, "--json", "--after", str(told[9]["cursor"]))
    assert [json.loads(resumed.line())["id"] for _ in range(SAVES - 10)] == saved[10:]
    assert resumed.interrupt() == (130, "kioku: interrupted\n")


def test_a_line_says_what_was_done_to_what_by_whom(watchers: list[Watcher]) -> None:
    with kioku.open(agent_family="claude", client_id="tests") as memory:
        one = memory.save("the words", project="demo", subject="about")
        memory.edit(one.id, content="other words")
        memory.delete(one.id, reason="no more")
        host = memory.statistics().host
        memory.purge(memory.save("secret").id)
    watcher = watch(watchers, "-n", "100")
    lines = [watcher.line() for _ in range(5)]
    key = f"<id={one.id}>"
    assert f" save (demo) about the words (older) {key} by {host}/claude/tests" in lines[0]
    assert f" edit (demo) about other words (older) {key} by " in lines[1]
    assert f" delete (demo) about other words reason: no more {key} by " in lines[2]
    assert " save (purged) <id=" in lines[3]
    assert "secret" not in "".join(lines)
    assert " purge <id=" in lines[4]
    assert watcher.interrupt() == (130, "kioku: interrupted\n")


def test_only_the_last_are_shown_first_and_only_what_is_wanted(watchers: list[Watcher]) -> None:
    save_many(*(f"mine {n}" for n in range(20)), project="mine")
    save_many("yours", project="yours")
    watcher = watch(watchers, "-p", "mine", "--json", "-n", "3")
    contents = [json.loads(watcher.line())["observation"]["content"] for _ in range(3)]
    assert contents == ["mine 17", "mine 18", "mine 19"]
    save_many("not this", project="yours")
    save_many("this", project="mine")
    assert json.loads(watcher.line())["observation"]["content"] == "this"
    everything = watch(watchers, "--json", "--since", "2026-01-01")
    found = [json.loads(everything.line())["observation"]["content"] for _ in range(23)]
    assert found[0] == "mine 0"
    assert found[-1] == "this"


def test_a_reader_that_leaves_ends_it_quietly(watchers: list[Watcher]) -> None:
    save_many("one")
    watcher = watch(watchers)
    assert watcher.line()
    assert watcher.process.stdout is not None
    watcher.process.stdout.close()
    while watcher.process.poll() is None:
        save_many("more")
    assert watcher.process.returncode == 141
    assert watcher.process.stderr is not None
    assert watcher.process.stderr.read() == b""


def test_watching_needs_no_store_and_sees_its_first_save(
    watchers: list[Watcher], home: Path
) -> None:
    watcher = watch(watchers, "--json")
    while not (home / "state" / "default.db").exists():
        os.sched_yield()
    save_many("the first")
    assert json.loads(watcher.line())["observation"]["content"] == "the first"


def test_differences_since_a_time_are_grouped(home: Path) -> None:
    kept, gone = save_many("first line\nsecond line\n", "goes", project="demo")
    with kioku.open() as memory:
        since = memory.get(gone)
        assert since is not None
        assert since.updated_at is not None
        moment = since.updated_at.isoformat()
        while memory.now_ms() / 1000 <= since.updated_at.timestamp() + 0.002:
            os.sched_yield()
        start = memory.save("marker").updated_at
        assert start is not None
        memory.edit(kept, content="first line\nsecond line, changed\n", tags=["t"])
        memory.delete(gone, reason="why")
    shown = done("diff", "--since", start.isoformat()).out.splitlines()
    assert [line for line in shown if not line.startswith(" ")] == [
        "added: 1",
        "edited: 1",
        "deleted: 1",
    ]
    assert "    tags: none -> t" in shown
    assert "      -second line" in shown
    assert "      +second line, changed" in shown
    assert "    reason: why" in shown
    told = done("diff", "--since", start.isoformat(), "--json").json
    assert [one["operation"] for one in told] == ["added", "edited", "deleted"]
    assert told[1]["changed"] == ["content", "tags"]
    assert told[2]["after"] is None
    assert done("diff", "--since", moment, "--until", moment).out == "No differences.\n"
    assert done("diff", "--since", "2999-01-01", "--json").json == []
    assert_refused(run("diff"), 2, "--since")
    assert_refused(run("diff", "--since", "soon"), 2, "ISO 8601")
