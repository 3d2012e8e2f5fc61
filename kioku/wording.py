r"""How messages put things, in every layer; and how stored text is put where it cannot command.

Control characters, escape sequences and characters that reverse the reading direction are shown as
what they are (``\x1b``); newlines and tabs stay where text may have lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# C0 and C1 controls, DEL; the characters that reorder a line without being a letter of any script.
_CONTROLS: Final = (*range(0x20), *range(0x7F, 0xA0))
REORDERING: Final = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_LINE_SEPARATORS: Final = (0x2028, 0x2029)
_IN_TEXT = {c: f"\\x{c:02x}" for c in _CONTROLS} | {c: f"\\u{c:04x}" for c in REORDERING}
_IN_LINE = _IN_TEXT | dict.fromkeys((0x09, 0x0A, 0x0D, *_LINE_SEPARATORS), " ")
del _IN_TEXT[0x0A], _IN_TEXT[0x09]


def one_line(text: str) -> str:
    """Text for the middle of a line: no line break, nothing that moves a cursor."""
    return text if text.isprintable() else text.translate(_IN_LINE)


def plain(text: str) -> str:
    """Text of several lines, without anything that moves a cursor elsewhere."""
    return text if text.isprintable() else text.translate(_IN_TEXT)


def origin(agent_family: str, client_id: str, host: str) -> str:
    """Who saved something, and where: ``codex on laptop``."""
    who, where = agent_family or client_id or "somebody", host or "an unnamed machine"
    return one_line(f"{who} on {where}")


def no_hub(hubs: Iterable[str]) -> str:
    """That a spoke reaches none of its hubs, and what to do."""
    return f"no hub answers at {', '.join(hubs)}; see that one runs there: saving works without it"


def counted(count: int, noun: str) -> str:
    """A number and what it counts: ``1 event``, ``2,000 events``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
