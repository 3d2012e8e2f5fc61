"""What a memory writes: each function is one step inside a transaction that the caller holds.

Reading and writing share the transaction, so what is decided by what is there (edit, delete,
undelete, an import) stays right however many processes write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import InvalidArgumentError, InvalidObservationError, NotFoundError
from kioku.log import hlc
from kioku.log.event import PURGE, SAVE, TOMBSTONE
from kioku.memory import intake
from kioku.memory.recall import is_alive, read_shown, time_of, with_versions
from kioku.observation import body_fields, encode_body, from_unix_ms, key_of, unix_ms
from kioku.observation.layout import encode_fields
from kioku.replica import Draft
from kioku.secrets import must_screen, screened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kioku.log.store import Entry
    from kioku.observation import Observation
    from kioku.replica import Transaction


class Prepared(NamedTuple):
    """An observation whose every rule has been checked, the body that carries it and its fields.

    ``is_new``: it had no id. ``stamp`` is set only for an import that keeps its times.
    """

    observation: Observation
    key: bytes
    body: bytes
    fields: Mapping[int, Any]
    is_new: bool
    stamp: int | None = None


_LAST_MS: Final = hlc.unix_ms(hlc.STAMP_LIMIT - 1)


def prepare(
    observation: Observation, new_key: bytes, *, secrets: str, keep_times: bool = False
) -> Prepared:
    """Check an observation; one without an id gets ``new_key``. What the policy of ``secrets``
    takes out of it is out of all that is given.

    Raises:
        InvalidObservationError: if a field breaks its rule.
    """
    fields = body_fields(observation)
    body = encode_fields(fields)
    if must_screen(body, secrets):
        observation = screened(observation, secrets)
        fields = body_fields(observation)
        body = encode_fields(fields)
    if not observation.id:
        return Prepared(observation, new_key, body, fields, is_new=True)
    moment = observation.updated_at or observation.created_at
    stamp = hlc.pack(min(unix_ms(moment), _LAST_MS)) if keep_times and moment else None
    key = key_of(observation.id)
    return Prepared(observation, key, body, fields, is_new=False, stamp=stamp)


IF_DUPLICATE: Final = ("save", "return")


def returns_duplicates(if_duplicate: object) -> bool:
    """Whether a duplicate is given instead of saved; a word that is neither is refused."""
    if if_duplicate not in IF_DUPLICATE:
        raise InvalidArgumentError(
            f"if_duplicate: {if_duplicate!r} is neither {' nor '.join(IF_DUPLICATE)}"
        )
    return if_duplicate == "return"


def save(transaction: Transaction, items: Sequence[Prepared]) -> list[Observation]:
    """Append observations and give them as they were saved; an import's old ones are left out."""
    items = [item for item in items if item.is_new or _is_wanted(transaction, item)]
    drafts = [Draft(SAVE, item.key, item.body, item.stamp, item.fields) for item in items]
    entries = transaction.append(drafts)
    for item, entry in zip(items, entries, strict=True):
        _complete(item.observation, entry)
    return [
        item.observation if item.is_new else with_versions(transaction, item.key, item.observation)
        for item in items
    ]


def _is_wanted(transaction: Transaction, item: Prepared) -> bool:
    """Whether an import brings news; a save of a purged id is a mistake that nothing would show."""
    if transaction.is_purged(item.key):
        if item.stamp is None:
            raise InvalidObservationError("id", f"{item.key.hex()} was purged, for ever")
        return False
    winner = transaction.winner(item.key)
    return item.stamp is None or winner is None or hlc.unix_ms(winner.hlc) < hlc.unix_ms(item.stamp)


_set: Final = object.__setattr__


def _complete(observation: Observation, entry: Entry) -> None:
    """Fill in what only the event knows.

    In place, although the value is frozen: it was made for this save and nobody has seen it yet,
    and a second value with two other fields would cost more than all of its body.
    """
    _set(observation, "id", entry.key.hex())
    _set(observation, "updated_at", time_of(entry.hlc))


def edit(
    transaction: Transaction,
    key: bytes,
    changes: Mapping[str, Any],
    *,
    now_ms: int,
    secrets: str,
) -> Observation:
    """Append what a reader sees of a key with ``changes``, and give it.

    All of it is screened, also what stays: it is said anew, in an event of ours.
    """
    current = read_shown(transaction, key)
    if current is None:
        raise NotFoundError(f"{key.hex()}: no observation that can be read here has this id")
    edited = intake.with_changes(current, changes, now=from_unix_ms(now_ms))
    if not is_alive(edited, now_ms):
        raise NotFoundError(f"{key.hex()}: has expired; give it another expires_at")
    body = encode_body(edited)
    if must_screen(body, secrets):
        edited = screened(edited, secrets)
        body = encode_body(edited)
    [entry] = transaction.append([Draft(SAVE, key, body)])
    _complete(edited, entry)
    return with_versions(transaction, key, edited)


def delete(transaction: Transaction, key: bytes, reason: bytes | None) -> None:
    """Append a tombstone over what is here, also over what has expired or is not readable."""
    winner = transaction.winner(key)
    is_here = transaction.shown(key) is not None if winner is None else winner.kind == SAVE
    if not is_here:
        raise NotFoundError(f"{key.hex()}: no observation here that is not deleted has this id")
    transaction.append([Draft(TOMBSTONE, key, reason)])


def undelete(transaction: Transaction, key: bytes) -> Observation:
    """Append the last readable version of a deleted observation again, byte for byte."""
    from kioku.memory.history import last_readable

    winner = transaction.winner(key)
    if winner is not None and winner.kind == SAVE:
        raise InvalidArgumentError(f"{key.hex()}: is not deleted")
    last = last_readable(transaction, key) if winner else None
    if last is None:
        raise NotFoundError(f"{key.hex()}: no deleted version of it can be read any more")
    observation, body = last
    [entry] = transaction.append([Draft(SAVE, key, body)])
    _complete(observation, entry)
    return with_versions(transaction, key, observation)


def purge(transaction: Transaction, key: bytes) -> bool:
    """Append a purge unless there is one, and say whether any body of the key was here."""
    had_copy = any(version.entry.body is not None for version in transaction.versions(key))
    if not transaction.is_purged(key):
        transaction.append([Draft(PURGE, key)])
    return had_copy
