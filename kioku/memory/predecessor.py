"""What a new text may replace: a value of its own module, and no dataclass, for a save gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kioku.observation import Observation


class Predecessor(NamedTuple):
    """An observation that a new text may replace, since it says nearly the same.

    ``similarity``: the share of words that both have (Dice's coefficient), 1 where it is all.
    """

    observation: Observation
    similarity: float
