"""Whether it is worth asking a store if others wrote to it: twenty times a second, so for nothing.

Asking SQLite takes a lock and runs code that has long left the processor's caches; over the day
that was most of what an idle node cost. But whoever commits writes to the file ``<store>-wal``
first, so while that file is as it was, there is nothing to ask for:

    frames are written ──► (fsync) ──► the commit is seen ──► …     a commit, in another process
            │ mtime changes                  │ data_version changes
            ▼                                ▼
    asked at every look for a while: it may be seen only then, and one that comes within the same
    tick of the file's clock shows in no mtime of its own

The rule this module guards: **what is not seen by the file is seen within a second**, for a disk
may take longer to sync than we go on asking, and a clock that was set back may show an old time.
"""

from __future__ import annotations

import os
from typing import Final

DOUBT_MS: Final = 1_000
"""How long a file that was written to is doubted, and the longest that a store is not asked."""

_Stamp = tuple[int, int, int]


class Looking:
    """Looks at one store's write-ahead log; not safe to share between threads."""

    def __init__(self, path: str) -> None:
        """``path`` is the store's; nothing is looked at yet."""
        self._path = f"{path}-wal"
        self._stamp: _Stamp | None = None
        self._doubted_until_ms = 0
        self._asked_ms: int | None = None

    def is_touched(self, now_ms: int) -> bool:
        """Whether the file was written to of late. Cost: a ``stat``."""
        stamp = _stamp_of(self._path)
        if stamp is None or stamp != self._stamp:
            self._stamp = stamp
            self._doubted_until_ms = now_ms + DOUBT_MS
        return now_ms < self._doubted_until_ms

    def is_due(self, now_ms: int) -> bool:
        """Whether the store is to be asked now; whoever is told so does ask."""
        is_due = self.is_touched(now_ms)
        if self._asked_ms is None or now_ms - self._asked_ms >= DOUBT_MS:
            is_due = True
        if is_due:
            self._asked_ms = now_ms
        return is_due


def _stamp_of(path: str) -> _Stamp | None:
    """What changes when the file is written to; None if it cannot be told."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
