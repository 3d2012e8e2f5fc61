"""Which module has which verb, and what is said when no verb was typed.

If you add a verb: add it to its module's ``VERBS``, add its name here, and run ``make docs``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from kioku.cli import render
from kioku.cli.parser import CommandError, Verb

if TYPE_CHECKING:
    from collections.abc import Mapping

# In the order in which help lists them.
MODULES = {
    "init": "keeping",
    "save": "saving",
    "search": "finding",
    "get-memory": "finding",
    "list": "finding",
    "edit": "saving",
    "delete": "forgetting",
    "undelete": "forgetting",
    "purge": "forgetting",
    "history": "finding",
    "gc": "forgetting",
    "status": "keeping",
    "doctor": "keeping",
    "export": "moving",
    "import": "moving",
    "rebuild": "keeping",
    "schema": "explaining",
}


def load(name: str) -> Verb:
    """The verb, importing the module of its family and no other."""
    verbs: Mapping[str, Verb] = import_module("kioku.cli." + MODULES[name]).VERBS
    return verbs[name]


def without_verb(arguments: list[str]) -> int:
    """Answer ``--help`` and ``--version``; everything else is a usage error."""
    first = arguments[0] if arguments else ""
    if first == "--version":
        render.line(f"kioku {version()}")
    elif first == "help" and arguments[1:] and arguments[1] in MODULES:
        return load(arguments[1]).execute(["--help"])
    elif first in ("-h", "--help", "help"):
        render.block(overview())
    elif not first:
        raise CommandError("no verb given", hint="kioku --help")
    else:
        raise CommandError(f"there is no verb {first!r}", hint=_nearest(first))
    return 0


def overview() -> str:
    """What ``kioku --help`` says."""
    names = "\n".join(f"  {name:<12}{load(name).summary}" for name in MODULES)
    return f"""\
usage: kioku VERB [ARGUMENTS]

A durable memory for coding agents and their people: save what was learned, find it later.

verbs:
{names}

options:
  -h, --help  show this help; kioku VERB --help shows a verb's
  --version   show the version

example:
  kioku save "Chose Postgres over SQLite for the analytics database" -p demo --memory-type decision
  kioku search "which database" -p demo

exit codes:
  0 done, 1 refused or not found, 2 usage or invalid input"""


def version() -> str:
    """The installed version; a source tree that was never installed says so."""
    from importlib import metadata  # costs more than a save: only where it is shown

    try:
        return metadata.version("kioku-log")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, MODULES, n=1)
    return f"did you mean `kioku {close[0]}`?" if close else "kioku --help lists the verbs"
