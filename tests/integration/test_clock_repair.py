"""The clock is repaired all or not at all, whatever fails; and the command shows before it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kioku
from kioku import Memory, StoreError
from tests.integration.cli_process import assert_refused, done, run
from tests.integration.faulty_disk import BROKEN, FULL, FaultyDisk
from tests.integration.wholeness import assert_whole, contents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY_NS = 86_400 * 10**9
OPERATIONS_MAX = 1_000


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyDisk]:
    found = FaultyDisk(monkeypatch)
    yield found
    found.unregister()


def write_ahead(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Save, edit and delete with a clock that is a day ahead; gives what can be read."""
    real = memory._clock
    first = memory.save("in time")
    monkeypatch.setattr(memory, "_clock", lambda: real() + DAY_NS)
    kept = memory.save("ahead")
    memory.edit(first.id, content="edited ahead")
    memory.delete(memory.save("deleted ahead").id)
    monkeypatch.setattr(memory, "_clock", real)
    return {first.id: "edited ahead", kept.id: "ahead"}


@pytest.mark.parametrize("fault", [FULL, BROKEN])
def test_a_fault_at_any_moment_leaves_all_or_nothing(
    tmp_path: Path, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    path = tmp_path / "space.db"
    with kioku.open(path) as memory:
        there = write_ahead(memory, monkeypatch)
    files = {file: file.read_bytes() for file in tmp_path.iterdir()}
    seen = set()
    for number in range(1, OPERATIONS_MAX):
        for file in tmp_path.iterdir():
            file.unlink() if file not in files else file.write_bytes(files[file])
        with kioku.open(path) as memory:
            is_acknowledged = False
            with disk.failing(fault, number):
                try:
                    memory.fix_clock()
                    is_acknowledged = True
                except StoreError:
                    assert disk.has_failed
            has_failed = disk.has_failed
        with kioku.open(path) as memory:
            left = memory.fix_clock(dry_run=True)
            seen.add((left.saves, left.deletions))
            assert not (is_acknowledged and left.saves)
            assert_whole(memory, there.items())
            assert contents(memory) == there
        if not has_failed:
            assert seen == {(3, 1), (0, 0)}
            return
    raise AssertionError("the repair never ends")


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The default space, with what was written by a clock that was a day ahead."""
    with kioku.open() as memory:
        return write_ahead(memory, monkeypatch)


def test_the_command_shows_asks_and_mends(ahead: dict[str, str]) -> None:
    report = run("doctor")
    assert report.code == 1
    assert "[WARN] clock" in report.out
    assert "kioku doctor --fix-clock" in report.out
    refused = run("doctor", "--fix-clock")
    assert_refused(refused, 1, "3 saves and 1 deletion (of observations: 3)", "--yes")
    assert "[WARN] clock" in run("doctor").out
    mended = done("doctor", "--fix-clock", "--yes")
    assert mended.out.startswith("clock: 3 saves and 1 deletion (of observations: 3) stamped")
    assert "[PASS] clock" in mended.out
    with kioku.open() as memory:
        assert contents(memory) == ahead
    assert done("doctor", "--fix-clock").out.startswith("clock: nothing to stamp again\n")


def test_the_command_prints_json(ahead: dict[str, str]) -> None:
    shown = done("doctor", "--fix-clock", "--fix", "--yes", "--json").json
    assert {**shown["clock"], "ahead_ms": 0, "now": ""} == {
        "saves": 3,
        "deletions": 1,
        "observations": 3,
        "ahead_ms": 0,
        "now": "",
    }
    assert shown["fixed"] == []
    assert done("doctor", "--fix-clock", "--json").json["clock"]["saves"] == 0


def test_where_nothing_was_saved_there_is_nothing_to_do(home: Path) -> None:
    assert "clock" not in done("doctor", "--fix-clock", "--json").json
    assert not (home / "state").exists()


def test_what_was_deleted_ahead_can_still_be_undeleted(ahead: dict[str, str]) -> None:
    with kioku.open() as memory:
        [gone] = [one for one in memory.list(include_deleted=True) if one.is_deleted]
        memory.fix_clock()
        assert memory.undelete(gone.id).content == "deleted ahead"
        past = [entry for entry in memory.history(gone.id) if entry.observation]
        assert [entry.status for entry in past] == ["wins", "older"]


def test_a_wall_that_may_be_wrong_is_not_believed(tmp_path: Path) -> None:
    """What others wrote, and took effect here, says that it is later than this machine thinks."""
    with kioku.open(tmp_path / "there.db") as there, kioku.open() as here:
        there.save("from elsewhere")
        for chunk in there.export_chunks():
            here.ingest_chunk(chunk)
        here.save("mine")
        real = here._clock
        here._clock = lambda: real() - DAY_NS
        with pytest.raises(kioku.ClockError, match="may be behind"):
            here.fix_clock()
        with pytest.raises(kioku.ClockError, match="may be behind"):
            here.fix_clock(dry_run=True)


def test_fix_says_what_it_did_or_that_there_was_nothing(home: Path) -> None:
    done("save", "words")
    (home / "state" / "default.db").chmod(0o644)
    before = run("doctor")
    assert (before.code, "[WARN] files" in before.out) == (1, True)
    mended = done("doctor", "--fix")
    assert f"\nfixed: chmod go-rwx {home}/state/default.db" in mended.out
    assert "[PASS] files - only their owner can read them; fixed: chmod" in mended.out
    assert done("doctor", "--fix").out.endswith(
        "fixed: nothing; there was nothing that can be fixed without asking\n"
    )


def test_what_a_machine_that_is_gone_stamped_ahead_is_shown_before_it_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kioku.open(tmp_path / "gone.db") as gone, kioku.open() as memory:
        write_ahead(gone, monkeypatch)
        name = gone.list()[0].host
        for chunk in gone.export_chunks():
            memory.ingest_chunk(chunk)
    assert_refused(run("doctor", "--retract-held", "nobody"), 1, "nothing of nobody waits")
    asked = run("doctor", "--retract-held", name)
    assert_refused(asked, 1, f"4 events of {name} (of observations: 3)", "--yes")
    told = run("doctor", "--retract-held", name, "--yes", "--json").json
    assert told["retracted"]["events"] == 4
    assert {one["status"] for one in told["checks"] if one["name"] == "held"} == {"pass"}
    assert_refused(run("doctor", "--retract-held", name), 1, f"nothing of {name} waits")
