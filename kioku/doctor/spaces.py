"""The other stores in the state directory: does each open?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kioku.doctor.report import Check
from kioku.errors import StoreError
from kioku.memory import open_store
from kioku.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.config import Settings


def check_spaces(path: str, settings: Settings) -> Check:
    """Open every store beside the one at ``path``, which has checks of its own."""
    others = [one for one in _stores(settings.state_dir) if one != path]
    problems = [problem for one in others if (problem := _problem(one, settings))]
    if problems:
        return Check(
            "spaces",
            "fail",
            "; ".join(problems),
            "kioku doctor --space NAME says more of one; move what is no store elsewhere",
        )
    return Check(
        "spaces",
        "pass",
        f"{counted(len(others), 'other space')}, each can be opened"
        if others
        else "no other is here",
    )


def _stores(directory: str) -> Iterator[str]:
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        if name.endswith(".db"):
            yield os.path.join(directory, name)


def _problem(path: str, settings: Settings) -> str:
    try:
        open_store(path, settings).close()
    except StoreError as error:
        return str(error)
    return ""
