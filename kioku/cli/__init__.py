"""The command line: ``kioku VERB …``.

The rule this package guards: whatever happens, a person sees one line that says what and, where it
helps, one that says what to do; never a traceback. Standard output carries only what was asked
for, so that a script can trust it.

Exit codes: 0 done, 1 refused or not found, 2 usage or invalid input (``doctor``: 0 pass, 1 warn,
2 fail). Each verb is a value (``kioku.cli.parser.Verb``) in a module of its family, and only the
module of the verb that was typed is imported: a save is a whole process and must stay cheap.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from kioku.cli import render
from kioku.errors import (
    AmbiguousIdError,
    ConfigError,
    InvalidArgumentError,
    InvalidObservationError,
    KiokuError,
    NotFoundError,
    PrivateSpaceError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLLECTED_AFTER = 50_000  # objects: more than a short command makes
EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
EXIT_BROKEN_PIPE = 141  # 128 + SIGPIPE

_INVALID_INPUT = (ConfigError, InvalidArgumentError, InvalidObservationError)
# What a person can do next; every other error's message ends with it already.
_HINTS = (
    (NotFoundError, "`kioku list` and `kioku search` show ids"),
    (AmbiguousIdError, "`kioku list` and `kioku search` show whole ids"),
    (
        PrivateSpaceError,
        "kioku export FILE --format jsonl --private writes what can be read, for yourself",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; nothing that goes wrong leaves as an exception.

    Without ``argv`` it is what this process was started with, and the process ends afterwards.
    """
    if argv is not None:
        return _run_guarded(list(argv))
    # What is imported holds no cycle that is worth looking for, neither while it is loaded nor
    # when the interpreter ends: a tenth of the time of a short command (docs/adr/0067).
    gc.set_threshold(_COLLECTED_AFTER)
    try:
        return _run_guarded(sys.argv[1:])
    finally:
        gc.freeze()


def _run_guarded(arguments: list[str]) -> int:
    render.prepare()
    try:
        code = _run(arguments)
        render.flush()
    except BrokenPipeError:
        render.abandon_output()  # a reader that left, as `kioku list | head -1`
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt as interruption:
        render.settle()
        render.interrupted(**vars(interruption))
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: a person must not see a traceback
        return _fail(error)
    return code


def _run(arguments: list[str]) -> int:
    if arguments[:1] == ["__complete"]:  # a shell asks, not a person: nothing else is looked at
        from kioku.cli.completion.answer import answer

        return answer(arguments[1:])
    from kioku.cli import verbs

    if any("\ud800" <= c <= "\udfff" for argument in arguments for c in argument):
        raise InvalidArgumentError("an argument is not valid UTF-8; pass UTF-8 text")
    return verbs.run(arguments)


def _fail(error: Exception) -> int:
    if os.environ.get("KIOKU_DEBUG"):
        render.traceback(error)
    if isinstance(error, KiokuError):
        render.error(str(error), hint=_hint(error))
        return EXIT_USAGE if isinstance(error, _INVALID_INPUT) else EXIT_REFUSED
    if isinstance(error, OSError):
        render.settle()
        place = f"{error.filename}: " if error.filename else ""
        render.error(f"{place}{error.strerror or error}")
        return EXIT_REFUSED
    render.error(
        f"unexpected {type(error).__name__}: {error}",
        hint="this is a defect of kioku: please report it, with what KIOKU_DEBUG=1 shows",
    )
    return EXIT_REFUSED


def _hint(error: KiokuError) -> str:
    own = getattr(error, "hint", "")
    return own or next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
