"""Arguments that several verbs share, and what their words mean.

Times: an ISO 8601 date or time. One without a zone is UTC, because the times that kioku prints are
UTC too: what one machine prints, any other machine reads alike.
"""

from __future__ import annotations

from argparse import Action, ArgumentError, ArgumentTypeError
from typing import TYPE_CHECKING, Any

from kioku.cli.parser import argument
from kioku.cli.present import project

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from datetime import datetime, timedelta

MEMORY_TYPES = "note|decision|bug|pattern|config|summary"


def names(text: str) -> list[str]:
    """The items of a comma list; spaces around them and empty ones are dropped."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


def moment(text: str) -> datetime:
    """An ISO 8601 date or time; without a zone it is UTC, a date is its first moment."""
    from datetime import UTC, datetime

    try:
        value = datetime.fromisoformat(text.strip())
        if value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
        return value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ArgumentTypeError(
            f"{text!r} is no ISO 8601 time; write 2026-05-22 or 2026-05-22T07:51:47Z"
        ) from None


def named_value(text: str) -> tuple[str, Any]:
    """``NAME=VALUE``; what is not JSON is the text itself."""
    import json

    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ArgumentTypeError(f"{text!r} is no NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def whole(text: str) -> int:
    """A whole number."""
    try:
        return int(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no whole number") from None


def memory_types(text: str) -> list[str]:
    """The items of a comma list of memory types: one that is none would just never be found."""
    wanted = names(text)
    for name in wanted:
        if name not in MEMORY_TYPES.split("|"):
            raise ArgumentTypeError(f"{name!r} is none of {MEMORY_TYPES}")
    return wanted


def days(text: str) -> timedelta:
    """A number of days, whole or not, from 0."""
    from datetime import timedelta

    try:
        value = timedelta(days=float(text))
        if value >= timedelta(0):
            return value
    except (ValueError, OverflowError):
        pass
    raise ArgumentTypeError(f"{text!r} is no number of days from 0")


def space_names(text: str) -> list[str]:
    """The items of a comma list, also empty ones: each is checked as a space's name."""
    return [part.strip() for part in text.split(",")]


class _OneSpace(Action):
    """Takes one name: of two, one would be left out unseen."""

    def __call__(
        self,
        parser: ArgumentParser,  # noqa: ARG002 - argparse passes it
        namespace: Namespace,
        values: Any,
        option: object = None,  # noqa: ARG002 - argparse passes it
    ) -> None:
        if getattr(namespace, self.dest) is not None or "," in values:
            raise ArgumentError(self, "this command works on one space; name one")
        setattr(namespace, self.dest, values)


SPACE = argument(
    "--space", metavar="NAME", action=_OneSpace, help="the space to use (KIOKU_SPACE, else default)"
)
SPACES = argument(
    "--space",
    metavar="NAME",
    dest="spaces",
    action="extend",
    type=space_names,
    help="the space to use (KIOKU_SPACE, else default); several as a comma list, "
    "all for every one that is not private",
)
JSON = argument("--json", action="store_true", help="print JSON")
ID = argument("id", metavar="ID", help="the id, or 6 or more of its first digits")
YES = argument("--yes", action="store_true", help="do not ask")
REBUILD_FLAG = argument(
    "--rebuild", action="store_true", help="accepted: nothing is hidden, so nothing is rebuilt"
)
DRY_RUN = argument("--dry-run", action="store_true", help="only show what would be done")

PROJECT = argument(
    "-p", "--project", metavar="NAME", type=project, help="only this project; . is the present one"
)
PC_ID = argument("--pc-id", metavar="HOST", help="only what was saved on this host")
SINCE = argument(
    "--since", metavar="TIME", type=moment, help="only what changed at or after this ISO time"
)
UNTIL = argument(
    "--until", metavar="TIME", type=moment, help="only what changed before this ISO time"
)
LIMIT = argument(
    "-n", "--limit", metavar="N", type=whole, default=50, help="at most N results (50)"
)

FILTERS = (
    PROJECT,
    argument(
        "--memory-type",
        metavar="A,B",
        type=memory_types,
        help=f"only of these types: {MEMORY_TYPES}",
    ),
    argument("-t", "--tags", metavar="A,B", type=names, help="only what has all of these tags"),
    argument("--importance", metavar="N", type=whole, help="only this importance or more (1-5)"),
    argument(
        "--agent-family", metavar="A,B", type=names, help="only what these agent families saved"
    ),
    argument("--client-id", metavar="A,B", type=names, help="only what these clients saved"),
    PC_ID,
    argument("--session-id", metavar="A,B", type=names, help="only what these sessions saved"),
    SINCE,
    UNTIL,
    argument(
        "--source-file",
        metavar="PATH",
        help="only what was learned from this file; the last parts of its path will do",
    ),
    argument("--reference", metavar="TEXT", help="only what has this reference; TEXT* begins so"),
    argument("--subject", metavar="TEXT", help="only what has this text in its subject"),
    argument("--supersedes", metavar="ID", help="only what replaces this observation"),
    argument(
        "--expires", choices=("yes", "no"), help="only what has an end, or only what has none"
    ),
    argument(
        "--created-since",
        metavar="TIME",
        type=moment,
        help="only what was first saved at or after this time by its writer's clock",
    ),
    argument(
        "--created-until",
        metavar="TIME",
        type=moment,
        help="only what was first saved before this time by its writer's clock",
    ),
    argument(
        "--extra",
        metavar="NAME=VALUE",
        type=named_value,
        action="append",
        help="only what has this among its extra fields; the value is JSON or else text",
    ),
    argument(
        "--include-superseded",
        action="store_true",
        help="also what a newer observation supersedes",
    ),
)

FIELDS = (
    argument(
        "-p",
        "--project",
        metavar="NAME",
        type=project,
        help='the project it belongs to; . is the present one, "" is none',
    ),
    argument("-t", "--tags", metavar="A,B", type=names, help="tags, as a comma list"),
    argument("--memory-type", metavar="TYPE", help=f"{MEMORY_TYPES} (note)"),
    argument("--importance", metavar="N", type=whole, help="from 1 to 5 (2)"),
    argument("--subject", metavar="TEXT", help="what it is about, in a few words"),
    argument("--summary", metavar="TEXT", help="the content in a sentence"),
    argument("--source-files", metavar="A,B", type=names, help="files it was learned from"),
    argument("--references", metavar="A,B", type=names, help="issues, commits, links"),
    argument("--supersedes", metavar="ID,ID", type=names, help="ids of what it replaces"),
)


AS_OF = argument(
    "--as-of", metavar="TIME", type=moment, help="as it was at this ISO time, less what was purged"
)


def filters(arguments: Namespace) -> dict[str, Any]:
    """The filters that were given, in the words of the library."""
    given = vars(arguments)
    words = (
        "project",
        "memory_type",
        "tags",
        "importance",
        "agent_family",
        "client_id",
        "session_id",
        "since",
        "until",
        "source_file",
        "reference",
        "subject",
        "supersedes",
        "created_since",
        "created_until",
    )
    chosen = {word: given[word] for word in words if given.get(word) is not None}
    if chosen.get("project") == "":  # none, so it narrows nothing: also no bulk delete
        del chosen["project"]
    if given.get("pc_id") is not None:
        chosen["host"] = given["pc_id"]
    if given.get("expires") is not None:
        chosen["expires"] = given["expires"] == "yes"
    if given.get("extra") is not None:
        chosen["extra"] = dict(given["extra"])
    if given.get("include_superseded"):
        chosen["include_superseded"] = True
    return chosen


def fields(arguments: Namespace) -> dict[str, Any]:
    """The fields of an observation that were given, in the words of the library."""
    given = vars(arguments)
    words = (
        "project",
        "tags",
        "memory_type",
        "importance",
        "subject",
        "summary",
        "source_files",
        "references",
        "supersedes",
    )
    return {word: given[word] for word in words if given[word] is not None}
