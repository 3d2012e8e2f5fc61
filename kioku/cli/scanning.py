"""``scan``: credentials in what is here already, and getting rid of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kioku.cli import render
from kioku.cli.arguments import JSON, SPACES, YES
from kioku.cli.forgetting import require_yes
from kioku.cli.parser import CommandError, Verb, argument
from kioku.cli.progress import Work
from kioku.wording import counted

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from kioku.memory import Memory
    from kioku.memory.results import FoundSecret

FOUND: Final = 1  # the exit code that says so, as of a search that looks for what should not be
_KEPT: Final = "those before it are erased: run it again for the rest"


def _scan(arguments: Namespace) -> int:
    if arguments.purge and arguments.redact:
        raise CommandError("--purge and --redact are two ways: give one", hint="kioku scan --help")
    records: list[dict[str, Any]] = []
    erased = 0
    for name in _names(arguments):
        with _opened(name) as memory:
            with Work("looking", kept="nothing was changed") as work:
                found = memory.scan_secrets(work)
            records += [_record(one, name) for one in found]
            is_erased = bool(found) and (arguments.purge or arguments.redact)
            if is_erased and not render.is_answered():
                _require_yes(found, arguments)  # before anything is shown: a script has its answer
            if not arguments.json:
                _show(found, name)
            if is_erased:
                erased += _erase(memory, found, arguments)
    if arguments.json:
        render.json({"found": records, "erased": erased})
    else:
        _conclude(records, erased, arguments)
    wanted = len({(record["space"], record["id"]) for record in records})
    return FOUND if erased < wanted else 0


def _names(arguments: Namespace) -> list[str]:
    """The spaces that were named; the settings' one if none was.

    Raises:
        StoreError: one that was named is not here; else a wrong letter would look like a good end.
    """
    import os

    from kioku.config import ALL_SPACES, load_settings
    from kioku.errors import StoreError
    from kioku.memory.spaces import spaces

    named: list[str] = list(dict.fromkeys(arguments.spaces or ()))
    if named == [ALL_SPACES]:
        return [space.name for space in spaces() if not space.is_private]
    here = {space.name for space in spaces()}
    for name in named:
        if name not in here:
            raise StoreError(f"space {name}: is not here; `kioku spaces` shows those that are")
    return named or [load_settings(os.environ).space]


def _opened(name: str) -> Memory:
    from kioku.memory import open as open_space

    return open_space(space=name)


def _record(one: FoundSecret, space: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "field": one.field,
        "start": one.start,
        "hint": one.hint,
        "is_current": one.is_current,
        "space": space,
    }


def _show(found: Sequence[FoundSecret], space: str) -> None:
    for one in found:
        where = "" if one.is_current else ", in an older version"
        render.line(
            f"{one.id} {one.kind} at {one.field}:{one.start}{where}: {one.hint} <space={space}>"
        )


def _require_yes(found: Sequence[FoundSecret], arguments: Namespace) -> None:
    count = counted(len({one.id for one in found}), "observation")
    if arguments.purge:
        require_yes(arguments, f"erase {count} everywhere, for ever?", f"{count} would be erased")
    else:
        asked = f"erase the credentials of {count} and their history, everywhere?"
        require_yes(arguments, asked, f"{count} would be redacted")


def _erase(memory: Memory, found: Sequence[FoundSecret], arguments: Namespace) -> int:
    """Erase what was found, and say of how many observations."""
    _require_yes(found, arguments)
    keys = list(dict.fromkeys(one.id for one in found))
    erased = 0
    with Work("erasing", kept=_KEPT) as work:
        for done, key in enumerate(keys):
            work(done, len(keys))
            erased += memory.purge(key) if arguments.purge else bool(memory.redact_secrets(key))
    if erased < len(keys):
        render.note(f"kioku: {counted(len(keys) - erased, 'observation')} could not be redacted")
        render.note("hint: kioku scan --purge erases what this version cannot read, or not rewrite")
    return erased


def _conclude(records: Sequence[dict[str, Any]], erased: int, arguments: Namespace) -> None:
    if not records:
        render.line("nothing that looks like a credential")
        return
    observations = len({(record["space"], record["id"]) for record in records})
    if erased:
        done = "purged" if arguments.purge else "redacted"
        render.line(f"{done}: {counted(erased, 'observation')}")
        render.note(
            "hint: replace them where they were issued: who has seen them may have kept them"
        )
        return
    of = counted(observations, "observation")
    render.line(f"found: {counted(len(records), 'credential')} in {of}")
    render.note("hint: --redact erases them and keeps the words, --purge erases the observations")


SCAN = Verb(
    name="scan",
    summary="Look for credentials in what is here",
    description="Look for credentials in what is here: every version, deleted ones and reasons of "
    "deletions\ntoo. A save takes them out; but other machines, older versions and "
    "KIOKU_SECRETS=allow may\nhave let some in. What is found is never shown.",
    arguments=(
        argument(
            "--redact",
            action="store_true",
            help="erase the credentials everywhere, history included; the words around them stay",
        ),
        argument(
            "--purge",
            action="store_true",
            help="erase the whole observations everywhere, for ever",
        ),
        YES,
        SPACES,
        JSON,
    ),
    examples=("kioku scan", "kioku scan --space all --json", "kioku scan --redact --yes"),
    run=_scan,
    output="`<id> <kind> at <field>:<character>: <hint> <space=…>` a line each, then `found: N "
    "credentials in N observations`, `redacted: N observations` or `purged: N observations`; "
    "`nothing that looks like a credential` if there is none.",
    json="What was found, and of how many observations it was erased.",
    exit_codes="0 nothing is found, or all that was found is erased, 1 something is found, 2 usage",
)

VERBS = {verb.name: verb for verb in (SCAN,)}
