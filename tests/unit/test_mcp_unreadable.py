"""A line that no parser takes is answered under its own id, or not at all."""

from __future__ import annotations

import io
import json
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.mcp.server import _is_message
from kioku.mcp.unreadable import METHOD, stand_in
from kioku.mcp.wire import LINE_BYTES_MAX, Lines, Wire

HALF = r'"\ud83d"'


def lines_of(sent: bytes) -> list[str]:
    """What the SDK is given of some bytes."""

    async def read() -> list[str]:
        return [line async for line in Lines(Wire(io.BytesIO(sent), io.BytesIO()), _is_message)]

    return anyio.run(read)


def answered(line: str) -> Any:
    """The id of the request that stands in for a line; None if none does."""
    if not line.strip():
        return None
    request = json.loads(line)
    assert request["method"] == METHOD
    return request["id"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f'{{"jsonrpc":"2.0","id":7,"method":"x","params":{{"a":{HALF}}}}}', 7),
        (f'{{"method":"x","params":{{"id":1,"a":{HALF}}},"jsonrpc":"2.0","id":"s-7"}}', "s-7"),
        (f'{{"method":"x","params":{{"a":"\\"id\\":1","b":{HALF}}}, "id" : 7 }}', 7),
        ('{"id":7,"method":"x","params":' + "[" * 9_000 + "]" * 9_000 + "}", 7),
        ('{"id":7,"method":"x","params":{"n":' + "9" * 9_000 + "}}", 7),
        ('{"id":7,"method":"x","params":{"a":"cut off', 7),
        (f'{{"method":"notifications/x","params":{{"a":{HALF},"id":1}}}}', None),
        (f'{{"id":7,"result":{{"method":{HALF}}}}}', None),
        ("no JSON at all", None),
        ('{"id":7.5,"method":"x",', None),
    ],
)
def test_a_line_that_cannot_be_read_is_answered_under_its_own_id(
    line: str, expected: object
) -> None:
    [given] = lines_of(line.encode() + b"\n")
    assert answered(given) == expected


@pytest.mark.parametrize("begin", [b'{"id":7,"method":"x","a":"', b'{"method":"x","a":"'])
def test_a_line_that_is_too_long_is_answered_and_the_next_one_read(begin: bytes) -> None:
    following = '{"jsonrpc":"2.0","id":8,"method":"ping"}\n'
    end = b'","id":7}\n' if b"id" not in begin else b'"}\n'
    too_long, next_one = lines_of(begin + b"x" * LINE_BYTES_MAX + end + following.encode())
    assert answered(too_long) == 7
    assert next_one == following


def test_a_line_that_can_be_read_is_given_as_it_is() -> None:
    line = '{"jsonrpc":"2.0","id":"ü","method":"tools/call","params":{"name":"x"}}\n'
    assert lines_of(line.encode()) == [line]


_JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("id"), inner),
    max_leaves=8,
)


@given(st.integers(-(10**9), 10**9), _JSON, st.booleans(), st.booleans())
def test_the_id_is_the_one_at_the_top(
    number: int, params: object, is_last: bool, is_ascii: bool
) -> None:
    message = {"method": "x", "params": params}
    message = {**message, "id": number} if is_last else {"id": number, **message}
    line = json.dumps(message, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass")
    assert answered(stand_in(line)) == number
