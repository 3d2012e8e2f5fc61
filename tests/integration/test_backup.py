"""A backup: made while others save; whole or not there, without keys, without what was purged."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

import kioku
from kioku.backup import inspect
from tests.integration.child import Child
from tests.integration.cli_process import (
    COMMAND,
    SECONDS_MAX,
    assert_refused,
    done,
    environment,
    run,
    save_many,
    saved_id,
)
from tests.integration.faulty_disk import FULL, FaultyDisk
from tests.integration.wholeness import contents, problems

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Saves for ever, and says each id once it is acknowledged.
WRITER = """
import sys, itertools
import kioku

with kioku.open(sys.argv[1]) as memory:
    for number in itertools.count():
        print(memory.save(f"writer {sys.argv[2]} number {number}").id, flush=True)
"""


def names(directory: Path) -> list[str]:
    return sorted(file.name for file in directory.iterdir())


def test_a_backup_holds_everything_and_says_so(home: Path, tmp_path: Path) -> None:
    kept, deleted, purged = save_many("kept", "deleted", "purged")
    with kioku.open() as memory:
        memory.delete(deleted)
        memory.purge(purged)
    path = tmp_path / "backup.db"
    out = done("backup", str(path), "--json").json
    assert out["file"] == str(path)
    assert out["digest"] == done("status", "--json").json["digest"]
    assert (out["events"], out["unsealed"]) == (6, 0)
    assert out["bytes"] == path.stat().st_size
    assert names(tmp_path) == ["backup.db"]
    assert path.stat().st_mode & 0o777 == 0o600
    with kioku.open(path) as copy:
        assert contents(copy) == {kept: "kept"}
        assert copy.undelete(deleted).content == "deleted"
        assert problems(copy) == []
    assert "digest: " in done("backup", str(tmp_path / "two.db")).out


def test_a_backup_under_four_writers_has_every_save_acknowledged_before_it_began(
    tmp_path: Path,
) -> None:
    path = tmp_path / "space.db"
    with kioku.open(path) as memory:
        memory.save("first")
        with ExitStack() as stack:
            writers = [stack.enter_context(Child(WRITER, path, n)) for n in range(4)]
            for attempt in range(3):
                acknowledged = {writer.read_line() for writer in writers for _ in range(20)}
                made = memory.backup(tmp_path / f"{attempt}.bak")
                assert made.unsealed == 0
                assert inspect(made.path).digest == made.digest
                with kioku.open(made.path) as copy:
                    assert acknowledged <= contents(copy).keys()
                    assert problems(copy) == []
            for writer in writers:
                assert writer.read_line(), "a writer failed while the backup was made"


def test_what_is_saved_after_a_backup_does_not_disown_what_is_in_it(tmp_path: Path) -> None:
    """All in a backup is sealed, so the original can never say something else in its place."""
    with kioku.open(tmp_path / "space.db") as memory:
        memory.save("one")
        made = memory.backup(tmp_path / "backup")
        memory.save("two")
        with kioku.open(":memory:") as peer, kioku.open(made.path) as copy:
            for source in (memory, copy):
                for chunk in source.export_chunks(peer.frontier()):
                    peer.ingest_chunk(chunk)
            assert sorted(contents(peer).values()) == ["one", "two"]
            assert peer.replica.statistics().tips == peer.replica.statistics().logs == 1


def test_no_key_and_no_purged_text_is_in_a_backup(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with kioku.open(state / "space.db") as memory:
        saved = memory.save_many(
            [
                {"content": f"zxsecret{n} {'pad ' * (n % 50)}", "tags": [f"zxtag{n}"]}
                for n in range(300)
            ]
        )
        reader = kioku.open(state / "space.db")
        with closing(reader), reader.replica.reading(now_ms=reader.now_ms()) as reading:
            assert reading.winner(bytes.fromhex(saved[0].id))
            drafts = [kioku.Draft(kioku.PURGE, bytes.fromhex(one.id)) for one in saved]
            memory.replica.append(drafts, now_ms=memory.now_ms())
            # The reader keeps the old pages in the store's files, and may not in the backup's.
            assert b"zxsecret" in b"".join(file.read_bytes() for file in state.iterdir())
            assert memory.replica.statistics().erasures_due
            made = memory.backup(tmp_path / "backup")
    data = (tmp_path / "backup").read_bytes()
    assert made.events == 601
    for trace in (b"zxsecret", b"zxtag", b"kioku.key.v1"):
        assert trace not in data
    seeds = [key.read_bytes() for key in state.glob("*.key")]
    assert len(seeds) == 1
    seed = seeds[0][seeds[0].index(b"\x58\x20") + 2 :][:32]
    assert len(seed) == 32
    assert seed not in data


def test_a_purge_while_the_pages_are_copied_is_in_the_backup_too(tmp_path: Path) -> None:
    with kioku.open(tmp_path / "space.db") as memory:
        secret = memory.save("zxsecret")
        other = kioku.open(tmp_path / "space.db")
        calls: list[int] = []

        def purge_once(done: int, total: int) -> None:
            if not calls:
                purge = kioku.Draft(kioku.PURGE, bytes.fromhex(secret.id))
                other.replica.append([purge], now_ms=other.now_ms())
            calls.append(done)

        with closing(other):
            memory.backup(tmp_path / "backup", progress=purge_once)
    assert b"zxsecret" not in (tmp_path / "backup").read_bytes()
    assert len(calls) > 1


def test_a_file_that_is_there_is_replaced_only_when_told(home: Path, tmp_path: Path) -> None:
    saved_id("words")
    path = tmp_path / "backup"
    path.write_text("precious")
    assert_refused(run("backup", str(path)), 1, str(path), "--force")
    assert path.read_text() == "precious"
    done("backup", str(path), "--force")
    assert inspect(str(path)).events == 2
    assert names(tmp_path) == ["backup"]


def test_a_backup_on_a_share_is_made_elsewhere_and_carried_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No store can be open where there are no locks; a file that nobody writes can lie there."""
    (tmp_path / "share").mkdir()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setattr("kioku.backup.is_fit", lambda path: "share" not in path)
    with kioku.open(tmp_path / "space.db") as memory:
        memory.save("words")
        made = memory.backup(tmp_path / "share" / "backup")
    assert inspect(made.path).digest == made.digest
    assert names(tmp_path / "share") == ["backup"]
    assert names(tmp_path / "tmp") == []


def test_a_backup_onto_the_store_itself_is_refused(home: Path, tmp_path: Path) -> None:
    saved_id("words")
    store = home / "state" / "default.db"
    before = store.read_bytes()
    (tmp_path / "link").symlink_to(store)
    (tmp_path / "hard").hardlink_to(store)
    for path in (store, tmp_path / "link", tmp_path / "hard"):
        assert_refused(run("backup", str(path), "--force"), 2, "is the store itself")
    assert_refused(run("backup", str(tmp_path), "--force"), 2, "is a directory")
    assert_refused(run("backup", str(tmp_path / "no" / "where")), 1, "No such file or directory")
    assert store.read_bytes() == before
    assert names(tmp_path) == ["hard", "link"]


def test_a_damaged_store_makes_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "space.db"
    with kioku.open(path) as memory:
        memory.save_many({"content": f"observation {n} of many"} for n in range(50))
    data = bytearray(path.read_bytes())
    at = data.index(b"observation 33 of many")
    data[at] ^= 1
    path.write_bytes(data)
    with kioku.open(path) as memory, pytest.raises(kioku.StoreCorruptError, match="chain"):
        memory.backup(tmp_path / "backup")
    assert not (tmp_path / "backup").exists()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDisk]:
    found = FaultyDisk(monkeypatch)
    yield found
    found.unregister()


def test_a_full_disk_leaves_nothing_of_a_backup(tmp_path: Path, disk: FaultyDisk) -> None:
    with kioku.open(tmp_path / "space.db") as memory:
        memory.save("words")
        memory.digest()
        before = names(tmp_path)
        number = 0
        is_done = False
        while not is_done:
            number += 1
            try:
                with disk.failing(FULL, number):
                    memory.backup(tmp_path / "backup")
                is_done = True
            except kioku.StoreError:
                if (tmp_path / "backup").exists():  # only its name may not last: it is whole
                    assert inspect(str(tmp_path / "backup")).events == 2
                    (tmp_path / "backup").unlink()
                assert names(tmp_path) == before, number
        assert number > 5
        assert list(contents(memory).values()) == ["words"]
    assert inspect(str(tmp_path / "backup")).events == 2


def test_a_backup_that_is_killed_leaves_the_old_file_or_the_new(home: Path, tmp_path: Path) -> None:
    with kioku.open() as memory:
        memory.save_many({"content": f"observation {n} {'x' * 500}"} for n in range(3_000))
    path = tmp_path / "backup"
    done("backup", str(path))
    old = inspect(str(path)).digest
    saved_id("one more")
    new = done("status", "--json").json["digest"]
    seen = set()
    for delay_ms in (30, 60, 90, 120, 160, 200, 250):
        started = subprocess.Popen(
            [*COMMAND, "backup", str(path), "--force"],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + delay_ms / 1000
        while time.monotonic() < until and started.poll() is None:
            pass
        started.kill()
        code = started.wait(SECONDS_MAX)
        seen.add(code)
        assert inspect(str(path)).digest in (old, new)
    assert -signal.SIGKILL in seen
    done("backup", str(path), "--force")
    assert inspect(str(path)).digest == new
    assert names(tmp_path) == ["backup"], "what the killed ones left is gone"


# Makes a backup with no rights but to read; as root its own rights are dropped.
READ_ONLY = """
import os, sys
import kioku

with kioku.open(":memory:") as memory:
    memory.save("warm")
    memory.backup(sys.argv[3])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
with kioku.open(sys.argv[1]) as memory:
    made = memory.backup(sys.argv[2])
    print(made.events, made.unsealed)
"""


def test_who_may_not_write_makes_a_backup_and_says_what_is_not_signed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        tree = pathlib.Path(name)  # which anybody can reach: pytest's own are their user's alone
        monkeypatch.setenv("KIOKU_CONFIG", str(tree / "config.toml"))
        for directory in (tree, tree / "state", tree / "out"):
            directory.mkdir(exist_ok=True)
            directory.chmod(0o777)
        path = tree / "state" / "space.db"
        with kioku.open(path) as memory:
            memory.save("sealed")
            memory.digest()
            memory.save("unsealed")
            for file in path.parent.iterdir():
                file.chmod(0o400 if file.suffix == ".key" else 0o444)
            path.parent.chmod(0o555)
            try:
                with Child(READ_ONLY, path, tree / "out" / "backup", tree / "warm") as child:
                    assert child.finish() == (0, "3 1\n", "")
            finally:
                path.parent.chmod(0o755)
        with kioku.open(tree / "out" / "backup") as copy, kioku.open(":memory:") as peer:
            for chunk in copy.export_chunks():
                peer.ingest_chunk(chunk)
            assert sorted(contents(peer).values()) == ["sealed", "unsealed"]
