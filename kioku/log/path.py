"""Paths through a log's tree: from its genesis to one event, branch by branch.

A log is nearly always one branch, and then a path is one segment. After a clone it is

    branch 1   1──2──3──4──5            the path to 5' is  [(1, 1..3), (2, 4..5)]
    branch 2         └──4'─5'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kioku.errors import StoreCorruptError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kioku.log.event import EventId
    from kioku.log.store import LogStore


class Segment(NamedTuple):
    """Events ``first`` to ``last`` of one branch, both included."""

    branch: int
    first: int
    last: int


class Path:
    """The way from a log's genesis to one of its events, ascending."""

    def __init__(self, store: LogStore, goal: EventId) -> None:
        """Find the path to a stated tip.

        Raises:
            StoreCorruptError: if that event is not in the file any more.
        """
        log = store.log(goal.log_id)
        assert log is not None, "the goal is an event that is held"
        self.store = store
        self.goal = goal
        branches = {branch.branch: branch for branch in store.branches(log.log)}
        found = store.positions(log.log, goal.seq, goal.seq).get((goal.seq, goal.hash))
        if found is None:
            raise StoreCorruptError(
                f"log {goal.log_id.hex()} seq {goal.seq}: is not what was sealed;"
                " run kioku doctor --deep"
            )
        number: int | None = found[0]
        last = goal.seq
        segments: list[Segment] = []
        while number is not None:
            if number not in branches or (segments and number >= segments[-1].branch):
                raise StoreCorruptError(
                    f"log {goal.log_id.hex()}: its branches are damaged; run kioku doctor --deep"
                )
            branch = branches[number]
            segments.append(Segment(number, branch.first_seq, last))
            last = branch.first_seq - 1
            number = branch.parent
        self.segments = segments[::-1]

    def has(self, seq: int, digest: bytes) -> bool:
        """Whether an event lies on this path."""
        for segment in self.segments:
            if segment.first <= seq <= segment.last:
                return self.store.hash_at(segment.branch, seq) == digest
        return False

    def hash_before(self, seq: int) -> bytes | None:
        """Give the hash of the event before ``seq`` on this path; None before the first."""
        for segment in self.segments:
            if segment.first <= seq - 1 <= segment.last:
                return self.store.hash_at(segment.branch, seq - 1)
        return None

    def after(self, seq: int) -> Iterator[Segment]:
        """Give the segments of the path past ``seq``."""
        for segment in self.segments:
            if segment.last > seq:
                yield segment._replace(first=max(segment.first, seq + 1))

    def seals(self, seq: int, limit: int) -> list[tuple[int, bytes]]:
        """Give up to ``limit`` seals past ``seq``, ascending: (seq, signature)."""
        out: list[tuple[int, bytes]] = []
        for segment in self.after(seq):
            out += self.store.connection.execute(
                "SELECT seq, signature FROM seal WHERE branch = ? AND seq BETWEEN ? AND ?"
                " ORDER BY seq LIMIT ?",
                (segment.branch, segment.first, segment.last, limit - len(out)),
            )
            if len(out) >= limit:
                break
        return out

    def last_seal(self, seq: int) -> int:
        """Give the greatest sealed seq up to ``seq``; 0 if there is none."""
        for segment in reversed(self.segments):
            if segment.first <= seq:
                sealed = self.store.connection.execute(
                    "SELECT max(seq) FROM seal WHERE branch = ? AND seq <= ?",
                    (segment.branch, min(seq, segment.last)),
                ).get
                if sealed is not None:
                    return int(sealed)
        return 0

    def split_from(self, other: Path) -> int:
        """Give the seq of the last event that two paths of one log share; 0 if they share none."""
        shared = 0
        for mine, theirs in zip(self.segments, other.segments, strict=False):
            if mine.branch != theirs.branch:
                break
            shared = min(mine.last, theirs.last)
        return shared


def start_of(path: Path, known: Iterable[EventId]) -> tuple[int, bool]:
    """Give the seq after which a replica needs what is on a path, if it holds ``known``.

    Where its tip lies on the path, that tip; where it lies on another branch, the last seal up to
    the split, for what is sent must begin at a seal. Tips that are not held here say nothing.
    The second value is whether the replica may lack that seal, though it holds the event.
    """
    start, lacks_seal = 0, False
    for tip in known:
        if path.has(tip.seq, tip.hash):
            seq, may_lack = tip.seq, False
        elif path.store.find(tip) is not None:
            seq, may_lack = path.last_seal(path.split_from(Path(path.store, tip))), True
        else:
            continue
        if seq > start:
            start, lacks_seal = seq, may_lack
    return start, lacks_seal
