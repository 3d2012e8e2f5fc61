"""Logs that became trees, in words that a person understands.

A log has one writer, so it forks only when its store was copied or set back unseen and both went
on. Nothing is lost by it: both ends are kept, sent on and shown. Whoever writes it notices when it
hears of the other end, closes the log and begins another that names it as its parent; so a fork is
settled once such a successor is here that began after the newest of its ends was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.doctor.report import Check
from kioku.errors import MalformedMessageError
from kioku.log.payload import decode_genesis
from kioku.wording import counted

if TYPE_CHECKING:
    import apsw

    from kioku.memory import Memory

SHOWN_MAX: Final = 5

# The branches of logs that have several; the newest stamp of each, and who wrote them.
_BRANCHES: Final = """SELECT l.log_id, l.name, count(*), max((SELECT e.hlc FROM event e
        WHERE e.branch = b.branch ORDER BY e.seq DESC LIMIT 1)),
    max(EXISTS(SELECT 1 FROM own o WHERE o.log = l.log))
    FROM branch b JOIN log l ON l.log = b.log GROUP BY l.log HAVING count(*) > 1 ORDER BY l.log"""
_BIRTHS: Final = """SELECT e.hlc, e.body FROM branch b JOIN event e ON e.branch = b.branch
    AND e.seq = 1 WHERE b.first_seq = 1"""


class Fork(NamedTuple):
    """A log with several branches; ``newest`` is the greatest stamp at an end of one."""

    log_id: bytes
    name: str
    branches: int
    newest: int
    is_ours: bool


def check_forks(memory: Memory) -> Check:
    """Find logs that forked and are written on, and say what that means. Cost: O(logs)."""
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        forks = _forks(reading.connection)
        successors = _successors(reading.connection) if forks else {}
    if not forks:
        return Check("forks", "pass", "every log has one end")
    restless = [fork for fork in forks if successors.get(fork.log_id, 0) <= fork.newest]
    if not restless:
        summary = f"{_listed(forks)}; each was noticed and closed, and all of it is kept"
        return Check("forks", "pass", summary)
    where = "here and wherever the copy is" if any(f.is_ours for f in restless) else "there"
    return Check(
        "forks",
        "warn",
        f"{_listed(restless)}: a store was copied or set back, and both copies went on writing as"
        " one; nothing is lost, but until they notice, each goes on in the other's name",
        f"let kioku serve run {where} until both have met; use kioku backup and kioku restore"
        " rather than copies",
    )


def _forks(connection: apsw.Connection) -> list[Fork]:
    rows: Any = connection.execute(_BRANCHES).fetchall()
    return [Fork(log, name, ends, hlc or 0, bool(own)) for log, name, ends, hlc, own in rows]


def _successors(connection: apsw.Connection) -> dict[bytes, int]:
    """When the last successor of each log began that a genesis names as a parent."""
    began: dict[bytes, int] = {}
    rows: Any = connection.execute(_BIRTHS).fetchall()
    for hlc, body in rows:
        try:
            parents = decode_genesis(body).parents
        except MalformedMessageError:  # damage, which another check is for
            continue
        for parent in parents:
            began[parent.log_id] = max(began.get(parent.log_id, 0), hlc)
    return began


def _listed(forks: list[Fork]) -> str:
    told = [
        f"the log {fork.log_id.hex()[:8]} of {fork.name} has {fork.branches} ends"
        for fork in forks[:SHOWN_MAX]
    ]
    more = [f"and {counted(len(forks) - SHOWN_MAX, 'more log')}"] if len(forks) > SHOWN_MAX else []
    return ", ".join(told + more)
