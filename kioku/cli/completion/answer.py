"""What a shell asks at each press of Tab: a process of its own, that must be quick and quiet.

    kioku __complete bash  COMP_TYPE COMP_WORDBREAKS LINE
    kioku __complete zsh|fish                        LINE

``LINE`` is the command up to the cursor, as typed. The answer's first line says how to take the
rest: ``words``, ``list`` (what was chosen may go on, so no space behind it), or ``files``. Then a
line for each candidate; for zsh and fish a tab and what it means follow. Nothing goes to standard
error, the exit code is 0, and no store is created: in the middle of a line nobody wants to hear of
a problem.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kioku.cli import verbs
from kioku.cli.completion.places import Place, place
from kioku.cli.completion.words import Word, quoted, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import apsw

Candidates = list[tuple[str, str]]

COMMAND = "__complete"
# Of bash's COMP_TYPE: when what is shown is only a list to look at, and nothing of it is inserted.
_LISTINGS = ("33", "63", "64")
_HEX = frozenset("0123456789abcdef")
_DESCRIPTION_CHARACTERS = 72


def answer(arguments: Sequence[str]) -> int:
    """Answer a shell; whatever goes wrong, the answer is that there is nothing to offer."""
    try:
        lines = list(_lines(arguments))
    except Exception:  # noqa: BLE001 - a prompt is no place for a traceback
        lines = ["words"]
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    try:
        os.write(1, data)  # in one piece, and not through a stream that might lack a character
    except OSError:
        return 1
    return 0


def _lines(arguments: Sequence[str]) -> Iterator[str]:
    shell, line = arguments[0], arguments[-1]
    breaks = arguments[2] if shell == "bash" else ""
    found = _command_words(split(line, breaks))
    if not found:
        return
    here = _place([word.text for word in found])
    if here.kind == "file":
        yield "files"
        return
    yield "list" if here.is_list else "words"
    shown = _candidates(here)
    if shell == "fish":  # it takes a tilde for a home directory's, whatever it stands for
        shown = [one for one in shown if not one[0].startswith("~")]
    is_listing = shell == "bash" and arguments[1] in _LISTINGS and len(shown) > 1
    for text, about in shown:
        meaning = _one_line(about)
        if shell != "bash":
            yield f"{text}\t{meaning}"
        else:
            value = quoted(text, found[-1])
            yield f"{value}  ({meaning})" if is_listing and meaning else value


def _command_words(words: list[Word]) -> list[Word]:
    """What followed the command, past assignments as ``KIOKU_SPACE=work kioku …``."""
    for number, word in enumerate(words):
        name, equals, _ = word.text.partition("=")
        if not (equals and name.isidentifier()):
            return words[number + 1 :]
    return []


def _place(words: list[str]) -> Place:
    if len(words) == 1 or (len(words) == 2 and words[0] == "help"):
        return Place("verb", words[-1])
    if words[0] not in verbs.MODULES:
        return Place("", words[-1])
    return place(verbs.load(words[0]), words[1:])


def _candidates(place: Place) -> Candidates:
    """What the whole word may become; of a comma list only its last item is open."""
    before, typed, used = place.before, place.typed, frozenset[str]()
    if place.is_list:
        head, comma, typed = typed.rpartition(",")
        before += head + comma
        used = frozenset(head.split(","))
    return [
        (before + text, about)
        for text, about in _of_kind(place._replace(typed=typed))
        if text.startswith(typed)
        and text not in used
        and not (place.is_list and "," in text)
        and _is_fit(text, is_option=place.kind == "option" or bool(before))
    ]


def _of_kind(place: Place) -> Iterable[tuple[str, str]]:
    match place.kind:
        case "" | "option" | "choice":
            return place.choices
        case "verb":
            return verbs.SUMMARIES.items()
        case "memory_type" | "importance":
            return _plain(_KNOWN[place.kind].split())
        case "client":
            from kioku.install.clients import NAMES

            return _plain(NAMES)
        case "space":
            return _spaces(has_all=place.is_list)
        case _:
            return _stored(place)


_KNOWN = {
    "memory_type": "note decision bug pattern config summary",
    "importance": "1 2 3 4 5",
}


def _plain(names: Iterable[str]) -> Candidates:
    return [(name, "") for name in names]


def _spaces(*, has_all: bool) -> Iterator[tuple[str, str]]:
    from kioku.config import ALL_SPACES, is_space, load_settings

    settings = load_settings(os.environ)
    for file in sorted(os.listdir(settings.state_dir)):
        name, suffix = os.path.splitext(file)
        if suffix == ".db" and is_space(name):
            yield name, ""
    if has_all:
        yield ALL_SPACES, "every space that is not private"


def _stored(place: Place) -> Candidates:
    """What the store of the line's space, or of the settings', knows."""
    from kioku.config import load_settings
    from kioku.log.glance import glance

    space = place.space.partition(",")[0] if place.space else None
    settings = load_settings(os.environ, space=None if space == "all" else space)
    with glance(settings.store_path) as connection:
        return list(_of_store(connection, place))


def _of_store(connection: apsw.Connection, place: Place) -> Iterable[tuple[str, str]]:
    from kioku import suggestions

    match place.kind:
        case "id":
            digits = place.typed
            if len(digits) > 32 or not set(digits) <= _HEX:
                return ()
            find = suggestions.deleted_ids if place.verb == "undelete" else suggestions.ids
            return find(connection, digits)
        case "peer":
            return suggestions.peers(connection)
        case "tags":
            return _plain(suggestions.tags(connection, place.typed))
        case "project":
            present = [(".", "the present one")] if place.typed in ("", ".") else []
            return present + _plain(suggestions.names(connection, "project", place.typed))
        case column:
            return _plain(suggestions.names(connection, column, place.typed))


def _is_fit(text: str, *, is_option: bool) -> bool:
    """Whether a candidate can be typed: nothing that moves a cursor or would pass for an option."""
    return bool(text) and text.isprintable() and (is_option or not text.startswith("-"))


def _one_line(text: str) -> str:
    from kioku.cli.render import one_line

    flat = one_line(" ".join(text.split()))
    return flat if len(flat) <= _DESCRIPTION_CHARACTERS else flat[:_DESCRIPTION_CHARACTERS] + "…"
