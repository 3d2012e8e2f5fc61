"""How things look to a person at a terminal; ``formats`` is how they look to a script.

The same facts in the same order, in colours and columns: nothing is shown here that a script does
not get, and what is cut to fit says so by an ellipsis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from kioku.cli import formats, render, screen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kioku.cli.acquaintance import PeerView
    from kioku.doctor import Report
    from kioku.memory.hit import Hit
    from kioku.memory.results import HistoryEntry, Project
    from kioku.memory.spaces import Space
    from kioku.observation import Observation

TABLE_WIDTH_MIN = 72  # narrower, a table would hold more ellipses than words
VALUE_WIDTH_MIN = 20
WIDTH_FOR_ALL = 110  # narrower, a table of peers leaves out what one seldom looks for
ID_DIGITS = 8  # of the 6 that any verb takes, and two more against chance
PROJECT_WIDTH_MAX = 20

_TYPES = {
    "decision": "magenta",
    "bug": "red",
    "pattern": "blue",
    "config": "yellow",
    "summary": "green",
}
_STATUSES = {
    "pass": "green",
    "warn": "yellow",
    "fail": "bold red",
    "wins": "green",
    "held": "yellow",
    "purged": "red",
    "retracted": "red",
}
TEXT_INDENT = 4  # behind it a line of `diff` is of somebody's text
_OPERATIONS = {
    "save": "green",
    "added": "green",
    "edit": "blue",
    "edited": "blue",
    "delete": "yellow",
    "deleted": "yellow",
    "purge": "red",
    "purged": "red",
    "retract": "red",
}
_COUNTED = ("fail", "warn", "pass")
_HIT = "bold reverse"


def show_entries(found: Sequence[Observation], spaces: Sequence[str] = ()) -> None:
    """Entries as a script gets them, in colours, with an empty line between two; with the space of
    each, if they are of several.
    """
    _show(
        [
            [_headline(one), _body(screen.line((formats.excerpt(one), "")), one, space)]
            for one, space in zip(found, spaces or [""] * len(found), strict=True)
        ]
    )


def show_hits(hits: Sequence[Hit], spaces: Sequence[str] = ()) -> None:
    """What a search found: of each the place where the words are, marked, and if it was asked for
    how its score came about.
    """
    entries = []
    for hit, space in zip(hits, spaces or [""] * len(hits), strict=True):
        found = screen.marked(hit.snippet, hit.marks, _HIT)
        headline = _headline(hit.observation)
        if hit.is_substring:
            headline.append(f" {formats.BY_LETTERS}", "yellow")
        lines = [headline, _body(found, hit.observation, space)]
        if hit.explanation is not None:
            lines += [screen.line((line, "dim")) for line in str(hit.explanation).splitlines()]
        entries.append(lines)
    _show(entries)


def _show(entries: Sequence[list[Text]]) -> None:
    if entries:
        first, *others = entries
        screen.show(*first, *(line for lines in others for line in (Text(), *lines)))
    else:
        render.line(formats.NOTHING_FOUND)


def show_list(found: Sequence[Observation]) -> None:
    """One line for each observation, or entries where a line is too short for that."""
    if not found or render.width() < TABLE_WIDTH_MIN:
        show_entries(found)
        return
    rows = [
        (
            screen.line((observation.id[:ID_DIGITS], "cyan")),
            _type(observation),
            _importance(observation),
            screen.line((_minute(observation), "dim")),
            screen.cut(observation.project, PROJECT_WIDTH_MAX),
            screen.line((_marks(observation), "yellow"), (_gist(observation), "")),
        )
        for observation in found
    ]
    screen.show(screen.table(("id", "type", "imp", "saved", "project", "what"), rows))


def show_observation(observation: Observation) -> None:
    """Its fields in two columns, and its content as it is."""
    show_fields(dict(formats.shown_fields(observation)))
    render.block(f"\n{observation.content}")


def show_history(entries: Iterable[HistoryEntry]) -> None:
    """Each event with its status, and under it why."""
    rows = []
    for entry in entries:
        about = [screen.line((formats.event_line(entry), "")), screen.line((entry.why, "dim"))]
        if entry.reason:
            about.append(screen.line((f"reason: {entry.reason}", "yellow")))
        if entry.observation is not None:
            about.append(screen.line((formats.excerpt(entry.observation), "")))
        status = screen.line((entry.status, _STATUSES.get(entry.status, "")))
        rows.append((status, screen.line((entry.operation, "bold")), Text("\n").join(about)))
    screen.show(screen.grid(rows))


def show_change(text: str, operation: str) -> None:
    """One line of what happens, as it happens."""
    before, _, after = text.partition(operation)
    style = _OPERATIONS.get(operation, "")
    screen.show(screen.line((before, "dim"), (operation, style), (after, "")))


def show_differences(lines: Iterable[str]) -> None:
    """What is different, as it is told to a script: headings stand out, and lines that came or
    went of a text are green or red.
    """
    screen.show(*(screen.line((line, _style_of(line))) for line in lines))


def _style_of(line: str) -> str:
    text = line.lstrip()
    if text == line:
        return f"bold {_OPERATIONS.get(line.partition(':')[0], '')}".strip()
    indent = len(line) - len(text)
    return {"+": "green", "-": "red"}.get(text[:1], "") if indent > TEXT_INDENT else ""


def show_projects(found: Iterable[Project]) -> None:
    """One line for each project."""
    rows = [
        (
            screen.line((one.name, "cyan") if one.name else ("(none)", "dim")),
            screen.line((f"{one.observations:,}", "")),
            screen.line((formats.time_text(one.updated_at)[:16].replace("T", " "), "dim")),
            screen.line((", ".join(one.aliases), "dim")),
        )
        for one in found
    ]
    screen.show(screen.table(("project", "observations", "changed", "also"), rows))


def show_fields(fields: Mapping[str, str]) -> None:
    """Names and values in two columns, or one below the other where a line is short."""
    if max(map(len, fields)) + VALUE_WIDTH_MIN > render.width():
        screen.show(*(screen.line((f"{n}: ", "dim"), (value, "")) for n, value in fields.items()))
        return
    rows = [
        (screen.line((name, "dim")), screen.line((value, ""))) for name, value in fields.items()
    ]
    screen.show(screen.grid(rows))


def show_spaces(found: Sequence[Space], current: str) -> None:
    """Each space with its size and place; the one that is used where none is named is marked."""
    rows = [
        (
            screen.line((space.name, "bold" if space.name == current else "")),
            screen.line(("current" if space.name == current else "", "green")),
            screen.line(("private" if space.is_private else "", "yellow")),
            f"{space.file_bytes:,}",
            screen.line((f"cannot be read: {space.problem}", "red"))
            if space.problem
            else screen.line((space.path, "dim")),
        )
        for space in found
    ]
    screen.show(screen.table(("space", "", "", "bytes", "where"), rows))


def show_peers(found: Sequence[PeerView], node: str) -> None:
    """Who runs the node, each peer with how it stands, and below what is wrong with any."""
    is_wide = render.width() >= WIDTH_FOR_ALL
    titles = ["peer", "", "", "behind", "ahead", "clock ms", "seen"]
    titles += ["held", "missing", "kioku", "log"] if is_wide else []
    rows = [_peer_row(peer)[: len(titles)] for peer in found]
    wrong = [
        screen.line((f"{peer.name}: {text}", "red"))
        for peer in found
        for text in (*peer.refused, peer.problem)
        if text
    ]
    screen.show(screen.line((f"node: {node}", "dim")), screen.table(titles, rows), *wrong)


def _peer_row(peer: PeerView) -> list[Text | str]:
    """Its cells, those that a narrow window leaves out last."""
    return [
        screen.line((peer.name, "bold")),
        screen.line((peer.role, "dim")),
        _reached(peer),
        _number(peer.behind),
        _number(peer.ahead),
        "?" if peer.offset_ms is None else f"{peer.offset_ms:+,}",
        screen.line(((peer.last_seen or "never")[:19].replace("T", " "), "dim")),
        _number(peer.held),
        _number(peer.missing),
        screen.line((peer.version, "dim")),
        screen.line((peer.log_id[:8], "cyan")),
    ]


def _reached(peer: PeerView) -> Text:
    if not peer.is_reachable:
        return screen.line(("continued" if peer.is_succeeded else "not reached", "yellow"))
    return screen.line(("level", "green") if peer.is_level else ("reached", ""))


def _number(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def show_report(report: Report) -> None:
    """Each check with its status, under it what to do, and how many there were of each."""
    rows = []
    for found in report.checks:
        about = screen.line((found.summary, ""))
        if found.hint:
            about = Text("\n").join([about, screen.line((f"hint: {found.hint}", "bold"))])
        status = screen.line((found.status.upper(), _STATUSES[found.status]))
        rows.append((status, screen.line((found.name, "bold")), about))
    statuses = [found.status for found in report.checks]
    total = ", ".join(f"{statuses.count(name)} {name}" for name in _COUNTED if name in statuses)
    screen.show(screen.grid(rows), Text(), screen.line((total, _STATUSES[report.worst_status])))


def _headline(observation: Observation) -> Text:
    return screen.line(
        ("[", "dim"),
        (observation.memory_type, _TYPES.get(observation.memory_type, "")),
        ("][", "dim"),
        (str(observation.importance), "bold" if observation.importance > 3 else ""),
        ("] ", "dim"),
        (formats.time_text(observation.created_at or observation.updated_at), "dim"),
        *([(f" ({observation.project})", "cyan")] if observation.project else []),
        *([(f" {observation.subject}", "bold")] if observation.subject else []),
        *(
            [(f" (refs: {', '.join(observation.references)})", "dim")]
            if observation.references
            else []
        ),
        (f" {_marks(observation)}".rstrip(), "yellow"),
    )


def _body(text: Text, observation: Observation, space: str) -> Text:
    text.append(f" <id={observation.id}>", "dim")
    return text.append(f" <space={space}>", "dim") if space else text


def _type(observation: Observation) -> Text:
    return screen.line((observation.memory_type, _TYPES.get(observation.memory_type, "")))


def _importance(observation: Observation) -> Text:
    return screen.line((str(observation.importance), "bold" if observation.importance > 3 else ""))


def _minute(observation: Observation) -> str:
    moment = observation.created_at or observation.updated_at
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M")


def _gist(observation: Observation) -> str:
    """What it is about, in what a line can hold."""
    text = observation.subject or observation.summary or observation.content[:400]
    return " ".join(text.split())


def _marks(observation: Observation) -> str:
    """What is special about it, with a space behind."""
    return "".join(f"{mark} " for mark in formats.marks(observation))
