"""Spaces on the command line: one, a private one, and several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_process import assert_refused, done, run, saved_id

if TYPE_CHECKING:
    from pathlib import Path


def test_a_private_space_is_not_exported(home: Path) -> None:
    key = saved_id("a secret", "--space", "private")
    refused = run("export", str(home / "out"), "--space", "private")
    assert_refused(refused, 1, "space private is private", "--format jsonl --private")
    assert not (home / "out").exists()
    refused = run("export", "-", "--space", "private", "--private")
    assert_refused(refused, 1, "space private is private")
    refused = run("export", "-", "--space", "private", "--format", "jsonl")
    assert_refused(refused, 1, "space private is private")
    lines = done("export", "-", "--space", "private", "--format", "jsonl", "--private").out
    assert key in lines


def test_status_says_what_is_private() -> None:
    saved_id("a secret", "--space", "private")
    shown = done("status", "--space", "private").out
    assert "private: yes\n" in shown
    assert "digest: none\n" in shown
    assert done("status", "--space", "private", "--json").json["digest"] is None
    assert "private: no\n" in done("status").out


def test_several_spaces_are_searched_together() -> None:
    keys = {space: saved_id(f"database {space}", "--space", space) for space in ("home", "work")}
    secret = saved_id("database secret", "--space", "private")
    expected = {f"<id={key}> <space={space}>" for space, key in keys.items()}
    for typed in (["--space", "home,work"], ["--space", "home", "--space", "work"]):
        lines = done("search", "database", *typed).out.splitlines()
        assert {line.partition("<")[1] + line.partition("<")[2] for line in lines[1::3]} == expected
    assert secret not in done("search", "database", "--space", "all").out
    assert secret in done("search", "database", "--space", "all,private").out
    shown = done("search", "database", "--space", "all", "--json").json
    assert {hit["id"]: hit["space"] for hit in shown} == {key: s for s, key in keys.items()}
    markdown = done("search", "database", "--space", "all", "--format", "markdown").out
    assert "`space: home`" in markdown
    assert "`space: work`" in markdown
    for form in ("text", "markdown"):
        nothing = done("search", "nothing such", "--space", "all", "--format", form)
        assert nothing.out == "No matching memories.\n"


def test_what_was_found_by_its_letters_says_so_in_several_spaces_too() -> None:
    saved_id("mypostgresql", "--space", "work")
    saved_id("other", "--space", "home")
    [first, _] = done("search", "postgres", "--space", "all").out.splitlines()
    assert first.endswith(" (found by its letters)")


def test_several_spaces_are_listed_together() -> None:
    older = saved_id("older", "--space", "home")
    newer = saved_id("newer", "--space", "work")
    shown = done("list", "--space", "home,work", "--json").json
    assert [(one["id"], one["space"]) for one in shown] == [(newer, "work"), (older, "home")]
    assert f"<id={older}> <space=home>" in done("list", "--space", "all").out
    assert "space" not in done("list", "--space", "home", "--json").json[0]


def test_a_space_that_is_missing_or_damaged_stops_the_search(home: Path) -> None:
    saved_id("database", "--space", "work")
    assert_refused(run("search", "database", "--space", "work,gone"), 1, "space gone: ")
    (home / "state" / "bad.db").write_text("no store")
    for typed in ("work,bad", "all"):
        assert_refused(run("search", "database", "--space", typed), 1, "space bad: ")
        assert_refused(run("list", "--space", typed, "--json"), 1, "space bad: ")


@pytest.mark.parametrize(
    "command",
    [["save", "x"], ["get-memory", "abcdef"], ["history", "abcdef"], ["status"], ["gc", "--yes"]],
)
@pytest.mark.parametrize("typed", [["a,b"], ["a", "--space", "b"]])
def test_what_works_on_one_space_refuses_several(command: list[str], typed: list[str]) -> None:
    assert_refused(run(*command, "--space", *typed), 2, "this command works on one space")


@pytest.mark.parametrize("verb", ["save", "search", "list"])
@pytest.mark.parametrize("name", ["../x", "A", "", "a,", "x" * 33])
def test_a_bad_name_of_a_space_is_refused(home: Path, verb: str, name: str) -> None:
    result = run(verb, *(["x"] if verb == "save" else []), "--space", name)
    assert result.code == 2
    assert "space" in result.err
    assert not (home / "state").exists()


def test_all_is_refused_where_one_is_meant() -> None:
    assert_refused(run("save", "x", "--space", "all"), 2, "stands for every space")
    assert_refused(run("status", KIOKU_SPACE="all"), 2, "environment KIOKU_SPACE", "every space")


@pytest.mark.parametrize("prefix", ["KIOKU_", "KIOKU_MESH_", "MESH_MEM_"])
def test_the_environment_chooses_the_space_and_the_option_wins(prefix: str) -> None:
    chosen = {prefix + "SPACE": "work"}
    key = saved_id("x", **chosen)
    assert key in done("list", "--space", "work").out
    assert done("status", **chosen).out.splitlines()[2] == "space: work"
    assert done("status", "--space", "home", **chosen).out.splitlines()[2] == "space: home"
    assert key not in done("list").out


def test_the_config_file_chooses_the_space(home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text('space = "work"\n')
    key = saved_id("x")
    assert key in done("list", "--space", "work").out
    assert "work.db" in done("status", "--json").json["store"]


def test_spaces_are_listed_with_what_is_private(home: Path) -> None:
    assert done("spaces").out == "No spaces yet; a first save creates one.\n"
    assert done("spaces", "--json").json == []
    saved_id("x")
    created = done("spaces", "--create", "diary", "--private")
    assert created.out == f"created: private space diary at {home}/state/diary.db\n"
    default, diary = done("spaces", "--json").json
    assert (default["name"], default["is_current"], default["is_private"]) == (
        "default",
        True,
        False,
    )
    assert (diary["name"], diary["is_current"], diary["is_private"]) == ("diary", False, True)
    lines = done("spaces").out.splitlines()
    assert lines[0].startswith(f"default: {home}/state/default.db (")
    assert lines[0].endswith(" bytes, current)")
    assert lines[1].endswith(" bytes, private)")
    (home / "state" / "bad.db").write_text("no store")
    assert "bad: cannot be read: " in done("spaces").out


def test_a_space_is_created_once_and_stays_what_it_is() -> None:
    assert done("spaces", "--create", "diary", "--private", "--json").json["is_private"] is True
    assert done("spaces", "--create", "work", "--json").json["is_private"] is False
    assert_refused(run("spaces", "--create", "work", "--private"), 1, "exists already")
    assert_refused(run("spaces", "--create", "diary"), 1, "exists already", "cannot be changed")
    assert_refused(run("spaces", "--create", "../x"), 2, "not a space name")
    assert_refused(run("spaces", "--private"), 2, "--create NAME --private")
    saved_id("x", "--space", "diary")
    assert done("status", "--space", "diary", "--json").json["private"] is True
