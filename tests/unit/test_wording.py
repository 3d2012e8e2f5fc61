"""How messages put things."""

from __future__ import annotations

from kioku.wording import counted, origin


def test_one_is_one_and_all_else_are_several() -> None:
    assert counted(1, "event") == "1 event"
    assert counted(0, "event") == "0 events"
    assert counted(2_000, "new event") == "2,000 new events"


def test_an_origin_says_who_and_where_on_one_line() -> None:
    assert origin("codex", "codex-mcp-client", "laptop") == "codex on laptop"
    assert origin("", "zed", "") == "zed on an unnamed machine"
    assert origin("", "", "box") == "somebody on box"
    assert origin("a\nb", "", "\x1b[31m") == "a b on \\x1b[31m"
