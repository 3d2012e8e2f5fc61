"""What is to be done for one client, as a value: shown by a dry run, carried out by ``carrying``.

Whoever makes plans (``planning``, the hooks) has read every file already: a step holds the bytes
that were there, and is refused when they have changed meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NEW_FILE_MODE: Final = 0o600


class Write(NamedTuple):
    """One file to be written, replaced or removed.

    Attributes:
        path: its name; where it is a link, what the link leads to is written.
        old: what was read there, None where there was no file.
        new: what shall be there, None if the file shall be gone.
        mode: of a file that is new; another keeps its own.
        keeps_copy: whether a dated copy of ``old`` is kept beside it; False for a file of our own.
    """

    path: str
    old: bytes | None
    new: bytes | None
    mode: int = NEW_FILE_MODE
    keeps_copy: bool = True


class Run(NamedTuple):
    """One program of the client's to be run.

    Attributes:
        arguments: the whole command line.
        environ: its whole environment.
        directory: where it is run.
        shown: the command line as it may be printed, without what is secret.
        saved: a file that it may rewrite, with what was read there (None: no file): copied before.
        fault: asked afterwards: ``""`` if it did what it should, else what is wrong.
        instead: what to do if it did not, None if nothing else can be done.
    """

    arguments: tuple[str, ...]
    environ: Mapping[str, str]
    directory: str
    shown: tuple[str, ...]
    saved: tuple[str, bytes | None]
    fault: Callable[[], str]
    instead: Write | None = None


class Plan(NamedTuple):
    """What is to be done for one client.

    Attributes:
        client: its name in the table.
        summary: in a few words what the steps come to, or why there are none.
        steps: in this order; none if nothing needs doing.
        notes: lines for the user, said whatever happens.
        refusal: why nothing can be done, ``""`` if it can; then there are no steps.
        secrets: texts that must not be printed, wherever they stand.
        file: the client's config, ``""`` if it has none.
    """

    client: str
    summary: str
    steps: tuple[Write | Run, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: str = ""
    secrets: tuple[str, ...] = ()
    file: str = ""

    def hidden(self, text: str) -> str:
        """The text without what is secret in it."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        return text


HIDDEN: Final = "***"
