"""JSON Lines in and out: a person's file, read whole before anything of it is saved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from kioku.cli.files import ImportRefusedError
from kioku.cli.progress import report
from kioku.errors import InvalidObservationError, NotFoundError
from kioku.memory.lines import LINE_BYTES_MAX, read_line
from kioku.observation import encode_body
from kioku.secrets import must_screen, screened
from kioku.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

    from kioku.cli.files import Source
    from kioku.memory import Memory
    from kioku.observation import Observation

BATCH = 1_000  # observations saved in one transaction
SPOOL_BYTES = 8 << 20  # of standard input that are kept in memory; more goes to an unnamed file
_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class LineCounts:
    """What lines were there, and what became of them."""

    read: int = 0
    saved: int = 0
    unchanged: int = 0
    deleted: int = 0
    redacted: int = 0
    unusual: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The counts by their stable names."""
        return {
            "read": self.read,
            "saved": self.saved,
            "unchanged": self.unchanged,
            "deleted": self.deleted,
            "redacted": self.redacted,
            "kept_in_extra": dict(sorted(self.unusual.items())),
        }

    def summary(self, *, is_dry_run: bool) -> str:
        """One sentence."""
        if is_dry_run:
            return f"{counted(self.read, 'line')}, no error found"
        told = f"{self.saved:,} of {counted(self.read, 'line')}"
        return told + (f"; {self.unchanged:,} were here already" if self.unchanged else "")


def check(
    sources: Sequence[Source], stack: ExitStack, *, secrets: str
) -> tuple[list[Source], LineCounts]:
    """Read every line of all files, and give files that can be read again, and the counts.

    What ``secrets``, the policy, refuses in a line makes it a bad one.

    Raises:
        ImportRefusedError: if a line is bad: the first, and how many more there are.
    """
    counts = LineCounts()
    bad = 0
    first: InvalidObservationError | None = None
    where = ""
    again = [_rewindable(source, stack) for source in sources]
    for source in again:
        for number, data in _numbered(source.file):
            try:
                line = read_line(data)
                counts.redacted += line is not None and _is_redacted(line.observation, secrets)
            except InvalidObservationError as error:
                bad += 1
                if first is None:
                    first, where = error, f"{source.name}: line {number:,}"
                continue
            if line is None:
                counts.deleted += bool(data.strip())
                continue
            counts.read += 1
            counts.unusual.update(line.unusual)
        source.file.seek(0)
    if first is not None:
        others = f", and {counted(bad - 1, 'more line')} too" if bad > 1 else ""
        refused = ImportRefusedError(f"{where}: {first}{others}; no line was imported")
        refused.hint = "correct it and import again: what is here already is left out"
        raise refused from first
    return again, counts


def _is_redacted(observation: Observation, secrets: str) -> bool:
    if not must_screen(encode_body(observation), secrets):
        return False
    return bool(screened(observation, secrets).redactions)


def _rewindable(source: Source, stack: ExitStack) -> Source:
    """A file that can be read twice; of a pipe a copy, which no name leads to."""
    if source.file.seekable():
        return source
    from shutil import copyfileobj
    from tempfile import SpooledTemporaryFile

    spool = SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - the stack closes it
    stack.callback(spool.close)
    copyfileobj(source.file, spool)
    spool.seek(0)
    return replace(source, file=cast("BinaryIO", spool))


def _numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Give each line without its end, and its number; memory is bounded by one line's limit."""
    number = 0
    while data := file.readline(LINE_BYTES_MAX):
        number += 1
        if number == 1:
            data = data.removeprefix(_BOM)
        if len(data) >= LINE_BYTES_MAX and not data.endswith(b"\n"):
            while (more := file.readline(LINE_BYTES_MAX)) and not more.endswith(b"\n"):
                pass
        yield number, data


def save(memory: Memory, sources: Sequence[Source], counts: LineCounts) -> None:
    """Save what was checked, a thousand observations a transaction."""
    batch: list[Observation] = []
    done = 0
    for source in sources:
        for _, data in _numbered(source.file):
            line = read_line(data)
            if line is None:
                continue
            batch.append(line.observation)
            if len(batch) == BATCH:
                done += BATCH
                _save(memory, batch, counts)
                batch = []
                report("importing", done, counts.read)
    _save(memory, batch, counts)


def _save(memory: Memory, batch: list[Observation], counts: LineCounts) -> None:
    fresh = [one for one in _once(batch) if one.updated_at or not _is_known(memory, one)]
    saved = memory.save_many(fresh, keep_times=True, if_duplicate="return")
    count = sum(not one.is_duplicate for one in saved)
    counts.saved += count
    counts.unchanged += len(batch) - count


def _once(batch: list[Observation]) -> list[Observation]:
    """Leave out what a batch says twice: the store is asked before any of it is there."""
    found: dict[tuple[object, ...], Observation] = {}
    for number, one in enumerate(batch):
        found.setdefault((one.id, one.updated_at) if one.id else (number,), one)
    return list(found.values())


def _is_known(memory: Memory, observation: Observation) -> bool:
    """Whether anything here has this id: without a time of its own, a line cannot be newer."""
    if not observation.id or observation.created_at:
        return False
    try:
        memory.history(observation.id)
    except NotFoundError:
        return False
    return True
