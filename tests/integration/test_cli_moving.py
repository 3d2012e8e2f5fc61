"""Export and import: a memory carried as a file, whole, in part, damaged or not one at all."""

from __future__ import annotations

import json
import subprocess
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
    saved_id,
)

if TYPE_CHECKING:
    from pathlib import Path

PADDING = "x" * 1_000  # a chunk takes 256 KiB
KEYS = {"chunks", "events", "new_events", "new_bodies", "held", "missing", "lines"}


@pytest.fixture
def exported(home: Path) -> Path:
    """An export of several chunks: 600 observations, an edit, a deletion and a purge."""
    with kioku.open() as memory:
        saved = memory.save_many([{"content": f"observation {n:04} {PADDING}"} for n in range(600)])
        memory.edit(saved[0].id, content="edited")
        memory.delete(saved[1].id)
        memory.purge(saved[2].id)
    path = home / "memory.kioku"
    out = done("export", str(path), "--json").json
    assert out["chunks"] > 2
    assert out["bytes"] == path.stat().st_size
    return path


@pytest.fixture
def elsewhere(home: Path) -> dict[str, str]:
    """The environment of another machine's store."""
    return {"KIOKU_STATE_DIR": str(home / "elsewhere")}


def digest(**variables: str) -> str:
    """The fingerprint of a store."""
    return str(done("status", "--json", **variables).json["digest"])


def contents(**variables: str) -> list[str]:
    """What a store shows, the latest change first."""
    found = done("list", "-n", "10000", "--json", **variables).json
    return [observation["content"] for observation in found]


def test_an_import_gives_the_same_memory_and_again_changes_nothing(
    exported: Path, elsewhere: dict[str, str]
) -> None:
    first = done("import", str(exported), "--json", **elsewhere).json
    assert first.keys() == KEYS
    assert first["new_events"] == first["events"] > 600
    assert digest(**elsewhere) == digest()
    assert contents(**elsewhere) == contents()
    again = done("import", str(exported), "--json", **elsewhere).json
    assert (again["events"], again["new_events"]) == (first["events"], 0)


def test_both_ways_two_stores_agree(home: Path, elsewhere: dict[str, str]) -> None:
    saved_id("here")
    saved_id("there", **elsewhere)
    one, two = str(home / "one"), str(home / "two")
    done("export", one)
    done("export", two, **elsewhere)
    assert done("import", two).out.startswith("imported: ")
    done("import", one, **elsewhere)
    assert sorted(contents()) == sorted(contents(**elsewhere)) == ["here", "there"]


def test_a_pipe_carries_an_export(elsewhere: dict[str, str]) -> None:
    key = saved_id("through a pipe")
    piped = subprocess.run(
        [*COMMAND, "export", "-"],
        capture_output=True,
        env=environment(),
        timeout=SECONDS_MAX,
        check=True,
    )
    assert piped.stderr == b""
    done("import", "-", stdin=piped.stdout, **elsewhere)
    assert key in done("list", **elsewhere).out


def test_an_empty_store_exports_nothing_and_nothing_imports(home: Path) -> None:
    path = home / "empty"
    assert done("export", str(path), "--json").json["chunks"] == 0
    assert path.read_bytes() == b""
    assert done("import", str(path), "--json").json["events"] == 0


@pytest.mark.parametrize("cut", [1, 1_000])
def test_of_a_truncated_file_all_that_is_whole_is_kept_and_said(
    exported: Path, elsewhere: dict[str, str], cut: int
) -> None:
    exported.write_bytes(exported.read_bytes()[:-cut])
    result = run("import", str(exported), **elsewhere)
    assert_refused(result, 1, str(exported), "ends in the middle", "are kept")
    assert len(contents(**elsewhere)) >= 200
    assert (
        run("doctor", "--deep", **elsewhere).code < 2
    )  # what the rest explains is missing: a warning


@pytest.mark.parametrize(
    "garbage",
    [b"this is no export\n", b'{"content": 7}\n', b"\x00" * 100_000, b"\xff" * 10, b"\x9f\xff"],
    ids=["text", "json", "zeros", "ones", "indefinite"],
)
def test_garbage_is_one_clear_line(home: Path, elsewhere: dict[str, str], garbage: bytes) -> None:
    path = home / "garbage"
    path.write_bytes(garbage)
    assert_refused(run("import", str(path), **elsewhere), 1, str(path))
    assert_refused(run("import", "-", stdin=garbage, **elsewhere), 1, "standard input")
    assert contents(**elsewhere) == []


def test_garbage_behind_an_export_keeps_the_export(
    exported: Path, elsewhere: dict[str, str]
) -> None:
    with exported.open("ab") as file:
        file.write(b"garbage")
    assert_refused(run("import", str(exported), **elsewhere), 1, "are kept")
    assert digest(**elsewhere) == digest()


def test_a_flipped_byte_is_noticed_and_what_came_before_is_kept(
    exported: Path, elsewhere: dict[str, str]
) -> None:
    data = bytearray(exported.read_bytes())
    at = data.index(b"observation 0400")
    data[at] ^= 1
    exported.write_bytes(data)
    result = run("import", str(exported), **elsewhere)
    assert_refused(result, 1, str(exported), "refused", "are kept")
    assert len(contents(**elsewhere)) >= 200
    assert all(text.startswith(("observation ", "edited")) for text in contents(**elsewhere))


def test_a_file_that_is_there_is_replaced_only_when_told(home: Path) -> None:
    path = home / "memory.kioku"
    path.write_text("precious")
    assert_refused(run("export", str(path)), 1, str(path), "--force")
    assert path.read_text() == "precious"
    saved_id("words")
    done("export", str(path), "--force")
    assert path.read_bytes() != b"precious"
    assert [file.name for file in home.iterdir() if "memory" in file.name] == ["memory.kioku"]


def test_an_export_is_for_its_owner_alone(home: Path) -> None:
    saved_id("words")
    done("export", str(home / "x"))
    assert (home / "x").stat().st_mode & 0o077 == 0


def test_json_lines_hold_what_can_be_read_now(exported: Path, home: Path) -> None:
    path = home / "memory.jsonl"
    out = done("export", str(path), "--format", "jsonl", "--json").json
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert out["observations"] == len(lines) == 598
    assert [line["content"] for line in lines] == contents()
    assert done("export", "-", "--format", "jsonl").out == path.read_text()
    assert exported.exists()
