"""``save`` and ``edit``: what puts words into the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kioku.cli import render
from kioku.cli.arguments import FIELDS, ID, JSON, SPACE, fields, moment
from kioku.cli.content import content_of
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.present import present
from kioku.cli.store import full_id, open_memory, open_with, settings_of
from kioku.secrets.gate import PRIVATE_TEXT

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from kioku.memory import Memory
    from kioku.memory.predecessor import Predecessor
    from kioku.observation import Observation

PREDECESSORS_SHOWN_MAX: Final = 3
EXCERPT_CHARACTERS: Final = 40  # of each: ids and excerpts of three are a long line already


def _save(arguments: Namespace) -> int:
    content = content_of(arguments.content)
    given = fields(arguments)
    settings = settings_of(arguments)
    if "project" not in given:
        given["project"] = present(settings).name
    with open_with(settings) as memory:
        given = _with_full_ids(memory, given)
        saved = memory.save(
            content,
            if_duplicate="save" if arguments.again else "return",
            expires_at=arguments.expires_at,
            **given,
        )
        found = [] if _is_settled(saved, arguments) else _predecessors(memory, saved)
        is_first = render.is_watched() and len(memory.list(limit=2)) == 1
    if arguments.json:
        _show_json(saved, found)
    elif saved.is_duplicate:
        render.line(f"already saved: {saved.id}")
        render.note("hint: --again saves it once more; kioku edit changes what is there")
    else:
        render.line(f"saved: {saved.id}")
        _offer(saved, found)
    if not arguments.json:
        _tell_redactions(saved)
    if is_first:
        render.advise("kioku search WORDS finds it; kioku list shows what is newest")
    return 0


def _is_settled(saved: Observation, arguments: Namespace) -> bool:
    """Whether there is nothing to ask: nothing new, or it was said what it replaces."""
    return saved.is_duplicate or arguments.again or bool(saved.supersedes)


def _predecessors(memory: Memory, saved: Observation) -> list[Predecessor]:
    """What the saved one may replace; it itself is nearest, so one more is asked for."""
    found = memory.predecessors(
        saved.content,
        project=saved.project,
        subject=saved.subject,
        limit=PREDECESSORS_SHOWN_MAX + 1,
    )
    others = [near for near in found if near.observation.id != saved.id]
    return others[:PREDECESSORS_SHOWN_MAX]


def _offer(saved: Observation, found: Sequence[Predecessor]) -> None:
    """Say what it may replace, and the command that marks it: on standard error, in two lines."""
    if not found:
        return
    from kioku.cli.formats import excerpt

    ids = ",".join(near.observation.id for near in found)
    shown = "; ".join(
        f'{near.observation.id} "{excerpt(near.observation)[:EXCERPT_CHARACTERS]}"'
        for near in found
    )
    render.note(f"hint: this is much like {shown}")
    render.note(f"hint: if it replaces that: kioku edit {saved.id} --supersedes {ids}")


def _show_json(saved: Observation, found: Sequence[Predecessor]) -> None:
    from kioku.cli.formats import excerpt, observation_json, redactions_json

    offered = [
        {
            "id": near.observation.id,
            "similarity": near.similarity,
            "excerpt": excerpt(near.observation),
        }
        for near in found
    ]
    shown = observation_json(saved)
    render.json(
        {
            **shown,
            "duplicate": saved.is_duplicate,
            "predecessors": offered,
            "redactions": redactions_json(saved),
        }
    )


def _tell_redactions(saved: Observation) -> None:
    """Say what was taken out, on standard error: not what it was, and how it may stay in."""
    if not saved.redactions:
        return
    counts: dict[str, int] = {}
    for taken in saved.redactions:
        counts[taken.kind] = counts.get(taken.kind, 0) + 1
    render.note(f"redacted: {', '.join(f'{count} {kind}' for kind, count in counts.items())}")
    if any(taken.kind != PRIVATE_TEXT for taken in saved.redactions):
        render.note("hint: KIOKU_SECRETS=allow saves it as it stands, if it is no secret")


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
    if arguments.json:
        from kioku.cli.formats import observation_json, redactions_json

        render.json({**observation_json(edited), "redactions": redactions_json(edited)})
    else:
        render.line(f"edited: {edited.id}")
        _tell_redactions(edited)
    return 0


def _with_full_ids(memory: Memory, given: dict[str, Any]) -> dict[str, Any]:
    """A person may shorten the ids of what is superseded like any other id."""
    if "supersedes" in given:
        given["supersedes"] = [full_id(memory, typed) for typed in given["supersedes"]]
    return given


def _moment_or_never(text: str) -> tuple[object]:
    """In a tuple, since None (never) must differ from an option that was not given."""
    return (None,) if text.strip().lower() == "never" else (moment(text),)


SAVE = Verb(
    name="save",
    summary="Save one observation",
    description="Save one observation. When the id is printed, it is on the disk. Without -p it "
    "belongs to the\nproject of the working directory: its .kioku.toml, else its git remote. What "
    "the project says\nalready, word for word, is not saved twice.",
    arguments=(
        argument("content", metavar="CONTENT", help="what to remember; - reads standard input"),
        *FIELDS,
        argument(
            "--expires-at", metavar="TIME", type=moment, help="not shown from this ISO time on"
        ),
        argument(
            "--again",
            action="store_true",
            help="save it even if the project has an observation that says the same",
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
    output="`saved: <32 hex digits>`, or `already saved: <32 hex digits>` if nothing was written; "
    "what it may replace on standard error.",
    json="The observation, and whether it was there already.",
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
