"""``kioku-mcp``: the name under which agents will start kioku's MCP server.

This version has no server yet. The command is installed so that its name and the name of its extra
are settled (docs/adr/0001); it answers ``--help`` and ``--version`` and otherwise says what is
missing. Standard output belongs to the protocol, so nothing but a requested help text or version
goes there; refusals go to standard error. The MCP SDK is looked up, never imported: importing it
takes longer than everything that this module does.
"""

from __future__ import annotations

import sys
from importlib import metadata, util

_HELP = """\
usage: kioku-mcp [--help] [--version]

The MCP stdio server of kioku. This version does not have it yet: use the `kioku` command
or `import kioku`.
"""
_NO_SDK = "kioku-mcp: the MCP SDK is not installed; pip install 'kioku-log[mcp]'"
_NO_SERVER = "kioku-mcp: this version has no MCP server yet; use the `kioku` command"


def main(argv: list[str] | None = None) -> int:
    """Answer ``--help`` and ``--version``; else refuse in one line on standard error, exit 1."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments in (["-h"], ["--help"]):
        print(_HELP, end="")
        return 0
    if arguments == ["--version"]:
        print(f"kioku-mcp {metadata.version('kioku-log')}")
        return 0
    if arguments:
        print(f"kioku-mcp: unknown arguments: {' '.join(arguments)}; see --help", file=sys.stderr)
        return 2
    print(_NO_SERVER if util.find_spec("mcp") else _NO_SDK, file=sys.stderr)
    return 1
