"""One value, one encoding: every other form of the same value is refused, and so is half of one."""

from __future__ import annotations

import struct

import pytest

from kioku.errors import MalformedMessageError
from kioku.log.codec import check_canonical, decode, encode, split_sequence

HUGE = 1 << 62

FORMS = {
    "nothing": b"",
    "trailing bytes": b"\x01\x00",
    "a number longer than it must be": b"\x18\x01",
    "a number in eight bytes": b"\x1b" + bytes(7) + b"\x05",
    "a length longer than it must be": b"\x58\x01a",
    "an array length longer than it must be": b"\x98\x01\x00",
    "an indefinite array": b"\x9f\x00\xff",
    "an indefinite map": b"\xbf\x00\x00\xff",
    "an indefinite byte string": b"\x5f\x41a\x41b\xff",
    "an indefinite text": b"\x7f\x61a\xff",
    "a break alone": b"\xff",
    "a repeated key": b"\xa2\x01\x00\x01\x01",
    "a tag": b"\xc1\x00",
    "a bignum": b"\xc2\x41\x01",
    "a shared value": b"\xd8\x1c\x80",
    "a reference": b"\xd8\x1d\x00",
    "a string reference": b"\xd9\x01\x00\x80",
    "an unknown tag": b"\xd9\xff\xfe\x00",
    "self-described": b"\xd9\xd9\xf7\x00",
    "a reserved length": b"\x1c",
    "a cut number": b"\x19\x01",
    "a cut byte string": b"\x45abc",
    "a cut array": b"\x82\x00",
    "text that is not UTF-8": b"\x62\xff\xfe",
    "half a character": b"\x63\xed\xa0\x80",
    "a byte string of 4 EiB": b"\x5b" + HUGE.to_bytes(8, "big"),
    "an array of 4 EiB": b"\x9b" + HUGE.to_bytes(8, "big"),
    "a map of 4 EiB": b"\xbb" + HUGE.to_bytes(8, "big"),
    "a text of 2^64 bytes": b"\x7b" + b"\xff" * 8,
    "arrays in arrays": b"\x81" * 1_000 + b"\x00",
    "a reserved simple value": b"\xf8\x01",
    "a float longer than it must be": b"\xfb" + struct.pack(">d", 1.5) + b"\x00",
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS.keys())
def test_every_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessageError, match=r"^here: "):
        check_canonical(decode(data, "here"), data, "here")


@pytest.mark.parametrize(
    "value",
    [None, True, 0, 23, 24, 255, 256, 1 << 32, (1 << 64) - 1, -1, b"", b"a" * 300, "名", []],
)
def test_a_value_comes_back(value: object) -> None:
    data = encode([value])
    assert decode(data, "here") == [value]
    check_canonical([value], data, "here")


CUT = ("an indefinite", "reserved length", "cut", "4 EiB", "2^64", "nothing", "break")


@pytest.mark.parametrize("name", [name for name in FORMS if any(word in name for word in CUT)])
def test_a_sequence_ends_at_an_item_that_is_not_whole(name: str) -> None:
    with pytest.raises(MalformedMessageError):
        split_sequence(FORMS[name], 0)
