"""The bytes of version 1, read by kioku and by a decoder that shares nothing with it.

Each is checked both ways: kioku still writes these bytes, and the second decoder computes the same
hashes, commitments, links and seals from them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kioku.log.chunk import decode_chunk, encode_chunk
from kioku.log.event import (
    GENESIS,
    RETRACT,
    Event,
    EventId,
    commit,
    encode_header,
    hash_header,
    header_prefix,
)
from kioku.log.frontier import Frontier
from kioku.log.keyfile import FileKeyRing, LogKey
from kioku.log.payload import decode_genesis, decode_targets, encode_genesis, encode_targets
from kioku.log.schema import space_id_of
from kioku.log.seal import log_id_of, public_key_of, sign, verify
from kioku.observation import decode_body, encode_body
from tests.vectors import decoder
from tests.vectors.generate import OBSERVATIONS, formats, jsonable
from tests.vectors.golden import load

if TYPE_CHECKING:
    from pathlib import Path

GOLDEN: Any = load("formats-v1.json")
EVENTS: list[dict[str, Any]] = GOLDEN["events"]
LOG_ID: bytes = GOLDEN["log_id"]
REFUSALS = (AssertionError, LookupError, ValueError, TypeError, InvalidSignature)


def event_of(golden: dict[str, Any]) -> Event:
    is_later = decoder.read(golden["header"])[0] != 1
    names = ("hlc", "kind", "key", "commitment", "salt", "body")
    fields = {name: golden[name] for name in names}
    return Event(**fields, header=golden["header"] if is_later else None)


def test_what_is_written_today_is_the_golden_bytes() -> None:
    for name, written in jsonable(formats()).items():
        assert written == jsonable(GOLDEN[name]), name


# --- identity, headers, commitments, seals --------------------------------------------------------


def test_a_log_is_named_by_its_public_key() -> None:
    seed, public_key = GOLDEN["seed"], GOLDEN["public_key"]
    key = Ed25519PrivateKey.from_private_bytes(seed)
    assert key.public_key().public_bytes_raw() == public_key_of(seed) == public_key
    assert decoder.log_id_of(public_key) == log_id_of(public_key) == LOG_ID


@pytest.mark.parametrize("seq", range(1, len(EVENTS) + 1))
def test_both_decoders_agree_on_every_header(seq: int) -> None:
    golden = EVENTS[seq - 1]
    prev = EVENTS[seq - 2]["hash"] if seq > 1 else decoder.ZERO
    fields = decoder.read(golden["header"])
    assert fields[1:4] == [LOG_ID, seq, prev]
    assert decoder.digest("kioku.event.v1", golden["header"]) == golden["hash"]
    assert hash_header(golden["header"]) == golden["hash"]
    assert encode_header(header_prefix(LOG_ID), seq, prev, event_of(golden)) == golden["header"]
    if fields[0] == 1:
        names = ("hlc", "kind", "key", "commitment")
        assert fields == [1, LOG_ID, seq, prev, *(golden[name] for name in names)]


def test_both_decoders_agree_on_every_commitment() -> None:
    for golden in EVENTS:
        salt, body = golden["salt"], golden["body"]
        if body is not None:
            assert decoder.commitment_of(salt, body) == golden["commitment"]
            assert commit(salt, body) == golden["commitment"]
        else:
            assert golden["commitment"] is None


def test_the_golden_log_has_every_kind_and_a_later_format() -> None:
    assert {golden["kind"] for golden in EVENTS} == {0, 1, 2, 3, 4, 5, 9}
    assert {decoder.read(golden["header"])[0] for golden in EVENTS} == {1, 2}


@pytest.mark.parametrize("name", ["chunk", "later_chunk"])
def test_both_decoders_agree_on_every_event_of_a_chunk(name: str) -> None:
    data, public_key = GOLDEN[name], GOLDEN["public_key"]
    events = decoder.read_chunk(data, public_key)
    chunk = decode_chunk(data)
    verify(public_key, chunk.last, chunk.signature)
    assert chunk.first_seq == events[0]["seq"]
    for number, event in enumerate(events):
        ours = chunk.events[number]
        golden = EVENTS[event["seq"] - 1]
        assert chunk.hashes[number] == event["hash"] == golden["hash"]
        assert event["header"] == golden["header"]
        assert (ours.hlc, ours.key) == (event["hlc"], event["key"])
        assert ours.commitment == event["commitment"]
        assert (ours.salt, ours.body) == (event["salt"], event["body"])
    place = (chunk.log_id, chunk.first_seq, chunk.prev)
    assert encode_chunk(*place, events=chunk.events, signature=chunk.signature) == data


def test_a_chunk_carries_each_shape_of_event() -> None:
    items = decoder.read(GOLDEN["chunk"])[4]
    shapes = {(len(item), item[-1] is None) for item in items}
    assert shapes == {(5, False), (4, False), (4, True), (3, False), (3, True)}
    assert [item[-1] is not None and len(item) != 4 for item in items] == GOLDEN["sent"]


def test_the_second_decoder_is_as_strict_as_ours() -> None:
    data = GOLDEN["later_chunk"]
    for offset in range(len(data)):
        flipped = bytearray(data)
        flipped[offset] ^= 1
        with pytest.raises(REFUSALS):
            decoder.read_chunk(bytes(flipped), GOLDEN["public_key"])


def test_a_seal_is_over_the_place_alone() -> None:
    for golden_chunk in ("chunk", "later_chunk"):
        chunk = decode_chunk(GOLDEN[golden_chunk])
        decoder.check_seal(GOLDEN["public_key"], list(chunk.last), chunk.signature)
        assert sign(GOLDEN["seed"], chunk.last) == chunk.signature


# --- bodies of the log's own ----------------------------------------------------------------------


def test_a_genesis_holds_key_name_and_parents() -> None:
    (golden,) = (event for event in EVENTS if event["kind"] == GENESIS)
    public_key, name, parents = decoder.read(golden["body"])
    genesis = decode_genesis(golden["body"])
    assert (genesis.public_key, genesis.name) == (public_key, name)
    assert [list(parent) for parent in genesis.parents] == parents
    assert public_key == GOLDEN["public_key"]
    assert encode_genesis(genesis) == golden["body"]


def test_a_retract_holds_places_in_order() -> None:
    golden = GOLDEN["retract"]
    targets = [EventId(*target) for target in golden["targets"]]
    assert decoder.read(golden["bytes"]) == golden["targets"]
    assert decode_targets(golden["bytes"]) == targets
    assert encode_targets(targets) == golden["bytes"]
    (event,) = (event for event in EVENTS if event["kind"] == RETRACT)
    assert [list(target) for target in decode_targets(event["body"])] == decoder.read(event["body"])


# --- frontier, digest, key file, space id ---------------------------------------------------------


def test_a_frontier_is_a_list_of_tips_and_the_digest_their_sum() -> None:
    golden = GOLDEN["frontier"]
    tips = [EventId(*tip) for tip in golden["tips"]]
    assert decoder.read(golden["bytes"]) == golden["tips"]
    assert Frontier.from_bytes(golden["bytes"]) == Frontier(tips)
    assert Frontier(tips).to_bytes() == golden["bytes"]
    assert decoder.frontier_digest(golden["tips"]) == GOLDEN["digest"]
    assert Frontier(tips).digest() == GOLDEN["digest"]


@pytest.mark.parametrize("golden", GOLDEN["key_files"])
def test_a_key_file_is_read_back(tmp_path: Path, golden: dict[str, Any]) -> None:
    assert decoder.read(golden["bytes"])[1:] == golden["fields"]
    key = LogKey(*golden["fields"])
    ring = FileKeyRing(str(tmp_path / "space.db"))
    (tmp_path / f"space.{key.log_id.hex()}.key").write_bytes(golden["bytes"])
    assert ring.load(key.log_id) == key


def test_a_space_id_is_the_hash_of_its_name() -> None:
    golden = GOLDEN["space_id"]
    name = golden["name"]
    assert decoder.digest("kioku.space.v1", name.encode(), size=16) == golden["bytes"]
    assert space_id_of(name) == golden["bytes"]


# --- observations ---------------------------------------------------------------------------------

FIELDS = {
    1: "content",
    2: "project",
    3: "tags",
    4: "memory_type",
    5: "importance",
    6: "subject",
    7: "summary",
    8: "source_files",
    9: "references",
    10: "supersedes",
    11: "agent_family",
    12: "client_id",
    13: "host",
    14: "session_id",
    15: "created_at",
    16: "expires_at",
    17: "extra",
}


@pytest.mark.parametrize("name", OBSERVATIONS)
def test_both_decoders_agree_on_an_observation(name: str) -> None:
    body, observation = GOLDEN["observations"][name], OBSERVATIONS[name]
    assert encode_body(observation) == body
    assert decode_body(body) == observation
    for key, value in decoder.read(body).items():
        if key not in FIELDS:
            assert observation.unknown[key] == value
        else:
            assert _plain(getattr(observation, FIELDS[key])) == jsonable(value)


def _plain(value: Any) -> Any:
    if hasattr(value, "timestamp"):
        return round(value.timestamp() * 1000)
    return jsonable(value)
