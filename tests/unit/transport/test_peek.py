"""What a chunk says of itself at its beginning is believed only within the limits of a chunk."""

from __future__ import annotations

import cbor2
import pytest

from kioku.errors import MalformedMessageError
from kioku.transport.peek import ChunkStart, chunk_start

LOG = b"l" * 16
PREV = b"p" * 32


def chunk(first_seq: object, prev: object, events: object) -> bytes:
    return cbor2.dumps(["kioku.chunk.v1", LOG, first_seq, prev, events, bytes(64)])


@pytest.mark.parametrize("count", [1, 1_000])
def test_a_chunk_says_where_it_stands(count: int) -> None:
    start = chunk_start(chunk(70_000, PREV, [0] * count))
    assert start == ChunkStart(LOG, 70_000, PREV, count)
    assert start.last_seq == 70_000 + count - 1


@pytest.mark.parametrize(
    "data",
    [
        chunk(0, PREV, [0]),
        chunk(2**63, PREV, [0]),
        chunk(-1, PREV, [0]),
        chunk(b"", PREV, [0]),
        chunk(1, PREV[:31], [0]),
        chunk(1, PREV.decode(), [0]),
        chunk(1, PREV, []),
        chunk(1, PREV, [0] * 1_001),
        chunk(1, PREV, {}),
        chunk(1, PREV, [0])[:40],
        chunk(1, PREV, [0]).replace(b"chunk.v1", b"chunk.v2"),
    ],
)
def test_what_no_chunk_can_be_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessageError, match="not a kioku chunk"):
        chunk_start(data)
