"""An export to JSON Lines and an import give the same observations, whatever they hold."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import InvalidObservationError
from kioku.memory.lines import LINE_BYTES_MAX, read_line, to_record
from kioku.observation import Observation, encode_body, from_unix_ms
from tests.property.test_observation import observations

if TYPE_CHECKING:
    from datetime import datetime

MOMENTS = st.integers(0, 4_000_000_000_000).map(from_unix_ms)


def written(observation: Observation) -> bytes:
    return json.dumps({**observation.to_dict(), **to_record(observation)}).encode()


KEYS = st.binary(min_size=16, max_size=16).filter(any)


@given(observations, KEYS, MOMENTS)
def test_a_line_gives_back_every_byte(given_one: Observation, key: bytes, moment: datetime) -> None:
    one = replace(given_one, id=key.hex(), updated_at=moment)
    line = read_line(written(one))
    assert line is not None
    assert encode_body(line.observation) == encode_body(one)
    assert (line.observation.id, line.observation.updated_at) == (one.id, one.updated_at)
    assert line.unusual == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = st.sampled_from([*Observation("x").to_dict(), "observation_id", "unknown", "score", "x"])


def assert_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidObservationError):
        line = read_line(data)
        assert line is None or encode_body(line.observation)


@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_any_json_object_is_read_or_refused(
    record: dict[str, object],
) -> None:
    assert_read_or_refused(json.dumps(record).encode("utf-8", "replace"))


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    assert_read_or_refused(data)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("[1]", "line"),
        ("{", "line"),
        ('{"content": NaN}', "line"),
        ("[" * 100_000, "line"),
        ('{"project": "p"}', "content"),
        ('{"content": " "}', "content"),
        ('{"content": 7}', "content"),
        ('{"content": "x", "tags": "a,b"}', "tags"),
        ('{"content": "x", "importance": 9}', "importance"),
        ('{"content": "x", "created_at": "yesterday"}', "created_at"),
        ('{"content": "x", "updated_at": "1969-12-31"}', "updated_at"),
        ('{"content": "x", "extra": [1]}', "extra"),
        ('{"content": "x", "unknown": "####"}', "unknown"),
        ('{"content": "x", "id": "abc"}', "id"),
        ('{"content": "x", "id": "00000000000000000000000000000000"}', "id"),
        ('{"content": "x", "host": "a", "pc_id": "b"}', "pc_id"),
        ('{"content": "x", "content": "y"}', "content"),
        ('{"content": "x", "extra": {"a": 1, "a": 1}}', "a"),
        ('{"content": "x", "importance": ' + "9" * 5_000 + "}", "line"),
        ('{"content": "' + "x" * LINE_BYTES_MAX + '"}', "line"),
    ],
)
def test_a_bad_line_names_its_field(line: str, field: str) -> None:
    with pytest.raises(InvalidObservationError) as caught:
        read_line(line.encode())
    assert caught.value.field == field


def test_what_is_no_field_is_kept_in_extra() -> None:
    line = read_line(b'{"content": "x", "colour": "red", "extra": {"a": 1}, "score": 0.5}')
    assert line is not None
    assert line.observation.extra == {"colour": "red", "a": 1}
    assert line.unusual == ("colour",)
