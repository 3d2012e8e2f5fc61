"""``export``: a memory as a file, to carry to another machine or to read."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kioku.cli import render
from kioku.cli.arguments import FILTERS, JSON, SPACE, filters
from kioku.cli.files import FORCE, replace_file
from kioku.cli.importing import IMPORT
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.progress import Work, report
from kioku.cli.store import open_memory, refuse_private, settings_of
from kioku.errors import ExistsError
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from kioku.log.frontier import Frontier
    from kioku.memory import Memory
    from kioku.observation import Observation

_ALL = {"include_superseded": True, "include_aliases": True}
PAGE = 10_000  # as many as one list can give


def _export(arguments: Namespace) -> int:
    is_standard_output = arguments.file == "-"
    if is_standard_output and arguments.format == "cbor" and render.is_watched():
        raise CommandError(
            "chunks are binary and standard output is a terminal",
            hint="kioku export FILE, or --format jsonl",
        )
    if not is_standard_output and os.path.exists(arguments.file) and not arguments.force:
        raise ExistsError(arguments.file, FORCE)
    write = _write_lines if arguments.format == "jsonl" else _write_chunks
    kept = "" if is_standard_output else f"nothing was written to {arguments.file}"
    with Work("exporting", kept=kept), open_memory(arguments) as memory:
        refuse_private(memory, arguments)
        after = _known_to(memory, arguments) if arguments.since_peer is not None else None
        with _destination(arguments.file) as put:
            what, count, size = write(memory, put, filters(arguments), after)
    if is_standard_output:
        return 0
    if arguments.json:
        render.json({"file": arguments.file, f"{what}s": count, "bytes": size})
    else:
        render.line(f"exported: {counted(count, what)}, {size:,} bytes to {arguments.file}")
    return 0


def _known_to(memory: Memory, arguments: Namespace) -> Frontier:
    """What a peer is known to have: all that is here if it is level just now, else what it showed.

    Raises:
        UnknownPeerError, AmbiguousIdError: if no one peer is meant.
    """
    from kioku.cli.acquaintance import ask_leader, find_peer, views_of
    from kioku.memory.meeting import frontier_of, known_peers

    known = known_peers(memory.replica)
    peer = find_peer(known, arguments.since_peer)
    # Before it is asked who is level: what is saved between the two is exported.
    frontier = memory.frontier()
    store = settings_of(arguments).store_path
    views = views_of(known, ask_leader(store), store)
    if any(view.log_id == peer.log_id and view.is_reachable and view.is_level for view in views):
        return frontier
    return frontier_of(memory.replica, peer.log_id)


@contextmanager
def _destination(file: str) -> Iterator[Callable[[bytes], object]]:
    if file == "-":
        yield render.octets
        return
    with replace_file(file) as opened:
        yield opened.write


def _write_chunks(
    memory: Memory,
    put: Callable[[bytes], object],
    wanted: dict[str, Any],
    after: Frontier | None,
) -> tuple[str, int, int]:
    if wanted:
        raise CommandError(
            "chunks are whole logs: what is exported can be narrowed only with --format jsonl",
            hint="kioku export FILE --format jsonl -p PROJECT",
        )
    count = size = 0
    for chunk in memory.export_chunks(after):
        put(chunk)
        count += 1
        size += len(chunk)
        report("exporting", size, is_bytes=True)
    return "chunk", count, size


def _write_lines(
    memory: Memory,
    put: Callable[[bytes], object],
    wanted: dict[str, Any],
    after: Frontier | None,
) -> tuple[str, int, int]:
    if after is not None:
        raise CommandError(
            "a peer is known by the events that it has, which lines are not",
            hint="kioku export FILE --since-peer NAME",
        )
    from kioku.cli.formats import observation_json
    from kioku.memory.lines import to_record

    total = memory.statistics().observations
    count = size = 0
    for observation in _all_observations(memory, {**_ALL, **wanted}):
        record = {**observation_json(observation), **to_record(observation)}
        data = (render.json_text(record) + "\n").encode()
        put(data)
        count += 1
        size += len(data)
        report("exporting", count, max(count, total))
    return "observation", count, size


def _all_observations(memory: Memory, wanted: dict[str, Any]) -> Iterator[Observation]:
    """Everything wanted that can be read now, the latest change first, however much there is.

    Pages are cut by time. Several observations may have the time of a page's last one, so the next
    page begins with that time again and what was already given is left out.
    """
    from datetime import timedelta

    given: set[str] = set()
    while True:
        page = memory.list(limit=PAGE, **wanted)
        fresh = [observation for observation in page if observation.id not in given]
        yield from fresh
        last = page[-1].updated_at if page else None
        if len(page) < PAGE or last is None or not fresh:
            return
        given = {observation.id for observation in page if observation.updated_at == last}
        wanted = {**wanted, "until": last + timedelta(milliseconds=1)}


EXPORT = Verb(
    name="export",
    summary="Write the memory to a file",
    description="Write the memory to a file: signed chunks, which import verifies and merges, or "
    "JSON Lines\nfor people. The file appears when it is complete. Lines "
    "can be narrowed by the same filters as `list`.",
    arguments=(
        argument("file", metavar="FILE", help="the file; - is standard output"),
        argument(
            "--format",
            choices=("cbor", "jsonl"),
            default="cbor",
            help="cbor (the default): everything, as chunks; jsonl: what can be read now",
        ),
        argument("--force", action="store_true", help="replace a file that is there"),
        argument(
            "--private",
            action="store_true",
            help="also if the space is private, with --format jsonl: for your own eyes",
        ),
        argument(
            "--since-peer",
            metavar="NAME",
            help="leave out what this other machine (`kioku peers`) is known to have",
        ),
        *FILTERS[:-1],
        SPACE,
        JSON,
    ),
    examples=(
        "kioku export memory.kioku",
        "kioku export - --format jsonl -p demo | less",
        "kioku export for-laptop.kioku --since-peer laptop",
    ),
    run=_export,
    output="`exported: N chunks, N bytes to FILE`; nothing but the export if FILE is `-`.",
    json="What was written. (Each line of JSON Lines is an observation.)",
)

VERBS = {verb.name: verb for verb in (EXPORT, IMPORT)}
