"""Chunks out of a store and into one: what is read is checked, what is held is never doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kioku.errors import BrokenChainError, StoreCorruptError
from kioku.log.chunk import (
    CHUNK_BYTES_MAX,
    EVENT_OVERHEAD_BYTES,
    EVENTS_MAX,
    Chunk,
    encode_chunk,
    event_bytes,
    lasting_bytes,
)
from kioku.log.event import (
    BODY_KINDS,
    SALT_BYTES,
    ZERO_HASH,
    Event,
    EventId,
    header_prefix,
    is_as_written,
)
from kioku.log.payload import Genesis, decode_genesis
from kioku.log.private import refuse_private
from kioku.log.store import LogRow, LogStore, check_body

if TYPE_CHECKING:
    from kioku.log.path import Path

PAYLOAD_BYTES_MAX = CHUNK_BYTES_MAX - 512
"""Of the events of a chunk, so that its own fields fit as well."""
PAYLOAD_BYTES_BOUND = CHUNK_BYTES_MAX + EVENTS_MAX * EVENT_OVERHEAD_BYTES
"""What ``event_bytes`` can say at most of the events of a chunk that is within its limit."""


class Run(NamedTuple):
    """Events as they are read for a chunk, with their hashes."""

    first_seq: int
    events: list[Event]
    hashes: list[bytes]


def read_chunk(store: LogStore, path: Path, after: int) -> tuple[bytes, int] | None:
    """Make the chunk that follows ``after`` on a path: its bytes and its last seq.

    It ends at the last seal that the limits of a chunk allow; None at the end of the path.

    Raises:
        StoreCorruptError: if an event does not chain or a body is not what was written.
    """
    if after >= path.goal.seq:
        return None
    run = read_run(store, path, after, PAYLOAD_BYTES_MAX)
    seals = dict(path.seals(after, EVENTS_MAX))
    count = _last_sealed(run, seals)
    if count:
        return _encode(path, run, seals[after + count], count), after + count
    # Another writer may fill a chunk to its last byte, where our bound of its size says no.
    run = read_run(store, path, after, PAYLOAD_BYTES_BOUND)
    count = _first_sealed(run, seals)
    data = _encode(path, run, seals[after + count], count) if count else b""
    if not count or (count > 1 and lasting_bytes(data, run.events[:count]) > CHUNK_BYTES_MAX):
        data, count = _read_stripped(store, path, after, seals)
    return data, after + count


def _read_stripped(
    store: LogStore, path: Path, after: int, seals: dict[int, bytes]
) -> tuple[bytes, int]:
    """Make a chunk up to the next seal although bodies that came later do not fit under it.

    Those that do not fit are left out, to be asked for again.
    """
    count = min(seals, default=after) - after
    if 0 < count <= EVENTS_MAX:
        run = read_run(store, path, after, 0, count=count, room=0)
        data = _encode(path, run, seals[after + count], count)
        room = CHUNK_BYTES_MAX - lasting_bytes(data, run.events)
        if room >= 0:
            run = read_run(store, path, after, 0, count=count, room=room)
            return _encode(path, run, seals[after + count], count), count
    raise StoreCorruptError(
        f"log {path.goal.log_id.hex()} seq {after + 1}: no seal within a chunk's limit"
    )


def read_seal(store: LogStore, path: Path, seq: int) -> bytes:
    """Make the chunk of one sealed event, for a replica that holds it and not its seal."""
    run = read_run(store, path, seq - 1, 0)
    return _encode(path, run, dict(path.seals(seq - 1, 1))[seq], 1)


def _last_sealed(run: Run, seals: dict[int, bytes]) -> int:
    """Count events up to the last seal that surely fits; one event always does. 0 if none does."""
    count, size = 0, 0
    for number, event in enumerate(run.events, 1):
        size += event_bytes(event)
        if number > 1 and size > PAYLOAD_BYTES_MAX:
            break
        if run.first_seq + number - 1 in seals:
            count = number
    return count


def _first_sealed(run: Run, seals: dict[int, bytes]) -> int:
    """Count events up to the first seal; 0 if there is none."""
    numbers = range(1, len(run.events) + 1)
    return next((number for number in numbers if run.first_seq + number - 1 in seals), 0)


def _encode(path: Path, run: Run, signature: bytes, count: int) -> bytes:
    """Make a chunk of the first ``count`` events of a run."""
    return encode_chunk(
        path.goal.log_id,
        run.first_seq,
        path.hash_before(run.first_seq) or ZERO_HASH,
        events=run.events[:count],
        signature=signature,
    )


def read_run(
    store: LogStore,
    path: Path,
    after: int,
    bytes_max: int,
    *,
    count: int = EVENTS_MAX,
    room: int | None = None,
) -> Run:
    """Read and verify up to ``bytes_max`` of events past ``after`` on a path, at least one.

    With ``room``, all ``count`` of them are read, and bodies past that many bytes are left out.

    Raises:
        PrivateSpaceError: if the space is private: this is where every chunk gets its events.
        StoreCorruptError: if one is missing, does not chain or has another body.
    """
    refuse_private(store.connection)
    log_id = path.goal.log_id
    prefix, prev, seq, size = header_prefix(log_id), path.hash_before(after + 1), after, 0
    run = Run(after + 1, [], [])
    prev = prev or ZERO_HASH
    for segment in path.after(after):
        for _, stored_seq, stored, digest in store.rows(*segment):
            seq += 1
            event = stored
            is_full = room is None and size + event_bytes(event) > bytes_max
            if len(run.events) == count or (run.events and is_full):
                return run
            place = EventId(log_id, seq, digest)
            if stored_seq != seq or not is_as_written(prefix, seq, prev, event, digest):
                raise StoreCorruptError(
                    f"log {log_id.hex()} seq {seq}: the chain is broken; run kioku doctor --deep"
                )
            check_body(place, event.commitment, event.salt, event.body)
            size += event_bytes(event)
            if room is not None:
                event, room = _fit(stored, room)
            run.events.append(event)
            run.hashes.append(digest)
            prev = digest
    return run


def _fit(event: Event, room: int) -> tuple[Event, int]:
    """Leave a body out if there is no room for it and it may go; gives the room that is left."""
    body = event.body
    if body is None or event.kind in BODY_KINDS:
        return event, room
    if event.header is None and len(body) <= SALT_BYTES:
        return event, room  # with the commitment in its place, the event would be longer
    if len(body) + 2 * SALT_BYTES > room:
        return event._replace(salt=None, body=None), room
    return event, room - len(body) - 2 * SALT_BYTES


class Placement(NamedTuple):
    """Where a chunk's events go: the first ``held`` are here, the rest extend a branch."""

    log: LogRow | None
    held: list[int]
    absent: list[int]
    branch: int | None
    parent: int | None


def place(store: LogStore, chunk: Chunk) -> Placement:
    """Find what of a chunk is held, and what its new events follow.

    ``held`` gives the row numbers of the events that are here, ``absent`` the indexes of those
    without a body; ``branch`` is what new events extend, or None for a new branch off ``parent``.

    Raises:
        BrokenChainError: if the event before the chunk is not held.
    """
    log = store.log(chunk.log_id)
    if log is None:
        if chunk.first_seq != 1:
            raise BrokenChainError(
                f"log {chunk.log_id.hex()} seq {chunk.first_seq}: nothing before it is held here;"
                " ingest the log's earlier chunks first"
            )
        return Placement(None, [], [], None, None)
    return _place_in(store, chunk, log)


def _place_in(store: LogStore, chunk: Chunk, log: LogRow) -> Placement:
    known = store.positions(log.log, chunk.first_seq - 1, chunk.last.seq)
    held: list[int] = []
    absent: list[int] = []
    before = (chunk.first_seq - 1, chunk.prev)
    for index, digest in enumerate(chunk.hashes):
        found = known.get((chunk.first_seq + index, digest))
        if found is None:
            break
        held.append(found[1])
        if found[2]:
            absent.append(index)
        before = (chunk.first_seq + index, digest)
    if len(held) == len(chunk.hashes):
        return Placement(log, held, absent, known[before][0], None)
    if chunk.first_seq > 1:
        _check_start(store, chunk, known)
    if before[0] == 0:
        return Placement(log, held, absent, None, None)
    branch = known[before][0]
    if store.tip(store.branch(branch)).seq == before[0]:
        return Placement(log, held, absent, branch, None)
    return Placement(log, held, absent, None, branch)


def _check_start(
    store: LogStore, chunk: Chunk, known: dict[tuple[int, bytes], tuple[Any, ...]]
) -> None:
    """Refuse new events that do not begin where a seal is held.

    So two seals are never further apart than a chunk, on any path, and all can be sent on.

    Raises:
        BrokenChainError: if the event before the chunk is not here, or not sealed here.
    """
    found = known.get((chunk.first_seq - 1, chunk.prev))
    if found is None or not store.is_sealed(found[0], chunk.first_seq - 1):
        raise BrokenChainError(
            f"log {chunk.log_id.hex()} seq {chunk.first_seq}: the event before it is not held here,"
            " or not sealed; ingest the log's earlier chunks first"
        )


def add_chunk(store: LogStore, chunk: Chunk, spot: Placement, events: list[Event]) -> int:
    """Store the new events of a placed chunk and its seal; give the first one's row number.

    ``events`` are the chunk's, without the bodies that must not be stored. 0 if none is new.

    Raises:
        LogLimitError: if the log or the space has as many tips as the protocol allows.
    """
    new = len(spot.held)
    first_row = 0
    branch = spot.branch
    if new < len(chunk.hashes):
        if branch is None:
            store.check_room(spot.log)
        log = spot.log or store.add_log(chunk.log_id, genesis_of(chunk))
        first_seq = chunk.first_seq + new
        if branch is None:
            branch = store.add_branch(log.log, spot.parent, first_seq)
        first_row = store.add_events(branch, first_seq, events[new:], chunk.hashes[new:])
    assert branch is not None, "a placed chunk has a branch"
    with store.stating(store.branch(branch).log):
        store.add_seal(branch, chunk.last.seq, chunk.last.hash, chunk.signature)
    return first_row


def genesis_of(chunk: Chunk) -> Genesis:
    """Read the genesis that a log's first chunk begins with."""
    body = chunk.events[0].body
    assert chunk.first_seq == 1, "place refuses a log whose first chunk is not its genesis's"
    assert body is not None, "decode_chunk refuses a genesis without its body"
    return decode_genesis(body)
