"""What a search says by the command line: marks, explanations, letters, filters, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kioku
from tests.integration.cli_process import done, run, save_many

if TYPE_CHECKING:
    from pathlib import Path


def test_the_hit_is_marked_in_its_snippet() -> None:
    save_many("filler " * 60 + "the databases were chosen" + " filler" * 60)
    [hit] = done("search", "database", "--json").json
    marks = [hit["snippet"][mark["begin"] : mark["end"]] for mark in hit["marks"]]
    assert marks == ["databases"]
    assert "explanation" not in hit


def test_explain_shows_how_a_score_came_about() -> None:
    save_many("red apple", "green apple", *("something else" for _ in range(5)))
    [first, second] = done("search", "red apple", "--explain", "--json").json
    why = first["explanation"]
    factors = why["coverage"] * why["importance"] * why["recency"] * why["project"]
    assert why["words"] * factors == pytest.approx(first["score"]) == pytest.approx(why["score"])
    assert [part["term"] for part in why["terms"]] == ["red", "apple"]
    assert why["coverage"] == 2.0
    assert second["explanation"]["coverage"] == 1.5
    text = done("search", "red apple", "--explain").out
    entry, reason, *terms = text.split("\n---\n")[0].splitlines()[1:]
    assert entry.startswith("red apple <id=")
    assert reason.startswith("score ")
    assert " x coverage 2 x importance 1 x recency " in reason
    assert [term.split(":")[0].strip() for term in terms] == ["red", "apple"]


def test_what_was_found_by_its_letters_says_so_and_what_was_found_by_words_does_not() -> None:
    save_many("mypostgresql", "postgres")
    first, second = done("search", "postgres").out.split("\n---\n")
    assert "letters" not in first
    assert second.splitlines()[0].endswith(" (found by its letters)")


def test_letters_are_explained_as_letters() -> None:
    save_many("mypostgresql")
    [hit] = done("search", "postgres", "--explain", "--json").json
    assert hit["is_substring"]
    assert hit["explanation"]["is_substring"]
    assert "found by its letters" in done("search", "postgres", "--explain").out


def test_what_is_superseded_says_by_what() -> None:
    [old] = save_many("apple pie")
    [new] = save_many("pear pie", supersedes=[old])
    found = done("search", "apple", "--include-superseded", "--explain", "--json").json
    assert [hit["id"] for hit in found] == [old]
    assert found[0]["explanation"]["superseded_by"] == [new]
    assert (
        f"superseded by {new}" in done("search", "apple", "--include-superseded", "--explain").out
    )


def test_substring_looks_behind_the_newest() -> None:
    with kioku.open() as memory:
        memory.save("xneedlex far back")
        memory.save_many({"content": "filler"} for _ in range(2_000))
        memory.save("a needle")
    assert len(done("search", "needle", "--json").json) == 1
    assert len(done("search", "needle", "--substring", "--json").json) == 2


def test_filters_of_what_only_the_body_holds() -> None:
    with kioku.open() as memory:
        old = memory.save("words of old")
        wanted = memory.save(
            "words",
            subject="The Ledger",
            source_files=["src/ledger.py"],
            references=["T-1"],
            supersedes=[old.id],
            extra={"severity": 2, "owner": "ada"},
        )
        memory.save("words too", subject="other")
        created = wanted.created_at
    assert created is not None
    chosen = [
        ["--source-file", "ledger.py"],
        ["--reference", "T-1"],
        ["--subject", "ledger"],
        ["--supersedes", old.id[:8]],
        ["--extra", "severity=2"],
        ["--extra", "severity=2", "--extra", "owner=ada"],
        ["--memory-type", "note,bug", "--subject", "ledger"],
        ["--expires", "no", "--reference", "T-1"],
        ["--created-since", created.isoformat(), "--reference", "T-1"],
    ]
    for flags in chosen:
        for command in (["search", "words"], ["list"]):
            found = done(*command, *flags, "--json").json
            assert [hit["id"] for hit in found] == [wanted.id], (command, flags)
    assert done("list", "--expires", "yes", "--json").json == []
    assert done("list", "--created-until", "2001-01-01", "--json").json == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--extra", "severity"], "NAME=VALUE"),
        (["--extra", "=2"], "NAME=VALUE"),
        (["--created-since", "yesterday"], "ISO 8601"),
        (["--expires", "maybe"], "expires"),
        (["--supersedes", "xyz"], "xyz"),
    ],
)
def test_a_filter_that_is_none_is_refused(flags: list[str], said: str) -> None:
    refused = run("search", "words", *flags)
    assert refused.code == 2
    assert said in refused.err
    assert refused.out == ""


def test_an_edit_that_lost_shows_two_versions_everywhere(tmp_path: Path) -> None:
    with kioku.open() as here, kioku.open(str(tmp_path / "there.db")) as there:
        saved = here.save("apple pie")
        for chunk in here.export_chunks(after=there.frontier()):
            there.ingest_chunk(chunk)
        here.edit(saved.id, content="apple pie, mine")
        there.edit(saved.id, content="apple pie, theirs")
        for chunk in there.export_chunks(after=here.frontier()):
            here.ingest_chunk(chunk)
        [hit] = here.search("apple")
        seen = here.get(saved.id)
        assert seen is not None
        assert hit.observation.versions == seen.versions == 2
    assert "(2 versions)" in done("search", "apple").out
    assert "versions: 2" in done("get-memory", saved.id).out
    assert done("search", "apple", "--json").json[0]["versions"] == 2
    assert done("get-memory", saved.id, "--json").json["versions"] == 2
