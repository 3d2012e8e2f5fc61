"""What a person sees: whole, aligned, within the window, and never a command to the terminal."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kioku.cli import render, views
from kioku.cli.acquaintance import PeerView
from kioku.doctor import Check, Report
from kioku.memory.hit import Hit
from kioku.memory.results import HistoryEntry, Project
from kioku.memory.spaces import Space
from kioku.observation import Observation
from tests.unit.test_cli_render import HARMFUL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STYLE = re.compile(r"\x1b\[[\d;]*m")
NOW = datetime(2026, 5, 22, 7, 51, 47, tzinfo=UTC)
ID = "3f9a2101" * 4
PIECES = (
    "word",
    "日本語",
    "e\u0301",
    "🧠",
    "👩‍👩‍👧",
    "🇯🇵",
    "[red]x[/red]",
    ":smile:",
    "\x1b[2J",
    "\t",
)
WIDTHS = (20, 40, 71, 72, 80, 200)


@pytest.fixture(autouse=True)
def _colour() -> Iterator[None]:
    """Colour and columns, as on a terminal."""
    render.choose_colour("always")
    yield
    render.choose_colour("auto")


def observation(content: str, **fields: object) -> Observation:
    """An observation as a store gives it."""
    times = {"created_at": NOW, "updated_at": NOW}
    return Observation(content, id=ID, **times, **fields)  # type: ignore[arg-type]


def shown(draw: Callable[[], None], width: int = 100) -> str:
    """What a view prints into a window of this width."""
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setenv("COLUMNS", str(width))
        patch.setattr(render, "_write", lambda _stream, text: printed.append(text))
        draw()
    return "".join(printed)


def a_peer(**fields: Any) -> PeerView:
    """A peer that is reached."""
    counts = {"behind": 1_234, "ahead": 0, "offset_ms": -12, "held": 0, "missing": None}
    known = {"name": "beta", "machine": "beta", "log_id": ID, "role": "spoke", "version": "0.1.0"}
    more = {"last_seen": NOW.isoformat(), "is_reachable": True, "is_level": True, "erased": True}
    return PeerView(**{**known, **counts, **more, **fields})


def views_of(text: str) -> list[Callable[[], None]]:
    """Every view, with ``text`` wherever text may stand."""
    found = observation(text, project=text, subject=text, summary=text, references=(text,))
    entry = HistoryEntry("save", "wins", text, NOW, text, ID, 1, ID * 2, found, text)
    peer = a_peer(name=text, machine=text, role=text, version=text, refused=(text,), problem=text)
    report = Report(text, (Check("store", "fail", text, text), Check("python", "pass", text)))
    return [
        lambda: views.show_entries([found, found], ["space", "other"]),
        lambda: views.show_hits([Hit(found, 1.0, text, marks=((0, len(text) // 2),))]),
        lambda: views.show_list([found, found]),
        lambda: views.show_change(f"{text} save {text}", "save"),
        lambda: views.show_differences([f"{text}: 1", f"  {text}", f"      +{text}"]),
        lambda: views.show_projects([Project(text, (text, text), 1_234, NOW)]),
        lambda: views.show_spaces([Space(text, text, 12, is_private=True)], text),
        lambda: views.show_spaces([Space(text, text, 12, is_private=False, problem=text)], ""),
        lambda: views.show_peers([peer, peer._replace(is_reachable=False)], text),
        lambda: views.show_history([entry, entry]),
        lambda: views.show_report(report),
        lambda: views.show_fields({text or "x": text}),
        lambda: views.show_observation(found),
    ]


@given(st.lists(st.sampled_from(PIECES)).map(" ".join) | st.text(), st.sampled_from(WIDTHS))
def test_stored_text_is_never_a_command_and_never_markup(text: str, width: int) -> None:
    for draw in views_of(text):
        rest = STYLE.sub("", shown(draw, width))
        assert not (HARMFUL - {"\n", "\t"}) & set(rest)


@given(st.lists(st.sampled_from(PIECES), min_size=1).map(" ".join), st.sampled_from(WIDTHS))
def test_no_line_is_longer_than_the_window(text: str, width: int) -> None:
    for draw in views_of(text)[:-1]:  # the last shows a content as it is: it can be copied
        for line in STYLE.sub("", shown(draw, width)).splitlines():
            assert cell_len(line) <= width, line


def test_what_looks_like_markup_is_text() -> None:
    text = "[red]x[/red] :smile: [link=y]"
    out = STYLE.sub("", shown(lambda: views.show_entries([observation(text)])))
    assert text in out


def test_an_entry_says_what_a_script_gets_and_in_colours() -> None:
    found = observation(
        "x", project="demo", memory_type="decision", importance=4, subject="s", summary="short"
    )
    out = shown(lambda: views.show_entries([found]))
    plain = f"[decision][4] 2026-05-22T07:51:47 (demo) s\nshort <id={ID}>\n"
    assert STYLE.sub("", out) == plain
    assert "\x1b[35mdecision" in out
    assert "\x1b[36m (demo)" in out
    assert f"\x1b[2m <id={ID}>" in out


def test_what_a_search_found_is_marked() -> None:
    hit = Hit(observation("whole content"), 1.0, "the words here", marks=((4, 9),))
    out = shown(lambda: views.show_hits([hit]))
    assert "the \x1b[1;7mwords\x1b[0m here" in out
    assert STYLE.sub("", out).endswith(f"\nthe words here <id={ID}>\n")


def test_peers_are_a_table_that_leaves_out_in_a_narrow_window_what_is_seldom_looked_for() -> None:
    peers = [a_peer(), a_peer(name="gamma", is_level=False, refused=("log 1 is too new",))]
    node, head, *rows = STYLE.sub("", shown(lambda: views.show_peers(peers, "none"), 80)).split(
        "\n"
    )
    assert node == "node: none"
    assert head.split() == ["peer", "behind", "ahead", "clock", "ms", "seen"]
    assert rows[0].split() == ["beta", "spoke", "level", "1,234", "0", "-12", *SEEN]
    assert rows[1].split()[:3] == ["gamma", "spoke", "reached"]
    assert rows[2] == "gamma: log 1 is too new"
    wide = STYLE.sub("", shown(lambda: views.show_peers(peers, "none"), 120)).splitlines()
    assert wide[2].split() == [*rows[0].split(), "0", "?", "0.1.0", ID[:8]]


SEEN = ["2026-05-22", "07:51:47"]


def test_a_list_is_a_table_with_the_columns_below_each_other() -> None:
    rows = [
        observation("one", project="日本語", memory_type="decision"),
        observation("two", project="e\u0301", versions=2),
        observation("three", project="a-very-long-name-of-a-project"),
        observation("four", project="👩‍👩‍👧"),
    ]
    head, *lines = STYLE.sub("", shown(lambda: views.show_list(rows))).splitlines()
    assert head.split() == ["id", "type", "imp", "saved", "project", "what"]
    begins = [cell_len(line[: line.index(word)]) for line, word in zip(lines, WORDS, strict=True)]
    assert begins == [cell_len(head[: head.index("what")])] * 4
    assert all(line.startswith(ID[:8] + "  ") for line in lines)
    assert "a-very-long-name-of…" in lines[2]


WORDS = ("one", "(2 versions) two", "three", "four")


def test_what_does_not_fit_a_table_is_cut_and_marked() -> None:
    out = STYLE.sub("", shown(lambda: views.show_list([observation("日本語 " * 100)]), width=80))
    assert cell_len(out.splitlines()[1]) in (79, 80)
    assert out.endswith("…\n")


def test_a_narrow_window_gets_entries_with_the_whole_id() -> None:
    out = STYLE.sub("", shown(lambda: views.show_list([observation("word " * 20)]), width=40))
    assert ID in out.replace("\n", "")
    assert "…" not in out


def test_a_report_counts_what_it_found() -> None:
    checks = [Check("disk", "pass", "fine"), Check("store", "warn", "so so", "mend it")]
    out = shown(lambda: views.show_report(Report("1", tuple(checks))))
    assert STYLE.sub("", out) == (
        "PASS  disk   fine\nWARN  store  so so\n             hint: mend it\n\n1 warn, 1 pass\n"
    )
    assert "\x1b[33mWARN" in out


def test_without_colours_no_escape_sequence_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    render.choose_colour("auto")
    monkeypatch.setenv("NO_COLOR", "1")
    for draw in views_of("日本語"):
        out = shown(draw)
        assert "日本語" in out
        assert "\x1b" not in out


@pytest.mark.parametrize(
    ("when", "variables", "is_coloured"),
    [
        ("auto", {}, True),
        ("auto", {"NO_COLOR": ""}, True),
        ("auto", {"NO_COLOR": "0"}, False),
        ("auto", {"CLICOLOR": "0"}, False),
        ("auto", {"CLICOLOR": "1"}, True),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"CLICOLOR_FORCE": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_who_asked_last_decides_about_colour(
    monkeypatch: pytest.MonkeyPatch, when: str, variables: dict[str, str], is_coloured: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    render.choose_colour(when)
    assert render.is_coloured() == is_coloured


@pytest.mark.parametrize("told", ["0", "-1", "wide", "", "99999", "²"])
def test_a_width_that_is_none_is_ignored(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("COLUMNS", told)
    assert render.width() == render.WIDTH
