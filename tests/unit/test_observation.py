"""The rules and the bytes of one observation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cbor2 import CBORTag, dumps, undefined

from kioku.errors import InvalidObservationError, KiokuError, TooLargeError
from kioku.observation import (
    Observation,
    UnreadableBodyError,
    decode_body,
    encode_body,
    from_unix_ms,
    key_of,
    read_fields,
    unix_ms,
    validate,
)
from kioku.observation.layout import BODY_BYTES_MAX, CONTENT_BYTES_MAX, EXTRA_DEPTH_MAX

FULL = Observation(
    "Chose Postgres over SQLite\n\tfor analytics",
    project="demo",
    tags=("db", "データ"),
    memory_type="decision",
    importance=4,
    subject="storage",
    summary="Postgres",
    source_files=("src/db.py",),
    references=("https://example.org/1",),
    supersedes=("0f" * 16,),
    agent_family="tester",
    client_id="one",
    host="alpha",
    session_id="s-1",
    created_at=datetime(2026, 5, 22, 7, 51, 47, 123000, tzinfo=UTC),
    expires_at=datetime(2030, 1, 1, tzinfo=UTC),
    extra={"a": [1, 2.5, None, True, {"b": "c"}], "": -1},
)


def test_a_full_observation_survives_its_body() -> None:
    assert decode_body(encode_body(FULL)) == FULL


def test_defaults_take_no_bytes() -> None:
    assert encode_body(Observation("x")) == bytes.fromhex("a1016178")


def test_what_belongs_to_the_event_is_passed_through() -> None:
    moment = from_unix_ms(1_000)
    read = decode_body(encode_body(FULL), id="ab" * 16, updated_at=moment, is_held=True)
    assert (read.id, read.updated_at, read.is_held) == ("ab" * 16, moment, True)
    assert encode_body(read) == encode_body(FULL)


def test_times_are_cut_to_the_millisecond_and_keep_their_moment() -> None:
    zone = timezone(timedelta(hours=9))
    moment = datetime(2026, 1, 1, 9, 0, 0, 1999, tzinfo=zone)
    read = decode_body(encode_body(Observation("x", created_at=moment)))
    assert read.created_at == datetime(2026, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)
    assert from_unix_ms(unix_ms(moment)) == read.created_at


def test_the_host_has_its_older_name() -> None:
    assert FULL.pc_id == "alpha"


def test_to_dict_is_ready_for_json() -> None:
    import json

    values = json.loads(json.dumps(FULL.to_dict()))
    assert values["tags"] == ["db", "データ"]
    assert values["created_at"] == "2026-05-22T07:51:47.123+00:00"
    assert values["updated_at"] is None
    assert values["id"] == ""
    assert "unknown" not in values


def test_an_observation_can_be_in_a_set() -> None:
    assert len({FULL, decode_body(encode_body(FULL))}) == 1


def test_fields_of_a_later_version_survive_an_edit() -> None:
    body = dumps({1: "x", 18: [b"\x00", "y"], 300: {"z": 1}}, canonical=True)
    read = decode_body(body)
    assert read.unknown == {18: [b"\x00", "y"], 300: {"z": 1}}
    assert encode_body(read) == body


def test_a_memory_type_of_a_later_version_is_shown() -> None:
    assert decode_body(dumps({1: "x", 4: "insight"})).memory_type == "insight"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content", ""),
        ("content", " \n\t　"),
        ("content", None),
        ("content", 7),
        ("content", "a\x00b"),
        ("content", "a\r\nb"),
        ("content", "a\x1bb"),
        ("content", "a\x7fb"),
        ("content", "a\x85b"),
        ("content", "a\ud800b"),
        ("project", None),
        ("project", ["x"]),
        ("project", "a\x07"),
        ("tags", "db"),
        ("tags", ("",)),
        ("tags", ("a", 1)),
        ("tags", ("a", ["b"])),
        ("tags", {"a"}),
        ("memory_type", "idea"),
        ("memory_type", None),
        ("importance", 0),
        ("importance", 6),
        ("importance", True),
        ("importance", 2.0),
        ("importance", "4"),
        ("supersedes", ("ff",)),
        ("supersedes", ("FF" * 16,)),
        ("supersedes", "ff" * 16),
        ("supersedes", (b"\xff" * 16,)),
        ("id", "xyz"),
        ("id", "ab cd" + "0" * 27),
        ("created_at", datetime(2026, 1, 1)),  # noqa: DTZ001  a time without a zone is the point
        ("created_at", datetime(1969, 1, 1, tzinfo=UTC)),
        ("expires_at", "tomorrow"),
        ("extra", {1: "x"}),
        ("extra", {"a": b"bytes"}),
        ("extra", {"a": float("nan")}),
        ("extra", {"a": float("inf")}),
        ("extra", {"a": 2**64}),
        ("extra", {"a": object()}),
        ("extra", {"a": {1: 2}}),
        ("extra", {"a": "\x00"}),
        ("extra", {"\ud800": 1}),
        ("extra", ["a"]),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_field(field: str, value: Any) -> None:
    values = {"content": "x", field: value}
    with pytest.raises(InvalidObservationError) as caught:
        validate(Observation(**values))
    assert caught.value.field == field


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("field", "fits", "too_large"),
    [
        ("content", "x" * CONTENT_BYTES_MAX, "x" * (CONTENT_BYTES_MAX + 1)),
        ("content", "語" * (CONTENT_BYTES_MAX // 3), "語" * (CONTENT_BYTES_MAX // 3 + 1)),
        ("tags", ("t" * 128,) * 64, ("t" * 129,)),
        ("tags", ("語" * 128,), ("t",) * 65),
        ("project", "p" * 1024, "p" * 1025),
        ("subject", "é" * 512, "é" * 513),
        ("references", ("r" * 1024,) * 64, ("r" * 1025,)),
        ("source_files", ("f",) * 64, ("f",) * 65),
        ("supersedes", ("00" * 16,) * 64, ("00" * 16,) * 65),
        ("extra", nested(EXTRA_DEPTH_MAX), nested(EXTRA_DEPTH_MAX + 1)),
    ],
)
def test_limits_are_exact(field: str, fits: Any, too_large: Any) -> None:
    observation = Observation(**{"content": "x", field: fits})
    assert getattr(decode_body(encode_body(observation)), field) == fits
    with pytest.raises(TooLargeError) as caught:
        validate(Observation(**{"content": "x", field: too_large}))
    assert caught.value.field == field
    assert caught.value.size > caught.value.limit


def test_a_whole_observation_has_a_limit() -> None:
    with pytest.raises(TooLargeError):
        validate(Observation("x", extra={"a": "y" * BODY_BYTES_MAX}))


def test_lists_may_be_lists() -> None:
    assert decode_body(encode_body(Observation("x", tags=["a"], references=[]))).tags == ("a",)  # type: ignore[arg-type]


def test_unknown_fields_cannot_pass_for_known_ones() -> None:
    with pytest.raises(InvalidObservationError):
        validate(Observation("x", unknown={2: "project"}))


def test_the_errors_say_what_to_do() -> None:
    with pytest.raises(InvalidObservationError, match=r"carriage return.*newline alone"):
        validate(Observation("a\r\nb"))
    with pytest.raises(InvalidObservationError, match="one of note, decision"):
        validate(Observation("a", memory_type="idea"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"\x80",
        b"\xa0",  # no content
        bytes.fromhex("a10261ff"),
        bytes.fromhex("a101617800"),  # trailing byte
        bytes.fromhex("a10178017a"),  # length not minimal
        bytes.fromhex("a1180161ff"),
        bytes.fromhex("a118016178"),  # key not minimal
        bytes.fromhex("b9000101617a"),  # map head not minimal
        bytes.fromhex("bf016178ff"),  # indefinite map
        bytes.fromhex("a1017f6178ff"),  # indefinite text
        bytes.fromhex("a20161780161 79".replace(" ", "")),  # duplicate key
        bytes.fromhex("a202617001 6178".replace(" ", "")),  # keys descend
        bytes.fromhex("a1f56178"),  # true for a key
        bytes.fromhex("a1f93c006178"),  # 1.0 for a key
        dumps({1: "x", 5: 2}),  # a default
        dumps({1: "x", 2: ""}),
        dumps({1: "x", 3: []}),
        dumps({1: "x", 4: "note"}),
        dumps({1: "x", 17: {}}),
        dumps({1: "x", 5: True}),
        dumps({1: "x", 5: 9}),
        dumps({1: b"x"}),
        dumps({1: " "}),
        dumps({1: "a\rb"}),
        dumps({0: "y", 1: "x"}),
        dumps({1: "x", 10: [b"short"]}),
        dumps({1: "x", 15: -1}),
        dumps({1: "x", 15: 253_402_300_800_000}),
        dumps({1: "x", 16: 1.5}),
        dumps({1: "x", 17: {"bb": 1, "a": 1}}),  # extra not sorted
        dumps({1: "x", 17: {"a": 1.5}}),  # a float not in its shortest form
        dumps({1: "x", 17: {"a": undefined}}),
        dumps({1: "x", 18: CBORTag(2, b"\x01")}),
        dumps({1: "x", 18: CBORTag(5, [10**9, 3])}),
        dumps({1: "x", 18: CBORTag(12345, "y")}),
        dumps({1: CBORTag(0, "2026-01-01T00:00:00Z")}),
        dumps({1: "x" * (CONTENT_BYTES_MAX + 1)}),
        dumps({1: "x", 18: "y" * BODY_BYTES_MAX}),
        b"\xa1\x01" + b"\x81" * 1000,
        b"\xa1\x01\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xa2\x01\x61x\x12\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xa1\x01\x62\xc3\x28",  # not UTF-8
        b"\xa1\x01\x63\xed\xa0\x80",  # a surrogate in UTF-8
    ],
)
def test_anything_else_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBodyError) as caught:
        decode_body(body)
    assert isinstance(caught.value, KiokuError)
    with pytest.raises(UnreadableBodyError):
        read_fields(body)


def test_an_id_is_the_hex_of_its_key() -> None:
    assert key_of("00ff" * 8) == b"\x00\xff" * 8
