"""What is here already and looks like a credential: found, and erased.

A save takes credentials out; but what other machines saved comes in as it is, and what an older
kioku saved is here. So all bodies are looked at that are: those that win and those that an edit or
a tombstone left behind, and the reasons of tombstones too.

Erasing keeps the words if it can: ``redact_secrets`` says them anew without the credential and
then retracts every event that holds one, here and, as they hear of it, on every other machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kioku.errors import InvalidObservationError, NotFoundError
from kioku.log.draft import retracts
from kioku.log.event import SAVE, TOMBSTONE, EventId
from kioku.memory.forgetting import ERASURE_WAIT_MS
from kioku.memory.handle import Handle
from kioku.memory.intake import key_of_id
from kioku.observation import UnreadableBodyError, decode_body, encode_body
from kioku.replica import Draft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kioku.log.store import Entry
    from kioku.memory.results import FoundSecret
    from kioku.replica import Reading, Transaction

BATCH: Final = 1_000  # bodies of one read transaction: some 5 ms
_COUNT: Final = "SELECT count(*) FROM event WHERE body IS NOT NULL AND kind IN (1, 2)"
_BODIES: Final = f"""
    SELECT event, kind, key, body FROM event
    WHERE event > ? AND body IS NOT NULL AND kind IN (1, 2) ORDER BY event LIMIT {BATCH}"""
_COUNTING: Final = frozenset({"wins", "older"})


class Scanning(Handle):
    """Looking for credentials in what is here."""

    def scan_secrets(
        self, progress: Callable[[int, int], object] | None = None
    ) -> list[FoundSecret]:
        """Give every credential that anything here looks to hold: all versions, deleted ones too.

        In the order in which they came in. What was erased or is missing here cannot be looked at.

        Args:
            progress: called with (done, total) bodies, about 1,000 at a time.

        Cost: some 10 µs for each version.
        """
        found: list[FoundSecret] = []
        last = done = 0
        total = 0
        while True:
            with self._replica.reading(now_ms=self.now_ms()) as reading:
                if not last:
                    total = int(reading.connection.execute(_COUNT).get)
                rows: Any = reading.connection.execute(_BODIES, (last,)).fetchall()
                for row in rows:
                    found += _found(reading, *row)
            if not rows:
                return found
            last, done = rows[-1][0], done + len(rows)
            if progress is not None:
                progress(done, max(done, total))

    def redact_secrets(self, id: str) -> int:
        """Erase the versions of an observation that hold credentials; its words stay without them.

        The last version is said anew, redacted, and after it, unchanged, what supersedes it; then
        those that hold one are retracted: erased here at once and elsewhere as soon as it is heard
        of. Who it is known to must replace the credential all the same.

        Returns:
            How many versions were erased; 0 if none holds one, or the last cannot be said anew: a
            newer kioku wrote it, it waits for its writer's clock, or it has a private part without
            an end. ``purge`` erases those too.

        Raises:
            NotFoundError: if nothing here is about this id.
            StoreBusyError: as of ``purge``.
        """
        key, now_ms = key_of_id(id), self.now_ms()
        with self._replica.transaction(now_ms=now_ms) as transaction:
            erased = _redact(transaction, key, now_ms)
        if erased:
            self._replica.finish_erasure(ERASURE_WAIT_MS)
        return erased


def _found(
    reading: Reading, event: int, kind: int, key: bytes, body: bytes
) -> Iterator[FoundSecret]:
    from kioku.secrets import must_screen

    if not must_screen(body, ""):
        return
    from kioku.memory.results import FoundSecret
    from kioku.secrets.detection import find
    from kioku.secrets.hints import hint_of

    winner = None
    for field, text in _texts(kind, body):
        for one in find(text):
            winner = winner or reading.winner(key)
            yield FoundSecret(
                id=key.hex(),
                kind=one.kind,
                field=field,
                start=one.start,
                hint=hint_of(text[one.start : one.end]),
                is_current=winner is not None and winner.event_id == event,
            )


def _texts(kind: int, body: bytes) -> Iterator[tuple[str, str]]:
    """All texts of a body; one that this kioku cannot read is looked at as it is."""
    from kioku.secrets.texts import texts_of

    try:
        observation = decode_body(body) if kind == SAVE else None
    except UnreadableBodyError:
        observation = None
    if observation is not None:
        yield from texts_of(observation)
    else:
        yield "reason" if kind == TOMBSTONE else "body", body.decode("utf-8", "replace")


def _redact(transaction: Transaction, key: bytes, now_ms: int) -> int:
    versions = transaction.versions(key)
    if not versions:
        raise NotFoundError(f"{key.hex()}: nothing here is about this id")
    counting = [one.entry for one in versions if one.status in _COUNTING]
    holding = [entry for entry in counting if _holds(entry)]
    if not holding:
        return 0
    if counting[0] is holding[0]:
        hiding = _hiding(transaction, holding[0], now_ms)
        try:
            anew = _said_anew(holding[0])
            transaction.append([anew, *(Draft(SAVE, each.key, each.body) for each in hiding)])
        except (UnreadableBodyError, InvalidObservationError):
            return 0
    targets = [EventId(entry.log_id, entry.seq, entry.hash) for entry in holding]
    transaction.append(list(retracts(targets)))
    return len(holding)


def _hiding(transaction: Transaction, winner: Entry, now_ms: int) -> list[Entry]:
    """What supersedes an observation, what supersedes that, and so on, in the order of stamps.

    It must be said again, too: what is said last is not superseded by what was said before.
    """
    from kioku.view.search import superseders

    found: dict[bytes, Entry] = {}
    waiting = [winner]
    while waiting:
        for digits in superseders(transaction.connection, waiting.pop().event_id, now_ms):
            newer = transaction.winner(bytes.fromhex(digits))
            if newer is not None and newer.key not in found:
                found[newer.key] = newer
                waiting.append(newer)
    return sorted(found.values(), key=lambda each: each.order)


def _holds(entry: Entry) -> bool:
    from kioku.secrets.detection import find

    return entry.body is not None and any(find(text) for _, text in _texts(entry.kind, entry.body))


def _said_anew(winner: Entry) -> Draft:
    """What a winner says, without the credential.

    Raises:
        UnreadableBodyError, InvalidObservationError: if this kioku cannot say it.
    """
    from kioku.secrets import screened, screened_text
    from kioku.secrets.screening import REDACT

    assert winner.body is not None, "a body that was looked at"
    if winner.kind == TOMBSTONE:
        reason = screened_text("reason", winner.body.decode("utf-8", "replace"), REDACT)
        return Draft(TOMBSTONE, winner.key, reason.encode() or None)
    observation = screened(decode_body(winner.body), REDACT)
    return Draft(SAVE, winner.key, encode_body(observation))
