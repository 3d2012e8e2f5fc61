"""Words of the predecessor that explain themselves: there is nothing left for them to do.

There, saves waited in a queue that had to be drained, and a rebuild hid what no peer answered for.
Here a save is on the disk when it returns, and what is derived is never asked of anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.cli import render
from kioku.cli.arguments import JSON, SPACE, whole
from kioku.cli.parser import Verb, argument

if TYPE_CHECKING:
    from argparse import Namespace

_NOTHING_TO_DRAIN = (
    "nothing waits: every save is on this machine's disk when it returns, and the log that it is"
    " in is all that other machines are given"
)
_NOTHING_HIDDEN = (
    "--rebuild: nothing is hidden that a rebuild would bring back; `kioku rebuild` derives the"
    " index from the log again and changes no answer"
)


def explain_rebuild() -> None:
    """Say why ``--rebuild`` does nothing."""
    render.note(_NOTHING_HIDDEN)


def _drain(arguments: Namespace) -> int:
    if arguments.json:
        render.json({"drained": 0, "pending": 0, "why": _NOTHING_TO_DRAIN})
    else:
        render.line(f"drained: 0 ({_NOTHING_TO_DRAIN})")
    return 0


DRAIN = Verb(
    name="drain",
    summary="Say that no save waits to be sent, and why",
    description="Say that no save waits to be sent, and why. Scripts for kioku-mesh call it.",
    arguments=(
        argument(
            "-n", "--limit", metavar="N", type=whole, help="accepted; there is nothing to limit"
        ),
        SPACE,
        JSON,
    ),
    examples=("kioku drain",),
    run=_drain,
    output="`drained: 0` and why.",
    json="The same.",
)

VERBS = {DRAIN.name: DRAIN}
