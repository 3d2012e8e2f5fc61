"""The aliases of projects as they are kept: observations like any other.

So an alias travels, is deleted and brought back, and has a history, by the laws that hold for all.
It is told by its tag (the view has an index of those few); its names are in ``extra``, and what is
malformed is no alias. It counts while it can be read: neither deleted nor expired nor held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.errors import NotFoundError
from kioku.memory import change, recall
from kioku.memory.intake import from_fields
from kioku.observation import from_unix_ms
from kioku.project.aliases import Alias, ProjectNames
from kioku.secrets.gate import ALLOW
from kioku.view.schema import ALIAS, IS_ALIAS

if TYPE_CHECKING:
    from kioku.memory.intake import Author
    from kioku.observation import Observation
    from kioku.replica import Reading, Transaction

ALIASES_MAX: Final = 1_000  # the greatest of them count: some milliseconds for each search
EXTRA: Final = "project_alias"

_ALIASES: Final = f"""
    SELECT record.event FROM record JOIN event e ON e.event = record.event
    JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log
    WHERE {IS_ALIAS} AND NOT held AND (expires_ms IS NULL OR expires_ms > ?)
    ORDER BY record.hlc DESC, l.log_id DESC, e.seq DESC, e.hash DESC LIMIT {ALIASES_MAX}"""


class Kept(NamedTuple):
    """An alias, and the observation that says so."""

    alias: Alias
    observation: Observation


class Writer(NamedTuple):
    """Who says it, when, and the key of what is said anew."""

    author: Author
    now_ms: int
    new_key: bytes


def read_aliases(reading: Reading, now_ms: int) -> list[Kept]:
    """Give the aliases that can be read, the greatest first. Cost: 20 µs for each."""
    found = []
    rows: Any = reading.connection.execute(_ALIASES, (now_ms,)).fetchall()
    for (event,) in rows:
        one = recall.read_event(reading, event)
        said = one and _said(one.observation)
        if one and said:
            place = one.entry
            order = (place.hlc, place.log_id, place.seq, place.hash)
            found.append(Kept(Alias(order, *said), one.observation))
    return found


def _said(observation: Observation) -> tuple[str, str] | None:
    """Give the name and what it is another name of; None if this is no alias."""
    said: Any = observation.extra.get(EXTRA)
    if not isinstance(said, dict):
        return None
    name, of = said.get("name"), said.get("of")
    if isinstance(name, str) and isinstance(of, str) and name and of:
        return name, of
    return None


def read_names(reading: Reading, now_ms: int) -> ProjectNames:
    """Give what the aliases add up to."""
    return ProjectNames(kept.alias for kept in read_aliases(reading, now_ms))


def require_alias(reading: Reading, name: object, now_ms: int) -> None:
    """Raise NotFoundError unless ``name`` is another name of some project."""
    if not any(kept.alias.name == name for kept in read_aliases(reading, now_ms)):
        raise NotFoundError(f"{name}: is not another name of any project")


def declare(transaction: Transaction, name: str, of: str, *, writer: Writer) -> bool:
    """Say that ``name`` is another name of ``of``; False if that is so already.

    There is one observation for a name: if there is one already it is edited. Where ``of`` was
    another name of ``name``, that is taken back, so that no circle is left to be cut.
    """
    aliases = read_aliases(transaction, writer.now_ms)
    names = ProjectNames(kept.alias for kept in aliases)
    if names.next_of(name) == of:
        return False
    if names.leads_to(of, name):
        withdraw(transaction, of, writer.now_ms)
    said = {
        "content": f'"{name}" is another name of the project "{of}".',
        "project": of,
        "extra": {EXTRA: {"name": name, "of": of}},
    }
    known = [kept.observation.id for kept in aliases if kept.alias.name == name]
    if known:
        change.edit(transaction, bytes.fromhex(known[0]), said, now_ms=writer.now_ms, secrets=ALLOW)
        return True
    fields = {**said, "memory_type": "config", "tags": (ALIAS,)}
    observation = from_fields(fields, writer.author, now=from_unix_ms(writer.now_ms))
    change.save(transaction, [change.prepare(observation, writer.new_key, secrets=ALLOW)])
    return True


def withdraw(transaction: Transaction, name: str, now_ms: int) -> None:
    """Take back every alias of ``name``."""
    for kept in read_aliases(transaction, now_ms):
        if kept.alias.name == name:
            change.delete(transaction, bytes.fromhex(kept.observation.id), None)
