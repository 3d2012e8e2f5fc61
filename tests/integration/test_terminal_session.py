"""A session at a terminal, as a person has it: typed into a shell, in tmux where it is installed.

Each test runs in every kind of window there is here (``windows``): always in the emulator, and in
tmux too where it is installed.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

import kioku
from tests.integration.cli_process import done, save_many

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.windows import Person

    Sit = Callable[..., Person]

MANY = 9_000  # fewer than one delete takes, and seconds of work on any disk


@pytest.fixture
def decisions() -> list[str]:
    """Three observations of different types, some in wide characters."""
    with kioku.open() as memory:
        saved = memory.save_many(
            [
                {"content": "one", "project": "demo", "memory_type": "decision", "importance": 4},
                {"content": "二つ目の記憶", "project": "プロジェクト", "memory_type": "bug"},
                {"content": "three", "project": "cafe\u0301", "subject": "🧠 brain"},
            ]
        )
    return [observation.id for observation in saved]


def test_a_list_is_a_coloured_table(sit: Sit, decisions: list[str]) -> None:
    person = sit()
    head, *rows = person.run("kioku list").splitlines()[1:]
    assert head.split() == ["id", "type", "imp", "saved", "project", "what"]
    assert [row.split()[0] for row in rows] == [key[:8] for key in reversed(decisions)]
    assert person.colour_of("decision") == "magenta"
    assert person.colour_of("bug") == "red"
    assert person.colour_of(decisions[0][:8]) == "cyan"
    assert person.colour_of("note") == "default"


def test_wide_characters_stand_in_their_columns(sit: Sit, decisions: list[str]) -> None:
    person = sit(columns=120)
    person.run("kioku list")
    words = ("what", "🧠", "二つ目", "one")
    begins = [person.column_of(word, row) for row, word in enumerate(words, start=1)]
    assert begins[0] > 0
    assert len(set(begins)) == 1


@pytest.mark.usefixtures("decisions")
def test_a_narrow_window_gets_wrapped_entries(sit: Sit) -> None:
    person = sit(columns=40)
    save_many("Chose Postgres over SQLite for the analytics database")
    shown = person.run("kioku list")
    assert "Chose Postgres over SQLite for the\nanalytics database\n" in shown
    assert "id  " not in shown


def test_the_window_that_is_there_now_counts(sit: Sit) -> None:
    save_many("word " * 30)
    person = sit(columns=120)
    wide = person.run("kioku search word").splitlines()
    assert max(map(len, wide)) > 100
    person.window.resize(40, 40)
    narrow = person.run("kioku search word").splitlines()
    assert 30 < max(map(len, narrow)) <= 40
    assert len(narrow) > len(wide)


@pytest.mark.parametrize("columns", [24, 40, 100])
def test_help_is_wrapped_to_the_window(sit: Sit, columns: int) -> None:
    person = sit(columns=columns, rows=200)
    shown = person.run("kioku --help").splitlines()
    assert "save and find:" in shown
    words = {word for line in shown for word in line.split()}
    assert {"Save", "observation", "everywhere"} <= words  # no word is cut in two


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"CLICOLOR": "0"}])
def test_without_colour_the_columns_stay(
    sit: Sit, decisions: list[str], setting: dict[str, str]
) -> None:
    person = sit(**setting)
    assert "id        type" in person.run("kioku list")
    assert person.colour_of("decision") == "default"
    assert person.colour_of(decisions[0][:8]) == "default"
    person.run("kioku list --color always")
    assert person.colour_of("decision") == "magenta"


@pytest.mark.usefixtures("decisions")
def test_a_pipe_gets_the_plain_lines_even_at_a_terminal(sit: Sit) -> None:
    person = sit(FORCE_COLOR="1", CLICOLOR_FORCE="1")
    shown = person.run("kioku list | cat -v")
    assert "[decision][4] " in shown
    assert "^[[" not in shown
    assert "^[[35mdecision" in person.run("kioku list --color always | cat -v")


def test_a_dumb_terminal_gets_the_plain_lines(sit: Sit) -> None:
    save_many("words")
    assert "[note][2] " in sit().run("TERM=dumb kioku list")


def test_a_person_is_told_what_to_do_next(sit: Sit) -> None:
    person = sit()
    assert 'hint: kioku save "what you learned" saves the first' in person.run("kioku list")
    shown = person.run("kioku save words")
    assert "hint: kioku search WORDS finds it" in shown
    assert "hint" not in person.run("kioku save again")
    assert "hint: other or fewer words" in person.run("kioku search nothing")
    assert "hint: without the filters" in person.run("kioku search words -p elsewhere")
    assert "hint: without the filters" in person.run("kioku list -p elsewhere")
    assert "hint" not in person.run("kioku search nothing | cat")


def test_a_bulk_delete_asks_and_takes_no_for_an_answer(sit: Sit) -> None:
    save_many("one", "two", project="demo")
    person = sit()
    for answer in ("n", "", "what"):
        person.begin("kioku delete -p demo; echo code $?")
        person.wait_for("delete 2 observations? [y/N]")
        person.answer(answer)
        shown = person.wait_for_prompt()
        assert "nothing was done" in shown
        assert "code 1" in shown
    assert len(done("list", "--json").json) == 2
    person.begin("kioku delete -p demo; echo code $?")
    person.wait_for("[y/N]")
    person.answer("y")
    shown = person.wait_for_prompt()
    assert shown.count("deleted (tombstone): ") == 2
    assert "code 0" in shown
    assert done("list", "--json").json == []


def test_ctrl_c_at_a_question_is_no_and_ends_the_line(sit: Sit) -> None:
    save_many("one", "two", project="demo")
    person = sit()
    person.begin("kioku delete -p demo; echo code $?")
    person.wait_for("[y/N]")
    person.window.press("C-c")
    shown = person.wait_for_prompt().splitlines()
    assert shown[-2:] == ["kioku: interrupted", "code 130"] or shown[-1] == "kioku: interrupted"
    assert len(done("list", "--json").json) == 2


def test_long_work_shows_a_bar_and_ctrl_c_says_what_was_kept(sit: Sit) -> None:
    with kioku.open() as memory:
        memory.save_many([{"content": f"number {n}", "project": "demo"} for n in range(MANY)])
    person = sit()
    person.begin("kioku delete -p demo --yes > out")
    shown = person.wait_for(f" of {MANY:,}")
    assert "━━━" in shown
    person.window.press("C-c")
    last = person.wait_for_prompt().splitlines()[-1]
    assert last.startswith("kioku: interrupted; ")
    assert last.endswith(f" of {MANY:,} were deleted")
    count = int(last.split()[2].replace(",", ""))
    left = MANY - len(done("list", "-p", "demo", "-n", "10000", "--json").json)
    assert count <= left <= count + 1  # the one that was under way may have been done
    assert "━" not in person.text()
    assert person.window.has_cursor()
    assert person.run("stty -a | grep -c ' echo '").endswith("1")


def test_an_import_shows_how_much_it_has_read_and_can_be_stopped_and_repeated(
    sit: Sit, tmp_path: Path
) -> None:
    save_many(*(f"{n} {'x' * 2_000}" for n in range(1_000)))
    data = tmp_path / "chunks"
    done("export", str(data))
    os.mkfifo(tmp_path / "slow")
    person = sit(KIOKU_STATE_DIR=str(tmp_path / "elsewhere"))
    for is_stopped in (True, False):
        slow = os.open(tmp_path / "slow", os.O_RDWR)  # a file that somebody is still writing
        person.begin(f"kioku import {tmp_path}/slow")
        person.wait_for("importing ━━━")
        if is_stopped:
            person.window.press("C-c")
            last = person.wait_for_prompt().splitlines()[-1]
            assert last == "kioku: interrupted; what came in is kept; import it again for the rest"
            os.close(slow)
            continue
        sender = threading.Thread(target=os.write, args=(slow, data.read_bytes()))
        sender.start()
        sender.join()
        os.close(slow)
        assert "imported: 1,001 new of 1,001 events" in person.wait_for_prompt()
        assert "━" not in person.text()


def test_a_bar_fits_a_narrow_window_and_leaves_nothing_behind(sit: Sit) -> None:
    with kioku.open() as memory:
        memory.save_many([{"content": f"number {n}"} for n in range(60_000)])
    person = sit(columns=40)
    person.begin("kioku rebuild")
    shown = person.wait_for("rebuilding ")
    assert max(map(len, shown.splitlines())) <= 40
    shown = person.wait_for_prompt()
    assert shown.splitlines()[1:] == ["rebuilt: 60,000 observations from 60,001", " events"]
    assert person.window.has_cursor()


def test_a_bar_hides_no_cursor(sit: Sit) -> None:
    """Whoever is killed while it shows cannot bring a cursor back."""
    person = sit()
    person.begin("kioku import /dev/stdin")
    person.wait_for("importing ━━━")
    assert person.window.has_cursor()
    person.window.press("C-c")
    assert "kioku: interrupted" in person.wait_for_prompt()


def test_a_bar_is_not_drawn_into_a_pipe_or_a_file(sit: Sit, tmp_path: Path) -> None:
    with kioku.open() as memory:
        memory.save_many([{"content": f"number {n}"} for n in range(60_000)])
    person = sit()
    person.run(f"kioku rebuild 2> {tmp_path}/errors")
    assert (tmp_path / "errors").read_bytes() == b""


def test_a_request_to_end_leaves_a_sane_terminal(sit: Sit) -> None:
    with kioku.open() as memory:
        memory.save_many([{"content": f"number {n}", "project": "demo"} for n in range(MANY)])
    person = sit()
    person.begin("kioku delete -p demo --yes > out & echo pid $!; wait $!; echo code $?")
    shown = person.wait_for("deleting ")
    pid = int(shown.split("pid ")[-1].split()[0])
    os.kill(pid, 15)
    assert "code 143" in person.wait_for("\ncode ")
    person.wait_for_prompt()
    assert "━" not in person.text()
    assert person.window.has_cursor()


def test_tab_completes_verbs_options_and_what_the_store_knows(sit: Sit) -> None:
    [key] = save_many("words", project="a-project-of-ours")
    person = sit()
    person.run('eval "$(kioku completion bash)"')
    for typed, completed in (
        ("kioku get-m", "kioku get-memory"),
        ("kioku search --search-m", "kioku search --search-mode"),
        ("kioku list -p a-pro", "kioku list -p a-project-of-ours"),
        (f"kioku get-memory {key[:7]}", f"kioku get-memory {key}"),
    ):
        person.window.type(typed)
        person.window.press("Tab")
        person.wait_for(completed)
        person.window.press("C-c")
        person.wait_for_prompt()


def test_every_page_for_a_person_is_shown(sit: Sit, decisions: list[str]) -> None:
    person = sit()
    assert "PASS  store" in person.run("kioku doctor")
    assert person.colour_of("PASS") == "green"
    assert "mesh_ready" in person.run("kioku status")
    shown = person.run(f"kioku history {decisions[0][:8]}")
    assert "wins  save  " in shown
    assert person.colour_of("wins") == "green"
    assert person.run(f"kioku get-memory {decisions[0][:8]}").endswith("\n\none")
