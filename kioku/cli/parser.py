"""A verb as a value, and argparse made to speak like the rest of kioku.

Arguments are declared as data, so the parser of ``kioku VERB``, its help and docs/cli.md all come
from one place. argparse itself is asked only to parse: it prints nothing and never exits.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from kioku.cli import render
from kioku.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

HELP_COLUMNS_MAX = 100
HELP_COLUMNS_MIN = 24  # narrower than this argparse cannot lay anything out
HELP_COLUMNS = 80  # where nobody watches, so that the text is the same everywhere


class CommandError(InvalidArgumentError):
    """What was typed cannot be understood; ``hint`` is the command or the word to try."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class UnknownOptionError(CommandError):
    """The verb has no such option; another one may."""

    def __init__(self, message: str, *, hint: str, flag: str) -> None:
        super().__init__(message, hint=hint)
        self.flag = flag


UNKNOWN = "unrecognized arguments: "  # argparse's own word for it

# These two are NamedTuples because every save defines them: a dataclass costs it 1 ms.


class Argument(NamedTuple):
    """One positional (a flag without dashes) or option; ``keywords`` are argparse's."""

    flags: tuple[str, ...]
    help: str
    keywords: Mapping[str, Any]


def argument(*flags: str, help: str, **keywords: Any) -> Argument:
    """Declare one argument as ``argparse.ArgumentParser.add_argument`` would take it."""
    return Argument(flags, help, keywords)


HELP = argument("-h", "--help", help="show this help", action="store_true")
COLOR = argument(
    "--color",
    choices=("auto", "always", "never"),
    default="auto",
    help="auto (the default): colour and tables where a person watches",
)
EVERYWHERE = (COLOR, HELP)
"""What every verb takes beside its own arguments."""


class Verb(NamedTuple):
    """One command: what it takes, what it prints and what does it.

    ``output`` and ``json`` say what is printed, for docs/cli.md; ``run`` gives the exit code.
    ``is_mixed``: a list of words may also stand behind options; costs a second pass.
    """

    name: str
    summary: str
    arguments: tuple[Argument, ...]
    examples: tuple[str, ...]
    run: Callable[[argparse.Namespace], int]
    description: str = ""
    output: str = ""
    json: str = ""
    exit_codes: str = ""
    is_mixed: bool = False

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse what followed the verb.

        Raises:
            CommandError: if it cannot be understood.
        """
        parser = self._parser()
        if self.is_mixed:
            return parser.parse_intermixed_args(arguments)
        return parser.parse_args(arguments)

    def help_text(self) -> str:
        """What ``--help`` prints."""
        parser = self._parser()
        parser.description = _wrapped(self.description or self.summary + ".")
        return parser.format_help().rstrip("\n")

    def execute(self, arguments: Sequence[str]) -> int:
        """Parse and run, or show help; the exit code."""
        options = arguments[: arguments.index("--")] if "--" in arguments else arguments
        if "--help" in options or "-h" in options:
            render.block(self.help_text())
            return 0
        parsed = self.parse(arguments)
        render.choose_colour(parsed.color)
        return self.run(parsed)

    def _parser(self) -> argparse.ArgumentParser:
        parser = _Parser(self)
        for declared in (*self.arguments, *EVERYWHERE):
            parser.add_argument(*declared.flags, help=declared.help, **declared.keywords)
        return parser


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help of a known width: argparse builds one for every argument, and finding the width of
    the terminal its own way imports half of the compression modules each time it starts.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=columns())


class _Parser(argparse.ArgumentParser):
    def __init__(self, verb: Verb) -> None:
        examples = "\n".join(f"  {example}" for example in verb.examples)
        super().__init__(
            prog=f"kioku {verb.name}",
            epilog=f"example:\n{examples}",
            formatter_class=_Formatter,
            allow_abbrev=False,
            add_help=False,  # argparse's own prints and exits; `execute` answers it
        )
        self.color = False  # Python 3.14 would put colours of its own into help

    def error(self, message: str) -> NoReturn:
        """Give usage errors the same form as all others, with the option that was meant."""
        hint = self._meant(message) or f"{self.prog} --help"
        before, _, typed = message.partition(UNKNOWN)
        if typed.startswith("--") and not before:
            raise UnknownOptionError(message, hint=hint, flag=typed.split()[0].partition("=")[0])
        raise CommandError(message, hint=hint)

    def _meant(self, message: str) -> str:
        before, is_unknown, typed = message.partition(UNKNOWN)
        if not is_unknown or before or not typed.startswith("-"):
            return ""
        if not typed.startswith("--"):
            return f"{self.prog} -- … {typed}, if that is no option: after -- all are words"
        from difflib import get_close_matches

        close = get_close_matches(typed.split()[0].partition("=")[0], self._option_string_actions)
        return f"did you mean {close[0]}? {self.prog} --help shows all" if close else ""


def _wrapped(text: str) -> str:
    """Paragraphs filled to the width; lines that are indented stay as they are."""
    from itertools import groupby
    from textwrap import fill

    parts = []
    for is_prose, lines in groupby(text.splitlines(), lambda line: line[:1] not in ("", " ")):
        if is_prose:
            parts.append(fill(" ".join(lines), columns(), break_on_hyphens=False))
        else:
            parts += lines
    return "\n".join(parts)


def columns() -> int:
    """How wide help may be."""
    if not render.is_watched():
        return HELP_COLUMNS
    return max(HELP_COLUMNS_MIN, min(render.width(), HELP_COLUMNS_MAX))
