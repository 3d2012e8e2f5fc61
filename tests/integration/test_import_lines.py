"""JSON Lines come in whole or not at all, and twice is as good as once."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

import kioku
from tests.integration.cli_process import (
    COMMAND,
    SECONDS_MAX,
    assert_refused,
    done,
    environment,
    run,
    save_many,
)
from tests.integration.wholeness import contents, problems

if TYPE_CHECKING:
    from pathlib import Path

ELSEWHERE = "elsewhere"


@pytest.fixture
def elsewhere(home: Path) -> dict[str, str]:
    """The environment of another machine's store."""
    return {"KIOKU_STATE_DIR": str(home / ELSEWHERE)}


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def exported(path: Path, **variables: str) -> Path:
    done("export", str(path), "--format", "jsonl", "--force", **variables)
    return path


def test_an_export_comes_back_with_ids_times_and_authors(
    tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    old, new = save_many("old words", "new words", project="demo", tags=["a"])
    with kioku.open() as memory:
        memory.edit(new, supersedes=[old], extra={"note": [1, None]}, importance=5)
        memory.delete(memory.save("deleted").id)
    path = exported(tmp_path / "out.jsonl")
    told = done("import", str(path), "--json", **elsewhere).json
    assert (told["lines"]["read"], told["lines"]["saved"]) == (2, 2)
    again = exported(tmp_path / "again.jsonl", **elsewhere)
    assert path.read_text() == again.read_text()


def test_importing_twice_or_on_two_machines_changes_nothing(
    home: Path, tmp_path: Path, elsewhere: dict[str, str]
) -> None:
    save_many("one", "two")
    path = exported(tmp_path / "out.jsonl")
    lines(tmp_path / "hand.jsonl", {"content": "by hand"}, {"content": "by hand", "project": "p"})
    for variables in ({}, elsewhere, elsewhere, {}):
        done("import", str(path), str(tmp_path / "hand.jsonl"), **variables)
    before = done("status", "--json").json["digest"]
    told = done("import", str(path), str(tmp_path / "hand.jsonl"), "--json").json["lines"]
    assert (told["read"], told["saved"], told["unchanged"]) == (4, 0, 4)
    assert done("status", "--json").json["digest"] == before
    with kioku.open() as here, kioku.open(home / ELSEWHERE / "default.db") as there:
        for source, target in ((here, there), (there, here)):
            for chunk in source.export_chunks(target.frontier()):
                target.ingest_chunk(chunk)
        assert here.digest() == there.digest()
        assert contents(here) == contents(there)


def test_an_import_undoes_nothing_that_is_newer(tmp_path: Path) -> None:
    edited, deleted, purged = save_many("edited", "deleted", "purged")
    path = exported(tmp_path / "out.jsonl")
    with kioku.open() as memory:
        memory.edit(edited, content="newer")
        memory.delete(deleted)
        memory.purge(purged)
    assert done("import", str(path), "--json").json["lines"]["saved"] == 0
    with kioku.open() as memory:
        assert contents(memory) == {edited: "newer"}


def test_a_line_with_an_id_and_no_time_is_news_only_where_the_id_is_unknown(tmp_path: Path) -> None:
    key, gone, purged = "ab" * 16, "cd" * 16, "ef" * 16
    path = lines(tmp_path / "x", *({"id": one, "content": "words"} for one in (key, gone, purged)))
    assert done("import", str(path), "--json").json["lines"]["saved"] == 3
    with kioku.open() as memory:
        memory.edit(key, content="edited")
        memory.delete(gone)
        memory.purge(purged)
    assert done("import", str(path), "--json").json["lines"]["saved"] == 0
    with kioku.open() as memory:
        assert contents(memory) == {key: "edited"}


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_one_bad_line_and_nothing_is_imported(tmp_path: Path, way: str) -> None:
    good = lines(tmp_path / "good", {"content": "fine"})
    bad = lines(tmp_path / "bad", {"content": "fine too"}, {"content": "x", "importance": 9}, 7)
    if way == "file":
        result = run("import", str(good), str(bad))
        name = str(bad)
    else:
        result = run("import", "-", stdin=bad.read_bytes())
        name = "standard input"
    assert_refused(result, 1, f"{name}: line 2: importance:", "1 more", "hint:")
    assert done("list").out == "No matching memories.\n"
    assert_refused(run("import", str(bad), "--dry-run"), 1, "line 2")


def test_a_dry_run_imports_nothing(tmp_path: Path, home: Path) -> None:
    path = lines(tmp_path / "x", {"content": "fine", "colour": "red"})
    result = run("import", str(path), "--dry-run")
    assert (result.code, result.out) == (0, "would import: 1 line, no error found\n")
    assert "colour (1)" in result.err
    assert not (home / "state").exists()
    save_many("words")
    done("export", str(tmp_path / "chunks"))
    assert_refused(run("import", str(tmp_path / "chunks"), "--dry-run"), 2, "is for JSON Lines")


def test_what_windows_writes_is_read(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"content": "one"}\r\n\r\n  {"content": "two"}\r\n{"content": "3"}'
    )
    assert done("import", str(path), "--json").json["lines"]["saved"] == 3
    with kioku.open() as memory:
        assert sorted(contents(memory).values()) == ["3", "one", "two"]


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    path = tmp_path / "blank"
    path.write_text("\n" * 20_000 + '{"content": "late"}\n')
    assert run("import", str(path)).code == 1
    assert done("import", str(path), "--format", "jsonl", "--json").json["lines"]["saved"] == 1
    assert_refused(run("import", str(path), "--format", "cbor"), 1, "chunk")
    assert_refused(run("import", str(path), "--format", "store"), 1, "no kioku store")


def test_a_line_longer_than_any_observation_is_refused_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "long"
    with path.open("wb") as file:
        file.write(b'{"content": "fine"}\n{"content": "')
        for _ in range(12):
            file.write(b"x" * 2**20)
        file.write(b'"}\n{"content": "fine again"}\n')
    assert_refused(run("import", str(path)), 1, "line 2", "longer than any observation")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"content": "x", "id": "0" * 32}, "id:"),
        ({"content": "x", "\ud800": 1}, "extra:"),
    ],
)
def test_what_no_store_would_take_is_found_before_the_first_batch_is_saved(
    tmp_path: Path, bad: object, said: str
) -> None:
    path = lines(tmp_path / "x", *({"content": f"number {n}"} for n in range(1_000)), bad)
    assert_refused(run("import", str(path)), 1, "line 1,001", said)
    assert done("list").out == "No matching memories.\n"


def test_a_name_that_is_there_twice_can_be_printed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('{"content": "x", "\\ud800": 1, "\\ud800": 2}\n')
    assert_refused(run("import", str(path)), 1, "is there twice")


def test_a_time_past_the_last_stamp_is_taken_for_now(tmp_path: Path) -> None:
    moment = "9999-12-31T23:59:59Z"
    path = lines(tmp_path / "x", {"content": "x", "id": "ab" * 16, "updated_at": moment})
    assert done("import", str(path), "--json").json["lines"]["saved"] == 1
    with kioku.open() as memory:
        memory.edit("ab" * 16, content="newer")
        assert contents(memory) == {"ab" * 16: "newer"}


def test_an_import_that_is_killed_is_finished_by_the_next(tmp_path: Path, home: Path) -> None:
    path = lines(tmp_path / "x", *({"content": f"observation number {n}"} for n in range(4_000)))
    seen = set()
    for delay_ms in (150, 250, 350, 500):
        started = subprocess.Popen(
            [*COMMAND, "import", str(path)],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + delay_ms / 1000
        while time.monotonic() < until and started.poll() is None:
            pass
        started.kill()
        seen.add(started.wait(SECONDS_MAX))
        with kioku.open() as memory:
            assert problems(memory) == []
    assert -signal.SIGKILL in seen
    done("import", str(path))
    with kioku.open() as memory:
        assert sorted(contents(memory).values()) == sorted(
            f"observation number {n}" for n in range(4_000)
        )


def test_lines_are_narrowed_by_the_filters_of_a_list_and_chunks_are_not(tmp_path: Path) -> None:
    save_many("mine", project="mine")
    save_many("yours", project="yours")
    out = done("export", "-", "--format", "jsonl", "-p", "mine").out
    assert [json.loads(line)["content"] for line in out.splitlines()] == ["mine"]
    refused = run("export", str(tmp_path / "x"), "-p", "mine")
    assert_refused(refused, 2, "--format jsonl")
    assert not (tmp_path / "x").exists()


def test_there_is_nothing_to_drain_and_it_says_why() -> None:
    save_many("words")
    assert done("drain").out.startswith("drained: 0 (nothing waits: every save is on this")
    assert done("drain", "--limit", "10", "--json").json["pending"] == 0


@pytest.mark.parametrize(
    "typed",
    [
        ("--rebuild",),
        ("--rebuild", "search", "words"),
        ("search", "words", "--rebuild"),
        ("search", "words", "--rebuild", "--json"),
        ("status", "--rebuild"),
    ],
    ids=" ".join,
)
def test_rebuild_says_that_nothing_is_hidden_and_changes_no_answer(typed: tuple[str, ...]) -> None:
    save_many("words")
    result = run(*typed)
    assert result.code == 0
    assert result.err.startswith("--rebuild: nothing is hidden")
    assert "`kioku rebuild`" in result.err
    plain = [word for word in typed if word != "--rebuild"]
    if plain[:1] == ["search"]:
        assert result.out == done(*plain).out
