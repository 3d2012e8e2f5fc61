"""Credentials at the command line: saved without, told of, looked for, and erased."""

from __future__ import annotations

import json
import os
from pathlib import Path

from bench.secret_samples import credentials
from tests.integration.cli_process import assert_refused, done, run

TOKEN = next(secret for kind, secret in credentials(5) if kind == "github token")
MARK = "[redacted: github token]"


def test_a_save_and_an_edit_say_what_was_taken_out() -> None:
    saved = run("save", f"It is {TOKEN} <private>x</private>", "-t", f"a,{TOKEN}")
    assert saved.code == 0
    assert saved.err.splitlines()[0] == "redacted: 2 github token, 1 private text"
    assert "KIOKU_SECRETS=allow" in saved.err
    [shown] = done("list", "--json").json
    assert (shown["content"], shown["tags"], shown["secrets"]) == (
        f"It is {MARK} [private]",
        ["a", MARK],
        [],
    )
    edited = done("edit", shown["id"], f"now {TOKEN}", "--json").json
    assert edited["redactions"] == [{"kind": "github token", "field": "content"}]
    assert TOKEN not in saved.out + saved.err + str(edited)


def test_a_refusal_is_one_line_that_does_not_repeat_it() -> None:
    refused = run("save", f"It is {TOKEN}", KIOKU_SECRETS="refuse")
    assert_refused(refused, 2, "content: holds", "github token", "character 6")
    assert TOKEN not in refused.err
    assert_refused(run("save", "x", KIOKU_SECRETS="never"), 2, "KIOKU_SECRETS", "redact")
    assert done("list").out == "No matching memories.\n"
    assert (
        "secrets: refuse  (environment KIOKU_SECRETS)" in done("config", KIOKU_SECRETS="refuse").out
    )
    assert "secrets: refuse" in done("status", KIOKU_SECRETS="refuse").out


def test_a_scan_finds_it_in_every_space_and_redacts_or_purges_it() -> None:
    allow = {"KIOKU_SECRETS": "allow"}
    key = done("save", f"It is {TOKEN}", **allow).out.split()[1]
    other = done("save", f"And {TOKEN}", "--space", "work", **allow).out.split()[1]
    assert "(looks to hold: github token)" in done("list").out
    found = run("scan")
    line = f"{key} github token at content:6: ghp_… ({len(TOKEN)} characters) <space=default>"
    assert found.code == 1
    assert found.out.splitlines() == [line, "found: 1 credential in 1 observation"]
    both = run("scan", "--space", "all", "--json")
    assert both.code == 1
    assert {(one["id"], one["space"]) for one in both.json["found"]} == {
        (key, "default"),
        (other, "work"),
    }
    assert_refused(run("scan", "--redact", "--purge"), 2, "two ways")
    assert_refused(run("scan", "--redact"), 1, "1 observation would be redacted", "nothing was")
    assert run("scan", "--redact", "--yes").out.endswith("redacted: 1 observation\n")
    assert f"It is {MARK}" in done("list").out
    assert done("scan").out == "nothing that looks like a credential\n"
    assert run("scan", "--purge", "--yes", "--space", "work").out.endswith(
        "purged: 1 observation\n"
    )
    assert done("list", "--space", "work").out == "No matching memories.\n"
    assert_refused(run("scan", "--space", "nowhere"), 1, "space nowhere", "kioku spaces")
    state = Path(os.environ["KIOKU_STATE_DIR"])
    assert not (state / "nowhere.db").exists()
    raw = b"".join(path.read_bytes() for path in state.iterdir() if path.is_file())
    assert TOKEN[-12:].encode() not in raw


def test_an_import_is_screened_and_a_line_that_is_refused_is_named(tmp_path: Path) -> None:
    file = tmp_path / "notes.jsonl"
    lines = [{"content": f"It is {TOKEN}"}, {"content": "fine"}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert_refused(run("import", str(file), KIOKU_SECRETS="refuse"), 1, "line 1", "github token")
    assert done("list").out == "No matching memories.\n"
    taken = run("import", str(file))
    assert taken.err == "redacted: credentials or private text in 1 line\n"
    assert {one["content"] for one in done("list", "--json").json} == {f"It is {MARK}", "fine"}
    file.write_text('{"content": "fine"}\n{"content": "a <private>b"}\n', "utf-8")
    assert_refused(run("import", str(file)), 1, "line 2", "never closed")
