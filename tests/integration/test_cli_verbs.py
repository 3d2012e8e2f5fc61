"""Each verb in its plain use: what people type and what they see."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

import kioku
from tests.integration.cli_process import (
    assert_refused,
    done,
    run,
    save_many,
    saved_and_deleted,
    saved_id,
)

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = re.compile(
    r"\[decision\]\[4\] \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d \(demo\) storage \(refs: a1, b2\)\n"
    r"Chose Postgres over SQLite for analytics <id=([0-9a-f]{32})>\n"
)


# -- saving -----------------------------------------------------------------------------------


def test_failure_14_the_first_save_ever_needs_no_init_and_no_optional_field(home: Path) -> None:
    assert not (home / "state").exists()
    key = saved_id("Chose Postgres")
    assert key in done("search", "postgres").out


def test_every_field_of_a_save_is_found_again() -> None:
    older = saved_id("older")
    flags = ["-p", "demo", "-t", "db, infra,,", "--memory-type", "decision", "--importance", "4"]
    flags += ["--subject", "storage", "--summary", "in short", "--source-files", "a.py,b.py"]
    flags += ["--references", "a1,b2", "--supersedes", older[:12]]
    flags += ["--expires-at", "2999-01-01"]
    key = saved_id("Chose Postgres", *flags, KIOKU_AGENT_FAMILY="f", KIOKU_SESSION_ID="s")
    found = done("get-memory", key, "--json").json
    assert found["content"] == "Chose Postgres"
    assert found["project"] == "demo"
    assert found["tags"] == ["db", "infra"]
    assert (found["memory_type"], found["importance"]) == ("decision", 4)
    assert (found["subject"], found["summary"]) == ("storage", "in short")
    assert (found["source_files"], found["references"]) == (["a.py", "b.py"], ["a1", "b2"])
    assert found["supersedes"] == [older]
    assert found["expires_at"] == "2999-01-01T00:00:00.000+00:00"
    assert (found["agent_family"], found["session_id"]) == ("f", "s")
    assert found["pc_id"] == found["host"] != ""


def test_content_is_read_from_standard_input() -> None:
    text = "first line\n\tsecond: 日本語\n"
    out = done("save", "-", "--json", stdin=text)
    assert out.json["content"] == text.removesuffix("\n")


def test_line_ends_and_byte_order_marks_of_other_systems_are_understood() -> None:
    out = done("save", "-", "--json", stdin=b"\xef\xbb\xbfone\r\ntwo\r\n")
    assert out.json["content"] == "one\ntwo"


def test_content_that_looks_like_an_option_goes_behind_two_dashes() -> None:
    key = done("save", "--", "--verbose means -v").out.split()[1]
    assert done("get-memory", key, "--json").json["content"] == "--verbose means -v"


def test_the_library_and_the_command_line_use_the_same_store() -> None:
    key = saved_id("from the command line")
    with kioku.open() as memory:
        found = memory.get(key)
    assert found is not None
    assert found.content == "from the command line"


def test_edit_changes_what_is_given_and_keeps_the_rest() -> None:
    [key] = save_many("before", project="demo", tags=["a"], subject="x")
    assert done("edit", key[:8], "--importance", "5", "--subject", "").out == f"edited: {key}\n"
    done("edit", key, "-", "-t", "b,c", stdin="after\n")
    found = done("get-memory", key, "--json").json
    assert (found["content"], found["project"]) == ("after", "demo")
    assert (found["tags"], found["importance"], found["subject"]) == (["b", "c"], 5, "")


def test_edit_takes_an_expiry_back() -> None:
    key = saved_id("words", "--expires-at", "2999-01-01")
    assert done("edit", key, "--expires-at", "never", "--json").json["expires_at"] is None


# -- finding ----------------------------------------------------------------------------------


def test_search_prints_the_familiar_entry() -> None:
    flags = ["-p", "demo", "--memory-type", "decision", "--importance", "4"]
    flags += ["--subject", "storage", "--references", "a1,b2"]
    key = saved_id("Chose Postgres over SQLite for analytics", *flags)
    match = ENTRY.fullmatch(done("search", "which", "database", "postgres").out)
    assert match is not None
    assert match[1] == key


def test_an_entry_has_the_summary_else_the_first_80_characters_and_no_empty_parts() -> None:
    save_many("x" * 100 + "\nmore")
    save_many("content", summary="in short")
    newest, older = done("search").out.rstrip("\n").split("\n---\n")
    assert re.fullmatch(r"\[note\]\[2\] \S+\nin short <id=[0-9a-f]{32}>", newest)
    assert re.fullmatch(r"\[note\]\[2\] \S+\nx{80} <id=[0-9a-f]{32}>", older)


def test_nothing_found_is_said_and_is_no_error() -> None:
    assert done("search", "nothing").out == "No matching memories.\n"
    assert done("search", "nothing", "--format", "json").out == "[]\n"
    assert done("search", "nothing", "--json").out == "[]\n"
    assert done("search", "nothing", "--format", "markdown").out == "No matching memories.\n"
    assert done("list").out == "No matching memories.\n"
    assert done("list", "--json").out == "[]\n"


def test_search_as_markdown_holds_whole_contents() -> None:
    [key] = save_many("line one\n\n* line two", project="demo", subject="things")
    out = done("search", "line", "--format", "markdown").out
    assert out.startswith("### [note][2] ")
    assert "(demo) things\n\nline one\n\n* line two\n\n" in out
    assert f"`id: {key}`" in out


@pytest.mark.parametrize("mode", ["and", "or", "and_or"])
def test_search_modes_say_how_many_of_the_words_must_be_there(mode: str) -> None:
    save_many("red apple", "green apple")
    found = done("search", "red apple", "--search-mode", mode, "--json").json
    assert found[0]["content"] == "red apple"
    assert len(found) == (1 if mode == "and" else 2)


def test_every_filter_narrows_search_and_list() -> None:
    with kioku.open(agent_family="f", client_id="c", session_id="s") as memory:
        fields = {"project": "p", "tags": ["t", "u"], "memory_type": "bug", "importance": 4}
        [wanted] = memory.save_many([{"content": "words", **fields}])
    save_many("words")
    chosen = [["-p", "p"], ["-t", "u,t"], ["--memory-type", "bug"], ["--importance", "3"]]
    chosen += [["--agent-family", "f"], ["--client-id", "c"], ["--session-id", "s"]]
    for flags in chosen:
        for command in (["search", "words"], ["list"]):
            found = done(*command, *flags, "--json").json
            assert [hit["id"] for hit in found] == [wanted.id], (command, flags)
    assert len(done("list", "--pc-id", wanted.host, "--json").json) == 2
    assert done("list", "--pc-id", "elsewhere", "--json").json == []


def test_since_includes_its_moment_and_until_does_not() -> None:
    [first], [second] = save_many("one"), save_many("two")
    with kioku.open() as memory:
        stamp = memory.get(second)
    assert stamp is not None
    assert stamp.updated_at is not None
    moment = stamp.updated_at.isoformat(timespec="milliseconds")
    assert [f["id"] for f in done("list", "--since", moment, "--json").json] == [second]
    assert [f["id"] for f in done("list", "--until", moment, "--json").json] == [first]


def test_a_time_without_a_zone_is_utc_like_the_times_that_are_printed() -> None:
    save_many("words")
    now = datetime.now(UTC)
    before = (now - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S")
    after = (now + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S")
    for zone in ("UTC", "Asia/Tokyo", "America/New_York"):
        assert len(done("list", "--since", before, "--json", TZ=zone).json) == 1
        assert done("list", "--since", after, "--json", TZ=zone).json == []


def test_the_limit_limits() -> None:
    save_many("one", "two", "three")
    assert [f["content"] for f in done("list", "-n", "2", "--json").json] == ["three", "two"]
    assert len(done("search", "--limit", "1", "--json").json) == 1


def test_what_is_superseded_is_listed_only_when_asked_for() -> None:
    [old] = save_many("old words")
    [new] = save_many("new words", supersedes=[old])
    assert [f["id"] for f in done("list", "--json").json] == [new]
    assert len(done("list", "--include-superseded", "--json").json) == 2
    assert len(done("search", "words", "--include-superseded", "--json").json) == 2


def test_what_is_deleted_is_listed_only_when_asked_for() -> None:
    key = saved_and_deleted()
    assert done("list", "--json").json == []
    [found] = done("list", "--include-deleted", "--json").json
    assert (found["id"], found["is_deleted"]) == (key, True)


def test_get_memory_prints_fields_then_the_content() -> None:
    [key] = save_many("line one\nline two", project="demo", tags=["a", "b"])
    head, content = done("get-memory", key).out.split("---\n")
    assert content == "line one\nline two\n"
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    assert (fields["id"], fields["project"], fields["tags"]) == (key, "demo", "a, b")


@pytest.mark.parametrize("digits", [6, 12, 31])
def test_an_id_may_be_shortened(digits: int) -> None:
    [key] = save_many("words")
    assert key in done("get-memory", key[:digits].upper()).out


def test_history_shows_every_version_and_why_one_won() -> None:
    [key] = save_many("first")
    with kioku.open() as memory:
        memory.edit(key, content="second")
        memory.delete(key, reason="no longer true")
    lines = done("history", key[:10]).out.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("[")] == [
        ["[wins]", "tombstone"],
        ["[older]", "save"],
        ["[older]", "save"],
    ]
    assert "  reason: no longer true" in lines
    assert "  second" in lines


# -- keeping ----------------------------------------------------------------------------------


def test_init_writes_a_config_file_that_works(home: Path) -> None:
    path = home / "config" / "config.toml"
    out = done("init", "--mode", "localhost").out.splitlines()
    assert out[0] == f"wrote {path}"
    assert out[1].startswith("next: kioku save ")
    assert 'mode = "local"' in path.read_text()
    assert done("init").out.splitlines()[0] == f"wrote {path}"  # the same text: no conflict
    assert saved_id("words")


def test_init_replaces_nobodys_changes_unless_forced(home: Path) -> None:
    path = home / "mine.toml"
    path.write_text('space = "work"\n')
    assert_refused(run("init", "--out", str(path)), 1, str(path), "exists", "--force")
    assert path.read_text() == 'space = "work"\n'
    done("init", "--out", str(path), "--force", "--space", "play")
    assert 'space = "play"' in path.read_text()


def test_init_print_writes_nothing(home: Path) -> None:
    assert 'mode = "local"' in done("init", "--print").out
    assert not (home / "config").exists()
    assert not (home / "state").exists()


def test_status_shows_counts_identity_and_no_mesh(home: Path) -> None:
    save_many("one", "two", project="demo")
    saved_and_deleted()
    lines = dict(
        line.split(": ", 1) for line in done("status", KIOKU_AGENT_FAMILY="f").out.splitlines()
    )
    assert (lines["mesh"], lines["mesh_ready"], lines["backend"]) == ("off", "no", "sqlite")
    assert (lines["agent_family"], lines["observations"], lines["deleted"]) == ("f", "2", "1")
    assert lines["observations_by_family (none)"] == "2"
    assert lines["store"] == str(home / "state" / "default.db")
    assert {"version", "pc_id", "session_id", "client_id"} <= lines.keys()


def test_spaces_keep_apart() -> None:
    key = saved_id("in work", "--space", "work")
    assert done("list").out == "No matching memories.\n"
    assert key in done("list", "--space", "work").out
    assert key in done("list", KIOKU_SPACE="work").out


def test_failure_14_doctor_passes_on_a_fresh_install(home: Path) -> None:
    for flags in ([], ["--deep"]):
        result = run("doctor", *flags)
        assert result.code == 0, result
        assert all(line.startswith("[PASS] ") for line in result.out.splitlines())
    saved_id("words")
    for flags in ([], ["--deep"]):
        assert run("doctor", *flags).code == 0


def test_rebuild_changes_no_answer() -> None:
    save_many("one apple", "two apples", "three pears")
    before = done("search", "apple", "--json").json
    assert done("rebuild").out.startswith("rebuilt: 3 observations from ")
    assert done("search", "apple", "--json").json == before


def test_version_and_help_go_to_standard_output() -> None:
    assert re.fullmatch(r"kioku \d+\.\S+\n", done("--version").out)
    assert done("--help").out == done("help").out == done("-h").out
    assert done("help", "save").out == done("save", "--help").out
