"""The repository's documents as observations: one for each section of each Markdown file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "kioku"
SUMMARY_MAX = 150
_STATUS = re.compile(r"(Status: )?(Accepted|Superseded)[^\n]*")  # all that is under its title


def observations() -> list[dict[str, Any]]:
    """Return what ``save_many`` takes, in the order of the files' names."""
    paths = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    return [observation for path in paths for observation in _observations_of(path)]


def _observations_of(path: Path) -> Iterator[dict[str, Any]]:
    is_decision = path.parent.name == "adr"
    title, *sections = _sections(path.read_text(encoding="utf-8"))
    for heading, text in [title, *sections]:
        if not text or _STATUS.fullmatch(text):
            continue
        subject = title[0] if heading == title[0] else f"{title[0]}: {heading}"
        yield {
            "content": f"{subject}\n\n{text}",
            "project": PROJECT,
            "subject": subject,
            "summary": _first_sentence(text),
            "tags": ["adr" if is_decision else "docs", path.stem],
            "memory_type": "decision" if is_decision else "note",
            "importance": 4 if heading == "Decision" else 2,
            "source_files": [path.relative_to(ROOT).as_posix()],
        }


def _first_sentence(text: str) -> str:
    """Return the first sentence of a section, without its markup; "" if it begins with code."""
    first = " ".join(text.partition("\n\n")[0].split())
    if first.startswith(("```", "|")):
        return ""
    return re.sub(r"[*`<>]|\[(?=[^\]]*\]\()|(?<=\w)\]\([^)]*\)", "", first).split(". ")[0][
        :SUMMARY_MAX
    ]


def _sections(text: str) -> list[tuple[str, str]]:
    """Split a document at its headings of the first two levels, code blocks left whole."""
    sections: list[tuple[str, list[str]]] = []
    in_code = False
    for line in text.splitlines():
        in_code ^= line.startswith("```")
        if not in_code and line.startswith(("# ", "## ")):
            sections.append((line.lstrip("# ").strip(), []))
        elif sections:
            sections[-1][1].append(line)
    return [(heading, "\n".join(lines).strip()) for heading, lines in sections]
