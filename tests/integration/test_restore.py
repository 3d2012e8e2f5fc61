"""A restore: what it refuses, what it keeps, and that no log is forked and nothing lost by it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import apsw
import pytest

import kioku
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
from tests.integration.test_copies import assert_level, carry, filled
from tests.integration.wholeness import assert_whole, contents, problems

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import sys
import kioku

with kioku.open(sys.argv[1]) as memory:
    memory.list()
    print("open", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def backed_up(home: Path, tmp_path: Path) -> Path:
    """A backup of the default space, which holds one observation, and a later one in the store."""
    save_many("before")
    path = tmp_path / "backup.db"
    done("backup", str(path))
    save_many("after")
    return path


def lost(home: Path) -> None:
    """Lose the store and all beside it, as a broken disk does."""
    shutil.rmtree(home / "state")


def test_a_restore_brings_everything_back_and_goes_on(backed_up: Path, home: Path) -> None:
    lost(home)
    before = backed_up.read_bytes()
    out = done("restore", str(backed_up), "--json").json
    assert (out["kept"], out["purges"], out["space"]) == (None, 0, "default")
    assert done("status", "--json").json["digest"] == out["digest"]
    with kioku.open() as memory:
        assert list(contents(memory).values()) == ["before"]
        memory.save("later")
        assert problems(memory) == []
        assert memory.statistics().logs == 2
    assert backed_up.read_bytes() == before


def test_a_restored_store_begins_a_log_whose_genesis_names_the_old_ones_tip(
    backed_up: Path, home: Path
) -> None:
    with kioku.open() as memory:
        [old] = memory.frontier()
    lost(home)
    kioku.restore(backed_up)
    with kioku.open() as memory:
        memory.save("later")
        memory.frontier()
        with memory.replica.reading(now_ms=memory.now_ms()) as reading:
            rows: Any = reading.connection.execute(
                "SELECT log_id, seq, body FROM event JOIN branch USING(branch) JOIN log USING(log)"
                " WHERE kind = 1 OR kind = 4"
            ).fetchall()
    logs = {row[0] for row in rows}
    assert len(logs) == 2
    [genesis] = [row[2] for row in rows if row[1] == 1 and row[0] != old.log_id]
    assert old.log_id in genesis


@pytest.mark.parametrize("is_key_there", [True, False])
def test_after_a_restore_no_seq_is_signed_twice_and_all_converge(
    tmp_path: Path, is_key_there: bool
) -> None:
    """A peer has seen what the old log said after the backup; it all comes back, once."""
    state = tmp_path / "state"
    state.mkdir()
    path = state / "space.db"
    saved = filled(path, ["in the backup", "also in the backup"])
    with kioku.open(path) as memory:
        memory.backup(tmp_path / "backup")
    saved |= filled(path, ["after the backup"])
    with kioku.open(":memory:") as third:
        with kioku.open(path) as memory:
            carry(memory, third)
        if is_key_there:
            path.unlink()
        else:
            shutil.rmtree(state)
            state.mkdir()
        kioku.restore(tmp_path / "backup", path)
        saved |= filled(path, ["after the restore"])
        with kioku.open(path) as memory:
            assert memory.replica.statistics().logs == 2
            assert_level(memory, third)
            assert_whole(memory, saved.items())
            assert contents(third) == contents(memory) == saved


def test_a_backup_copied_over_its_store_by_hand_begins_a_log_too(tmp_path: Path) -> None:
    """Same path, same inode, the key still there: the backup's own log is closed all the same."""
    path = tmp_path / "space.db"
    saved = filled(path, ["before"])
    with kioku.open(path) as memory:
        memory.backup(tmp_path / "backup")
    shutil.copyfile(tmp_path / "backup", path)
    saved |= filled(path, ["after"])
    with kioku.open(path) as memory, kioku.open(":memory:") as peer:
        assert memory.replica.statistics().logs == 2
        assert_level(memory, peer)
        assert contents(peer) == saved


def test_a_store_that_is_there_is_put_aside_only_when_told(backed_up: Path, home: Path) -> None:
    refused = run("restore", str(backed_up))
    assert_refused(refused, 1, "exists already", "--force", "kioku import")
    with kioku.open() as memory:
        assert sorted(contents(memory).values()) == ["after", "before"]
        digest = memory.digest()
    out = run("restore", str(backed_up), "--force", "--json")
    assert out.code == 0
    kept = out.json["kept"]
    assert [one["content"] for one in done("list", "--json").json] == ["before"]
    with kioku.open(kept) as old:
        assert sorted(contents(old).values()) == ["after", "before"]
        assert old.digest() == digest
    said = run("restore", str(backed_up), "--force")
    assert said.code == 0
    assert "kept: " in said.out
    assert "kioku import" in said.err


def test_importing_the_store_that_was_put_aside_brings_the_rest_back(
    backed_up: Path, home: Path
) -> None:
    saved_id("never signed")
    kept = run("restore", str(backed_up), "--force", "--json").json["kept"]
    saved_id("after the restore")
    assert done("import", kept, "--json").json["new_events"] > 0
    with kioku.open() as memory:
        expected = ["after", "after the restore", "before", "never signed"]
        assert sorted(contents(memory).values()) == expected
        assert problems(memory) == []
    assert done("import", kept, "--json").json["events"] == 0


def test_a_backup_merges_into_a_store_that_is_there(backed_up: Path, home: Path) -> None:
    elsewhere = {"KIOKU_STATE_DIR": str(home / "elsewhere")}
    saved_id("elsewhere", **elsewhere)
    before = backed_up.read_bytes()
    assert done("import", str(backed_up), **elsewhere).out.startswith("imported: 2 new of 2")
    assert "elsewhere" in done("list", **elsewhere).out
    assert "before" in done("list", **elsewhere).out
    assert backed_up.read_bytes() == before
    backed_up.write_bytes(before[: len(before) // 2])
    assert_refused(run("import", str(backed_up), **elsewhere), 1, str(backed_up), "damaged")
    refused = run("import", "-", stdin=before, **elsewhere)
    assert_refused(refused, 2, "kioku import FILE")


def test_a_private_space_is_backed_up_and_stays_private(home: Path, tmp_path: Path) -> None:
    saved_id("a secret", "--space", "private")
    path = tmp_path / "backup"
    made = done("backup", str(path), "--space", "private", "--json").json
    assert (made["digest"], made["unsealed"]) == (None, 2)
    assert "digest: none" in done("backup", str(path), "--force", "--space", "private").out
    saved_id("since", "--space", "private")
    assert run("restore", str(path), "--space", "private", "--force").code == 0
    with kioku.open(space="private") as memory:
        assert list(contents(memory).values()) == ["a secret"]
        memory.save("later")
        assert memory.is_private()
        assert problems(memory) == []
    assert_refused(run("import", str(path)), 1, "space private is private")


def test_what_was_purged_since_the_backup_stays_purged(home: Path, tmp_path: Path) -> None:
    secret, _ = save_many("zxsecret words", "kept")
    path = tmp_path / "backup.db"
    done("backup", str(path))
    done("purge", secret, "--yes")
    out = run("restore", str(path), "--force", "--json")
    assert out.json["purges"] == 1
    assert [one["content"] for one in done("list", "--json").json] == ["kept"]
    assert b"zxsecret" in path.read_bytes(), "else this proves nothing"
    for file in (home / "state").iterdir():
        assert b"zxsecret" not in file.read_bytes(), file
    assert run("doctor", "--deep").code == 0


def test_a_damaged_store_is_put_aside_as_it_is(backed_up: Path, home: Path) -> None:
    store = home / "state" / "default.db"
    store.write_bytes(b"not a store any more" * 1_000)
    out = run("restore", str(backed_up), "--force", "--json")
    assert out.code == 0
    assert out.json["purges"] is None
    with open(out.json["kept"], "rb") as kept:
        assert kept.read() == b"not a store any more" * 1_000
    assert [one["content"] for one in done("list", "--json").json] == ["before"]


def test_a_store_that_others_have_open_is_not_replaced(backed_up: Path, home: Path) -> None:
    store = home / "state" / "default.db"
    with Child(HOLDER, store) as holder:
        assert holder.read_line() == "open"
        result = run("restore", str(backed_up), "--force")
        assert_refused(result, 1, "is open in other processes", str(holder.pid))
        holder.say("")
        assert holder.finish() == (0, "", "")
    assert sorted(file.suffix for file in (home / "state").iterdir()) == [".db", ".key"]
    assert run("restore", str(backed_up), "--force").code == 0


def test_this_processes_own_open_store_is_not_replaced_either(tmp_path: Path) -> None:
    path = tmp_path / "space.db"
    with kioku.open(path) as memory:
        memory.save("words")
        memory.backup(tmp_path / "backup")
        with pytest.raises(kioku.StoreBusyError):
            kioku.restore(tmp_path / "backup", path, overwrite=True)
        assert list(contents(memory).values()) == ["words"]
        memory.save("more")
    assert len(list(tmp_path.glob("*"))) == 3


def test_a_write_ahead_log_that_lost_its_store_is_never_taken_for_the_new_ones(
    backed_up: Path, home: Path
) -> None:
    store = home / "state" / "default.db"
    with Child(HOLDER, store) as holder:
        assert holder.read_line() == "open"
        saved_id("in the write-ahead log alone")
        wal = store.with_name("default.db-wal").read_bytes()
        assert b"in the write-ahead log alone" in wal
    store.unlink()
    done("restore", str(backed_up))
    assert [one["content"] for one in done("list", "--json").json] == ["before"]
    assert run("doctor", "--deep").code == 0
    [moved] = store.parent.glob("*.before-restore-*-wal")
    assert moved.read_bytes() == wal


def test_what_is_no_backup_is_refused_and_nothing_is_touched(
    backed_up: Path, home: Path, tmp_path: Path
) -> None:
    lost(home)
    bad = tmp_path / "bad"
    good = backed_up.read_bytes()
    at = good.index(b"before")
    cases = {
        b"": "is no kioku store",
        b"garbage" * 1_000: "is no kioku store",
        good[: len(good) // 2]: "damaged",
        good[:at] + b"B" + good[at + 1 :]: "chain",
        good[:60] + b"\0\0\0\x63" + good[64:]: "upgrade",
        good[:68] + b"abcd" + good[72:]: "no kioku store",
    }
    for data, why in cases.items():
        bad.write_bytes(data)
        assert_refused(run("restore", str(bad)), 1, str(bad), why)
    assert_refused(run("restore", str(tmp_path / "nowhere")), 1, "nowhere")
    assert_refused(run("restore", str(tmp_path)), 1, str(tmp_path))
    assert not list(home.glob("state/*"))


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON event BEGIN DELETE FROM event; END", "trigger t"),
        ("ALTER TABLE event RENAME TO e; CREATE VIEW event AS SELECT * FROM e", "view event"),
        ("DROP TABLE missing", "tables"),
        ("UPDATE branch SET parent = branch", "follows nothing"),
        ("UPDATE branch SET parent = 77", "follows nothing"),
        ("UPDATE branch SET first_seq = 1000", "follows nothing"),
        ("UPDATE event SET branch = 77 WHERE seq = 2", "of no log"),
        (
            """INSERT INTO event SELECT 99, branch, -5, hlc, kind, randomblob(16), hash, commitment,
                salt, header, body FROM event WHERE seq = 2""",
            "1 events are of no log",
        ),
        ("UPDATE log SET public_key = zeroblob(32)", "the key is not its owner's"),
        ("UPDATE meta SET value = 'soon' WHERE name = 'hlc_last'", "no number"),
        ("PRAGMA user_version = -5", "no kioku store"),
    ],
)
def test_a_backup_that_somebody_has_tampered_with_is_refused(
    backed_up: Path, home: Path, sql: str, why: str
) -> None:
    lost(home)
    with closing(apsw.Connection(str(backed_up))) as connection:
        connection.execute(sql).fetchall()
    assert_refused(run("restore", str(backed_up)), 1, str(backed_up), why)
    assert not list(home.glob("state/*"))


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM record",
        "UPDATE meta SET value = 'x.y' WHERE name = 'derived_by'",
        "INSERT INTO record_text(rowid, text) VALUES(99, 'forged')",
    ],
)
def test_what_is_derived_in_a_backup_is_derived_again(
    backed_up: Path, home: Path, sql: str
) -> None:
    lost(home)
    with closing(apsw.Connection(str(backed_up))) as connection:
        connection.execute(sql).fetchall()
    done("restore", str(backed_up))
    with kioku.open() as memory:
        assert list(contents(memory).values()) == ["before"]
        assert problems(memory) == []
        assert memory.search("forged") == []


def test_a_store_in_use_is_no_backup(backed_up: Path, home: Path) -> None:
    store = home / "state" / "default.db"
    with Child(HOLDER, store) as holder:
        assert holder.read_line() == "open"
        saved_id("words")
        result = run("restore", str(store), "--space", "other")
        assert_refused(result, 1, "is a store in use", "kioku backup")
    assert_refused(run("restore", str(store), "--force"), 2, "is the store itself")


def test_a_backup_of_another_space_is_refused(backed_up: Path) -> None:
    result = run("restore", str(backed_up), "--space", "other")
    assert_refused(result, 2, "'default'", "'other'", "--space default")


def test_a_restore_that_is_killed_leaves_the_old_store_or_the_new(
    home: Path, tmp_path: Path
) -> None:
    with kioku.open() as memory:
        memory.save_many({"content": f"observation {n} {'x' * 500}"} for n in range(2_000))
    path = tmp_path / "backup"
    done("backup", str(path))
    extra = saved_id("since the backup")
    secret = saved_id("purged since")
    done("purge", secret, "--yes")
    store = home / "state" / "default.db"
    seen = set()
    for delay_ms in (60, 90, 120, 150, 180, 220, 260, 300):
        started = subprocess.Popen(
            [*COMMAND, "restore", str(path), "--force"],
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
        with kioku.open(store) as memory:
            assert problems(memory) == []
            there = contents(memory)
            assert len(there) == (2_001 if extra in there else 2_000)
            assert secret not in there
            has_purge = memory.statistics().purged
            assert has_purge == 1
    assert -signal.SIGKILL in seen
    assert run("restore", str(path), "--force").code == 0
    assert not list(store.parent.glob("*.restoring-*"))
