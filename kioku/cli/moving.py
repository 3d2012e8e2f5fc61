"""``export`` and ``import``: a memory as a file, to carry to another machine or to read.

A chunk file is a CBOR sequence: chunks one after the other, each verified on its own when it is
imported, so that of a file that was cut all that is whole is kept.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import BufferedReader
from typing import TYPE_CHECKING, BinaryIO

from kioku.cli import render
from kioku.cli.arguments import JSON, SPACE
from kioku.cli.files import FORCE, replace_file
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.store import open_memory, refuse_private
from kioku.errors import ExistsError, MalformedMessageError, PeerError
from kioku.log.chunk import MESSAGE_BYTES_MAX
from kioku.log.codec import split_sequence
from kioku.log.still import STORE_MAGIC, is_still

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from kioku.memory import Memory
    from kioku.observation import Observation

PAGE = 10_000  # as many as one list can give
READ_BYTES = 1 << 20


@dataclass(slots=True)
class Imported:
    """What has come in so far, and the first thing that did not."""

    chunks: int = 0
    events: int = 0
    new_events: int = 0
    new_bodies: int = 0
    held: int = 0
    missing: int = 0
    refused_chunks: int = 0
    first_refusal: str = ""


class ImportRefusedError(PeerError):
    """Some or all of a file could not be taken in; what could was."""


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
    with open_memory(arguments) as memory, _destination(arguments.file) as put:
        refuse_private(memory, arguments)
        what, count, size = write(memory, put)
    if is_standard_output:
        return 0
    if arguments.json:
        render.json({"file": arguments.file, what: count, "bytes": size})
    else:
        render.line(f"exported: {count:,} {what}, {size:,} bytes to {arguments.file}")
    return 0


@contextmanager
def _destination(file: str) -> Iterator[Callable[[bytes], object]]:
    if file == "-":
        yield render.octets
        return
    with replace_file(file) as opened:
        yield opened.write


def _write_chunks(memory: Memory, put: Callable[[bytes], object]) -> tuple[str, int, int]:
    count = size = 0
    for chunk in memory.export_chunks():
        put(chunk)
        count += 1
        size += len(chunk)
    return "chunks", count, size


def _write_lines(memory: Memory, put: Callable[[bytes], object]) -> tuple[str, int, int]:
    from kioku.cli.formats import observation_json

    count = size = 0
    for observation in _all_observations(memory):
        data = (render.json_text(observation_json(observation)) + "\n").encode()
        put(data)
        count += 1
        size += len(data)
    return "observations", count, size


def _all_observations(memory: Memory) -> Iterator[Observation]:
    """Everything that can be read now, the latest change first, however much there is.

    Pages are cut by time. Several observations may have the time of a page's last one, so the next
    page begins with that time again and what was already given is left out.
    """
    from datetime import timedelta

    until = None
    given: set[str] = set()
    while True:
        page = memory.list(limit=PAGE, until=until, include_superseded=True, include_aliases=True)
        fresh = [observation for observation in page if observation.id not in given]
        yield from fresh
        last = page[-1].updated_at if page else None
        if len(page) < PAGE or last is None or not fresh:
            return
        given = {observation.id for observation in page if observation.updated_at == last}
        until = last + timedelta(milliseconds=1)


def _import(arguments: Namespace) -> int:
    done = Imported()
    with open_memory(arguments) as memory:
        for file in arguments.files:
            with _source(file) as opened:
                _import_one(memory, file, opened, done)
    if done.refused_chunks:
        raise ImportRefusedError(
            f"{done.first_refusal}; {done.refused_chunks:,} chunks were refused, the other "
            f"{done.chunks:,} are kept ({done.new_events:,} new events)"
        )
    fields = {
        "chunks": done.chunks,
        "events": done.events,
        "new_events": done.new_events,
        "new_bodies": done.new_bodies,
        "held": done.held,
        "missing": done.missing,
    }
    if arguments.json:
        render.json(fields)
    else:
        render.line(f"imported: {done.new_events:,} new of {done.events:,} events")
        for name, value in fields.items():
            render.line(f"{name}: {value}")
    return 0


def _source(file: str) -> AbstractContextManager[BinaryIO]:
    return nullcontext(sys.stdin.buffer) if file == "-" else open(file, "rb")


def _import_one(memory: Memory, file: str, opened: BinaryIO, done: Imported) -> None:
    """Take in one file: chunks, or a backup or another store, of which chunks are made."""
    name = "standard input" if file == "-" else file
    if isinstance(opened, BufferedReader) and is_still(opened.peek(len(STORE_MAGIC))):
        if file == "-":
            raise CommandError("standard input is a store", hint="kioku import FILE")
        from kioku.backup import reading_chunks

        with reading_chunks(file) as chunks_after:
            chunks = (
                (f"chunk {n}", one) for n, one in enumerate(chunks_after(memory.frontier()), 1)
            )
            _ingest(memory, name, chunks, done)
        return
    try:
        placed = enumerate(_chunks(opened), start=1)
        chunks = ((f"chunk {n} at byte {offset:,}", chunk) for n, (offset, chunk) in placed)
        _ingest(memory, name, chunks, done)
    except MalformedMessageError as error:
        raise ImportRefusedError(
            f"{name}: {error}; {done.chunks:,} whole chunks before it are kept "
            f"({done.new_events:,} new events)"
        ) from error


def _ingest(memory: Memory, name: str, chunks: Iterable[tuple[str, bytes]], done: Imported) -> None:
    """Take in chunks. What is not CBOR, or no chunk, ends it; one that is well formed and yet
    refused (its log is over a limit, something before it is not here) only ends itself.
    """
    for place, chunk in chunks:
        try:
            counts = memory.ingest_chunk(chunk)
        except MalformedMessageError:
            raise
        except PeerError as error:
            done.refused_chunks += 1
            done.first_refusal = done.first_refusal or f"{name}: {place}: {error}"
            continue
        done.chunks += 1
        done.events += counts.events
        done.new_events += counts.new_events
        done.new_bodies += counts.new_bodies
        done.held += counts.held
        done.missing += counts.missing


def _chunks(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Cut a CBOR sequence into its items, with where each begins; memory stays bounded.

    Raises:
        MalformedMessageError: it ends within an item, or holds what cannot be an item of a
            chunk file.
    """
    buffer = b""
    start = 0
    is_ended = False
    while True:
        while not is_ended and len(buffer) <= MESSAGE_BYTES_MAX:
            more = file.read(READ_BYTES)
            is_ended = not more
            buffer += more
        if not buffer:
            return
        try:
            end = split_sequence(buffer, 0)
        except MalformedMessageError as error:
            raise MalformedMessageError(f"not a chunk at byte {start:,}: {error}") from error
        yield start, buffer[:end]
        buffer = buffer[end:]
        start += end


EXPORT = Verb(
    name="export",
    summary="Write the memory to a file",
    description="Write the memory to a file: signed chunks, which import verifies and merges, or "
    "JSON Lines\nfor people. The file appears when it is complete.",
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
        SPACE,
        JSON,
    ),
    examples=("kioku export memory.kioku", "kioku export - --format jsonl | less"),
    run=_export,
    output="`exported: N chunks, N bytes to FILE`; nothing but the export if FILE is `-`.",
    json="What was written. (Each line of JSON Lines is an observation.)",
)

IMPORT = Verb(
    name="import",
    summary="Merge exported chunks, or a backup, into this memory",
    description="Merge exported chunks, a backup or another store's file into this memory.\n"
    "Everything is verified first; importing again changes nothing. Of a file that is damaged,\n"
    "what is whole before the damage is kept.",
    arguments=(
        argument(
            "files",
            metavar="FILE",
            nargs="+",
            help="exports, backups or stores; - is standard input",
        ),
        SPACE,
        JSON,
    ),
    examples=("kioku import memory.kioku",),
    run=_import,
    output="`imported: N new of N events` and a `name: count` line each.",
    json="The counts.",
    exit_codes="0 all is here, 1 something was refused (and what was not is kept), 2 usage",
)

VERBS = {verb.name: verb for verb in (EXPORT, IMPORT)}
