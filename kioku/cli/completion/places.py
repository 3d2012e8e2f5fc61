"""What may stand where the cursor is: a verb, an option, a value of a known kind, or free text.

It reads the same declarations as the parser, so a new verb or option is completed without a line
here, unless its values live in the store: those have a row in the tables below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kioku.cli.parser import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kioku.cli.parser import Argument, Verb

# By the argument (an option's long name), else by what the value is called.
KINDS = {
    "--project": "project",
    "--tags": "tags",
    "--pc-id": "host",
    "--by-pc-id": "host",
    "--agent-family": "agent_family",
    "--client-id": "client_id",
    "--session-id": "session_id",
    "--supersedes": "id",
    "--source-files": "file",
    "--memory-type": "memory_type",
    "--importance": "importance",
    "--space": "space",
    "--client": "client",
    "names": "project",
    "name": "peer",
    "--since-peer": "peer",
}
KINDS_BY_NAME = {"ID": "id", "FILE": "file", "PATH": "file", "VERB": "verb", "PROJECT": "project"}
FREE = frozenset(
    "CONTENT QUERY TEXT TIME N EP A,B NAME NAME=VALUE CURSOR PEER TOKENS CLIENT".split()
)
"""Values that nobody but the person knows."""
_REPEATABLE = ("append", "extend")


class Place(NamedTuple):
    """Where the cursor is.

    Attributes:
        kind: what is wanted there: one of the kinds above, ``option``, ``choice``, or ``""``.
        typed: what is there already.
        before: what of the same word stands before it, as ``--project=``.
        is_list: whether it is a comma list, of which the last item is open.
        choices: the words to choose from, each with what it means.
        space: the space that the line names, if it does.
        verb: the verb of the line.
    """

    kind: str
    typed: str
    before: str = ""
    is_list: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    space: str | None = None
    verb: str = ""


def place(verb: Verb, words: Sequence[str]) -> Place:
    """Find what the last of ``words``, which followed the verb, may become."""
    *done, typed = words
    scan = _Scan(verb)
    for word in done:
        scan.take(word)
    found = scan.place(typed)
    return found._replace(space=scan.space, verb=verb.name)


class _Scan:
    """Follows a line as argparse would, as far as completing it needs."""

    def __init__(self, verb: Verb) -> None:
        declared = (*verb.arguments, *EVERYWHERE)
        self._options = {flag: one for one in declared for flag in one.flags if flag[0] == "-"}
        self._positionals = [one for one in declared if one.flags[0][0] != "-"]
        self._seen: set[tuple[str, ...]] = set()
        self._awaited: Argument | None = None
        self._is_literal = False  # past ``--``
        self.space: str | None = None

    def take(self, word: str) -> None:
        """Go past a word that is complete."""
        if self._awaited is not None:
            self._note(self._awaited, word)
            self._awaited = None
        elif self._is_literal or not word.startswith("-") or word == "-":
            self._go_past_positional()
        elif word == "--":
            self._is_literal = True
        else:
            self._take_option(word)

    def _take_option(self, word: str) -> None:
        flag, equals, value = word.partition("=")
        option = self._options.get(flag)
        if option is None:
            return
        self._seen.add(option.flags)
        if equals:
            self._note(option, value)
        elif _takes_value(option):
            self._awaited = option

    def _note(self, option: Argument, value: str) -> None:
        if "--space" in option.flags:
            self.space = value

    def _go_past_positional(self) -> None:
        if self._positionals and self._positionals[0].keywords.get("nargs") not in ("*", "+"):
            del self._positionals[0]

    def place(self, typed: str) -> Place:
        """Say what the word that is being typed may become."""
        if self._awaited is not None:
            return _value(self._awaited, typed)
        if typed.startswith("-") and not self._is_literal:
            flag, equals, value = typed.partition("=")
            option = self._options.get(flag)
            if equals and option is not None:
                return _value(option, value)._replace(before=flag + equals)
            return Place("option", typed, choices=self._offered())
        if self._positionals:
            return _value(self._positionals[0], typed)
        return Place("option", typed, choices=() if self._is_literal else self._offered())

    def _offered(self) -> tuple[tuple[str, str], ...]:
        """Each option that may still be given, by its long name."""
        offered = {}
        for option in self._options.values():
            if option.flags not in self._seen or option.keywords.get("action") in _REPEATABLE:
                offered[option.flags[-1]] = option.help
        return tuple(offered.items())


def _takes_value(option: Argument) -> bool:
    return option.keywords.get("action") not in (
        "store_true",
        "store_false",
        "store_const",
        "count",
    )


def kind_of(argument: Argument) -> str:
    """Which values an argument takes; ``""`` if only the person knows them."""
    if argument.keywords.get("choices"):
        return "choice"
    name = str(argument.keywords.get("metavar", ""))
    return KINDS.get(argument.flags[-1]) or KINDS_BY_NAME.get(name, "")


def _value(argument: Argument, typed: str) -> Place:
    has_several = argument.keywords.get("dest") == "spaces"
    return Place(
        kind_of(argument),
        typed,
        is_list=has_several or "," in str(argument.keywords.get("metavar", "")),
        choices=tuple((choice, "") for choice in argument.keywords.get("choices") or ()),
    )
