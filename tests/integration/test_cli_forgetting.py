"""``delete``, ``undelete``, ``purge`` and ``gc``: what goes, what asks first, what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def test_delete_leaves_a_tombstone_and_undelete_takes_it_back() -> None:
    [key] = save_many("words")
    assert done("delete", key[:8], "-r", "wrong").out == f"deleted (tombstone): {key}\n"
    assert done("search", "words").out == "No matching memories.\n"
    assert_refused(run("get-memory", key), 1, key)
    assert done("undelete", key[:8]).out == f"undeleted: {key}\n"
    assert key in done("search", "words").out


def test_bulk_delete_shows_asks_and_deletes_what_matches_also_what_is_superseded() -> None:
    ids = save_many("one", "two", project="demo")
    ids += save_many("three", project="demo", supersedes=ids[:1])
    [other] = save_many("four", project="other")
    shown = done("delete", "-p", "demo", "--dry-run").out.splitlines()
    assert sorted(shown[:-1]) == sorted(f"would delete (tombstone): {key}" for key in ids)
    assert shown[-1] == "would delete: 3 observations"
    refused = run("delete", "-p", "demo")
    assert_refused(refused, 1, "3 observations", "nothing was done", "--yes")
    assert len(done("list", "--include-superseded", "--json").json) == 4
    assert done("delete", "-p", "demo", "--yes").out.endswith("deleted: 3 observations\n")
    assert [f["id"] for f in done("list", "--json").json] == [other]


def test_bulk_delete_of_nothing_is_done() -> None:
    assert done("delete", "-p", "none", "--yes").out == "deleted: 0 observations\n"


def test_dry_run_of_one_id_deletes_nothing() -> None:
    [key] = save_many("words")
    assert done("delete", key, "--dry-run").out == f"would delete (tombstone): {key}\n"
    assert key in done("list").out


def test_purge_needs_a_yes_and_is_for_ever() -> None:
    [key] = save_many("words")
    assert_refused(run("purge", key[:8]), 1, "nothing was done", "--yes")
    assert done("purge", key[:8], "--yes").out == f"purged: {key}\n"
    assert_refused(run("get-memory", key), 1)
    assert_refused(run("undelete", key), 1)


def test_failure_19_what_was_purged_is_readable_by_no_id_and_in_no_file(home: Path) -> None:
    secret = "zq7vault31"
    key = saved_id(f"the key is {secret}", "--subject", secret, "-t", secret)
    done("edit", key, f"the key was {secret}")
    done("purge", key, "--yes")
    for command in (["get-memory", key], ["undelete", key]):
        result = run(*command)
        assert_refused(result, 1)
        assert secret not in result.err
    assert secret not in done("history", key, "--json").out
    assert done("search", secret).out == "No matching memories.\n"
    for file in (home / "state").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()


def test_failure_19_what_was_deleted_is_readable_by_no_id() -> None:
    [key] = save_many("forgotten words")
    done("delete", key)
    assert_refused(run("get-memory", key), 1)
    assert_refused(run("get-memory", key[:8]), 1)


def test_gc_erases_what_was_deleted_long_enough_ago_and_nothing_else() -> None:
    key = saved_and_deleted("demo")
    save_many("living words")
    assert "erased: 0 versions" in done("gc").out
    assert "would erase: 1 version\n" in done("gc", "--retention-days", "0", "--dry-run").out
    assert_refused(run("gc", "--retention-days", "0"), 1, "nothing was done")
    assert (
        done("gc", "--retention-days", "0", "-p", "other", "--json", "--yes").json["deleted"] == 0
    )
    counts = done("gc", "--retention-days", "0", "-p", "demo", "--json", "--yes").json
    assert (counts["deleted"], counts["observations"], counts["dry_run"]) == (1, 1, False)
    assert_refused(run("undelete", key), 1)
    assert "living words" in done("list").out


def test_failure_04_gc_with_no_retention_erases_no_live_observation() -> None:
    save_many(*(f"living {n}" for n in range(20)))
    assert done("gc", "--retention-days", "0", "--yes", "--json").json["observations"] == 0
    assert len(done("list", "--json").json) == 20


def test_gc_of_an_id_never_held_here_records_it() -> None:
    key = "0123456789abcdef0123456789abcdef"
    out = done("gc", "--force-id", key).out
    assert key in out
    assert "no local copy" in out
    assert [event["operation"] for event in done("history", key, "--json").json] == ["purge"]


def test_gc_force_id_purges_now() -> None:
    [key] = save_many("words")
    assert done("gc", "--force-id", key, "--dry-run").out == f"would purge: {key}\n"
    assert_refused(run("gc", "--force-id", key[:8]), 1, "nothing was done")
    assert done("gc", "--force-id", key).out == f"purged: {key}\n"
    assert done("list").out == "No matching memories.\n"
