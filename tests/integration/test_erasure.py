"""What was erased is in no file any more: neither as text nor as a word of the index.

Each secret is a random word of its own. Every six letters in a row of it are looked for in all
bytes of the state directory, because the index stores words stemmed and without the letters that
they share with the word before.
"""

from __future__ import annotations

import os
import string
import time
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

import kioku
from kioku import Memory, StoreBusyError
from kioku.log.event import RETRACT, ZERO_KEY
from kioku.log.payload import encode_targets
from kioku.memory import forgetting
from kioku.replica import Draft
from tests.integration.child import Child
from tests.integration.wholeness import problems

if TYPE_CHECKING:
    from collections.abc import Iterable

LETTERS_MIN = 6
HOUR_NS = 3_600 * 10**9
FIELDS = ("content", "edited", "camel", "far", "subject", "summary", "tag", "reference", "reason")
# Endings that Porter's stemmer cuts or changes, so that the index holds another form of the word.
ENDINGS = ("ing", "ization", "ies", "fulness", "ed", "s")


class Secrets:
    """A random word for every place in which text can stand."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.words = {field: self._word() for field in FIELDS}

    def _word(self) -> str:
        stem = "".join(self._random.choice(string.ascii_lowercase) for _ in range(12))
        return stem + self._random.choice(ENDINGS)

    def save(self, memory: Memory) -> str:
        """Save an observation with all of them; gives its id."""
        words = self.words
        camel = words["camel"]
        saved = memory.save(
            f"{words['content']} and get{camel.capitalize()}_{camel.upper()} {'x ' * 20_000}"
            f"{words['far']} {words['content'].upper()} データ{words['content']}ベース",
            subject=f"About {words['subject'].title()}",
            summary=f"It is {words['summary']}-{words['summary']}",
            tags=[words["tag"]],
            references=[f"docs/{words['reference']}.md"],
            project="demo",
        )
        memory.edit(saved.id, content=f"other wording with {words['edited']}")
        return saved.id

    def erasable(self, names: Iterable[str] = FIELDS) -> set[bytes]:
        """Every run of letters that would give one of these words away."""
        out = set()
        for name in names:
            word = self.words[name]
            stem = word[:12]  # the ending alone is a common word's
            for start in range(len(stem) - LETTERS_MIN + 1):
                part = stem[start : start + LETTERS_MIN]
                out |= {part.encode(), part.upper().encode(), part.capitalize().encode()}
        return out


def files() -> dict[str, bytes]:
    """All bytes of the state directory, by file."""
    found = {}
    for directory, _, names in os.walk(os.environ["KIOKU_STATE_DIR"]):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, "rb") as file:
                found[path] = file.read()
    return found


def traces(parts: Iterable[bytes]) -> set[str]:
    """The files in which any of these parts is."""
    wanted = set(parts)
    return {
        os.path.basename(path)
        for path, content in files().items()
        if any(part in content for part in wanted)
    }


def assert_there(secrets: Secrets, names: Iterable[str]) -> None:
    """Each word can be found before it is erased: else looking for it proves nothing."""
    for name in names:
        assert traces(secrets.erasable([name])), name


def fill(memory: Memory, count: int, seed: int) -> None:
    """Other observations, so that pages split and index segments merge around the secrets."""
    random = Random(seed)
    words = ["".join(random.choices(string.ascii_lowercase, k=7)) for _ in range(400)]
    memory.save_many(
        {"content": " ".join(random.choices(words, k=20)), "tags": random.choices(words, k=2)}
        for _ in range(count)
    )


SAVED = tuple(name for name in FIELDS if name != "reason")


@pytest.mark.parametrize("others", [0, 30, 1_500])
def test_a_purged_secret_is_in_no_file(others: int) -> None:
    secrets = Secrets(others)
    with kioku.open() as memory:
        fill(memory, others, 1)
        saved = secrets.save(memory)
        fill(memory, others, 2)
        assert_there(secrets, SAVED)
        memory.delete(saved, reason=f"because of {secrets.words['reason']}")
        assert_there(secrets, FIELDS)
        memory.purge(saved)
        assert traces(secrets.erasable()) == set()
        assert problems(memory) == []
    assert traces(secrets.erasable()) == set()


@pytest.mark.parametrize("others", [0, 500])
def test_a_secret_that_gc_erased_is_in_no_file(
    others: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retracts: an edit's old version first, then all that a tombstone hides."""
    secrets = Secrets(3)
    old = [name for name in SAVED if name in ("content", "camel", "far")]
    with kioku.open() as memory:
        saved = secrets.save(memory)
        fill(memory, others, 1)
        assert_there(secrets, SAVED)
        later = time.time_ns() + HOUR_NS
        monkeypatch.setattr(memory, "_clock", lambda: later)
        memory.gc(history=timedelta(0))
        assert traces(secrets.erasable(old)) == set()
        assert_there(secrets, ["edited", "subject", "tag"])
        memory.delete(saved)
        monkeypatch.setattr(memory, "_clock", lambda: later + HOUR_NS)
        memory.gc(retention=timedelta(0))
        assert traces(secrets.erasable(SAVED)) == set()
        assert problems(memory) == []


def test_a_retracted_secret_is_in_no_file() -> None:
    secrets = Secrets(4)
    with kioku.open() as memory:
        saved = secrets.save(memory)
        assert_there(secrets, SAVED)
        with memory.replica.transaction(now_ms=memory.now_ms()) as transaction:
            found = transaction.versions(bytes.fromhex(saved))
            body = encode_targets([version.entry.id for version in found])
            transaction.append([Draft(RETRACT, ZERO_KEY, body)])
        assert traces(secrets.erasable()) == set()
        assert memory.get(saved) is None
        assert problems(memory) == []


def test_what_another_replica_purged_is_erased_here() -> None:
    secrets = Secrets(5)
    with kioku.open() as memory, kioku.open(":memory:") as other:
        saved = secrets.save(memory)
        for chunk in memory.export_chunks():
            other.ingest_chunk(chunk)
        other.purge(saved)
        assert_there(secrets, SAVED)
        for chunk in other.export_chunks(memory.frontier()):
            memory.ingest_chunk(chunk)
        assert traces(secrets.erasable()) == set()


def test_a_secret_that_comes_after_its_purge_is_never_written() -> None:
    secrets = Secrets(6)
    with kioku.open() as memory, kioku.open(":memory:") as other:
        saved = secrets.save(other)
        chunks = list(other.export_chunks())
        memory.purge(saved)
        for chunk in chunks:
            memory.ingest_chunk(chunk)
        assert traces(secrets.erasable()) == set()
        assert memory.replica.statistics().missing == 0


READER = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.execute("BEGIN")
print(connection.execute("SELECT count(*) FROM event").get, flush=True)
sys.stdin.readline()
"""


def store_path() -> str:
    return os.path.join(os.environ["KIOKU_STATE_DIR"], "default.db")


def test_a_reader_delays_erasure_is_named_and_the_next_to_come_finishes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forgetting, "ERASURE_WAIT_MS", 50)
    secrets = Secrets(7)
    with kioku.open() as memory:
        saved = secrets.save(memory)
        with Child(READER, store_path()) as reader:
            assert int(reader.read_line()) > 0
            with pytest.raises(StoreBusyError, match=str(reader.pid)):
                memory.purge(saved)
            assert memory.get(saved) is None
            assert memory.replica.statistics().erasures_due == 1
            assert traces(secrets.erasable())  # the reader may still see them
            memory.save("saving goes on")
            with kioku.open() as second:
                assert second.replica.statistics().erasures_due == 1
    with kioku.open() as memory:
        assert memory.replica.statistics().erasures_due == 0
        assert traces(secrets.erasable()) == set()
        assert problems(memory) == []


def test_the_process_that_erased_finishes_with_its_next_save(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forgetting, "ERASURE_WAIT_MS", 0)
    secrets = Secrets(8)
    with kioku.open() as memory:
        saved = secrets.save(memory)
        with Child(READER, store_path()) as reader:
            reader.read_line()
            with pytest.raises(StoreBusyError):
                memory.purge(saved)
            reader.finish("\n")
        memory.save("next")
        assert traces(secrets.erasable()) == set()
        assert memory.replica.statistics().erasures_due == 0


def test_a_command_waits_for_a_reader_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = Secrets(9)
    with kioku.open() as memory:
        saved = secrets.save(memory)
        with Child(READER, store_path()) as reader:
            reader.read_line()
            wait = memory.replica._database._wait

            def reader_ends(attempt: int) -> bool:
                if attempt == 2:
                    reader.finish("\n")
                return wait(attempt)

            memory.replica._database.connection.set_busy_handler(reader_ends)
            memory.purge(saved)
        assert traces(secrets.erasable()) == set()


KILLED_BEFORE = """
import os, signal, sys
import kioku, kioku.erasing

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

kioku.erasing.finish = die
kioku.open().purge(sys.argv[1])
"""

KILLED_AFTER = """
import os, signal, sys
import kioku
from kioku.log.database import Database

truncate = Database.truncate_wal

def truncate_and_die(self, timeout_ms):
    assert truncate(self, timeout_ms)
    os.kill(os.getpid(), signal.SIGKILL)

Database.truncate_wal = truncate_and_die
kioku.open().purge(sys.argv[1])
"""


@pytest.mark.parametrize("code", [KILLED_BEFORE, KILLED_AFTER], ids=["before", "after"])
def test_a_kill_on_either_side_of_the_checkpoint_is_made_good(code: str) -> None:
    secrets = Secrets(10)
    with kioku.open() as memory:
        saved = secrets.save(memory)
    with Child(code, saved) as child:
        status, out, err = child.finish()
    assert (status, out, err) == (-9, "", "")
    if code == KILLED_BEFORE:
        assert traces(secrets.erasable()), "the old pages are gone already: this proves nothing"
    with kioku.open() as memory:
        assert memory.get(saved) is None
        assert memory.replica.statistics().erasures_due == 0
        assert traces(secrets.erasable()) == set()
        assert problems(memory) == []


def test_erasing_history_leaves_what_an_undelete_brings_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with kioku.open() as memory:
        saved = memory.save("first wording")
        memory.edit(saved.id, content="second wording")
        memory.delete(saved.id)
        later = time.time_ns() + HOUR_NS
        monkeypatch.setattr(memory, "_clock", lambda: later)
        assert memory.gc(history=timedelta(0)).beaten == 1
        assert memory.undelete(saved.id).content == "second wording"
