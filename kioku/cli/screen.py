"""A page for a person: coloured pieces of text and tables, as wide as the terminal is now.

The rule this module guards: **what was stored is text, never a command**. Every piece passes
through ``render`` before it is laid out, and nothing in it is read as markup; the only escape
sequences on a page are those that ``rich`` adds. Only ``views`` and this import rich, and only what
a person watches imports them (docs/adr/0053).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from kioku.cli import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

Piece = tuple[str, str]
"""A text and its style (``bold``, ``red``, ``dim``, ``""`` …)."""


def line(*pieces: Piece) -> Text:
    """Pieces one after the other; what is too long is wrapped between words."""
    return Text.assemble(*((render.one_line(text), style) for text, style in pieces))


def marked(text: str, marks: Iterable[tuple[int, int]], style: str) -> Text:
    """A text on one line, with the stretches ``marks`` (begin, end) in a style."""
    whole = Text()
    at = 0
    for begin, end in marks:
        whole.append(render.one_line(text[at:begin]))
        whole.append(render.one_line(text[begin:end]), style)
        at = end
    return whole.append(render.one_line(text[at:]))


def cut(text: str, cells: int, style: str = "") -> Text:
    """A text of at most so many columns; what was cut off is marked."""
    whole = line((text, style))
    whole.truncate(cells, overflow="ellipsis")
    return whole


def table(headings: Sequence[str], rows: Iterable[Sequence[Text | str]]) -> Table:
    """A table of one line a row: the last column has what the others leave of the line, and what
    does not fit is cut and marked. Columns of figures alone stand to the right.
    """
    cells = [[cell if isinstance(cell, Text) else line((cell, "")) for cell in row] for row in rows]
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    left = render.width()
    for at, heading in enumerate(headings):
        column = [row[at] for row in cells]
        widest = max([len(heading), *(cell.cell_len for cell in column)])
        is_last = at == len(headings) - 1
        made.add_column(
            heading,
            justify="right"
            if all(cell.plain.replace(",", "").isdecimal() for cell in column)
            else "left",
            no_wrap=True,
            overflow="ellipsis",
            width=max(1, min(widest, left)) if is_last else widest,
        )
        left -= widest + 2
    for row in cells:
        made.add_row(*row)
    return made


def grid(rows: Iterable[Sequence[RenderableType]]) -> Table:
    """Rows in columns without headings; the last column is wrapped under itself."""
    made = Table.grid(padding=(0, 2, 0, 0))
    kept = list(rows)
    for _ in range(max(map(len, kept), default=1) - 1):
        made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for row in kept:
        made.add_row(*row)
    return made


def show(*parts: RenderableType) -> None:
    """Print the parts, one below the other."""
    page = io.StringIO()
    is_coloured = render.is_coloured()
    console = Console(
        file=page,
        width=render.width(),
        force_terminal=is_coloured,
        color_system="standard" if is_coloured else None,
        no_color=not is_coloured,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
    )
    console.print(Group(*parts))
    lines = page.getvalue().rstrip("\n").split("\n")
    render.painted("".join(f"{line.rstrip()}\n" for line in lines))
