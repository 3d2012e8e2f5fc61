"""What the network does to messages: how often, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random


@dataclass(frozen=True, slots=True)
class Weather:
    """Shares of messages (0 to 1), and the longest that one takes.

    Attributes:
        loss: never arrive.
        doubles: arrive twice, each after a delay of its own.
        cuts: of questions: the replies stop somewhere, and the stream ends as if it were whole.
        flips: arrive with one bit turned.
        delay_ms_max: each takes between 1 and this; the order is kept only if ``is_orderly``.
    """

    loss: float = 0.0
    doubles: float = 0.0
    cuts: float = 0.0
    flips: float = 0.0
    delay_ms_max: int = 20
    is_orderly: bool = True

    @classmethod
    def draw(cls, rng: Random) -> Weather:
        """Draw some weather, from fair to foul."""
        foul = rng.random()
        return cls(
            loss=rng.choice((0.0, 0.02, 0.3)) * foul,
            doubles=rng.choice((0.0, 0.1, 0.5)) * foul,
            cuts=rng.choice((0.0, 0.0, 0.3)) * foul,
            flips=rng.choice((0.0, 0.0, 0.1)) * foul,
            delay_ms_max=rng.choice((1, 50, 400, 3_000)),
            is_orderly=rng.random() < 0.5,
        )


FAIR = Weather()


def flipped(data: bytes, rng: Random) -> bytes:
    """The same bytes with one bit turned."""
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << rng.randrange(8)),)) + data[at + 1 :]
