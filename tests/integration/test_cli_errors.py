"""What goes wrong on the command line: one line that says what, a hint, and a true exit code."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

import kioku
from kioku.observation.layout import CONTENT_BYTES_MAX
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

UNKNOWN_ID = "0123456789abcdef0123456789abcdef"

USAGE = [
    ([], "no verb given"),
    (["shave"], "did you mean `kioku save`?"),
    (["--nonsense"], "--nonsense"),
    (["save"], "CONTENT"),
    (["save", "x", "--nonsense"], "--nonsense"),
    (["save", "x", "--importance", "high"], "--importance"),
    (["save", "x", "--importance", "6"], "importance"),
    (["save", "x", "--memory-type", "poem"], "memory_type"),
    (["save", "x", "--supersedes", "nonsense"], "nonsense"),
    (["save", "x", "--subject", "a\x1bb"], "subject"),
    (["save", "x", "--expires-at", "soon"], "--expires-at"),
    (["save", "x", "--space", "Not A Space"], "space"),
    (["search", "-n", "0"], "limit"),
    (["search", "-n", "many"], "'many' is no whole number"),
    (["search", "-word"], "kioku search -- … -word"),
    (["search", "x", "--include-deleted"], "hint: an option of kioku list"),
    (["save", "x", "--tag", "a"], "did you mean --tags?"),
    (["list", "--importance", "9"], "importance: 9 is not a number from 1 to 5"),
    (["list", "--memory-type", "poem"], "'poem' is none of note|"),
    (["search", "-n", "10001"], "limit"),
    (["search", "--search-mode", "xor"], "--search-mode"),
    (["search", "--format", "yaml"], "--format"),
    (["search", "--since", "yesterday"], "2026-05-22"),
    (["search", "--until", "2026-13-01"], "--until"),
    (["list", "unexpected"], "unexpected"),
    (["get-memory"], "ID"),
    (["get-memory", "abc"], "6 to 32 hex digits"),
    (["get-memory", "not-an-id"], "6 to 32 hex digits"),
    (["get-memory", UNKNOWN_ID + "0"], "6 to 32 hex digits"),
    (["edit", UNKNOWN_ID], "nothing to change"),
    (["delete"], "give an id, or filters"),
    (["delete", UNKNOWN_ID, "-p", "demo"], "not both"),
    (["gc", "--retention-days", "-1"], "--retention-days"),
    (["gc", "--retention-days", "few"], "--retention-days"),
    (["init", "--mode", "star"], "--mode"),
    (["init", "--listen", "127.0.0.1"], "are of --mode hub"),
    (["export"], "FILE"),
    (["import"], "FILE"),
]

NOT_FOUND = [
    ["get-memory", UNKNOWN_ID],
    ["get-memory", UNKNOWN_ID[:8]],
    ["edit", UNKNOWN_ID, "--importance", "5"],
    ["delete", UNKNOWN_ID],
    ["delete", UNKNOWN_ID, "--dry-run"],
    ["undelete", UNKNOWN_ID],
    ["purge", UNKNOWN_ID, "--yes"],
    ["history", UNKNOWN_ID],
    ["rebuild", "--space", "never-used"],
    ["import", "/nonexistent/memory.kioku"],
    ["export", "/nonexistent/memory.kioku"],
]


@pytest.mark.parametrize(("arguments", "said"), USAGE)
def test_usage_and_invalid_input_give_2(arguments: list[str], said: str) -> None:
    assert_refused(run(*arguments), 2, said)


@pytest.mark.parametrize("arguments", NOT_FOUND, ids=" ".join)
def test_what_is_not_there_gives_1(arguments: list[str]) -> None:
    assert_refused(run(*arguments), 1)


def test_a_directory_that_is_not_there_is_named_by_what_was_typed() -> None:
    refused = run("export", "/nonexistent/memory.kioku")
    assert refused.err == "kioku: /nonexistent/memory.kioku: No such file or directory\n"


def test_an_ambiguous_beginning_of_an_id_is_refused() -> None:
    # Two ids with one beginning are not saved by chance, so they come as somebody's observations.
    with kioku.open() as memory:
        memory.save_many([kioku.Observation("x", id=UNKNOWN_ID[:-1] + d) for d in "01"])
    assert_refused(run("get-memory", UNKNOWN_ID[:10]), 1, "2 ids", "more digits")


def test_undeleting_what_is_not_deleted_is_refused() -> None:
    assert_refused(run("undelete", saved_id("words")), 1, "not deleted")


@pytest.mark.parametrize("content", ["", "   ", "\n\t\n"])
def test_failure_16_empty_content_is_refused(content: str) -> None:
    assert_refused(run("save", content), 2, "content")
    assert_refused(run("save", "-", stdin=content), 2, "content")
    assert done("list").out == "No matching memories.\n"


@pytest.mark.parametrize("size", [CONTENT_BYTES_MAX + 1, 50_000_000])
def test_failure_16_content_over_the_limit_is_refused(size: int) -> None:
    assert_refused(run("save", "-", stdin=b"x" * size), 2, "content", f"{CONTENT_BYTES_MAX:,}")
    assert done("list").out == "No matching memories.\n"


def test_the_largest_content_is_taken_also_with_a_line_break_behind_it() -> None:
    out = done("save", "-", "--json", stdin=b"\xef\xbb\xbf" + b"x" * CONTENT_BYTES_MAX + b"\r\n")
    assert out.json["content"] == "x" * CONTENT_BYTES_MAX


@pytest.mark.parametrize("arguments", [["save", b"caf\xe9"], ["search", b"\xff"], [b"\xfe"]])
def test_arguments_that_are_not_utf8_are_refused(arguments: list[str | bytes]) -> None:
    assert_refused(run(*arguments), 2, "UTF-8")


def test_standard_input_that_is_not_utf8_is_refused() -> None:
    assert_refused(run("save", "-", stdin=b"caf\xe9"), 2, "UTF-8")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"KIOKU_SPACE": "../evil"}, "KIOKU_SPACE"),
        ({"KIOKU_CLIENT_ID": "a/**"}, "KIOKU_CLIENT_ID"),
        ({"MESH_MEM_SESSION_ID": "x" * 1000}, "MESH_MEM_SESSION_ID"),
        ({"KIOKU_STATE_DIR": "a\nb"}, "KIOKU_STATE_DIR"),
    ],
)
@pytest.mark.parametrize("arguments", [["save", "x"], ["list"], ["status"]])
def test_a_bad_setting_is_named(arguments: list[str], variables: dict[str, str], said: str) -> None:
    assert_refused(run(*arguments, **variables), 2, said)


def test_a_bad_config_file_is_named_with_its_key(home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text('spaec = "work"\n')
    assert_refused(run("save", "x"), 2, str(home / "config" / "config.toml"), "spaec")
    assert run("doctor").code == 2


def test_a_state_directory_that_is_a_file_is_named(home: Path) -> None:
    (home / "file").write_text("not ours")
    assert_refused(run("save", "x", KIOKU_STATE_DIR=str(home / "file")), 1, str(home / "file"))


def test_a_store_that_is_no_store_is_named_and_left_alone(home: Path) -> None:
    (home / "state").mkdir()
    path = home / "state" / "default.db"
    path.write_bytes(b"this is not a database, and it is long enough to be looked at" * 100)
    before = path.read_bytes()
    for command in (["save", "x"], ["list"], ["search", "x"]):
        assert_refused(run(*command), 1, str(path))
    assert path.read_bytes() == before
    assert run("doctor").code == 2


def test_an_error_never_sends_control_characters() -> None:
    result = run("get-memory", "\x1b[31m\u202e\n")
    assert_refused(result, 2)
    assert "\x1b" not in result.err
    assert "\u202e" not in result.err


def test_output_that_cannot_be_written_is_an_error() -> None:
    saved_id("words")
    with open("/dev/full", "wb") as full:
        listed = subprocess.run(
            [*COMMAND, "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            timeout=SECONDS_MAX,
            check=False,
        )
    assert listed.returncode == 1
    assert listed.stderr.decode().startswith("kioku: ")
    assert b"Traceback" not in listed.stderr


def test_a_closed_standard_output_loses_no_save() -> None:
    script = f'"{COMMAND[0]}" -m kioku.cli save "kept words" >&-'
    subprocess.run(["sh", "-c", script], env=environment(), timeout=SECONDS_MAX, check=False)
    assert "kept words" in done("list").out


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_early_ends_the_command_quietly(unbuffered: str) -> None:
    with kioku.open() as memory:
        memory.save_many([{"content": "x" * 20_000} for _ in range(400)])  # no pipe holds 8 MB
    process = subprocess.Popen(
        [*COMMAND, "list", "-n", "400", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(PYTHONUNBUFFERED=unbuffered),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.wait(SECONDS_MAX) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


def test_debug_shows_where_an_error_came_from_and_changes_nothing_else() -> None:
    result = run("get-memory", UNKNOWN_ID, KIOKU_DEBUG="1")
    assert result.code == 1
    assert "Traceback" in result.err
    assert "kioku: " in result.err


@pytest.mark.parametrize("locale", ["C", "POSIX", "en_US.UTF-8"])
def test_any_locale_can_show_any_text(locale: str) -> None:
    variables = {"LC_ALL": locale, "PYTHONIOENCODING": "ascii"}
    saved_id("記憶 🧠")
    out = done("list", **variables).out
    assert "\\u8a18\\u61b6 \\U0001f9e0" in out
    assert done("list", "--json", **variables).json[0]["content"] == "記憶 🧠"
