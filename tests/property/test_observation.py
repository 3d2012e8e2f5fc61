"""Bodies: whatever is valid survives, whatever is not is told apart, and never anything else."""

from __future__ import annotations

import unicodedata
from typing import Any

from cbor2 import dumps
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import InvalidObservationError
from kioku.observation import (
    MEMORY_TYPES,
    Observation,
    UnreadableBodyError,
    body_fields,
    decode_body,
    encode_body,
    from_unix_ms,
    read_fields,
)

texts = st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.sampled_from("\n\t"))
words = texts.filter(lambda text: len(text.encode()) <= 100)
lists = st.lists(words.filter(bool), max_size=5).map(tuple)
moments = st.none() | st.integers(0, 4_000_000_000_000).map(from_unix_ms)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
json_like = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)
observations = st.builds(
    Observation,
    texts.filter(lambda text: text and not text.isspace()),
    project=words,
    tags=lists,
    memory_type=st.sampled_from(MEMORY_TYPES),
    importance=st.integers(1, 5),
    subject=words,
    summary=words,
    source_files=lists,
    references=lists,
    supersedes=st.lists(st.binary(min_size=16, max_size=16).map(bytes.hex), max_size=3).map(tuple),
    agent_family=words,
    client_id=words,
    host=words,
    session_id=words,
    created_at=moments,
    expires_at=moments,
    extra=st.dictionaries(texts, json_like, max_size=4),
    unknown=st.dictionaries(st.integers(18, 2**64 - 1), json_like | st.binary(), max_size=3),
)


@given(observations)
def test_any_observation_survives_its_body(observation: Observation) -> None:
    body = encode_body(observation)
    assert decode_body(body) == observation
    assert encode_body(decode_body(body)) == body


@given(observations)
def test_a_body_is_the_canonical_form_of_its_fields(observation: Observation) -> None:
    body = encode_body(observation)
    assert dumps(read_fields(body), canonical=True) == body


@given(observations)
def test_the_fields_that_make_a_body_are_those_that_are_read_of_it(
    observation: Observation,
) -> None:
    written, read = body_fields(observation), read_fields(encode_body(observation))
    assert list(written) == list(read)
    for key in written.keys() - {17}:  # extra has no other form, only tuples in whatever depth
        value = written[key]
        assert (list(value) if isinstance(value, tuple) else value) == read[key]
        assert key > 17 or read[key].__class__ in (value.__class__, list)


def check_decodes_or_is_refused(body: bytes) -> None:
    try:
        observation = decode_body(body)
    except UnreadableBodyError:
        return
    assert encode_body_of_any_type(observation) == body


def encode_body_of_any_type(observation: Observation) -> bytes:
    """``encode_body``, but for memory types of later versions, which it does not write."""
    from dataclasses import replace

    if observation.memory_type in MEMORY_TYPES:
        return encode_body(observation)
    fields = read_fields(encode_body(replace(observation, memory_type="bug")))
    fields[4] = observation.memory_type
    return dumps(fields, canonical=True)


@given(st.binary())
def test_any_bytes_decode_or_are_refused(body: bytes) -> None:
    check_decodes_or_is_refused(body)


@given(observations, st.data())
def test_any_damaged_body_decodes_or_is_refused(observation: Observation, data: Any) -> None:
    body = bytearray(encode_body(observation))
    place = data.draw(st.integers(0, len(body) - 1))
    match data.draw(st.sampled_from(("flip", "cut", "insert"))):
        case "flip":
            body[place] = data.draw(st.integers(0, 255))
        case "cut":
            del body[place:]
        case _:
            body[place:place] = data.draw(st.binary(min_size=1, max_size=9))
    check_decodes_or_is_refused(bytes(body))


@given(
    st.dictionaries(
        st.integers(0, 30) | texts, json_like | st.binary() | st.lists(st.binary()), max_size=5
    )
)
def test_any_map_decodes_or_is_refused(fields: dict[Any, Any]) -> None:
    check_decodes_or_is_refused(dumps(fields, canonical=True))


@given(st.text(min_size=1))
def test_exactly_the_forbidden_characters_are_refused(text: str) -> None:
    forbidden = any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text)
    try:
        encode_body(Observation(f"x{text}"))
    except InvalidObservationError:
        assert forbidden
    else:
        assert not forbidden
