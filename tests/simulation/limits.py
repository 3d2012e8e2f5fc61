"""Limits that are small, so that a hundred events take as many chunks and asks as a million do.

Nothing but how much goes into one chunk and one question is another: every rule stays as it is.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Final
from unittest import mock

from kioku.log import owner, transfer
from kioku.node import comparing
from kioku.transport import session
from kioku.transport.limits import Limits

CHUNK_BYTES: Final = 1_000
"""About three observations."""
LIMITS: Final = Limits(first_credit_bytes=2_000, credit_bytes=64 * 1024)


def small_chunks() -> ExitStack:
    """Let chunks and credit be small until the block ends."""
    stack = ExitStack()
    for module in (owner, transfer):
        stack.enter_context(mock.patch.object(module, "PAYLOAD_BYTES_MAX", CHUNK_BYTES))
    for name in ("SHARE_BYTES_MIN", "FEW_EVENTS_BYTES"):
        stack.enter_context(mock.patch.object(session, name, CHUNK_BYTES))
    small_session = partial(session.Session, limits=LIMITS)
    stack.enter_context(mock.patch.object(comparing, "Session", small_session))
    return stack
