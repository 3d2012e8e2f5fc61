"""``save`` and ``edit``: what puts words into the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import FIELDS, ID, JSON, SPACE, fields, moment
from kioku.cli.content import content_of
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.store import full_id, open_memory

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.memory import Memory
    from kioku.observation import Observation


def _save(arguments: Namespace) -> int:
    content = content_of(arguments.content)
    with open_memory(arguments) as memory:
        given = _with_full_ids(memory, fields(arguments))
        saved = memory.save(content, expires_at=arguments.expires_at, **given)
        is_first = render.is_watched() and len(memory.list(limit=2)) == 1
    _show(saved, "saved", is_json=arguments.json)
    if is_first:
        render.advise("kioku search WORDS finds it; kioku list shows what is newest")
    return 0


def _edit(arguments: Namespace) -> int:
    given = fields(arguments)
    if arguments.expires_at is not None:
        given["expires_at"] = arguments.expires_at[0]
    if arguments.content is not None:
        given["content"] = content_of(arguments.content)
    if not given:
        raise CommandError("nothing to change was given", hint="kioku edit --help")
    with open_memory(arguments) as memory:
        edited = memory.edit(full_id(memory, arguments.id), **_with_full_ids(memory, given))
    _show(edited, "edited", is_json=arguments.json)
    return 0


def _with_full_ids(memory: Memory, given: dict[str, Any]) -> dict[str, Any]:
    """A person may shorten the ids of what is superseded like any other id."""
    if "supersedes" in given:
        given["supersedes"] = [full_id(memory, typed) for typed in given["supersedes"]]
    return given


def _show(observation: Observation, done: str, *, is_json: bool) -> None:
    if is_json:
        from kioku.cli.formats import observation_json

        render.json(observation_json(observation))
    else:
        render.line(f"{done}: {observation.id}")


def _moment_or_never(text: str) -> tuple[object]:
    """In a tuple, since None (never) must differ from an option that was not given."""
    return (None,) if text.strip().lower() == "never" else (moment(text),)


SAVE = Verb(
    name="save",
    summary="Save one observation",
    description="Save one observation. When the id is printed, it is on the disk.",
    arguments=(
        argument("content", metavar="CONTENT", help="what to remember; - reads standard input"),
        *FIELDS,
        argument(
            "--expires-at", metavar="TIME", type=moment, help="not shown from this ISO time on"
        ),
        SPACE,
        JSON,
    ),
    examples=(
        'kioku save "Chose Postgres over SQLite for the analytics database" -p demo -t db,infra \\',
        "      --memory-type decision --importance 4",
        "git log -1 --format=%B | kioku save - -p demo",
    ),
    run=_save,
    output="`saved: <32 hex digits>`",
    json="The observation.",
)

EDIT = Verb(
    name="edit",
    summary="Change an observation",
    description="Change an observation. What is not given stays; an empty text or list clears.",
    arguments=(
        ID,
        argument(
            "content", metavar="CONTENT", nargs="?", help="the new content; - reads standard input"
        ),
        *FIELDS,
        argument(
            "--expires-at",
            metavar="TIME",
            type=_moment_or_never,
            help="not shown from this ISO time on; never takes it back",
        ),
        SPACE,
        JSON,
    ),
    examples=("kioku edit 3f9a21 --importance 5 -t db,postgres",),
    run=_edit,
    output="`edited: <32 hex digits>`",
    json="The observation as it is now.",
)

VERBS = {verb.name: verb for verb in (SAVE, EDIT)}
