"""One message of each type, with values that are the same every time.

``python -m tests.vectors.messages`` wrote ``messages-v1.json``, once: see ``generate``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.log.chunk import encode_chunk
from kioku.log.event import GENESIS, ZERO_HASH, ZERO_KEY, EventId
from kioku.log.hlc import pack
from kioku.log.payload import Genesis, encode_genesis
from kioku.log.seal import sign
from kioku.transport.holdings import Body, Head, Place
from kioku.transport.message import (
    Beacon,
    BodiesAnswer,
    BodiesQuery,
    ChunkReply,
    End,
    HashesAnswer,
    HashesQuery,
    HeadsAnswer,
    HeadsQuery,
    Leaving,
    Live,
    Part,
    RangeQuery,
    SpacesAnswer,
)
from tests.vectors.generate import HERE, LOG_ID, NOW_MS, PUBLIC_KEY, SEED, Log, write

if TYPE_CHECKING:
    from kioku.transport.message import Message

MESSAGES = HERE / "messages-v1.json"


def _genesis() -> Log:
    log = Log()
    log.add(GENESIS, ZERO_KEY, encode_genesis(Genesis(PUBLIC_KEY, "golden", ())))
    return log


def messages() -> dict[str, Message]:
    """Give an example of each message, by the name that docs/protocol.md gives it."""
    log = _genesis()
    tip = log.tip
    chunk = encode_chunk(LOG_ID, 1, ZERO_HASH, events=log.events, signature=sign(SEED, tip))
    goal = EventId(LOG_ID, 1_000, b"\x11" * 32)
    places = (Place(30, b"\x12" * 32), Place(60, b"\x13" * 32))
    sums = tuple(bytes([number]) * 16 if number % 5 == 0 else bytes(16) for number in range(16))
    digits = LOG_ID.hex()
    heads = Part(digits[:2], (Head(goal, pack(NOW_MS)),), None)
    digest = b"\x14" * 32
    return {
        "beacon": Beacon(
            digest=digest,
            tip_count=300,
            own_tip=tip,
            seal=sign(SEED, tip),
            wall_ms=NOW_MS,
            nonce=b"\x15" * 16,
            version="0.1.0",
            erased=True,
            missing=2,
            role="hub",
            identity=b"\x16" * 16,
        ),
        "beacon of a log that begins": Beacon(
            *(digest, 0, None, None, NOW_MS, b"\x15" * 16, "0.1.0", False, 0, "spoke", b""),
        ),
        "live": Live(chunk),
        "heads query": HeadsQuery(("", "0", "a3f")),
        "heads answer: listed": HeadsAnswer((Part("0", (), None), heads), True, digest),
        "heads answer: sums": HeadsAnswer((Part("", None, sums),), False, digest),
        "hashes query": HashesQuery(goal, (30, 60, 90)),
        "hashes answer": HashesAnswer(places),
        "hashes answer: not here": HashesAnswer(None),
        "range query": RangeQuery(goal, places[0], 1 << 20),
        "range query: from the beginning": RangeQuery(goal, None, 1 << 22),
        "chunk": ChunkReply(chunk),
        "bodies query": BodiesQuery((goal, goal._replace(seq=1_001))),
        "bodies answer": BodiesAnswer((Body(goal, b"\x17" * 16, b"text"),)),
        "end: done": End("done"),
        "end: credit": End("credit"),
        "end: unknown": End("unknown"),
        "end: refused": End("refused"),
        "end: malformed": End("malformed"),
        "end: version": End("version"),
        "spaces answer": SpacesAnswer(((b"\x18" * 16, "default"), (b"\x19" * 16, "日本語"))),
        "leaving": Leaving(b"\x15" * 16),
    }


UNKNOWN_TYPE: Final = bytes.fromhex("83186301f5")
"""A message of type 99, which means something to a later kioku."""
LATER_PROTOCOL: Final = bytes.fromhex("83030280")
"""A heads query of protocol 2."""


def main() -> None:
    """Write the golden file, if it is not there yet."""
    write(MESSAGES, {name: message.encode() for name, message in messages().items()})


if __name__ == "__main__":
    main()
