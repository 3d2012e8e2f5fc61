"""A memory: what an agent knows, saved, found and forgotten over one replica of a space.

The rule this package guards: **saving never needs anybody else, and what was acknowledged is
there**. Each call is one transaction or one read; nothing is kept between calls but the open
replica, so any number of threads and processes share one store. What the steps do is in ``intake``
and ``change`` (writing), ``recall`` and ``history`` (reading) and ``retention``.
"""

from __future__ import annotations

from kioku.memory.finding import Finding
from kioku.memory.following import Following
from kioku.memory.forgetting import Forgetting
from kioku.memory.projects import Projects
from kioku.memory.saving import Saving
from kioku.memory.scanning import Scanning
from kioku.memory.sharing import Sharing
from kioku.memory.syncing import Synced


class Memory(Saving, Finding, Forgetting, Scanning, Projects, Sharing, Following, Synced):
    """One open store; ``kioku.open`` gives it, ``close`` or leaving its ``with`` ends it.

    Safe to share between threads. After ``close`` every call raises ``ReplicaClosedError``.
    """
