"""``watch`` and ``diff``: what is saved as it is saved, and what is different since a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import FILTERS, JSON, SPACE, UNTIL, filters, moment, whole
from kioku.cli.parser import Verb, argument
from kioku.cli.store import open_memory

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from kioku.memory import Memory
    from kioku.memory.difference import Difference
    from kioku.memory.news import LoggedChange
    from kioku.observation import Observation

LAST = 10
NO_DIFFERENCES = "No differences."
_NARROWING = tuple(
    one for one in FILTERS if not {"--since", "--until", "--include-superseded"} & set(one.flags)
)
_PAGE = 1_000


def _watch(arguments: Namespace) -> int:
    chosen = filters(arguments)
    with open_memory(arguments) as memory:
        machines = _Machines(memory)
        for change in _followed(memory, arguments, chosen):
            machine = machines.of(change)
            if arguments.json:
                render.json(_change_json(change, machine), indent=None)
            elif render.is_for_person():
                from kioku.cli import views

                views.show_change(_change_text(change, machine), change.operation)
            else:
                render.line(_change_text(change, machine))
            render.flush()  # now, also into a pipe: who watches does not wait for a full buffer
    return 0


def _followed(
    memory: Memory, arguments: Namespace, chosen: dict[str, Any]
) -> Iterator[LoggedChange]:
    """What was there before, as far as it was asked for, and what comes; it never ends."""
    if arguments.after is not None:
        yield from memory.watch(arguments.after, **chosen)
    elif arguments.since is not None and arguments.limit is None:
        yield from memory.watch(0, **chosen)
    else:
        limit = LAST if arguments.limit is None else arguments.limit
        last = memory.last_changes(limit, **chosen)
        yield from last.changes
        yield from memory.watch(last.cursor, **chosen)


class _Machines:
    """Where changes came from: the machines of the logs that they are in."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._known: dict[str, str] = {}

    def of(self, change: LoggedChange) -> str:
        """The machine that a change came from; ``""`` if it is this one, or not known."""
        if change.is_own:
            return ""
        if change.log_id not in self._known:
            for peer in self._memory.replica.peers():
                self._known[peer.log_id.hex()] = peer.machine
            self._known.setdefault(change.log_id, "")
        return self._known[change.log_id]


def _change_json(change: LoggedChange, machine: str) -> dict[str, Any]:
    from kioku.cli import formats

    return {
        "cursor": change.cursor,
        "operation": change.operation,
        "id": change.id,
        "stamped_at": formats.json_time(change.stamped_at),
        "replica": change.replica,
        "log_id": change.log_id,
        "machine": machine,
        "is_own": change.is_own,
        "status": change.status,
        "is_superseded": change.is_superseded,
        "reason": change.reason,
        "observation": _observation_json(change.observation),
    }


def _observation_json(observation: Observation | None) -> dict[str, Any] | None:
    from kioku.cli import formats

    return None if observation is None else formats.observation_json(observation)


def _change_text(change: LoggedChange, machine: str) -> str:
    """``TIME operation what <id=…> by whom from where``, in parentheses what is unusual."""
    from kioku.cli import formats

    observation = change.observation
    parts = [formats.time_text(change.stamped_at), change.operation]
    writer = [change.replica]
    if observation is not None:
        parts += [f"({observation.project})"] if observation.project else []
        parts += [observation.subject] if observation.subject else []
        parts.append(formats.excerpt(observation))
        if change.operation == "save":
            writer = [observation.host, observation.agent_family, observation.client_id]
    parts += [f"reason: {change.reason}"] if change.reason else []
    parts += [f"({change.status})"] if change.status != "wins" else []
    parts += ["(superseded)"] if change.is_superseded else []
    parts += [f"<id={change.id}>"] if change.id else []
    parts += ["by", "/".join(name for name in writer if name)]
    parts += [] if change.is_own else ["from", machine or change.replica]
    return " ".join(parts)


def _diff(arguments: Namespace) -> int:
    with open_memory(arguments) as memory:
        found = memory.diff(**filters(arguments))
    if arguments.json:
        render.json([_difference_json(one) for one in found])
        return 0
    if found and render.is_for_person():
        from kioku.cli import views

        views.show_differences(_diff_lines(found))
        return 0
    for line in _diff_lines(found):
        render.line(line)
    if not found:
        render.line(NO_DIFFERENCES)
    return 0


def _diff_lines(found: Sequence[Difference]) -> Iterator[str]:
    """A heading for each operation, and what is indented below it."""
    group = ""
    for one in found:
        if one.operation != group:
            group = one.operation
            yield f"{group}: {sum(other.operation == group for other in found):,}"
        for line in _difference_lines(one):
            yield f"  {line}"


def _difference_json(one: Difference) -> dict[str, Any]:
    from kioku.cli import formats

    return {
        "operation": one.operation,
        "id": one.id,
        "stamped_at": formats.json_time(one.stamped_at),
        "replica": one.replica,
        "reason": one.reason,
        "superseded_by": one.superseded_by,
        "changed": list(one.changed),
        "before": _observation_json(one.before),
        "after": _observation_json(one.after),
    }


def _difference_lines(one: Difference) -> Iterator[str]:
    from kioku.cli import formats

    observation = one.after or one.before
    stamp = formats.time_text(one.stamped_at)
    what = "" if observation is None else f" {formats.excerpt(observation)}"
    project = f" ({observation.project})" if observation is not None and observation.project else ""
    yield f"{stamp}{project}{what} <id={one.id}> by {one.replica}"
    if one.reason:
        yield f"  reason: {one.reason}"
    if one.superseded_by:
        yield f"  replaced by <id={one.superseded_by}>"
    if one.operation == "edited" and one.before is not None and one.after is not None:
        for name in one.changed:
            yield from _field_lines(name, getattr(one.before, name), getattr(one.after, name))


def _field_lines(name: str, before: Any, after: Any) -> Iterator[str]:
    """How one field was changed; of a text with lines, which lines."""
    if not (isinstance(before, str) and ("\n" in before or "\n" in after)):
        yield f"  {name}: {_value_text(before)} -> {_value_text(after)}"
        return
    from difflib import unified_diff

    yield f"  {name}:"
    lines = unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    for number, line in enumerate(lines):
        if number >= 2:  # past the names of the files, which there are none of
            yield f"    {line}"


def _value_text(value: Any) -> str:
    from datetime import datetime

    from kioku.cli import formats

    if isinstance(value, datetime):
        return formats.json_time(value)
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in ("", None, {}) else "none"


WATCH = Verb(
    name="watch",
    summary="Show what is saved, edited and deleted, as it happens",
    description="Show what any process of this machine saves, edits, deletes or takes in from "
    "elsewhere, as it happens, until interrupted. First the last ones that were there.",
    arguments=(
        argument(
            "-n",
            "--limit",
            metavar="N",
            type=whole,
            help="first the last N that were there (10; with --since all since then)",
        ),
        argument(
            "--since",
            metavar="TIME",
            type=moment,
            help="only what is stamped at or after this ISO time",
        ),
        argument(
            "--after", metavar="CURSOR", type=whole, help="go on after this `cursor` of --json"
        ),
        *_NARROWING,
        SPACE,
        JSON,
    ),
    examples=("kioku watch", "kioku watch -p demo --json | jq -r .observation.content"),
    run=_watch,
    output="A line each: time, operation (`save`, `edit`, `undelete`, `delete`, `purge`, "
    "`retract`), text, `<id=…>` and who did it; marks as `(held)`, `(older)`, `(superseded)`.",
    json="One object a line. `cursor` is where `--after` goes on, in this store alone.",
    exit_codes="130 interrupted, 141 the reader of the pipe has left, 1 refused, 2 usage",
)

DIFF = Verb(
    name="diff",
    summary="Show what is different since a time",
    description="Show what was added, edited, undeleted, deleted, purged and superseded between "
    "two times. Only the outcome counts. Times are those of the logical clock, so every machine "
    "that knows the same answers alike. With a filter, purges are left out: nothing is left to "
    "hold against it.",
    arguments=(
        argument(
            "--since",
            metavar="TIME",
            type=moment,
            required=True,
            help="the first time, in ISO form",
        ),
        UNTIL,
        *_NARROWING,
        SPACE,
        JSON,
    ),
    examples=(
        "kioku diff --since 2026-05-01",
        "kioku diff --since 2026-05-01T09:00 -p demo --json",
    ),
    run=_diff,
    output="Groups, `operation: count`, then an entry each, the newest last; of an edit also "
    "`field: before -> after`, and of a text with lines which lines. `No differences.` if none.",
    json="A list of differences; `[]` for none.",
)

VERBS = {verb.name: verb for verb in (WATCH, DIFF)}
