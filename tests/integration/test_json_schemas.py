"""What ``--json`` prints is documented: a schema for every verb, and nothing printed beside it.

The commands of all other tests are held to the same schemas (``json_output``); here are the
situations that they do not make, and the schemas themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

import kioku
from kioku.cli import schemas, verbs
from tests.integration.cli_process import done, run, save_many, saved_and_deleted
from tests.integration.json_output import validator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WITH_JSON = [
    name
    for name in verbs.MODULES
    if any("--json" in argument.flags for argument in verbs.load(name).arguments)
]


def objects(schema: object) -> Iterator[dict[str, Any]]:
    """Every schema of an object within ``schema``."""
    if isinstance(schema, list):
        for part in schema:
            yield from objects(part)
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield schema
        for part in schema.values():
            yield from objects(part)


def test_every_verb_with_json_has_a_schema_and_no_other_has() -> None:
    assert sorted(WITH_JSON) == sorted(schemas.VERBS)


@pytest.mark.parametrize("name", schemas.VERBS)
def test_a_schema_is_one(name: str) -> None:
    schema = schemas.schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["title"].startswith(f"kioku {name} --json")


@pytest.mark.parametrize("name", schemas.VERBS)
def test_a_schema_describes_every_field_and_allows_no_other(name: str) -> None:
    for shape in objects(schemas.schema(name)):
        assert shape["additionalProperties"] is False
        for field, described in shape["properties"].items():
            assert described.get("description") or field in LISTS, field


LISTS = {"tags", "source_files", "references"}  # their names say it


def test_a_field_that_is_not_documented_fails() -> None:
    [key] = save_many("words")
    shown = done("get-memory", key, "--json").json
    validator("get-memory").validate(shown)
    for broken in ({**shown, "secret": 1}, {**shown, "importance": 9}, {**shown, "id": "x"}):
        with pytest.raises(ValidationError):
            validator("get-memory").validate(broken)
    del shown["tags"]
    with pytest.raises(ValidationError, match="tags"):
        validator("get-memory").validate(shown)


def test_the_schema_that_is_printed_is_the_one_that_is_tested() -> None:
    assert done("schema").json == {name: schemas.schema(name) for name in schemas.VERBS}
    for name in schemas.VERBS:
        assert done("schema", name, "--json").json == schemas.schema(name)


def test_a_schema_of_nothing_is_refused() -> None:
    result = run("schema", "poem")
    assert result.code == 2
    assert "poem" in result.err


@pytest.mark.parametrize("name", ["list", "search", "status", "doctor", "gc", "rebuild", "init"])
def test_what_an_empty_store_gives_is_documented(name: str) -> None:
    with kioku.open():
        pass  # a store is there, and nothing in it
    done(name, "--json")


def test_everything_an_observation_can_hold_is_documented() -> None:
    with kioku.open(agent_family="f", client_id="c", session_id="s") as memory:
        old = memory.save("older")
        saved = memory.save(
            "記憶\n\t🧠",
            project="p",
            tags=["t"],
            memory_type="decision",
            importance=5,
            subject="s",
            summary="y",
            source_files=["a"],
            references=["b"],
            supersedes=[old.id],
            expires_at=datetime(2999, 1, 1, tzinfo=UTC),
            extra={"n": [1, None, {"x": "y"}]},
        )
    for command in (["list"], ["search", "記憶"], ["get-memory", saved.id], ["history", saved.id]):
        assert "記憶" in done(*command, "--json", "--space", "default").out
    done("edit", saved.id, "--importance", "1", "--json")


def test_every_state_of_an_observation_is_documented() -> None:
    key = saved_and_deleted()
    assert done("history", key, "--json").json[0]["reason"] == ""
    done("list", "--include-deleted", "--json")
    done("delete", "-p", "nowhere", "--json")
    done("undelete", key, "--json")
    done("delete", key, "-r", "why", "--dry-run", "--json")
    done("delete", key, "-r", "why", "--json")
    done("gc", "--retention-days", "0", "--dry-run", "--json")
    done("gc", "--retention-days", "0", "--yes", "--json")
    assert {event["status"] for event in done("history", key, "--json").json} >= {"retracted"}
    done("purge", key, "--yes", "--json")
    assert done("history", key, "--json").json[0]["operation"] == "purge"


def test_a_purge_of_what_was_never_here_is_documented() -> None:
    key = "0123456789abcdef" * 2
    assert done("gc", "--force-id", key, "--dry-run", "--json").json == {
        "would_purge": key,
        "dry_run": True,
    }
    assert done("gc", "--force-id", key, "--json").json["had_local_copy"] is False


def test_what_moves_is_documented(home: Path) -> None:
    save_many("one", "two")
    for form in ("cbor", "jsonl"):
        done("export", str(home / form), "--format", form, "--json")
    done("import", str(home / "cbor"), "--json", KIOKU_STATE_DIR=str(home / "elsewhere"))


def test_what_init_would_write_is_json_when_asked_for() -> None:
    assert 'mode = "local"' in done("init", "--print", "--json").json["text"]


def test_a_failing_doctor_is_documented(home: Path) -> None:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text("space = 7\n")
    result = run("doctor", "--json")
    assert (result.code, result.json["worst_status"]) == (2, "fail")
