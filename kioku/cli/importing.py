"""``import``: chunks, backups and JSON Lines, each known by how it begins.

A chunk file is a CBOR sequence: chunks one after the other, each verified on its own, so that of a
file that was cut all that is whole is kept. Lines are people's, so they are all read before the
first is saved: of a file with a bad line nothing is.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedReader
from typing import TYPE_CHECKING, BinaryIO, cast

from kioku.cli import render
from kioku.cli.arguments import DRY_RUN, JSON, SPACE
from kioku.cli.files import ImportRefusedError, Source
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.progress import Work, report
from kioku.cli.store import open_memory, settings_of
from kioku.errors import MalformedMessageError, PeerError
from kioku.log.chunk import MESSAGE_BYTES_MAX
from kioku.log.codec import split_sequence
from kioku.log.still import STORE_MAGIC, is_still
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Iterator

    from kioku.cli.json_lines import LineCounts
    from kioku.memory import Memory

READ_BYTES = 1 << 20
_BLANKS = b"\xef\xbb\xbf \t\r\n"
_FORMATS = ("cbor", "jsonl", "store")


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


def _import(arguments: Namespace) -> int:
    from kioku.cli import json_lines

    done, lines = Imported(), None
    kept = "what came in is kept; import it again for the rest"
    with Work("importing", kept=kept), ExitStack() as stack:
        sources = [_open(file, arguments.format, stack) for file in arguments.files]
        texts = [source for source in sources if source.format == "jsonl"]
        if arguments.dry_run and len(texts) < len(sources):
            raise CommandError(
                "--dry-run is for JSON Lines; chunks are verified one by one as they come in",
                hint="importing chunks again changes nothing",
            )
        if texts:
            policy = settings_of(arguments).secrets
            texts, lines = json_lines.check(texts, stack, secrets=policy)
        if not arguments.dry_run:
            with open_memory(arguments) as memory:
                for source in sources:
                    if source.format != "jsonl":
                        _import_chunks(memory, source, done)
                if lines is not None:
                    json_lines.save(memory, texts, lines)
    if done.refused_chunks:
        raise ImportRefusedError(
            f"{done.first_refusal}; refused: {counted(done.refused_chunks, 'chunk')}; the others "
            f"are kept: {done.chunks:,} ({counted(done.new_events, 'new event')})"
        )
    _show(arguments, done, lines)
    return 0


def _open(path: str, wanted: str | None, stack: ExitStack) -> Source:
    name = "standard input" if path == "-" else path
    if path != "-":
        file: BinaryIO = stack.enter_context(open(path, "rb"))  # noqa: SIM115 - the stack closes it
    elif sys.stdin is None:
        raise CommandError("standard input is closed", hint="kioku import FILE")
    else:
        file = sys.stdin.buffer
    found = wanted or _format_of(file)
    if found == "store" and path == "-":
        raise CommandError("standard input is a store", hint="kioku import FILE")
    return Source(name, path, file, found)


def _format_of(file: BinaryIO) -> str:
    """Tell a file by its first bytes; what is nothing that we know is taken for chunks."""
    start = file.peek(len(STORE_MAGIC)) if isinstance(file, BufferedReader) else b""
    if is_still(start):
        return "store"
    return "jsonl" if start.lstrip(_BLANKS)[:1] == b"{" else "cbor"


def _show(arguments: Namespace, done: Imported, lines: LineCounts | None) -> None:
    fields = {
        "chunks": done.chunks,
        "events": done.events,
        "new_events": done.new_events,
        "new_bodies": done.new_bodies,
        "held": done.held,
        "missing": done.missing,
    }
    if arguments.json:
        render.json({**fields, "lines": None if lines is None else lines.as_json()})
        return
    if lines is not None:
        verb = "would import" if arguments.dry_run else "imported"
        render.line(f"{verb}: {lines.summary(is_dry_run=arguments.dry_run)}")
        if lines.unusual:
            names = ", ".join(f"{name} ({count:,})" for name, count in lines.unusual.items())
            render.note(f"kept in `extra`, for they are no fields of an observation: {names}")
        if lines.redacted:
            render.note(
                f"redacted: credentials or private text in {counted(lines.redacted, 'line')}"
            )
    if done.chunks or lines is None:
        render.line(f"imported: {done.new_events:,} new of {counted(done.events, 'event')}")
        for name, value in fields.items():
            render.line(f"{name}: {value}")


def _import_chunks(memory: Memory, source: Source, done: Imported) -> None:
    """Take in chunks, or a backup or another store, of which chunks are made."""
    if source.format == "store":
        from kioku.backup import reading_chunks
        from kioku.log.frontier import Frontier

        with reading_chunks(source.path) as chunks_after:
            known = Frontier() if memory.is_private() else memory.frontier()
            placed = enumerate(chunks_after(known), start=1)
            _ingest(memory, source, ((f"chunk {n}", one) for n, one in placed), done)
        return
    try:
        cut = enumerate(_chunks(source.file), start=1)
        chunks = ((f"chunk {n} at byte {offset:,}", chunk) for n, (offset, chunk) in cut)
        _ingest(memory, source, chunks, done)
    except MalformedMessageError as error:
        raise ImportRefusedError(
            f"{source.name}: {error}; the whole chunks before it are kept: "
            f"{done.chunks:,} ({counted(done.new_events, 'new event')})"
        ) from error


def _ingest(
    memory: Memory, source: Source, chunks: Iterable[tuple[str, bytes]], done: Imported
) -> None:
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
            done.first_refusal = done.first_refusal or f"{source.name}: {place}: {error}"
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
    total = _size(file)
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
        report("importing", start, total, is_bytes=True)


def _size(file: BinaryIO) -> int | None:
    """The size of a regular file; None of a pipe."""
    import os
    import stat

    status = os.fstat(cast("BufferedReader", file).fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


IMPORT = Verb(
    name="import",
    summary="Merge an export, a backup or JSON Lines into this memory",
    description="Merge an export, a backup, another store's file or JSON Lines into this memory. "
    "Importing again changes nothing. Chunks are verified one by one: of a file that is damaged, "
    "what is whole before the damage is kept. Lines are all read first: if one is bad, none is "
    "saved. A line needs only `content`; one with an `id` keeps it, its times and its author, and "
    "undoes nothing that is newer here; one without is left out if the same content is in its "
    "project already.",
    arguments=(
        argument(
            "files",
            metavar="FILE",
            nargs="+",
            help="exports, backups, stores or JSON Lines; - is standard input",
        ),
        argument(
            "--format",
            choices=_FORMATS,
            help="what the files are; without it each is known by how it begins",
        ),
        DRY_RUN,
        SPACE,
        JSON,
    ),
    examples=(
        "kioku import memory.kioku",
        "kioku import notes.jsonl --dry-run",
        'echo \'{"content": "Deploys are on Thursdays", "project": "demo"}\' | kioku import -',
    ),
    run=_import,
    output="Of chunks `imported: N new of N events` and a `name: count` line each; of lines "
    "`imported: N of N lines`, and how many were here already.",
    json="The counts; `lines` is null if there were none.",
    exit_codes="0 all is here, 1 something was refused (of chunks, what was not is kept), 2 usage",
)
