"""Which module has which verb, and what is said when no verb was typed.

If you add a verb: add it to its module's ``VERBS``, add its name and summary to a group here, give
what it prints with ``--json`` a schema in ``schemas``, and run ``make docs``. The tests do the
asking: help, an example that can be typed, a schema.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from kioku.cli import render
from kioku.cli.parser import CommandError, UnknownOptionError, Verb, columns

if TYPE_CHECKING:
    from collections.abc import Mapping

OTHERS_MAX = 2  # more would be a list to read, not a hint
# In the order in which help lists them, each with the module of its family and the verb's own
# summary: a list of all verbs, in help and at Tab, imports none of them (a test holds them equal).
GROUPS = {
    "save and find": {
        "save": ("saving", "Save one observation"),
        "search": ("finding", "Find observations by their words"),
        "list": ("finding", "List the newest observations"),
        "get-memory": ("finding", "Show one observation whole"),
        "history": ("finding", "Show every version of an observation"),
        "diff": ("following", "Show what is different since a time"),
        "watch": ("following", "Show what is saved, edited and deleted, as it happens"),
        "context": ("starting", "Print what an agent should know when it starts"),
    },
    "change and forget": {
        "edit": ("saving", "Change an observation"),
        "delete": ("forgetting", "Delete observations; undelete brings them back"),
        "undelete": ("forgetting", "Bring a deleted observation back"),
        "purge": ("forgetting", "Erase an observation for ever, everywhere"),
        "gc": ("forgetting", "Erase what was deleted or expired long ago"),
    },
    "carry": {
        "export": ("moving", "Write the memory to a file"),
        "import": ("moving", "Merge an export, a backup or JSON Lines into this memory"),
        "backup": ("copying", "Copy everything to one file, while others go on saving"),
        "restore": ("copying", "Put a backup in the store's place"),
        "drain": ("familiar", "Say that no save waits to be sent, and why"),
    },
    "share": {
        "serve": ("serving", "Share the memory with other machines, until it is stopped"),
        "sync": ("syncing", "Exchange with other machines once, until all are level"),
        "peers": ("peering", "Show the other machines, and how far each is behind or ahead"),
        "mesh": ("serving", "Other names of serve: mesh start, mesh join PEER"),
    },
    "agents": {
        "mcp": ("agents", "Serve agents, and register that server with their programs"),
    },
    "look after": {
        "init": ("initializing", "Write a config file; one machine alone needs none"),
        "status": ("keeping", "Show the store, its counts and who saves"),
        "doctor": ("doctor", "Check the installation and the store"),
        "scan": ("scanning", "Look for credentials in what is here"),
        "rebuild": ("keeping", "Derive the search index and all views from the log again"),
        "projects": ("projects", "List projects, rename, merge and alias them"),
        "spaces": ("settling", "List the spaces that are here, or create one"),
        "config": ("settling", "Show each setting and where it comes from"),
        "completion": ("completion.verb", "Print what makes a shell complete kioku's words at Tab"),
        "schema": ("explaining", "Show the JSON Schema of what a verb prints with --json"),
    },
}
MODULES = {name: module for group in GROUPS.values() for name, (module, _) in group.items()}
SUMMARIES = {name: summary for group in GROUPS.values() for name, (_, summary) in group.items()}


def load(name: str) -> Verb:
    """The verb, importing the module of its family and no other."""
    verbs: Mapping[str, Verb] = import_module("kioku.cli." + MODULES[name]).VERBS
    return verbs[name]


def run(arguments: list[str]) -> int:
    """Run what was typed; the exit code."""
    name = arguments[0] if arguments else ""
    if name not in MODULES:
        return without_verb(arguments)
    try:
        return load(name).execute(arguments[1:])
    except UnknownOptionError as error:
        if not (others := _verbs_with(error.flag)):
            raise
        hint = f"an option of {' and '.join(others)}; kioku {name} --help shows what there is here"
        raise CommandError(str(error), hint=hint) from error


def _verbs_with(flag: str) -> list[str]:
    """The first few verbs that have an option: whoever types it has seen it there."""
    found = (
        f"kioku {name}"
        for name in MODULES
        if any(flag in argument.flags for argument in load(name).arguments)
    )
    return [name for name, _ in zip(found, range(OTHERS_MAX), strict=False)]


def without_verb(arguments: list[str]) -> int:
    """Answer ``--help``, ``--version`` and words of later versions; else a usage error."""
    from kioku.cli import later

    first, *rest = arguments or [""]
    if first == "help":
        return _help(rest)
    if first in ("-h", "--help"):
        render.block(overview())
    elif first == "--version":
        render.line(f"kioku {version()}")
    elif first == "--rebuild":
        from kioku.cli import familiar

        familiar.explain_rebuild()
        return run(rest) if rest else 0
    elif first in later.LATER:
        return later.answer(first, rest)
    elif not first:
        raise CommandError("no verb given", hint="kioku --help lists the verbs")
    elif first.startswith("-"):
        raise CommandError(f"{first!r} stands before the verb", hint=f"kioku VERB … {first}")
    else:
        raise CommandError(f"there is no verb {first!r}", hint=_nearest(first))
    return 0


def _help(rest: list[str]) -> int:
    about = rest[0] if rest and not rest[0].startswith("-") else "--help"
    return load(about).execute(["--help"]) if about in MODULES else without_verb([about, "--help"])


def version() -> str:
    """The installed version; a source tree that was never installed says so."""
    from importlib import metadata  # costs more than a save: only where it is shown

    try:
        return metadata.version("kioku-log")
    except metadata.PackageNotFoundError:
        return "0 (not installed)"


def _nearest(typed: str) -> str:
    """The hint for a verb that there is not."""
    from difflib import get_close_matches

    from kioku.cli.later import OTHER_WORDS

    known = [*MODULES, *OTHER_WORDS]
    if typed in OTHER_WORDS:
        return f"did you mean `kioku {OTHER_WORDS[typed]}`?"
    close = get_close_matches(typed.lower(), known, n=1)
    if not close:
        return "kioku --help lists the verbs"
    return f"did you mean `kioku {OTHER_WORDS.get(close[0], close[0])}`?"


COLUMNS_FOR_TWO = 48  # narrower, what a verb does stands below its name
_PROMISE = (
    "A durable memory for coding agents and their people: save what was learned, find it later.",
)

_OVERVIEW_END = """\

options:
  -h, --help  show this help; kioku VERB --help shows a verb's
  --version   show the version

example:
  kioku save "Chose Postgres over SQLite" -p demo
  kioku search "which database" -p demo

exit codes:
  0 done, 1 refused or not found,
  2 usage or invalid input"""


def overview() -> str:
    """What ``kioku --help`` says."""
    from textwrap import fill

    is_narrow = columns() < COLUMNS_FOR_TWO
    lines = []
    for title, verbs in GROUPS.items():
        lines += ["", f"{title}:"]
        for name, (_, summary) in verbs.items():
            lines += [f"  {name}"] * is_narrow
            lines.append(
                fill(
                    summary,
                    columns(),
                    initial_indent="    " if is_narrow else f"  {name:<12}",
                    subsequent_indent="    " if is_narrow else " " * 14,
                    break_on_hyphens=False,
                )
            )
    wrapped = [fill(paragraph, columns(), break_on_hyphens=False) for paragraph in _PROMISE]
    return "\n".join(["usage: kioku VERB [ARGUMENTS]", "", *wrapped, *lines, _OVERVIEW_END])
