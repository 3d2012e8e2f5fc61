"""A second reader of messages, from docs/protocol.md and from nothing else (see ``decoder``)."""

from __future__ import annotations

from typing import Any

from tests.vectors.decoder import log_id_of, read, read_chunk

FIELDS = {
    1: (
        *("digest", "tip_count", "own_tip", "seal", "wall_ms", "nonce", "version"),
        *("erased", "missing", "role", "identity", "credential"),
    ),
    2: ("chunk",),
    3: ("prefixes",),
    4: ("parts", "erased", "digest"),
    5: ("goal", "seqs"),
    6: ("places",),
    7: ("goal", "after", "credit_bytes"),
    8: ("data",),
    9: ("events",),
    10: ("bodies",),
    11: ("status",),
    12: ("spaces",),
    13: ("nonce",),
}
STATUSES = ("done", "credit", "unknown", "refused", "malformed", "version")


def read_message(data: bytes) -> tuple[int, dict[str, Any]]:
    """Read a message and check what the description says of it: its type, and fields by name."""
    kind, version, *values = read(data)
    assert version == 1
    names = FIELDS[kind]
    assert len(values) == len(names)
    fields = dict(zip(names, values, strict=True))
    check = CHECKS.get(kind)
    if check is not None:
        check(fields)
    return kind, fields


def _event(value: Any) -> None:
    log_id, *place = value
    assert len(log_id) == 16
    _place(place)


def _place(value: Any) -> None:
    seq, hash_ = value
    assert seq >= 1
    assert len(hash_) == 32


def _rising(values: list[Any]) -> None:
    assert values == sorted(values)
    assert len({repr(value) for value in values}) == len(values)


def _beacon(fields: dict[str, Any]) -> None:
    assert len(fields["digest"]) == 32
    assert len(fields["nonce"]) == 16
    assert len(fields["identity"]) <= 16
    assert (fields["own_tip"] is None) == (fields["seal"] is None)
    if fields["own_tip"] is not None:
        _event(fields["own_tip"])
        assert len(fields["seal"]) == 64
    fields["role"] = ("hub", "spoke")[fields["role"]]
    assert fields["credential"] is None


def _heads_query(fields: dict[str, Any]) -> None:
    assert 1 <= len(fields["prefixes"]) <= 64
    _rising(fields["prefixes"])
    assert all(set(prefix) <= set("0123456789abcdef") for prefix in fields["prefixes"])


def _heads_answer(fields: dict[str, Any]) -> None:
    _rising([prefix for prefix, _ in fields["parts"]])
    for part in fields["parts"]:
        prefix, stated = part
        if isinstance(stated, bytes):
            part[1] = [stated[at : at + 16] for at in range(0, 256, 16)]
            assert len(stated) == 256
            continue
        assert len(stated) <= 32
        for *event, hlc, credential in stated:
            _event(event)
            assert event[0].hex().startswith(prefix)
            assert hlc >= 0
            assert credential is None


def _chunk(fields: dict[str, Any]) -> None:
    (chunk,) = fields.values()
    genesis = read(chunk)[4][0]
    public_key = read(genesis[4])[0]
    assert log_id_of(public_key) == read(chunk)[1]
    read_chunk(chunk, public_key)


def _range_query(fields: dict[str, Any]) -> None:
    _event(fields["goal"])
    if fields["after"] is not None:
        _place(fields["after"])


def _hashes_query(fields: dict[str, Any]) -> None:
    _event(fields["goal"])
    _rising(fields["seqs"])
    assert 1 <= len(fields["seqs"]) <= 32


def _hashes_answer(fields: dict[str, Any]) -> None:
    for place in fields["places"] or ():
        _place(place)


def _bodies_query(fields: dict[str, Any]) -> None:
    _rising(fields["events"])
    for event in fields["events"]:
        _event(event)


def _bodies_answer(fields: dict[str, Any]) -> None:
    for *event, salt, body in fields["bodies"]:
        _event(event)
        assert len(salt) == 16
        assert len(body) <= 1_572_864


def _end(fields: dict[str, Any]) -> None:
    assert fields["status"] in STATUSES


CHECKS = {
    1: _beacon,
    2: _chunk,
    3: _heads_query,
    4: _heads_answer,
    5: _hashes_query,
    6: _hashes_answer,
    7: _range_query,
    8: _chunk,
    9: _bodies_query,
    10: _bodies_answer,
    11: _end,
}
