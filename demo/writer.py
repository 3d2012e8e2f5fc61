"""A program that saves for ever, and says so after each save: the demo kills it."""

from __future__ import annotations

import sys
from itertools import count

import kioku


def main(space: str) -> None:
    """Save to ``space``; print each id once its save is acknowledged."""
    with kioku.open(space=space) as memory:
        for number in count():
            saved = memory.save(f"Measurement {number} of the long run", project="lab")
            print(saved.id, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
