"""What stands for a key and how that changes: the values that the fold speaks in.

Nothing here reads a store: the fold brings rows, these say what they add up to. ``winning`` is the
law of ``lww_set`` for one key; a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from kioku.crdt.lww_set import CANDIDATE_KINDS
from kioku.log.event import SAVE, slot_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import apsw

    from kioku.log.store import Entry

WINS: Final = 1
SHOWN_WHILE_HELD: Final = 2


class Shown(NamedTuple):
    """What a reader may see of a key; its body is here."""

    event_id: int
    log_id: bytes
    seq: int
    hlc: int
    hash: bytes
    body: bytes
    held: bool


class Change(NamedTuple):
    """How what is shown of a key changes; ``before``'s body can still be read.

    ``fields`` is what ``after``'s body says, where who encoded it a moment ago has said so too.
    """

    key: bytes
    before: Shown | None
    after: Shown | None
    fields: Mapping[int, Any] | None = None


class Outcome(NamedTuple):
    """What folding a batch did: for the view, for erasure, and for the caller's counts."""

    changes: list[Change]
    erased: list[int]
    held: int


class Standing(NamedTuple):
    """A version of a key and how it stands: ``wins`` as in the table."""

    entry: Entry
    wins: int
    is_held: bool
    is_retracted: bool

    @property
    def status(self) -> str:
        """How it stands, in one word; a purge of its key is not seen from here."""
        if self.is_retracted:
            return "retracted"
        if self.entry.kind not in CANDIDATE_KINDS:
            return "unknown"
        if self.is_held:
            return "held"
        return "wins" if self.wins == WINS else "older"


def shown_of(current: tuple[Entry, int] | None) -> Shown | None:
    """Give what a reader may see of what stands for a key: a save whose body is here."""
    if current is None:
        return None
    (event_id, log_id, seq, hlc, kind, _, digest, body), wins = current
    if kind != SAVE or body is None:
        return None
    return Shown(event_id, log_id, seq, hlc, digest, body, wins == SHOWN_WHILE_HELD)


def winning(standings: Iterable[Standing]) -> tuple[int, int] | None:
    """Apply the law to all versions of a key, the greatest first: (wins, event row) or None."""
    first_held: int | None = None
    for standing in standings:
        entry = standing.entry
        if entry.kind not in CANDIDATE_KINDS or standing.is_retracted:
            continue
        if not standing.is_held:
            return WINS, entry.event_id
        if first_held is None:
            first_held = entry.event_id
    return None if first_held is None else (SHOWN_WHILE_HELD, first_held)


Known = Mapping[bytes, Mapping[int, Any]]
"""Bodies that this process has just encoded, and their fields."""
NOTHING_KNOWN: Final[Known] = {}


def compare(
    best: dict[bytes, Entry],
    current: dict[bytes, tuple[Entry, int]],
    known: Known = NOTHING_KNOWN,
) -> tuple[list[Change], set[int], list[tuple[bytes, int, int]]]:
    """Hold new events against what stands: the changes, the winners, the rows they beat."""
    changes, wins, beaten = [], set(), []
    for key, entry in best.items():
        standing = current.get(key)
        if standing is not None:
            if standing[1] == WINS and standing[0].order >= entry.order:
                continue
            beaten.append((slot_of(key), standing[1], standing[0].event_id))
        wins.add(entry.event_id)
        before = None if standing is None else shown_of(standing)
        after = shown_of((entry, WINS))
        if before is not None or after is not None:
            fields = known.get(after.body) if after is not None else None
            changes.append(Change(key, before, after, fields))
    return changes, wins, beaten


class View(Protocol):
    """What queries read, kept level with the fold inside each writing transaction."""

    version: int
    """When the stored one differs, the view is built anew from the log."""

    def create(self, connection: apsw.Connection) -> None:
        """Create the tables, if they are not there."""

    def clear(self, connection: apsw.Connection) -> None:
        """Remove every row."""

    def apply(self, connection: apsw.Connection, changes: Sequence[Change]) -> None:
        """Follow what is shown of some keys; each ``before`` is what the view holds of it."""

    def scrub(self, connection: apsw.Connection) -> None:
        """Rewrite what deleted rows have left behind in the view's own tables, if anything."""
