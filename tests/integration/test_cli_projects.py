"""Saving in a project: which one it is, and what is said of what is there already."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

import kioku
from tests.integration.child import Child
from tests.integration.cli_process import assert_refused, done, run, saved_id

TEXT = "The public API listens on port 8080 behind nginx"
NEWER = "The public API listens on port 9090 behind nginx"

_SAVE_WHEN_TOLD = """
import sys, kioku
with kioku.open() as memory:
    memory.list()
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(20):
        saved = memory.save(f"Thought number {n}", project="p", if_duplicate="return")
        print(saved.id, saved.is_duplicate, flush=True)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory within a git repository that has a remote."""
    top = tmp_path / "checkout"
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    add = ["git", "-C", str(top), "remote", "add", "origin", "git@github.com:Acme/Rocket.git"]
    subprocess.run(add, check=True)
    (top / "src").mkdir()
    return top / "src"


def projects_of(*keys: str) -> list[str]:
    with kioku.open() as memory:
        found = [memory.get(key) for key in keys]
    return [one.project for one in found if one is not None]


# -- duplicates -------------------------------------------------------------------------------


def test_what_is_there_already_is_said_to_be_and_not_doubled() -> None:
    key = saved_id(TEXT, "-p", "demo")
    second = run("save", TEXT, "-p", "demo", "-t", "new")
    assert (second.code, second.out) == (0, f"already saved: {key}\n")
    assert second.err.startswith("hint: --again ")
    shown = done("save", "-", "-p", "demo", "--json", stdin=f"{TEXT}\n").json
    assert (shown["id"], shown["duplicate"], shown["tags"]) == (key, True, [])
    assert len(done("list", "--json").json) == 1


def test_again_saves_it_all_the_same() -> None:
    key = saved_id(TEXT)
    other = saved_id(TEXT, "--again")
    assert other != key
    assert done("save", TEXT, "--again", "--json").json["duplicate"] is False
    assert len(done("list", "--json").json) == 3


def test_a_script_that_looks_for_what_it_newly_saved_finds_only_that() -> None:
    """``^saved: `` is printed of what this command wrote, and never of another's."""
    saved_id(TEXT)
    assert not run("save", TEXT).out.startswith("saved: ")


def test_processes_that_save_the_same_at_once_make_one_observation() -> None:
    with kioku.open() as memory:
        memory.save("the first, which begins the log")
    with ExitStack() as stack:
        children = [stack.enter_context(Child(_SAVE_WHEN_TOLD)) for _ in range(4)]
        assert {child.read_line() for child in children} == {"ready"}
        for child in children:
            child.say("go")
        outcomes = [child.finish() for child in children]
    assert {code for code, _, _ in outcomes} == {0}, outcomes
    lines = [line.split() for _, out, _ in outcomes for line in out.splitlines()]
    assert len(lines) == 80
    assert len({key for key, _ in lines}) == 20
    assert sum(is_duplicate == "False" for _, is_duplicate in lines) == 20
    with kioku.open() as memory:
        assert len(memory.list(project="p")) == 20


# -- predecessors -----------------------------------------------------------------------------


def test_what_it_may_replace_is_offered_with_the_command_that_says_so() -> None:
    old = saved_id(TEXT, "-p", "demo")
    second = run("save", NEWER, "-p", "demo")
    new = second.out.split()[1]
    assert (second.code, second.out) == (0, f"saved: {new}\n")
    what, how = second.err.splitlines()
    assert what == f'hint: this is much like {old} "{TEXT[:40]}"'
    assert how == f"hint: if it replaces that: kioku edit {new} --supersedes {old}"
    command = how.partition("kioku ")[2].split()
    done(*command)
    assert [seen["id"] for seen in done("list", "--json").json] == [new]


def test_predecessors_are_data_where_data_was_asked_for() -> None:
    old = saved_id(TEXT)
    [found] = done("save", NEWER, "--json").json["predecessors"]
    assert (found["id"], found["excerpt"]) == (old, TEXT)
    assert 0.6 <= found["similarity"] < 1


def test_nothing_is_offered_where_nothing_is_asked() -> None:
    old = saved_id(TEXT)
    assert done("save", "The review moved to Thursday").err == ""
    assert done("save", NEWER, "--supersedes", old).err == ""
    assert done("save", NEWER, "--again").err == ""


# -- the present project ----------------------------------------------------------------------


def test_a_save_belongs_to_the_repository_that_it_is_made_in(checkout: Path) -> None:
    inside = done("save", "inside", cwd=checkout).out.split()[1]
    outside = done("save", "outside").out.split()[1]
    named = done("save", "named", "-p", "other", cwd=checkout).out.split()[1]
    none = done("save", "none", "-p", "", cwd=checkout).out.split()[1]
    assert projects_of(inside, outside, named, none) == ["acme/rocket", "", "other", ""]


def test_a_dot_is_the_present_project_wherever_a_project_is_taken(checkout: Path) -> None:
    key = saved_id("words in it", "-p", "acme/rocket")
    saved_id("words elsewhere", "-p", "other")
    for command in (["list"], ["search", "words"]):
        found = done(*command, "-p", ".", "--json", cwd=checkout).json
        assert [seen["id"] for seen in found] == [key]
        assert len(done(*command, "--json", cwd=checkout).json) == 2
    done("edit", key, "-p", ".", "--subject", "x", cwd=checkout)
    assert done("delete", "-p", ".", "--yes", "--json", cwd=checkout).json["deleted"] == [key]
    assert done("gc", "-p", ".", "--retention-days", "0", "--yes", "--json", cwd=checkout).json[
        "deleted"
    ] == 2  # fmt: skip
    assert len(done("list", "--json").json) == 1


def test_no_project_narrows_nothing_and_deletes_nothing() -> None:
    saved_id("one", "-p", "demo")
    saved_id("two")
    assert len(done("list", "-p", "", "--json").json) == 2
    assert_refused(run("delete", "-p", "", "--yes"), 2, "give an id, or filters to delete by")
    assert len(done("list", "--json").json) == 2


def test_a_search_finds_all_projects_and_puts_the_present_one_first(checkout: Path) -> None:
    here = saved_id("words of this one", "-p", "by-hand")
    saved_id("words of the other", "-p", "other")
    done("projects", "alias", "by-hand", "acme/rocket")
    found = done("search", "words", "--json", cwd=checkout).json
    assert [hit["project"] for hit in found] == ["by-hand", "other"]
    assert found[0]["id"] == here
    elsewhere = done("search", "words", "-p", "", "--json", cwd=checkout).json
    assert [hit["project"] for hit in elsewhere] == ["other", "by-hand"]


def test_a_dot_where_there_is_no_project_says_why(home: Path) -> None:
    refused = run("save", "words", "-p", ".")
    assert_refused(refused, 2, "there is no present project: no .kioku.toml and no git repository")
    assert str(home) in refused.err


def test_the_environment_names_it_first_and_the_config_turns_it_off(
    checkout: Path, home: Path
) -> None:
    first = done("save", "one", cwd=checkout, KIOKU_PROJECT="chosen").out.split()[1]
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text("detect_project = false\n")
    second = done("save", "two", cwd=checkout).out.split()[1]
    third = done("save", "three", "-p", ".", KIOKU_PROJECT="chosen").out.split()[1]
    assert projects_of(first, second, third) == ["chosen", "", "chosen"]
    assert_refused(run("list", "-p", ".", cwd=checkout), 2, "detect_project is false")


def test_a_committed_file_names_a_project_and_nothing_else(checkout: Path) -> None:
    (checkout / ".kioku.toml").write_text('project = "api"\nagent_family = "x"\nspace = "theirs"\n')
    saved = run("save", "words", "--json", cwd=checkout)
    assert (saved.code, saved.json["project"], saved.json["agent_family"]) == (0, "api", "")
    assert "ignored agent_family, space" in saved.err
    assert len(done("list", "--json").json) == 1  # in the default space


def test_the_config_shows_the_present_project_and_what_was_ignored(checkout: Path) -> None:
    shown = done("config", cwd=checkout).out.splitlines()
    assert "project: acme/rocket  (git remote origin)" in shown
    (checkout / ".kioku.toml").write_text('project = "api"\npc_id = "x"\n')
    found = run("config", "--json", cwd=checkout)
    [line] = [one for one in found.json if one["name"] == "project"]
    assert (line["value"], line["source"]) == ("api", str(checkout / ".kioku.toml"))
    assert "ignored pc_id" in found.err
    fixed = done("config", "--json", cwd=checkout.parent, KIOKU_PROJECT="chosen").json
    assert [one["value"] for one in fixed if one["name"] == "project"] == ["chosen"]


def test_a_file_that_cannot_be_read_stops_no_save(checkout: Path) -> None:
    (checkout / ".kioku.toml").write_text("project = [")
    saved = run("save", "words", "--json", cwd=checkout)
    assert (saved.code, saved.json["project"]) == (0, "acme/rocket")
    assert saved.err.startswith("kioku: ")
    assert saved.err.count("\n") == 1


def test_a_save_in_a_directory_that_was_removed_works(tmp_path: Path) -> None:
    code = (
        "import os, sys; os.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone');"
        " from kioku.cli import main; sys.exit(main(['save', 'words']))"
    )
    root = str(Path(kioku.__file__).parents[1])
    saved = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {root!r}); {code}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (saved.returncode, saved.stderr) == (0, "")


# -- projects ---------------------------------------------------------------------------------


def test_projects_are_listed_with_their_counts_and_names() -> None:
    assert done("projects").out == "No projects yet.\n"
    assert done("projects", "--json").json == []
    saved_id("one", "-p", "b")
    saved_id("two", "-p", "a")
    saved_id("three", "-p", "a")
    done("projects", "alias", "also", "a")
    saved_id("four")
    lines = done("projects").out.splitlines()
    when = r", last change \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
    assert re.fullmatch(rf"\(none\): 1 observation{when}", lines[0])
    assert re.fullmatch(rf"a: 2 observations{when} \(also: also\)", lines[1])
    assert re.fullmatch(rf"b: 1 observation{when}", lines[2])
    found = done("projects", "list", "--json").json
    assert [(one["name"], one["aliases"], one["observations"]) for one in found] == [
        ("", [], 1),
        ("a", ["also"], 2),
        ("b", [], 1),
    ]


def test_a_person_sees_projects_in_columns() -> None:
    saved_id("one", "-p", "acme/rocket")
    saved_id("two")
    done("projects", "alias", "rocket", "acme/rocket")
    shown = done("projects", "--color", "always").out
    first, *rest = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert first.split() == ["project", "observations", "changed", "also"]
    assert sorted(line.split()[0] for line in rest) == ["(none)", "acme/rocket"]
    assert "rocket" in next(line for line in rest if line.startswith("acme")).split()[-1]


def test_a_rename_needs_a_yes_and_says_what_it_did() -> None:
    key = saved_id("one", "-p", "old")
    asked = run("projects", "rename", "old", "new")
    assert_refused(asked, 1, "1 observation would be edited; nothing was done", "--yes")
    tried = done("projects", "rename", "--dry-run", "old", "new")
    assert tried.out == "would rename: old -> new (1 observation)\n"
    assert projects_of(key) == ["old"]
    assert done("projects", "rename", "old", "new", "--yes").out == (
        "renamed: old -> new (1 observation)\n"
    )
    assert projects_of(key) == ["new"]
    for name in ("old", "new"):
        assert [seen["id"] for seen in done("list", "-p", name, "--json").json] == [key]


def test_a_merge_and_its_aliases_are_data_where_data_was_asked_for() -> None:
    saved_id("one", "-p", "a")
    saved_id("two", "-p", "b")
    saved_id("three", "-p", "c")
    merged = done("projects", "merge", "--json", "--yes", "a", "b", "c").json
    assert merged == {
        "action": "merge", "from": ["a", "b"], "to": "c", "observations": 2, "dry_run": False,
    }  # fmt: skip
    ended = done("projects", "unalias", "a", "--json").json
    assert (ended["action"], ended["from"], ended["to"]) == ("unalias", ["a"], "")
    assert done("projects", "--json").json[0]["aliases"] == ["b"]


def test_the_present_project_can_be_renamed_by_a_dot(checkout: Path) -> None:
    key = saved_id("words", "-p", "by-hand")
    done("projects", "rename", "by-hand", ".", "--yes", cwd=checkout)
    assert projects_of(key) == ["acme/rocket"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["rename", "old"], 2, "rename takes OLD NEW"),
        (["rename", "old", "new", "more"], 2, "rename takes OLD NEW"),
        (["merge", "old"], 2, "merge takes OLD [OLD ...] INTO"),
        (["list", "old"], 2, "list takes no names"),
        (["destroy", "old"], 2, "destroy"),
        (["rename", "typo", "new", "--yes"], 1, "typo: there is no project of this name"),
        (["unalias", "old"], 1, "old: is not another name of any project"),
        (["rename", "old", "taken", "--yes"], 2, "taken: is a project already"),
        (["alias", "old", "old"], 2, "old: is the same name twice"),
        (["alias", "old", ""], 2, "project: is empty"),
        (["rename", "old", ".", "--yes"], 2, "there is no present project"),
    ],
)
def test_what_cannot_be_done_to_projects_is_said(words: list[str], code: int, said: str) -> None:
    saved_id("one", "-p", "old")
    saved_id("two", "-p", "taken")
    assert_refused(run("projects", *words), code, said)
    assert [one["observations"] for one in done("projects", "--json").json] == [1, 1]


def test_who_mistypes_a_project_is_told_where_the_names_are() -> None:
    for words in (["rename", "typo", "new", "--yes"], ["unalias", "typo"]):
        assert_refused(run("projects", *words), 1, "hint: kioku projects lists them")


def test_an_export_for_people_has_the_aliases_and_any_name_of_a_project() -> None:
    saved_id("one", "-p", "a")
    saved_id("two", "-p", "b")
    done("projects", "alias", "a", "b")
    lines = done("export", "-", "--format", "jsonl").out.splitlines()
    assert sorted(json.loads(line)["content"] for line in lines) == [
        '"a" is another name of the project "b".',
        "one",
        "two",
    ]
    narrowed = done("export", "-", "--format", "jsonl", "-p", "a").out.splitlines()
    assert len(narrowed) == 3
