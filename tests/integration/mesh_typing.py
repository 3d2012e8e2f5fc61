"""What a person types on a machine of a mesh, and what they see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.integration.json_output import assert_documented
from tests.integration.mesh import Machine, until

if TYPE_CHECKING:
    from tests.integration.cli_process import Result

NOBODY = "127.0.0.1:9"  # where nobody listens: whoever dials it is refused at once


def said(machine: Machine, text: str) -> None:
    """Wait until a machine's node has said something."""
    until(lambda: text in machine.log, lambda: f"{machine.name} never said {text}: {machine.log}")


def shown(machine: Machine, *arguments: str, code: int = 0) -> Any:
    """What a command prints as JSON, which is what its schema says."""
    result = machine.run(*arguments, "--json", code=code)
    assert_documented(arguments[0], result.out)
    return json.loads(result.out)


def lines(result: Result) -> dict[str, str]:
    """``name: value`` lines."""
    return dict(line.split(": ", 1) for line in result.out.splitlines())


def refusal(machine: Machine, *arguments: str, code: int = 1) -> str:
    """What a refused command says: a line, and maybe a hint, and no traceback."""
    result = machine.run(*arguments, code=code)
    told = result.err.splitlines()
    assert told[0].startswith("kioku: ")
    assert len(told) <= 2
    return result.err
