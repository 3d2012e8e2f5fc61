"""doctor: a correct installation passes, and what is wrong is named and, if derived, mended."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

import kioku.doctor.place
from kioku.doctor import Check, Report, check
from kioku.memory import open as open_memory
from kioku.memory import opening
from kioku.observation import Observation
from tests.unit.memories import Clock, carry, settings

if TYPE_CHECKING:
    from pathlib import Path

    from kioku.memory import Memory
    from tests.unit.memories import Stores


def worst(report: Report) -> list[Check]:
    """Everything that did not pass."""
    return [found for found in report.checks if found.status != "pass"]


def named(report: Report, name: str) -> Check:
    """The one check of a name."""
    [found] = [found for found in report.checks if found.name == name]
    return found


def damage(memory: Memory, sql: str, *values: Any) -> None:
    """Write into a store behind its back."""
    with memory.replica.transaction(now_ms=memory.now_ms()) as transaction:
        transaction.connection.execute(sql, values)


def test_before_the_first_save_all_passes_and_nothing_is_created(home: Path) -> None:
    report = check(deep=True)
    assert worst(report) == []
    assert report.ok
    assert report.worst_status == "pass"
    assert "none yet" in named(report, "store").summary
    assert not (home / "state").exists()


def test_a_fresh_install_passes() -> None:
    with open_memory() as memory:
        memory.save("the first thing")
    for deep in (False, True):
        assert worst(check(deep=deep)) == []


def test_a_container_without_an_id_of_its_machine_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "_CONTAINER_MARKS", ("/",))
    assert worst(check()) == []
    with open_memory() as memory:
        memory.save("the first thing")
    assert worst(check()) == []
    with open_memory() as memory:  # the next container over the same mounted store
        memory.save("the second thing")
        assert memory.statistics().logs == 1
    assert worst(check()) == []


def test_a_store_with_a_past_passes(stores: Stores, clock: Clock) -> None:
    here, there = stores.open("here"), stores.open("there")
    saved = [here.save(f"fact {n}", tags=["t"]) for n in range(20)]
    carry(here, there)
    there.edit(saved[0].id, content="another")
    there.save("replaces", supersedes=[saved[1].id])
    here.delete(saved[2].id)
    here.purge(saved[3].id)
    carry(there, here)
    carry(here, there)
    for memory in (here, there):
        assert worst(check(memory, deep=True)) == []
    assert worst(check(stores.directory / "here.db", deep=True)) == []


def test_a_memory_without_a_file_passes() -> None:
    with open_memory(":memory:") as memory:
        memory.save("a")
        assert worst(check(memory, deep=True)) == []


def test_a_report_names_its_version() -> None:
    assert check().version


def test_bad_settings_are_a_finding() -> None:
    report = check(environ={**os.environ, "KIOKU_SPACE": "../up"})
    assert not report.ok
    assert "KIOKU_SPACE" in named(report, "settings").summary


def test_bad_settings_are_no_fault_of_sqlite(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "bad.toml").write_text("{")
    monkeypatch.setenv("KIOKU_CONFIG", str(home / "bad.toml"))
    report = check()
    assert named(report, "settings").status == "fail"
    assert named(report, "sqlite").status == "pass"


def test_variables_of_the_predecessor_are_named() -> None:
    environ = {**os.environ, "MESH_MEM_BACKEND": "zenoh", "ZENOH_CONNECT": "tcp/1.2.3.4:7447"}
    found = [one for one in check(environ=environ).checks if one.name == "environment"]
    assert [one.summary.split()[0] for one in found] == ["MESH_MEM_BACKEND", "ZENOH_CONNECT"]
    assert {one.status for one in found} == {"warn"}


def test_a_directory_that_cannot_be_made_fails(home: Path) -> None:
    (home / "file").write_text("in the way")
    report = check(home / "file" / "store.db")
    assert named(report, "directory").status == "fail"


def test_a_file_that_is_no_store_fails(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is no database, but it is long enough" * 100)
    report = check(tmp_path / "text.db")
    assert not report.ok
    assert "text.db" in named(report, "store").summary


def test_files_that_others_can_read_are_named(stores: Stores) -> None:
    memory = stores.open()
    memory.save("a")
    os.chmod(stores.directory / "one.db", 0o644)
    [key] = stores.directory.glob("*.key")
    os.chmod(key, 0o640)
    report = check(memory)
    assert named(report, "files").status == "warn"
    assert str(key) in named(report, "files").summary


def test_a_copy_is_told_from_its_original(stores: Stores) -> None:
    with_key = stores.open()
    with_key.save("a")
    with_key.close()
    shutil.copy(stores.directory / "one.db", stores.directory / "copy.db")
    report = check(stores.directory / "copy.db")
    assert "copy" in named(report, "key").summary
    assert report.worst_status == "warn"


def test_a_clock_that_is_behind_the_newest_event_is_named(stores: Stores, clock: Clock) -> None:
    memory = stores.open()
    memory.save("a")
    clock.ms -= 61_000
    assert "61 s" in named(check(memory), "clock").summary
    clock.ms = 0
    assert named(check(memory), "clock").status == "fail"


def test_held_events_are_counted(stores: Stores, clock: Clock) -> None:
    early, here = stores.open("early", Clock(clock.ms + 10**8)), stores.open("here")
    early.save("from the future")
    carry(early, here)
    report = check(here, deep=True)
    assert named(report, "held").status == "warn"
    assert report.ok


def test_what_this_kioku_cannot_read_is_counted(stores: Stores) -> None:
    memory = stores.open()
    saved = memory.save("a")
    from kioku.log.event import SAVE
    from kioku.replica import Draft

    memory.replica.append([Draft(SAVE, bytes.fromhex(saved.id), b"\xff")], now_ms=memory.now_ms())
    assert memory.get(saved.id) is None
    report = check(memory, deep=True)
    assert named(report, "unreadable").summary.startswith("1 ")
    assert [one.name for one in worst(report)] == ["unreadable"]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM record",
        "UPDATE record SET project = 'q'",
        "DELETE FROM superseded",
        "INSERT INTO record_text(record_text) VALUES('delete-all')",
    ],
)
def test_a_view_that_differs_is_built_again(stores: Stores, sql: str) -> None:
    memory = stores.open()
    saved = memory.save("a word", project="p")
    memory.save_many([Observation("another", supersedes=("ab" * 16,))])
    damage(memory, sql)
    assert check(memory).worst_status in {"pass", "warn"}
    found = named(check(memory, deep=True), "view")
    assert found.status == "warn"
    assert "built again" in found.summary
    assert worst(check(memory, deep=True)) == []
    assert memory.search("word", project="p")[0].observation == saved


def test_a_fold_that_differs_is_built_again(stores: Stores) -> None:
    memory = stores.open()
    saved = memory.save("first")
    memory.edit(saved.id, content="second")
    damage(memory, "UPDATE version SET wins = 0")
    assert memory.get(saved.id) is None
    report = check(memory, deep=True)
    assert named(report, "fold").status == "warn"
    assert memory.get(saved.id) is not None


def test_a_flipped_bit_fails_and_is_not_repaired(stores: Stores) -> None:
    memory = stores.open()
    memory.save("a fact that must not change")
    flipped = "CAST(replace(body, 'fact', 'lies') AS BLOB)"
    damage(memory, f"UPDATE event SET body = {flipped} WHERE kind = 1")
    report = check(memory, deep=True)
    assert not report.ok
    assert named(report, "chain").status == "fail"
    assert report.worst_status == "fail"


def test_a_body_that_nothing_erased_is_missed(stores: Stores) -> None:
    memory = stores.open()
    memory.save("a")
    damage(memory, "UPDATE event SET body = NULL, salt = NULL WHERE kind = 1")
    assert "gone" in named(check(memory, deep=True), "absent").summary


def test_an_old_store_is_named(home: Path) -> None:
    old = home / "old"
    (old / "local").mkdir(parents=True)
    (old / "local" / "raw.db").touch()
    report = check(environ={**os.environ, "KIOKU_MESH_STATE_DIR": str(old)})
    assert str(old / "local" / "raw.db") in named(report, "old store").summary
    assert report.ok


def test_little_room_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kioku.doctor.place, "FREE_BYTES_WARN", 2**70)
    assert named(check(), "disk").status == "warn"
    monkeypatch.setattr(kioku.doctor.place, "FREE_BYTES_FAIL", 2**70)
    assert named(check(), "disk").status == "fail"


def test_settings_can_be_the_target(tmp_path: Path) -> None:
    chosen = settings()._replace(state_dir=str(tmp_path))
    assert worst(check(chosen)) == []
