"""``search``, ``get-memory``, ``list`` and ``history``: what reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import (
    AS_OF,
    FILTERS,
    ID,
    JSON,
    LIMIT,
    REBUILD_FLAG,
    SPACE,
    SPACES,
    filters,
)
from kioku.cli.parser import Verb, argument
from kioku.cli.present import preferred
from kioku.cli.store import are_several, full_id, open_memory
from kioku.errors import NotFoundError

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.memory import Memory
    from kioku.memory.results import HistoryEntry

_FIRST_SAVE = 'kioku save "what you learned" saves the first'
_OTHER_WORDS = "other or fewer words may find more; kioku list shows the newest"
_WITHOUT_FILTERS = "without the filters there may be more"


def _search(arguments: Namespace) -> int:
    from kioku.cli import formats

    if arguments.rebuild:
        from kioku.cli.familiar import explain_rebuild

        explain_rebuild()
    if are_several(arguments):
        from kioku.cli import several

        return several.search(arguments)
    query = " ".join(arguments.query)
    with open_memory(arguments) as memory:
        hits = memory.search(
            query,
            limit=arguments.limit,
            mode=arguments.search_mode,
            substring=arguments.substring,
            as_of=arguments.as_of,
            explain=arguments.explain,
            prefer_project=preferred(arguments.project),
            **_filters(memory, arguments),
        )
    if arguments.json or arguments.format == "json":
        render.json([formats.hit_json(hit) for hit in hits])
        return 0
    if arguments.format == "markdown":
        render.block(formats.markdown([hit.observation for hit in hits]))
    elif render.is_for_person():
        from kioku.cli import views

        views.show_hits(hits)
        if not hits:
            render.advise(_WITHOUT_FILTERS if filters(arguments) else _OTHER_WORDS)
    else:
        render.block(formats.hit_entries(hits))
    return 0


def _filters(memory: Memory, arguments: Namespace) -> dict[str, Any]:
    """The filters that were given, an id as a whole one."""
    chosen = filters(arguments)
    if "supersedes" in chosen:
        chosen["supersedes"] = full_id(memory, chosen["supersedes"])
    return chosen


def _get(arguments: Namespace) -> int:
    from kioku.cli import formats

    with open_memory(arguments) as memory:
        observation = memory.get(full_id(memory, arguments.id), as_of=arguments.as_of)
    if observation is None and arguments.as_of is not None:
        raise NotFoundError(
            f"{arguments.id}: nothing of this id that can still be read was there at that time;"
            f" kioku history {arguments.id} shows what became of it"
        )
    if observation is None:
        raise NotFoundError(f"{arguments.id}: no observation that can be read has this id")
    if arguments.json:
        render.json(formats.observation_json(observation))
    elif render.is_for_person():
        from kioku.cli import views

        views.show_observation(observation)
    else:
        render.block(formats.full_text(observation))
    return 0


def _list(arguments: Namespace) -> int:
    from kioku.cli import formats

    if are_several(arguments):
        from kioku.cli import several

        return several.list_newest(arguments)
    with open_memory(arguments) as memory:
        found = memory.list(
            limit=arguments.limit,
            include_deleted=arguments.include_deleted,
            as_of=arguments.as_of,
            **_filters(memory, arguments),
        )
    if arguments.json:
        render.json([formats.observation_json(observation) for observation in found])
    elif render.is_for_person():
        from kioku.cli import views

        views.show_list(found)
        if not found:
            render.advise(_WITHOUT_FILTERS if filters(arguments) else _FIRST_SAVE)
    else:
        render.block(formats.entries(found))
    return 0


def _history(arguments: Namespace) -> int:
    with open_memory(arguments) as memory:
        entries = memory.history(full_id(memory, arguments.id))
    if arguments.json:
        render.json([_history_json(entry) for entry in entries])
    elif render.is_for_person():
        from kioku.cli import views

        views.show_history(entries)
    else:
        render.block("\n".join(map(_history_text, entries)))
    return 0


def _history_text(entry: HistoryEntry) -> str:
    from kioku.cli import formats

    lines = [
        f"[{entry.status}] {entry.operation} {formats.event_line(entry)}",
        f"  {entry.why}",
    ]
    if entry.reason:
        lines.append(f"  reason: {entry.reason}")
    if entry.observation is not None:
        lines.append(f"  {formats.excerpt(entry.observation)}")
    return "\n".join(map(render.one_line, lines))


def _history_json(entry: HistoryEntry) -> dict[str, Any]:
    from kioku.cli import formats

    observation = entry.observation
    return {
        "operation": entry.operation,
        "status": entry.status,
        "why": entry.why,
        "stamped_at": formats.json_time(entry.stamped_at),
        "replica": entry.replica,
        "log_id": entry.log_id,
        "seq": entry.seq,
        "hash": entry.hash,
        "reason": entry.reason,
        "observation": None if observation is None else formats.observation_json(observation),
    }


SEARCH = Verb(
    name="search",
    summary="Find observations by their words",
    description="Find observations by their words, the best first; without words, the newest.",
    arguments=(
        argument(
            "query",
            metavar="QUERY",
            nargs="*",
            help='any words; also "a phrase", begin*, and -word (after --) for what must not be '
            "there",
        ),
        *FILTERS,
        LIMIT,
        argument(
            "--search-mode",
            choices=("and", "or", "and_or"),
            default="or",
            help="which of the words must be there: any (or, the default), all (and), or first "
            "what has all and then what has any (and_or)",
        ),
        argument(
            "--substring",
            action="store_true",
            help="where too few are found by words, look for the letters in every observation, "
            "not only in the newest",
        ),
        AS_OF,
        argument("--explain", action="store_true", help="show how each score came about"),
        argument(
            "--format",
            choices=("text", "markdown", "json"),
            default="text",
            help="text (the default)",
        ),
        REBUILD_FLAG,
        SPACES,
        JSON,
    ),
    examples=(
        "kioku search which database -p demo",
        "kioku search --since 2026-05-01 -n 10",
        "kioku search which database --as-of 2026-05-01",
    ),
    run=_search,
    output="Entries, separated by a line `---`; `No matching memories.` if there is none. What has "
    "none of the words says `(found by its letters)` at the end of its first line.",
    json="A list of hits; `[]` for none.",
)

GET_MEMORY = Verb(
    name="get-memory",
    summary="Show one observation whole",
    arguments=(ID, AS_OF, SPACE, JSON),
    examples=("kioku get-memory 3f9a21", "kioku get-memory 3f9a21 --as-of 2026-05-01T12:00"),
    run=_get,
    output="`field: value` lines, `---`, the content.",
    json="The observation.",
)

LIST = Verb(
    name="list",
    summary="List the newest observations",
    arguments=(
        *FILTERS,
        argument("--include-deleted", action="store_true", help="also what was deleted"),
        AS_OF,
        LIMIT,
        SPACES,
        JSON,
    ),
    examples=("kioku list -p demo --memory-type decision", "kioku list --as-of 2026-05-01"),
    run=_list,
    output="Entries as of `search`, the latest change first; `No matching memories.` if none.",
    json="A list of observations; `[]` for none.",
)

HISTORY = Verb(
    name="history",
    summary="Show every version of an observation",
    description="Show every version, deletion and purge of an observation, and why one won.",
    arguments=(ID, SPACE, JSON),
    examples=("kioku history 3f9a21",),
    run=_history,
    output="`[status] operation time by replica seq N`, why, and the content's beginning.",
    json="A list of events, the greatest stamp first.",
)

VERBS = {verb.name: verb for verb in (SEARCH, GET_MEMORY, LIST, HISTORY)}
