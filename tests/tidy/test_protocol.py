"""The description of the protocol shows the golden bytes of every message, and every limit."""

from __future__ import annotations

import pytest

from kioku.transport import limits
from tests.tidy.repository import ROOT
from tests.vectors.golden import load

GOLDEN: dict[str, bytes] = load("messages-v1.json")
TEXT = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GOLDEN)
def test_the_description_shows_the_bytes_of_every_message(name: str) -> None:
    assert GOLDEN[name].hex() in "".join(TEXT.split())


def test_the_description_names_the_limits_of_messages() -> None:
    assert f"4 MiB, {limits.ITEMS_MAX:,} items" in TEXT
    assert f"{limits.PREFIXES_MAX} prefixes; {limits.HEADS_MAX} tips or {limits.SUMS} sums" in TEXT
    assert f"{limits.BODIES_MAX} events; 4 MiB of answers" in TEXT
