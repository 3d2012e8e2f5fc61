"""Words that mean nothing yet, and words that other programs use for what kioku does.

The rule this module guards: whoever types a word of closed spaces or of the agents' server hears
that it comes later and what does the same today, not that there is no such verb.
"""

from __future__ import annotations

from kioku.cli import render
from kioku.cli.parser import CommandError

_CLOSED = (
    "closed spaces, in which every machine has a credential",
    "until then a space is open: kioku init --mode spoke --connect ADDRESS joins one",
)

LATER = {
    "invite": _CLOSED,
    "join": _CLOSED,
}
"""Words of a later version: what they come with, and what to do until then."""

# What other programs call what a verb does.
OTHER_WORDS = {
    "add": "save",
    "remember": "save",
    "store": "save",
    "find": "search",
    "grep": "search",
    "recall": "search",
    "ls": "list",
    "get": "get-memory",
    "show": "get-memory",
    "cat": "get-memory",
    "log": "history",
    "update": "edit",
    "rm": "delete",
    "remove": "delete",
    "forget": "delete",
    "recover": "undelete",
    "erase": "purge",
    "check": "doctor",
    "info": "status",
    "reindex": "rebuild",
}


def answer(word: str, rest: list[str]) -> int:
    """Say what a word comes with: to whoever asks, and as an error to whoever uses it.

    Raises:
        CommandError: unless ``rest`` asks for help.
    """
    part, instead = LATER[word]
    message = f"`{word}` comes with {part}, which this version does not have yet"
    if not {"-h", "--help"} & set(rest):
        raise CommandError(message, hint=instead)
    render.line(message)
    render.line(instead)
    return 0
