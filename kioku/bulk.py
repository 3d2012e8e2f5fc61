"""Making thousands of values at once, without the collector of cycles walking over them meanwhile.

Python looks for cycles whenever some hundred more objects live than before. What is read or
written in bulk holds none, and all of it lives until it is written: so every look is in vain, and
together they took a sixth of a large save (docs/adr/0096).

The rule this module guards: **the collector is stopped for one batch at a time, and only around
our own code**, so for some 20 ms; and not at all where somebody else has stopped it.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def uncollected() -> Iterator[None]:
    """Do without looks for cycles in a block that makes many values and keeps them."""
    if not gc.isenabled():
        yield
        return
    try:
        gc.disable()
        yield
    finally:
        gc.enable()
