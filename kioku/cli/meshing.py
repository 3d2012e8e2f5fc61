"""What the verbs of the mesh share: how this machine takes part, and a node made from that."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from kioku.cli.arguments import space_names
from kioku.cli.parser import CommandError, argument
from kioku.errors import PrivateSpaceError

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.config import Settings
    from kioku.config.mesh import MeshConfig
    from kioku.node.node import Node
    from kioku.node.seat import NodeSpace

LISTEN = argument(
    "--listen",
    metavar="EP",
    action="append",
    help="listen here, as a hub, in place of what the config file says; repeatable",
)
CONNECT = argument(
    "--connect",
    metavar="EP",
    action="append",
    help="dial this hub, in place of what the config file says; repeatable",
)
INSECURE = argument(
    "--insecure",
    action="store_true",
    help="accept that whoever reaches this hub can read and change the whole memory",
)
MESH_SPACES = argument(
    "--space",
    metavar="NAME",
    dest="spaces",
    action="extend",
    type=space_names,
    help="the space to share, several as a comma list, in place of what the config file says",
)


class Taking(NamedTuple):
    """How this machine takes part: its settings, those of the mesh, and the spaces by name."""

    settings: Settings
    config: MeshConfig
    spaces: tuple[str, ...]
    is_chosen: bool


def taking(arguments: Namespace, *, mode: str | None = None) -> Taking:
    """Decide how this machine takes part, by the command line and the config file.

    Raises:
        ConfigError: a setting cannot be used.
        CommandError: nothing says that it takes part.
    """
    from kioku.config import load_settings
    from kioku.config.mesh import MeshArguments, load_mesh

    settings = load_settings(os.environ)
    listen = tuple(getattr(arguments, "listen", None) or ())
    connect = tuple(getattr(arguments, "connect", None) or ())
    said = MeshArguments(
        mode=mode or _mode(settings.mode, listen, connect),
        listen=listen,
        connect=connect,
        spaces=tuple(_named(arguments)),
        insecure=getattr(arguments, "insecure", False) or None,
    )
    config = load_mesh(os.environ, said)
    if config.mode == "local":
        raise CommandError(
            "this machine takes no part in a mesh: nothing says where to listen, nor whom to dial",
            hint="kioku init --mode hub, or kioku init --mode spoke --connect ADDRESS",
        )
    spaces = config.spaces or _unnamed(settings, config)
    is_chosen = bool(config.spaces) or settings.sources["space"] != "default"
    return Taking(settings, config, spaces, is_chosen=is_chosen)


def _mode(mode: str, listen: tuple[str, ...], connect: tuple[str, ...]) -> str | None:
    """What the addresses that were typed make of a machine; None to leave it as it is."""
    if listen:
        return "hub"
    return "spoke" if connect and mode == "local" else None


def _named(arguments: Namespace) -> list[str]:
    several = getattr(arguments, "spaces", None)
    one = getattr(arguments, "space", None)
    return several or ([one] if one else [])


def _unnamed(settings: Settings, config: MeshConfig) -> tuple[str, ...]:
    """The spaces of a node that nobody named any to: see ``MeshConfig.spaces``."""
    if config.mode == "spoke":
        return (settings.space,)
    from kioku.memory.spaces import spaces_of

    found = {one.name for one in spaces_of(settings) if not one.is_private and not one.problem}
    return tuple(sorted(found | {settings.space}))


def make_node(found: Taking) -> Node:
    """A node of these spaces, which does nothing yet; a store that is not there is made by it.

    Raises:
        PrivateSpaceError: if one of them is private.
        ConfigError: if ``[zenoh]`` says what it may not; names the key.
    """
    from kioku.cli.verbs import version
    from kioku.memory.opening import create_directory
    from kioku.node.node import Node
    from kioku.node.settings import settings_from

    create_directory(found.settings.state_dir)
    spaces = [_node_space(found, name) for name in found.spaces]
    for space in spaces:
        if space.is_private():
            raise PrivateSpaceError(space.name)
    return Node(settings_from(found.config), spaces, version=version())


def _node_space(found: Taking, name: str) -> NodeSpace:
    from kioku.config import store_path
    from kioku.log.database import BESIDE_TIMEOUT_MS
    from kioku.memory.opening import open_replica
    from kioku.node.seat import NodeSpace

    path = store_path(found.settings.state_dir, name)
    return NodeSpace(
        name=name,
        path=path,
        open=lambda: open_replica(
            path, found.settings, space=name, busy_timeout_ms=BESIDE_TIMEOUT_MS
        ),
        is_chosen=found.is_chosen,
    )
