"""What ``kioku doctor`` asks of a store: is every invariant kept that one file can show?

Shallow, it counts what is waiting: held events, missing bodies, erasures due. Deep, it reads every
event again: each hashes, each links to the one before, no seq is skipped, every body matches its
commitment, every seal verifies, nothing erased is left, and what is derived is what a fold from
scratch gives. It changes nothing; a finding about what is derived says that ``rebuild`` mends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kioku.crdt.standing import SHOWN_WHILE_HELD, WINS, winning
from kioku.errors import BadSealError, StoreCorruptError
from kioku.log.erasure import count_due
from kioku.log.event import ZERO_HASH, EventId, header_prefix, is_as_written
from kioku.log.hlc import DRIFT_MS_MAX, unix_ms
from kioku.log.private import is_private
from kioku.log.seal import log_id_of, verify
from kioku.log.store import Branch, LogRow, check_body
from kioku.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kioku.transaction import Core

NEWEST: Final = 100
"""Events of our own log that a shallow look verifies: under a millisecond."""
SHOWN_MAX: Final = 5
"""Places that one finding names; it says how many more there are."""

REBUILD: Final = "run kioku rebuild: it derives all of that from the log again"
RESTORE: Final = (
    "restore a backup beside it, or ingest another replica's export; nothing is lost yet"
)


# What no walk along the branches meets, and a fold of all events would.
_STRAYS: Final = """SELECT count(*) FROM event e LEFT JOIN branch b ON b.branch = e.branch
    LEFT JOIN log l ON l.log = b.log WHERE l.log IS NULL OR e.seq < b.first_seq"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: ``status`` is ``pass``, ``warn`` or ``fail``."""

    name: str
    status: str
    summary: str
    hint: str = ""


def check_store(core: Core, *, deep: bool, now_ms: int) -> list[Finding]:
    """Check a store inside a read transaction; ``deep`` reads all of it (about 50 µs an event)."""
    findings = [
        _guarded("own log", lambda: _own_log(core)),
        _guarded("held", lambda: _waiting(core, now_ms)),
        _guarded("missing", lambda: _missing(core)),
        _guarded("erasures", lambda: _erasures(core)),
    ]
    if deep:
        findings += [*check_written(core), _finding("fold", _fold_problems(core), REBUILD)]
    return findings


def check_written(core: Core) -> list[Finding]:
    """Check all that is written, and not what a rebuild derives from it (10 µs an event)."""
    checks: tuple[tuple[str, Callable[[Core], Iterator[str]], str], ...] = (
        ("file", _file_problems, RESTORE),
        ("chain", _chain_problems, RESTORE),
        ("seals", _seal_problems, RESTORE),
        ("frontier", _frontier_problems, REBUILD),
        ("erased", _erased_problems, REBUILD),
        ("absent", _absent_problems, RESTORE),
    )
    return [_finding(name, check(core), hint) for name, check, hint in checks]


def _guarded(name: str, check: Callable[[], Finding]) -> Finding:
    """Make a finding of whatever a check of a damaged store raises."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - as below
        return Finding(name, "fail", f"cannot be read ({type(error).__name__}: {error})", RESTORE)


def _finding(name: str, problems: Iterator[str], hint: str) -> Finding:
    found: list[str] = []
    more = 0
    try:
        for problem in problems:
            if len(found) < SHOWN_MAX:
                found.append(problem)
            else:
                more += 1
    except Exception as error:  # noqa: BLE001 - damage can raise anything; it is what we look for
        found.append(f"cannot be read to its end ({type(error).__name__}: {error})")
    if not found:
        return Finding(name, "pass", "every invariant holds")
    tail = f"; and {more} more" if more else ""
    return Finding(name, "fail", "; ".join(found) + tail, hint)


# -- whose log


def _own_log(core: Core) -> Finding:
    """Verify the newest events of our own log: what the next save would be chained to."""
    own = core.owner.current()
    if own is None:
        return Finding("own log", "pass", "none is open")
    first = max(own.branch.first_seq, core.store.tip(own.branch).seq - NEWEST + 1)
    return _finding("own log", _branch_problems(core, own.log, own.branch, first), RESTORE)


# -- what waits


def _waiting(core: Core, now_ms: int) -> Finding:
    """Say what is held: how much, of whom, until when at the latest."""
    rows: Any = core.connection.execute(
        "SELECT l.name, l.log_id, count(*), max(h.hlc)"
        " FROM held h JOIN event e ON e.event = h.event JOIN branch b ON b.branch = e.branch"
        " JOIN log l ON l.log = b.log LEFT JOIN retracted r"
        " ON r.log_id = l.log_id AND r.seq = e.seq AND r.hash = e.hash"
        " WHERE r.hash IS NULL AND e.key NOT IN (SELECT key FROM purged)"
        " GROUP BY l.log ORDER BY max(h.hlc) DESC"
    ).fetchall()
    if not rows:
        return Finding("held", "pass", "no event waits for the clock")
    names = [name for name, *_ in rows]
    shown = [
        f"{count:,} of {name if names.count(name) == 1 else f'{name} (log {log_id.hex()[:8]})'}"
        f" until {_release(newest)}"
        for name, log_id, count, newest in rows
    ]
    more = (
        f"; and of {counted(len(shown) - SHOWN_MAX, 'more log')}" if len(shown) > SHOWN_MAX else ""
    )
    ahead_s = (unix_ms(rows[0][3]) - now_ms) // 1000
    return Finding(
        "held",
        "warn",
        f"events stamped up to {ahead_s:,} s ahead of this clock wait: "
        + "; ".join(shown[:SHOWN_MAX])
        + more,
        "set the clock that is wrong, here or there, and there run kioku doctor --fix-clock;"
        " if that machine is gone, kioku doctor --retract-held NAME takes back what it wrote;"
        " else they take effect when their time has come",
    )


def _release(stamp: int) -> str:
    """When an event takes effect, for people; what no calendar has is given in milliseconds."""
    from datetime import UTC, datetime

    ms = unix_ms(stamp) - DRIFT_MS_MAX
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return f"{ms:,} ms since 1970"


def _missing(core: Core) -> Finding:
    count = core.connection.execute("SELECT count(*) FROM missing").get
    if not count:
        return Finding("missing", "pass", "every body that should be here is")
    return Finding(
        "missing",
        "warn",
        f"{counted(count, 'event')} came without a body",
        "kioku sync asks every machine that is reached; else on one that has them kioku export"
        " FILE, here kioku import FILE",
    )


def _erasures(core: Core) -> Finding:
    due = count_due(core.connection)
    if not due:
        return Finding("erasures", "pass", "what was erased is in no file")
    return Finding(
        "erasures",
        "warn",
        f"{due} erasures wait for readers, or for a store that a restore kept and that is damaged",
        "close the other processes that use these stores, then kioku doctor --fix",
    )


# -- what is written


def _file_problems(core: Core) -> Iterator[str]:
    for (line,) in core.connection.execute("PRAGMA integrity_check(20)"):
        if line != "ok":
            yield str(line)


def _chain_problems(core: Core) -> Iterator[str]:
    for log in core.store.logs():
        if log_id_of(log.public_key) != log.log_id:
            yield f"log {log.log_id.hex()}: the key is not its owner's"
        roots: set[int | None] = {None}
        for branch in core.store.branches(log.log):
            if branch.parent not in roots or (branch.parent is None and branch.first_seq != 1):
                yield f"log {log.log_id.hex()} seq {branch.first_seq}: follows nothing that is here"
            roots.add(branch.branch)
            yield from _branch_problems(core, log, branch, branch.first_seq)
    strays = core.connection.execute(_STRAYS).get
    if strays:
        yield f"{strays:,} events are of no log"


def _branch_problems(core: Core, log: LogRow, branch: Branch, first: int) -> Iterator[str]:
    """Verify a branch from one of its events on."""
    prefix, seq = header_prefix(log.log_id), first - 1
    is_begun = first > branch.first_seq
    prev = core.store.hash_at(branch.branch, seq) if is_begun else _hash_before(core, branch)
    tip = core.store.tip(branch)
    for _, stored_seq, event, digest in core.store.rows(branch.branch, first, tip.seq):
        seq += 1
        where = f"log {log.log_id.hex()} seq {stored_seq}"
        if stored_seq != seq:
            yield f"{where}: events {seq} to {stored_seq - 1} are gone"
            seq = stored_seq
        elif not is_as_written(prefix, seq, prev or ZERO_HASH, event, digest):
            yield f"{where}: does not hash, or does not link to the event before"
        try:
            check_body(EventId(log.log_id, seq, digest), event.commitment, event.salt, event.body)
        except StoreCorruptError:
            yield f"{where}: the body is not what was written"
        prev = digest
    if branch.sealed_seq > tip.seq:
        yield f"log {log.log_id.hex()} seq {branch.sealed_seq}: was sealed, and is gone"


def _hash_before(core: Core, branch: Branch) -> bytes:
    if branch.parent is None:
        return ZERO_HASH
    parent = core.store.branch(branch.parent)
    return core.store.hash_at(parent.branch, branch.first_seq - 1) or ZERO_HASH


def _seal_problems(core: Core) -> Iterator[str]:
    rows: Any = core.connection.execute(
        "SELECT log_id, public_key, s.seq, e.hash, s.signature FROM seal s"
        " JOIN branch USING(branch) JOIN log USING(log)"
        " LEFT JOIN event e ON e.branch = s.branch AND e.seq = s.seq"
    )
    for log_id, public_key, seq, digest, signature in rows:
        try:
            verify(public_key, EventId(log_id, seq, digest or b""), signature)
        except BadSealError as error:
            yield str(error)


def _frontier_problems(core: Core) -> Iterator[str]:
    if is_private(core.connection):
        return  # it states none
    if core.store.frontier().digest() != core.store.digest():
        yield "the digest is not that of the frontier"


def _erased_problems(core: Core) -> Iterator[str]:
    rows: Any = core.connection.execute(
        "SELECT lower(hex(e.key)) FROM event e JOIN purged p ON p.key = e.key"
        " WHERE e.body IS NOT NULL UNION ALL SELECT lower(hex(e.key)) FROM retracted r"
        " JOIN log l ON l.log_id = r.log_id JOIN branch b ON b.log = l.log"
        " JOIN event e ON e.branch = b.branch AND e.seq = r.seq AND e.hash = r.hash"
        " WHERE e.body IS NOT NULL AND e.kind NOT IN (3, 4, 5) AND e.key <> zeroblob(16)"
    )
    for (key,) in rows:
        yield f"{key}: a body is here that was erased"


def _absent_problems(core: Core) -> Iterator[str]:
    """An absent body is known to be missing until it comes, or an event has erased it."""
    rows: Any = core.connection.execute(
        "SELECT l.log_id, e.seq FROM event e JOIN branch b ON b.branch = e.branch"
        " JOIN log l ON l.log = b.log LEFT JOIN retracted r"
        " ON r.log_id = l.log_id AND r.seq = e.seq AND r.hash = e.hash"
        " WHERE e.body IS NULL AND e.commitment IS NOT NULL AND r.hash IS NULL"
        " AND e.event NOT IN (SELECT event FROM missing) AND e.key NOT IN (SELECT key FROM purged)"
    )
    for log_id, seq in rows:
        yield f"log {log_id.hex()} seq {seq}: its body is gone and nothing has erased it"


# -- what is derived


def _fold_problems(core: Core) -> Iterator[str]:
    """Hold every key's winner against the law, asked of all its versions."""
    for key in core.fold.all_keys():
        standings = core.fold.standings(key)
        expected = None if core.fold.is_purged(key) else winning(standings)
        actual = [(s.wins, s.entry.event_id) for s in standings if s.wins in _STANDING]
        if actual != ([] if expected is None else [expected]):
            yield f"{key.hex()}: what is shown is not what its events add up to"
    count = core.connection.execute(
        "SELECT (SELECT count(*) FROM event WHERE key <> zeroblob(16) AND kind <> 3)"
        " - (SELECT count(*) FROM version)"
    ).get
    if count:
        yield f"{count} events are not folded"


_STANDING: Final = (WINS, SHOWN_WHILE_HELD)
