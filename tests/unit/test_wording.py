"""How messages count."""

from __future__ import annotations

from kioku.wording import counted


def test_one_is_one_and_all_else_are_several() -> None:
    assert counted(1, "event") == "1 event"
    assert counted(0, "event") == "0 events"
    assert counted(2_000, "new event") == "2,000 new events"
