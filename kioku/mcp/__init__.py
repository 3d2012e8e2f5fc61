"""``kioku-mcp``: the name under which agents start kioku's MCP server.

It answers ``--help`` and ``--version``, refuses what it cannot do in a line on standard error, and
else hands the process over to ``process``. The MCP SDK takes longer to import than all of the rest
takes to run, so nothing here imports it. Standard output belongs to the protocol: nothing but a
requested help text or version is printed there.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argparse import Namespace

PROFILES: Final = ("all", "agent", "read-only")

_NO_SDK: Final = "kioku-mcp: the MCP SDK is not installed; pip install 'kioku-log[mcp]'"
_TERMINAL: Final = """\
kioku-mcp: this is a server for agents, which start it and speak MCP with it; a terminal cannot.
Register it with `kioku mcp install --client NAME` (`kioku mcp list` shows the clients),
use `kioku` to save and search yourself; --help shows the options.
"""
_EPILOG: Final = """\
It speaks MCP over standard input and output, and ends when its input does. Who saves comes from the
environment (KIOKU_AGENT_FAMILY, KIOKU_CLIENT_ID, KIOKU_SESSION_ID) and the config file, else from
the client that connects; the project is the repository that the client works in.
"""


def main(argv: list[str] | None = None) -> int:
    """Serve until the client is gone; the exit code is 2 for what cannot be a server's start."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        options = _parsed(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    if sys.stdin is not None and sys.stdin.isatty():
        print(_TERMINAL, end="", file=sys.stderr)
        return 2
    from importlib import util

    if util.find_spec("mcp") is None:
        print(_NO_SDK, file=sys.stderr)
        return 1
    from kioku.mcp import process

    return process.serve(options.tools, tuple(options.space))


def _parsed(arguments: list[str]) -> Namespace:
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    parser = ArgumentParser(
        prog="kioku-mcp",
        description="The MCP server of kioku, a shared memory for agents.",
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    parser.add_argument(
        "--tools",
        choices=PROFILES,
        default="all",
        help="what is offered: all tools (the default), what agents need most, or what only reads",
    )
    parser.add_argument(
        "--space",
        action="append",
        default=[],
        metavar="NAME",
        help="a space that may be used, the first is the one that saves go to; may be repeated,"
        " `all` stands for every space that is not private (default: the configured one alone)",
    )
    options = parser.parse_args(arguments)
    if options.version:
        from importlib import metadata

        print(f"kioku-mcp {metadata.version('kioku-log')}")
        parser.exit()
    return options
