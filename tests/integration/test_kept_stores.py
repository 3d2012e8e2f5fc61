"""A store that a restore has put aside holds nothing that is erased in the one that took its place.

Every byte of the state directory is looked at, as in test_erasure.
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import apsw
import pytest

import kioku
from kioku.doctor import check
from kioku.log.event import RETRACT, ZERO_KEY
from kioku.log.payload import encode_targets
from kioku.replica import Draft
from tests.integration.cli_process import assert_refused, done, run, saved_id
from tests.integration.test_erasure import traces
from tests.integration.wholeness import contents, problems

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "quetzalvermilion"
WORD = [SECRET[:9].encode()]


@pytest.fixture
def backup(home: Path, tmp_path: Path) -> Path:
    """A backup of the default space, which holds something that is no secret."""
    saved_id("harmless")
    path = tmp_path / "backup.db"
    done("backup", str(path))
    return path


def put_aside(backup: Path) -> Path:
    """Restore over the store, and give what it was put aside as."""
    kept = done("restore", str(backup), "--force", "--json").json["kept"]
    assert isinstance(kept, str)
    return type(backup)(kept)


def assert_sound(kept: Path) -> None:
    with kioku.open(kept) as memory:
        assert problems(memory) == []


def test_a_purge_erases_in_every_store_that_was_put_aside(home: Path, tmp_path: Path) -> None:
    secret = saved_id(SECRET, "-t", SECRET)
    other = saved_id("stays")
    backup = tmp_path / "backup.db"
    done("backup", str(backup))
    kept = [put_aside(backup), put_aside(backup)]
    assert traces(WORD) == {"default.db", *(one.name for one in kept)}
    done("purge", secret, "--yes")
    assert traces(WORD) == set()
    for one in kept:
        assert_sound(one)
        with kioku.open(one) as memory:
            assert contents(memory) == {other: "stays"}


def test_a_purge_of_what_only_the_store_put_aside_holds_erases_it_there(backup: Path) -> None:
    secret = saved_id(SECRET)
    kept = put_aside(backup)
    done("gc", "--force-id", secret)
    assert traces(WORD) == set()
    assert done("import", str(kept), "--json").json["new_events"] > 0
    with kioku.open() as memory:
        assert list(contents(memory).values()) == ["harmless"]
        assert problems(memory) == []


def test_what_a_backup_has_purged_is_erased_in_the_store_it_replaces(
    home: Path, tmp_path: Path
) -> None:
    secret = saved_id(SECRET)
    done("backup", str(tmp_path / "older"))
    done("purge", secret, "--yes")
    done("backup", str(tmp_path / "newer"))
    store = home / "state" / "default.db"
    store.unlink()
    done("restore", str(tmp_path / "older"))
    assert traces(WORD) == {"default.db"}
    put_aside(tmp_path / "newer")
    assert traces(WORD) == set()


def test_a_peers_purge_is_done_there_too(backup: Path) -> None:
    secret = saved_id(SECRET)
    kept = put_aside(backup)
    with kioku.open() as memory, kioku.open(":memory:") as peer:
        peer.purge(secret)
        assert traces(WORD) == {kept.name}
        for chunk in peer.export_chunks():
            memory.ingest_chunk(chunk)
        assert traces(WORD) == set()


def test_gc_erases_there_what_it_erases_here(home: Path, tmp_path: Path) -> None:
    secret = saved_id(SECRET)
    done("backup", str(tmp_path / "backup"))
    kept = put_aside(tmp_path / "backup")
    done("delete", secret, "-r", "no longer true")
    with kioku.open() as memory:
        memory.gc(timedelta(0))
    assert traces(WORD) == set()
    assert_sound(kept)


def test_what_is_said_again_before_it_is_retracted_stays_there(home: Path, tmp_path: Path) -> None:
    """So does the repair of a clock: the text is not erased, and may be in no other backup."""
    key = saved_id("still told")
    done("backup", str(tmp_path / "backup"))
    kept = put_aside(tmp_path / "backup")
    with kioku.open() as memory:
        with memory.replica.transaction(now_ms=memory.now_ms()) as transaction:
            [first] = transaction.versions(bytes.fromhex(key))
            body = encode_targets([first.entry.id])
            again = Draft(first.entry.kind, first.entry.key, first.entry.body)
            transaction.append([again, Draft(RETRACT, ZERO_KEY, body)])
        memory.replica.finish_erasure(0)
    with kioku.open(kept) as old:
        assert contents(old) == {key: "still told"}


def test_a_store_put_aside_that_is_read_is_erased_when_its_reader_ends(backup: Path) -> None:
    secret = saved_id(SECRET)
    kept = put_aside(backup)
    reader = apsw.Connection(str(kept))
    reader.execute("BEGIN; SELECT count(*) FROM event").fetchall()
    with kioku.open() as memory:
        with memory.replica.transaction(now_ms=memory.now_ms()) as transaction:
            transaction.append([Draft(3, bytes.fromhex(secret))])
        with pytest.raises(kioku.StoreBusyError, match="before-restore-1"):
            memory.replica.finish_erasure(0)
        assert memory.replica.statistics().erasures_due
        reader.close()
    with kioku.open() as memory:
        assert not memory.replica.statistics().erasures_due
    assert traces(WORD) == set()


def test_a_purge_that_cannot_reach_one_says_so_and_stays_due(backup: Path) -> None:
    secret = saved_id(SECRET)
    kept = put_aside(backup)
    kept.write_bytes(b"damaged" + kept.read_bytes()[7:])
    refused = run("gc", "--force-id", secret)
    assert_refused(refused, 1, kept.name, "delete that file")
    saved_id("goes on")
    with kioku.open() as memory:
        assert memory.replica.statistics().erasures_due
    kept.unlink()
    saved_id("something quite different")
    with kioku.open() as memory:
        assert not memory.replica.statistics().erasures_due


def test_a_second_name_of_the_store_is_no_other_store(home: Path, backup: Path) -> None:
    """Left by a restore that was killed before its last step; opened, it would be destroyed."""
    secret = saved_id(SECRET)
    store = home / "state" / "default.db"
    second = store.with_name("default.db.before-restore-1")
    os.link(store, second)
    with kioku.open() as memory:
        memory.purge(secret)
        assert list(contents(memory).values()) == ["harmless"]
        assert problems(memory) == []
    assert put_aside(backup) == second
    assert not store.samefile(second)
    assert [name.name for name in store.parent.glob("*before-restore*")] == [second.name]


def test_doctor_names_what_was_put_aside(backup: Path) -> None:
    kept = put_aside(backup)
    [found] = [one for one in check().checks if one.name == "kept"]
    assert (found.status, str(kept) in found.summary) == ("pass", True)


def test_a_private_store_put_aside_is_erased_too_and_stays_private(
    home: Path, tmp_path: Path
) -> None:
    secret = saved_id(SECRET, "--space", "private")
    backup = tmp_path / "backup"
    done("backup", str(backup), "--space", "private")
    kept = done("restore", str(backup), "--force", "--space", "private", "--json").json["kept"]
    done("purge", secret, "--yes", "--space", "private")
    assert traces(WORD) == set()
    with kioku.open(kept) as memory:
        assert memory.is_private()


def test_out_of_a_private_space_one_goes_back_and_is_told_so(home: Path, tmp_path: Path) -> None:
    space = ("--space", "private")
    saved_id("before", *space)
    backup = tmp_path / "backup"
    done("backup", str(backup), *space)
    saved_id("after", *space)
    restored = run("restore", str(backup), "--force", *space)
    kept = home / "state" / "private.db.before-restore-1"
    assert f"kioku restore {kept} --force --space private" in restored.err
    assert "kioku import" not in restored.err
    assert run("import", str(kept), *space).code == 1
    assert run("restore", str(kept), "--force", *space).code == 0
    with kioku.open(space="private") as memory:
        assert sorted(contents(memory).values()) == ["after", "before"]
