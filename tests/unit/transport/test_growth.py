"""What the description says that sessions cost is what they cost."""

from __future__ import annotations

from tests.simulation.growth import table
from tests.tidy.repository import ROOT


def test_the_description_shows_what_is_measured() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    assert table() in text, "paste what python -m tests.simulation.growth prints"
