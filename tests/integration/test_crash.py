"""Kill -9 at hundreds of random moments of a mixed workload: nothing acknowledged is lost.

After every kill the store is opened and all of it is looked at: each acknowledged save is there as
it was last acknowledged, whatever was being done has happened or not, what was purged is in no
file, the view is what the events add up to, and another replica that ingests the export is level
with it and sees no fork. ``CRASHES=n`` runs n kills in all; a store's seed is in its test's name.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import kioku
from kioku import Memory
from tests.integration.child import Child
from tests.integration.wholeness import problems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIVES = 25
STORES = max(1, int(os.environ.get("CRASHES", "300")) // LIVES)
WORKER = "from tests.integration.crash_worker import main; main()"
GONE = None


class Expected:
    """What the store must show: content by id, or GONE; and what may have happened besides."""

    def __init__(self, chunks: dict[str, dict[str, str]]) -> None:
        self.chunks = chunks
        self.shown: dict[str, str | None] = {}
        self.last: dict[str, str] = {}
        self.said: dict[str, set[str]] = {}
        self.purged: set[str] = set()
        self.pending: tuple[str, str | None, str | None] = ("", None, None)

    def hear(self, message: list[Any]) -> None:
        if message[0] == "begin":
            self.pending = (message[1], message[2], message[3])
        elif message[0] == "done":
            self.acknowledge(message[1])

    def acknowledge(self, ids: list[str]) -> None:
        """Take what was being done as done, to these observations."""
        operation, target, content = self.pending
        self.pending = ("", None, None)
        if operation == "ingest" and target is not None:
            for key, ingested in self.chunks[target].items():
                self.shown.setdefault(key, GONE if "deleted" in ingested else ingested)
                self.last.setdefault(key, ingested)
        for key in ids:
            if content is not None:
                self.last[key] = content
            is_gone = operation in ("delete", "purge")
            self.shown[key] = GONE if is_gone else self.last[key]
            self.said.setdefault(self.last[key].split()[0], set()).add(key)
            if operation == "purge":
                self.purged.add(key)

    def erased_words(self) -> set[str]:
        """The telling words that only purged observations ever said."""
        return {word for word, ids in self.said.items() if ids <= self.purged}

    def settle(self, there: dict[str, str]) -> None:
        """Hold the store against this, and take from it how the operation in flight has ended."""
        operation, target, content = self.pending
        if target is not None and there.get(target) != self.shown.get(target):
            self.acknowledge([target])  # it is done, so it must be done as it was asked for
        if operation in ("save", "save_many"):
            new = [key for key, found in there.items() if found == content]
            assert len(new) in {"save": (0, 1), "save_many": (0, 3)}[operation]
            self.acknowledge(new)
        if operation == "ingest" and target is not None and set(self.chunks[target]) & set(there):
            self.acknowledge([])
        self.pending = ("", None, None)
        shown = {key: found for key, found in self.shown.items() if found is not GONE}
        assert there == shown, f"during {operation}"


def serve_chunks(directory: Path) -> dict[str, dict[str, str]]:
    """Chunks of another replica that a life may ingest, and what each of these files shows."""
    directory.mkdir()
    shown = {}
    for name in ("0", "1", "2"):
        with kioku.open(":memory:") as other:
            saved = [other.save(f"elsewhere{name}{what}") for what in ("a", "b", "deleted")]
            other.delete(saved[2].id)
            shown[name] = {one.id: one.content for one in saved}
            (chunk,) = other.export_chunks()
            (directory / name).write_bytes(chunk)
    return shown


def live_and_die(worker: Child, order: list[Any], random: Random, expected: Expected) -> None:
    """Let one life go on for a random while, kill it, and hear all that it had said."""
    worker.say(json.dumps(order))
    alive, pid = json.loads(worker.read_line())
    assert alive == "alive"
    for _ in range(random.choice((0, 1, 3, 9, 25))):
        message = json.loads(worker.read_line())
        assert message[0] != "dead", worker.finish()
        expected.hear(message)
    until = time.perf_counter() + random.random() * random.choice((0.0003, 0.002, 0.01))
    while time.perf_counter() < until:
        pass
    os.kill(pid, signal.SIGKILL)
    while (message := json.loads(worker.read_line()))[0] != "dead":
        expected.hear(message)
    assert message == ["dead", -signal.SIGKILL], worker.finish()


@pytest.fixture
def worker() -> Iterator[Child]:
    with Child(WORKER) as child:
        yield child


def bytes_of(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.iterdir())


def level(memory: Memory, peer: Memory) -> None:
    """Let a peer ingest what is new: it must come to the same, and see one tip a log."""
    for chunk in memory.export_chunks(peer.frontier()):
        peer.ingest_chunk(chunk)
    assert peer.replica.count_unsealed() == 0
    assert memory.digest() == peer.digest()
    statistics = peer.replica.statistics()
    assert statistics.tips == statistics.logs


@pytest.mark.parametrize("seed", range(STORES))
def test_nothing_acknowledged_is_lost_to_a_kill(tmp_path: Path, seed: int, worker: Child) -> None:
    random = Random(seed)
    chunks = serve_chunks(tmp_path / "chunks")
    directory = tmp_path / "state"
    directory.mkdir()
    expected = Expected(chunks)
    with contextlib.closing(kioku.open(":memory:")) as peer:
        for life in range(LIVES):
            order = [str(directory / "space.db"), seed * LIVES + life, str(tmp_path / "chunks")]
            live_and_die(worker, order, random, expected)
            with kioku.open(directory / "space.db") as memory:
                expected.settle({one.id: one.content for one in memory.list(limit=10_000)})
                assert problems(memory) == []
                level(memory, peer)
                here = bytes_of(directory)
                for word in expected.erased_words():
                    assert word.encode() not in here
