"""Documents are held to the code, and decisions to their form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.tidy.repository import ROOT, documents

if TYPE_CHECKING:
    from pathlib import Path

ADRS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
SECTIONS = ["Problem", "Options", "Decision", "Consequences", "Held by", "Sources"]
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
# "Held by" is a section or, when it is one sentence, a paragraph that begins with it in bold.
_SECTION = re.compile(r"^(?:## (.+)|\*\*(Held by)\*\*.*)$", re.MULTILINE)
_STATUS = re.compile(
    r"^(?:Status: )?(Accepted|Superseded by \d{4}), \d{4}-\d\d-\d\d$", re.MULTILINE
)
_PATH = re.compile(r"`((?:kioku|tests|bench|docs|demo)/[\w./-]+\.(?:py|md))(?:::\w+)?`")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.strip().replace(" ", "-")


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_a_decision_has_the_form_of_one(path: Path) -> None:
    text = _text(path)
    number = int(path.name[:4])
    assert re.match(rf"# {number}\. \S.*\n", text), "the title is '# N. Title as a decision'"
    assert _STATUS.search(text), "a line like 'Status: Accepted, 2026-11-22'"
    assert [heading or bold for heading, bold in _SECTION.findall(text)] == SECTIONS


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_a_decision_is_held_by_something_that_exists(path: Path) -> None:
    held_by = re.split(r"^## |^\*\*(?=Held by)", _text(path), flags=re.MULTILINE)[-2]
    holders = re.findall(r"`([\w./-]+)`", held_by)
    assert [name for name in holders if (ROOT / name).exists()], "name a test or a contract"


def test_decisions_are_numbered_once() -> None:
    numbers = [path.name[:4] for path in ADRS]
    assert numbers
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("path", documents(), ids=_name)
def test_every_local_link_leads_somewhere(path: Path) -> None:
    dead = []
    for target in _LINK.findall(_FENCE.sub("", _text(path))):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = path.parent / name if name else path
        headings = re.findall(r"^#+ (.+)$", _text(file), re.MULTILINE) if file.is_file() else []
        if not file.exists() or (anchor and anchor not in map(_anchor, headings)):
            dead.append(target)
    assert not dead


@pytest.mark.parametrize("path", documents(), ids=_name)
def test_every_file_that_a_document_names_exists(path: Path) -> None:
    named = set(_PATH.findall(_FENCE.sub("", _text(path))))
    assert not [name for name in named if not (ROOT / name).exists()]


def test_every_command_of_the_makefile_is_in_its_help() -> None:
    text = _text(ROOT / "Makefile")
    shown = set(re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE))
    expected = {"demo", "test", "check", "sim", "bench", "bench-peers", "sabotage"}
    assert expected | {"docs", "fix", "help", "clean"} <= shown
