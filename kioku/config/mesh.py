"""How a machine takes part in the mesh: ``mode``, ``[mesh]`` and ``[zenoh]`` of the config file.

Read by what touches the network and by nothing else: a save passes over both tables unread, so it
neither waits for them nor fails for what is wrong in them (docs/adr/0079). Two rules are guarded:

- Nobody listens where other machines reach it, without credentials, unless ``insecure`` was said.
- What is passed on to Zenoh has nothing that JSON cannot say; what kioku fixes itself is refused by
  the transport, which knows it.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kioku.config.checks import MODES, Fault, Found, fault_of, show
from kioku.config.endpoints import Endpoint, parse_endpoint
from kioku.config.sources import collect
from kioku.errors import ConfigError
from kioku.log.private import PRIVATE_SPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kioku.config.sources import Collected

ENDPOINTS_MAX: Final = 16
"""Of a kind: two hubs are usual, and each that is down is dialled again and again."""
SPACES_MAX: Final = 32
"""Of one node: each is a store, a connection and an exchange of its own."""
MACHINE_LENGTH_MAX: Final = 32
DEFAULT_LISTEN: Final = Endpoint("127.0.0.1").text
WHAT_INSECURE_MEANS: Final = (
    "without credentials whoever reaches that address can read and change the whole memory"
)
_MACHINE: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
_NOT_IN_MACHINE: Final = re.compile(r"[^a-z0-9]+")
_NESTED_MAX: Final = 16  # levels of tables that are passed on; Zenoh's own has five
_CONFIG: Final = ("listen", "connect", "spaces", "machine", "insecure")


class MeshConfig(NamedTuple):
    """How this machine takes part; every value has passed its check, endpoints are in one form.

    Attributes:
        mode: ``local`` (it does not), ``hub`` or ``spoke``.
        listen: where a hub listens; nothing of a spoke.
        connect: the hubs that are dialled, in order.
        spaces: the spaces that are shared, as somebody said; without a word a hub shares all that
            are here and not private, and a spoke takes the one that its hubs have.
        machine: the name under which the others know this machine.
        is_insecure: whether somebody accepted what ``WHAT_INSECURE_MEANS`` says.
        zenoh: other settings of Zenoh.
        sources: where each stands, by the name it has in the file.
    """

    mode: str
    listen: tuple[str, ...]
    connect: tuple[str, ...]
    spaces: tuple[str, ...]
    machine: str
    is_insecure: bool
    zenoh: Mapping[str, Any]
    sources: Mapping[str, str]

    @property
    def exposed(self) -> tuple[str, ...]:
        """Where it listens that other machines reach: nothing protects these."""
        return tuple(text for text in self.listen if not parse_endpoint(text).is_loopback)


class MeshArguments(NamedTuple):
    """What the command line says; None and ``()`` are what it does not say."""

    mode: str | None = None
    listen: Sequence[str] = ()
    connect: Sequence[str] = ()
    spaces: Sequence[str] = ()
    insecure: bool | None = None


NO_ARGUMENTS: Final = MeshArguments()


def load_mesh(environ: Mapping[str, str], arguments: MeshArguments = NO_ARGUMENTS) -> MeshConfig:
    """Decide how this machine takes part.

    Raises:
        ConfigError: a setting cannot be used; names where it stands and the remedy.
    """
    collected = collect(environ, {})
    decided = decide(collected, arguments)
    faults = [*collected.faults, *decided.faults]
    if faults:
        raise ConfigError(faults[0].message)
    return decided.config


class Decided(NamedTuple):
    """How this machine takes part, as far as what stands there can be used, and what cannot."""

    config: MeshConfig
    faults: list[Fault]
    path: str


def decide(collected: Collected, arguments: MeshArguments = NO_ARGUMENTS) -> Decided:
    """Bring together what the command line, the file and the defaults say."""
    path = str(collected.found["config_path"].value)
    table = collected.tables.get("mesh", {})
    reader = _Reader(f"config file {path}")
    said = reader.arguments(arguments)
    for name, value in table.items():
        if name not in said:
            said[name] = reader.value(name, value)
        else:
            reader.value(name, value)  # overruled, but what is wrong with it is told
    zenoh = collected.tables.get("zenoh", {})
    reader.check_zenoh(zenoh)
    mode = collected.found["mode"]
    if arguments.mode is not None:
        mode = Found(arguments.mode, "argument")
    given = {name: found for name, found in said.items() if found is not None}
    config = _config(mode, given, zenoh, collected)
    if not reader.faults and mode.value in MODES:
        reader.faults += _faults_together(config)
    return Decided(config, reader.faults, path)


def machine_name(host: str) -> str:
    """The name of a machine in the mesh, made of its host's: ``[a-z0-9-]{1,32}``."""
    name = _NOT_IN_MACHINE.sub("-", host.lower()).strip("-")
    return name[:MACHINE_LENGTH_MAX].rstrip("-") or "machine"


class _Said(NamedTuple):
    """A value of the table in the form in which it is used, and where it stands."""

    value: Any
    source: str


class _Reader:
    """Reads values one by one and keeps what is wrong with them."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.faults: list[Fault] = []

    def arguments(self, arguments: MeshArguments) -> dict[str, _Said | None]:
        """What the command line says, by the names of the file."""
        said: dict[str, _Said | None] = {}
        for name in ("listen", "connect", "spaces"):
            if values := list(getattr(arguments, name)):
                said[name] = self.value(name, values, source="argument")
        if arguments.insecure is not None:
            said["insecure"] = _Said(arguments.insecure, "argument")
        return said

    def value(self, name: str, value: Any, *, source: str = "") -> _Said | None:
        """One value, checked; None if it cannot be used, which is kept as a fault."""
        source = source or self._source
        read = _READERS.get(name)
        if read is None:
            wrong = f"is unknown; remove it (known: {', '.join(_CONFIG)})"
            self._fault(name, value, source, wrong)
            return None
        try:
            return _Said(read(value), source)
        except ValueError as error:
            self._fault(name, value, source, str(error))
            return None

    def check_zenoh(self, table: Mapping[str, Any]) -> None:
        """Refuse what JSON cannot say, a date or a number that is none, and what is fixed."""
        from kioku.transport.zenoh_settings import check_overrides

        for name, value in table.items():
            if not _is_plain_json(value, _NESTED_MAX):
                self._fault(name, "…", self._source, "is nothing that Zenoh can be told", "zenoh")
                continue
            try:
                check_overrides({name: value})
            except ConfigError as error:
                message = f"{self._source}: {error}"
                self.faults.append(Fault(f"zenoh.{name}", "…", self._source, message))

    def _fault(self, name: str, value: Any, source: str, wrong: str, table: str = "mesh") -> None:
        place = source if source == "argument" else f"{source}: {table}.{show(name).strip(QUOTE)}"
        place = f"--{_OPTIONS.get(name, name)}" if source == "argument" else place
        shown = show(value if isinstance(value, str) else str(value))
        self.faults.append(Fault(f"{table}.{name}", shown, source, f"{place}: {wrong}"))


QUOTE: Final = "'"
_OPTIONS: Final = {"spaces": "space"}


def _config(
    mode: Found, said: Mapping[str, _Said], zenoh: Mapping[str, Any], collected: Collected
) -> MeshConfig:
    found = collected.found
    is_hub, is_spoke = mode.value == "hub", mode.value == "spoke"
    values = {name: one.value for name, one in said.items()}
    if is_spoke and said.get("listen", _NOT_SAID).source != "argument":
        values.pop("listen", None)  # of the hub that this machine was, or is at other times
    sources = {name: said[name].source if name in said else "default" for name in _CONFIG}
    return MeshConfig(
        mode=str(mode.value),
        listen=values.get("listen", (DEFAULT_LISTEN,) if is_hub else ()),
        connect=values.get("connect", ()),
        spaces=values.get("spaces", ()),
        machine=values.get("machine", machine_name(str(found["pc_id"].value))),
        is_insecure=values.get("insecure", False),
        zenoh=MappingProxyType(dict(zenoh)),
        sources=MappingProxyType({"mode": mode.source, **sources}),
    )


_NOT_SAID: Final = _Said(None, "default")


def _faults_together(config: MeshConfig) -> Iterator[Fault]:
    """What is wrong with values that are each right."""
    if config.mode == "local":
        return
    if config.mode == "spoke" and not config.connect:
        yield _together(
            config, "connect", "a spoke needs the address of its hub: --connect ADDRESS"
        )
    if config.mode == "spoke" and config.listen:
        yield _together(config, "listen", "a spoke listens nowhere; --mode hub does")
    if both := set(config.listen) & set(config.connect):
        yield _together(config, "connect", f"{min(both)} is this hub itself; name another")
    if PRIVATE_SPACE in config.spaces:
        yield _together(config, "spaces", "the space private is never shared; leave it out")
    if config.exposed and not config.is_insecure:
        yield _together(config, "listen", exposure(config.exposed[0]))


def exposure(endpoint: str) -> str:
    """Why an endpoint needs ``--insecure``, and what else there is."""
    return (
        f"{endpoint} is reached from other machines, and {WHAT_INSECURE_MEANS}; if all of that"
        " network may, say --insecure (`insecure = true`), else listen on 127.0.0.1"
    )


def _together(config: MeshConfig, name: str, wrong: str) -> Fault:
    source = config.sources[name]
    place = "" if source in ("argument", "default") else f"{source}: mesh.{name}: "
    value = getattr(config, name)
    return Fault(f"mesh.{name}", show(", ".join(value)), source, place + wrong)


# -- what each value may be ---------------------------------------------------------------------


def _texts(value: Any) -> list[str]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise ValueError("is not a text, nor a list of texts; put each in quotes")
    return values


def _endpoint(text: str) -> Endpoint:
    try:
        return parse_endpoint(text)
    except ValueError as error:
        raise ValueError(f"{show(text)} {error}") from None


def _listen(value: Any) -> tuple[str, ...]:
    return _distinct((_endpoint(text).text for text in _texts(value)), ENDPOINTS_MAX)


def _connect(value: Any) -> tuple[str, ...]:
    endpoints = [(text, _endpoint(text)) for text in _texts(value)]
    for text, endpoint in endpoints:
        if endpoint.is_every_address:
            raise ValueError(f"{show(text)} is an address to listen on; name one machine's")
    return _distinct((endpoint.text for _, endpoint in endpoints), ENDPOINTS_MAX)


def _spaces(value: Any) -> tuple[str, ...]:
    names = _texts(value)
    for name in names:
        if fault := fault_of("space", Found(name, "argument")):
            raise ValueError(fault.message.removeprefix("space: "))
    return _distinct(names, SPACES_MAX)


def _machine(value: Any) -> str:
    is_name = isinstance(value, str) and 1 <= len(value) <= MACHINE_LENGTH_MAX
    if not is_name or not set(value) <= _MACHINE:
        raise ValueError(f"is not 1 to {MACHINE_LENGTH_MAX} of a-z, 0-9 and -; change it")
    return str(value)


def _insecure(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(  # noqa: TRY004 - what a file says is no argument of a wrong type
            "is neither true nor false; write it without quotes"
        )
    return value


def _distinct(values: Iterable[str], count_max: int) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(values))
    if len(found) > count_max:
        raise ValueError(f"has {len(found)} values; {count_max} are the most")
    return found


def _is_plain_json(value: Any, depth: int) -> bool:
    if isinstance(value, dict):
        return depth > 0 and all(_is_plain_json(one, depth - 1) for one in value.values())
    if isinstance(value, list):
        return depth > 0 and all(_is_plain_json(one, depth - 1) for one in value)
    return isinstance(value, str | bool | int) or (
        isinstance(value, float) and abs(value) < float("inf")
    )


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "listen": _listen,
    "connect": _connect,
    "spaces": _spaces,
    "machine": _machine,
    "insecure": _insecure,
}
