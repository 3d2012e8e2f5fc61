"""What a node tells of itself: frozen values, and how they cross to another process.

The rule this module guards: **what one process tells is what the other reads**, or an error. The
classes that may cross are a table; a field that the other side does not know is left out, and one
that it misses is an error that says that the two are of different versions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kioku.errors import TransportError
from kioku.node.inbox import InboxStatistics
from kioku.node.statistics import EngineStatistics, PeerStatistics
from kioku.transport.link import Address
from kioku.wording import no_hub

if TYPE_CHECKING:
    from collections.abc import Iterable

State = Literal["standby", "joining", "leading", "failed", "stopped"]


class SpaceStatus(NamedTuple):
    """One space of a node.

    ``state``: ``standby`` (another process leads, or nobody does yet), ``joining`` (it waits for
    its hubs to say which space it is), ``leading``, ``failed`` (tried again later), ``stopped``.
    ``problem`` says what a person should know, ``""`` for nothing.
    """

    name: str
    path: str
    space_id: bytes
    state: State
    problem: str = ""
    engine: EngineStatistics | None = None
    inbox: InboxStatistics | None = None

    @property
    def is_level(self) -> bool:
        """Whether all that any reachable peer has is here, and the other way round."""
        return self.engine is not None and self.engine.is_level


class NodeStatus(NamedTuple):
    """A node as it is now, or was ``age_ms`` ago, while its loop is busy.

    ``transport``: ``idle`` (nothing is led here), ``dialling``, ``open``, ``closed``. ``routers``
    are the identities of those reached directly. ``rebuilds`` counts connections that stood and
    led nowhere.
    """

    pid: int
    version: str
    machine: str
    role: str
    listen: tuple[str, ...]
    connect: tuple[str, ...]
    uptime_ms: int
    transport: str
    problem: str
    identity: bytes
    routers: tuple[bytes, ...]
    rebuilds: int
    spaces: tuple[SpaceStatus, ...]
    age_ms: int = 0

    @property
    def is_cut_off(self) -> bool:
        """Whether this is a spoke that no hub answers, over a connection that stood."""
        return self.role == "spoke" and self.transport == "open" and not self.routers

    @property
    def remark(self) -> str:
        """What a person should know, ``""`` for nothing: ``problem``, or that it is cut off."""
        return self.problem or (no_hub(self.connect) if self.is_cut_off else "")

    def space_at(self, path: str) -> SpaceStatus | None:
        """Give the status of the space whose store has this path, links followed."""
        return next((space for space in self.spaces if space.path == path), None)

    def to_json(self) -> Any:
        """Give what JSON can say, for ``from_json`` in another process."""
        return _packed(self)

    @classmethod
    def from_json(cls, data: Any) -> NodeStatus:
        """Read what ``to_json`` gave.

        Raises:
            TransportError: if it is none, or of another kioku.
        """
        try:
            found = _unpacked(data)
        except (AttributeError, LookupError, TypeError, ValueError):
            found = None
        if not isinstance(found, cls):
            raise TransportError("the node is of another version of kioku; restart it")
        return found


# -- between processes

_KINDS = (NodeStatus, SpaceStatus, InboxStatistics, EngineStatistics, PeerStatistics, Address)
_BY_NAME: Mapping[str, Any] = {kind.__name__: kind for kind in _KINDS}


def _packed(value: Any) -> Any:
    """Give a value as JSON has it; what JSON has no word for is an object with one key."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    if type(value) in _KINDS:
        fields = {name: _packed(getattr(value, name)) for name in _fields_of(type(value))}
        return {type(value).__name__: fields}
    if isinstance(value, Mapping):
        return {"map": {name: _packed(one) for name, one in value.items()}}
    if isinstance(value, frozenset):
        return {"set": [_packed(one) for one in sorted(value)]}
    return [_packed(one) for one in value]


def _unpacked(data: Any) -> Any:
    if isinstance(data, list):
        return tuple(map(_unpacked, data))
    if not isinstance(data, dict):
        return data
    [(name, inner)] = data.items()
    if name == "hex":
        return bytes.fromhex(inner)
    if name == "map":
        return {key: _unpacked(one) for key, one in inner.items()}
    if name == "set":
        return frozenset(map(_unpacked, inner))
    kind = _BY_NAME[name]
    known = set(_fields_of(kind))
    return kind(**{field: _unpacked(one) for field, one in inner.items() if field in known})


def _fields_of(kind: Any) -> Iterable[str]:
    names: Iterable[str] = getattr(kind, "_fields", None) or kind.__slots__
    return names
