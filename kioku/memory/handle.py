"""What every part of a memory stands on: one open replica, a clock, and who saves.

The clock and the source of ids are arguments, so that a test with a clock of its own drives all
of it; ``opening`` passes the real ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.log.hlc import pack
from kioku.memory.intake import Author

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from kioku.config import Settings
    from kioku.replica import Replica


class Handle:
    """An open store: what it is opened with, and its end."""

    def __init__(
        self,
        replica: Replica,
        settings: Settings,
        *,
        session_id: str,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        """Take over an open replica; ``clock`` gives nanoseconds since 1970."""
        self._replica = replica
        self._settings = settings
        self._clock = clock
        self._random_bytes = random_bytes
        self._author = Author(settings.agent_family, settings.client_id, settings.pc_id, session_id)

    @property
    def session_id(self) -> str:
        """The session that saves belong to unless they name another."""
        return self._author.session_id

    @property
    def author(self) -> Author:
        """Who saves here: agent family, client, host and session."""
        return self._author

    @property
    def secrets(self) -> str:
        """What becomes of credentials that are to be saved: ``redact``, ``refuse`` or ``allow``."""
        return self._settings.secrets

    @property
    def replica(self) -> Replica:
        """The replica below, for what a memory does not offer; it closes with the memory."""
        return self._replica

    def is_private(self) -> bool:
        """Whether its space is private: then no frontier, digest or chunk can be had of it."""
        return self._replica.is_private()

    def close(self) -> None:
        """Close the store; safe to call twice."""
        self._replica.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def now_ms(self) -> int:
        """The time as this memory takes it, in milliseconds since 1970.

        Raises:
            ClockError: if the clock is out of all range.
        """
        ms = self._clock() // 1_000_000
        pack(ms)  # refuses a clock that no stamp can hold, before anything depends on it
        return ms
