"""How a node takes part in the mesh, decided before it starts.

The rule this module guards: a ``MeshSettings`` cannot be built wrong, so the node checks nothing
again. It reads no config: whoever starts a node builds one from the file, the environment or
arguments.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from kioku.config.mesh import MACHINE_LENGTH_MAX
from kioku.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kioku.config.mesh import MeshConfig

Role = Literal["hub", "spoke"]
ENDPOINTS_MAX: Final = 16
"""Of each kind: a spoke dials a few hubs; more is a mistake, and each is tried in turn."""

_MACHINE = re.compile(rf"[a-z0-9-]{{1,{MACHINE_LENGTH_MAX}}}")
_ENDPOINT = re.compile(r"[a-z0-9][a-z0-9_-]*/\S+")


class MeshSettings(NamedTuple):
    """Who this machine is in the mesh, and how it gets there; ``mesh_settings`` makes a sound one.

    ``listen`` and ``connect`` are endpoints such as ``tcp/127.0.0.1:7447``. ``spaces`` are the
    names that were chosen; empty on a hub for all that are here and not private, on a spoke for
    the one that its hubs have. ``insecure`` allows a hub to listen beyond this machine without
    encryption. ``zenoh`` is laid over what kioku asks of Zenoh.
    """

    role: Role
    machine: str
    listen: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    spaces: tuple[str, ...] = ()
    insecure: bool = False
    zenoh: Mapping[str, Any] = MappingProxyType({})


def mesh_settings(
    role: str,
    machine: str,
    *,
    listen: tuple[str, ...] = (),
    connect: tuple[str, ...] = (),
    spaces: tuple[str, ...] = (),
    insecure: bool = False,
    zenoh: Mapping[str, Any] | None = None,
) -> MeshSettings:
    """Give settings whose values have all been checked.

    Raises:
        ConfigError: if one cannot be used; says which and what to do.
    """
    if role not in ("hub", "spoke"):
        raise ConfigError(f"role: {role!r} is neither hub nor spoke; say one of them")
    if not _MACHINE.fullmatch(machine):
        raise ConfigError(
            f"machine: {machine!r} is not 1 to {MACHINE_LENGTH_MAX} of a-z, 0-9 and -;"
            " choose another name"
        )
    _check_endpoints("listen", listen)
    _check_endpoints("connect", connect)
    if role == "spoke" and listen:
        raise ConfigError("listen: only a hub listens; make this machine a hub, or say connect")
    if role == "hub" and not listen:
        raise ConfigError("listen: a hub needs an endpoint, as tcp/127.0.0.1:7447; give one")
    if role == "spoke" and not connect:
        raise ConfigError("connect: a spoke needs a hub's endpoint, as tcp/hub:7447; give one")
    return MeshSettings(
        role="hub" if role == "hub" else "spoke",
        machine=machine,
        listen=listen,
        connect=connect,
        spaces=spaces,
        insecure=insecure,
        zenoh=MappingProxyType(dict(zenoh or {})),
    )


def settings_from(config: MeshConfig) -> MeshSettings:
    """Give what the config file, and arguments over it, say of this machine.

    Raises:
        ConfigError: if it takes no part in the mesh.
    """
    if config.mode == "local":
        raise ConfigError(
            "this machine takes no part in a mesh; give it a hub to connect to, or kioku init"
        )
    return mesh_settings(
        config.mode,
        config.machine,
        listen=config.listen,
        connect=config.connect,
        spaces=config.spaces,
        insecure=config.is_insecure,
        zenoh=config.zenoh,
    )


def _check_endpoints(name: str, endpoints: tuple[str, ...]) -> None:
    if len(endpoints) > ENDPOINTS_MAX:
        raise ConfigError(f"{name}: {len(endpoints)} endpoints; give at most {ENDPOINTS_MAX}")
    for endpoint in endpoints:
        if not _ENDPOINT.fullmatch(endpoint):
            raise ConfigError(
                f"{name}: {endpoint!r} is no endpoint; write it as tcp/192.0.2.7:7447"
            )
