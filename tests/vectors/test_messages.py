"""The bytes of every message, read by kioku and by a decoder that shares nothing with it."""

from __future__ import annotations

from typing import Any

import pytest

from kioku.errors import UnsupportedVersionError
from kioku.log.frontier import Frontier
from kioku.transport.message import Unknown, decode
from tests.vectors import decoder, message_decoder
from tests.vectors.golden import load
from tests.vectors.messages import LATER_PROTOCOL, UNKNOWN_TYPE, messages

GOLDEN: dict[str, bytes] = load("messages-v1.json")


def _plain(value: Any) -> Any:
    """A value as the description has it: fields by name, lists of plain values below."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _part(part: Any) -> Any:
    if part.heads is None:
        return [part.prefix, list(part.sums)]
    return [part.prefix, [[*head.tip, head.hlc, None] for head in part.heads]]


def _fields(message: Any) -> dict[str, Any]:
    fields = {name: _plain(value) for name, value in message._asdict().items()}
    if "parts" in fields:
        fields["parts"] = [_part(part) for part in message.parts]
    if "bodies" in fields:
        fields["bodies"] = [[*body.event, body.salt, body.body] for body in message.bodies]
    return fields


def test_what_is_written_today_is_the_golden_bytes() -> None:
    assert {name: message.encode() for name, message in messages().items()} == GOLDEN


@pytest.mark.parametrize("name", GOLDEN)
def test_both_decoders_agree_on_every_message(name: str) -> None:
    message = decode(GOLDEN[name])
    assert message == messages()[name]
    assert message_decoder.read_message(GOLDEN[name])[1] == _fields(message)


def test_every_type_has_a_golden_message() -> None:
    assert {message_decoder.read_message(data)[0] for data in GOLDEN.values()} == set(range(1, 14))


def test_a_beacon_is_small() -> None:
    assert len(GOLDEN["beacon"]) < 256


def test_a_type_of_a_later_kioku_is_read_as_unknown() -> None:
    assert decode(UNKNOWN_TYPE) == Unknown(99)


def test_a_later_protocol_is_told_apart() -> None:
    with pytest.raises(UnsupportedVersionError, match="protocol 2; upgrade kioku"):
        decode(LATER_PROTOCOL)


def test_a_sum_is_the_beginning_of_the_digest_of_its_tips() -> None:
    heads: Any = messages()["heads answer: listed"]
    tips = [head.tip for part in heads.parts for head in part.heads]
    assert Frontier(tips).digest() == decoder.frontier_digest([list(tip) for tip in tips])
