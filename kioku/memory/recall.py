"""Observations as they come back: from the event that a reader may see to the value it gets.

Every read of ``Memory`` goes through here, so that what is never shown (deleted, purged, without
a body, not decodable) is decided in one place: a reader gets an observation or None.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.log import hlc
from kioku.log.event import slot_of
from kioku.memory.versions import LAST, WRITERS, count_last_words
from kioku.observation import UnreadableBodyError, decode_body, from_unix_ms, unix_ms
from kioku.secrets import with_marks

if TYPE_CHECKING:
    from dataclasses import replace
    from datetime import datetime

    from kioku.log.store import Entry
    from kioku.observation import Observation
    from kioku.replica import Reading
    from kioku.view.filter import Filter
else:
    from kioku.values import replace

_STANDING: Final = f"SELECT EXISTS (SELECT 1 FROM held WHERE event = ?), ({WRITERS})"


class Found(NamedTuple):
    """An observation and the event that it stands for, which places it among others."""

    entry: Entry
    observation: Observation


def newest(reading: Reading, *, wanted: Filter, limit: int, now_ms: int) -> list[Found]:
    """Give the observations whose last change has the greatest stamps, the greatest first."""
    from kioku.view.search import recent

    matches = recent(reading.connection, filter=wanted, limit=limit, now_ms=now_ms)
    found = (read_event(reading, match.event_id) for match in matches)
    return [one for one in found if one is not None]


def read_event(reading: Reading, event_id: int) -> Found | None:
    """Give what an event says that a record of the view stands for."""
    entry = reading.entry(event_id)
    if entry.body is None:
        return None
    row = (event_id, slot_of(entry.key), LAST)
    held, versions = reading.connection.execute(_STANDING, row).fetchone() or (0, 1)
    if versions > 1:
        versions = count_last_words(reading.connection, entry.key)
    observation = read(entry.body, entry.key, entry.hlc, is_held=bool(held))
    if observation is None:
        return None
    if versions != observation.versions:
        observation = replace(observation, versions=versions)
    return Found(entry, observation)


def read(body: bytes, key: bytes, stamp: int, *, is_held: bool = False) -> Observation | None:
    """Give what an event's body says; None if this kioku cannot read it (doctor counts those).

    It says which credentials the body looks to hold: nobody took those out, or it is another's.
    """
    try:
        observation = decode_body(body, id=key.hex(), updated_at=time_of(stamp), is_held=is_held)
    except UnreadableBodyError:
        return None
    return with_marks(observation, body)


def read_shown(reading: Reading, key: bytes) -> Observation | None:
    """Give what a reader may see of a key, expired or not; None if there is nothing."""
    shown = reading.shown(key)
    observation = shown and read(shown.body, key, shown.hlc, is_held=shown.held)
    return observation and with_versions(reading, key, observation)


def with_versions(reading: Reading, key: bytes, observation: Observation) -> Observation:
    """Say how many last words there are on a key, of those that can be read here."""
    count = count_last_words(reading.connection, key)
    return observation if count == observation.versions else replace(observation, versions=count)


def time_of(stamp: int) -> datetime:
    """Give the moment (aware, UTC) that a stamp belongs to."""
    return from_unix_ms(hlc.unix_ms(stamp))


def is_alive(observation: Observation, now_ms: int) -> bool:
    """Whether it has not expired."""
    return observation.expires_at is None or unix_ms(observation.expires_at) > now_ms
