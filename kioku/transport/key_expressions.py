"""Key expressions: how an address is written on the wire, and how one that came in is read.

The rule this module guards: what is not exactly one of ours never becomes an ``Address``. Whoever
can reach a hub can invent keys, so they are read by one expression that is matched whole, and
anything else, wildcards included, is ``None`` (DESIGN §8).

    kioku/1/<space id, 32 hex digits>/<machine>/<log id, 32 hex digits>/<kind>
    kioku/1/spaces/<machine>/<log id>
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from kioku.errors import InvalidArgumentError
from kioku.transport.link import PUT_KINDS, QUERY_KINDS, Address, PutKind, QueryKind

ID_BYTES: Final = 16
ALL_SPACES: Final = "kioku/1/spaces/*/*"

_MACHINE: Final = re.compile("[a-z0-9-]{1,32}")
_KEY: Final = re.compile(
    f"kioku/1/([0-9a-f]{{32}})/({_MACHINE.pattern})/([0-9a-f]{{32}})"
    f"/({'|'.join(PUT_KINDS + QUERY_KINDS)})"
)
_OF_PUTS: Final[dict[str, PutKind]] = {kind: kind for kind in PUT_KINDS}
_OF_QUERIES: Final[dict[str, QueryKind]] = {kind: kind for kind in QUERY_KINDS}


class PutKey(NamedTuple):
    """What a put came under: its sender and its kind."""

    sender: Address
    kind: PutKind


def checked(address: Address) -> Address:
    """Give an address back that can be written.

    Raises:
        InvalidArgumentError: if its ids are not 16 bytes, or its machine has no name of the mesh.
    """
    for name, value in (("space id", address.space_id), ("log id", address.log_id)):
        if len(value) != ID_BYTES:
            raise InvalidArgumentError(f"{name}: {len(value)} bytes; give {ID_BYTES}")
    if not _MACHINE.fullmatch(address.machine):
        raise InvalidArgumentError(
            f"machine: {address.machine!r} is not 1 to 32 of a-z, 0-9 and -; choose another name"
        )
    return address


def of_one(address: Address, kind: PutKind | QueryKind) -> str:
    """Give the key of one kind of message of one replica."""
    return f"{_of(address)}/{kind}"


def of_all_kinds(address: Address) -> str:
    """Give the expression that covers whatever is asked of one replica."""
    return f"{_of(address)}/*"


def of_all_puts(space_id: bytes) -> str:
    """Give the expression that covers whatever the replicas of a space publish."""
    return f"kioku/1/{space_id.hex()}/*/*/*"


def of_spaces(machine: str, log_id: bytes) -> str:
    """Give the key under which a hub says which spaces it has."""
    return f"kioku/1/spaces/{machine}/{log_id.hex()}"


def read_put(key: str) -> PutKey | None:
    """Read what a put came under, or None if no replica of ours can have written it."""
    parts = _KEY.fullmatch(key)
    kind = _OF_PUTS.get(parts[4]) if parts else None
    if parts is None or kind is None:
        return None
    return PutKey(Address(bytes.fromhex(parts[1]), parts[2], bytes.fromhex(parts[3])), kind)


def read_query(key: str, asked: Address) -> QueryKind | None:
    """Read what ``asked`` is asked for, or None if it is nothing that can be asked of it alone."""
    beginning = f"{_of(asked)}/"
    return _OF_QUERIES.get(key.removeprefix(beginning)) if key.startswith(beginning) else None


def _of(address: Address) -> str:
    return f"kioku/1/{address.space_id.hex()}/{address.machine}/{address.log_id.hex()}"
