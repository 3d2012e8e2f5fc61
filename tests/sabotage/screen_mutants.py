"""One-line sabotages of what people and scripts see: pages, bars, schemas, exit codes."""

from __future__ import annotations

from tests.sabotage.change import Change

RENDER = "kioku/cli/render.py"
SCREEN = "kioku/cli/screen.py"
VIEWS = "kioku/cli/views.py"
PROGRESS = "kioku/cli/progress.py"

VIEWS_TESTS = "tests/unit/test_cli_views.py"
PROGRESS_TESTS = "tests/unit/test_cli_progress.py"
SCHEMA_TESTS = "tests/integration/test_json_schemas.py"
TABLE = "tests/integration/test_familiar_table.py"
STREAMS = "tests/integration/test_cli_streams.py"
SESSION = "tests/integration/test_terminal_session.py"

SCREEN_GROUPS: dict[str, list[Change]] = {
    "screen": [
        Change(
            "stored text is read as markup",
            SCREEN,
            "    return Text.assemble(*((render.one_line(text), style) for text, style in pieces))",
            '    return Text.from_markup("".join(render.one_line(text) for text, _ in pieces))',
            VIEWS_TESTS,
        ),
        Change(
            "a marked place is not cleaned",
            SCREEN,
            "        whole.append(render.one_line(text[begin:end]), style)",
            "        whole.append(text[begin:end], style)",
            VIEWS_TESTS,
        ),
        Change(
            "NO_COLOR is not honoured",
            RENDER,
            'return not os.environ.get("NO_COLOR") and os.environ',
            "return os.environ",
            VIEWS_TESTS,
        ),
        Change(
            "a narrow window gets a table",
            VIEWS,
            "    if not found or render.width() < TABLE_WIDTH_MIN:",
            "    if not found:",
            VIEWS_TESTS,
        ),
        Change(
            "what was found is not marked",
            VIEWS,
            "screen.marked(hit.snippet, hit.marks, _HIT)",
            'screen.line((hit.snippet, ""))',
            VIEWS_TESTS,
        ),
        Change(
            "a launcher's colours reach a pipe",
            RENDER,
            '    return is_watched() and os.environ.get("TERM") != "dumb"',
            '    return is_watched() or bool(os.environ.get("FORCE_COLOR"))',
            f"{STREAMS}::test_what_a_script_reads_depends_on_nothing_but_the_command",
        ),
        Change(
            "the window's width is asked of the environment",
            RENDER,
            "            return os.get_terminal_size(sys.stdout.fileno()).columns or WIDTH",
            '            return int(os.environ.get("COLUMNS", WIDTH))',
            f"{SESSION}::test_the_window_that_is_there_now_counts",
        ),
    ],
    "stopping": [
        Change(
            "a request to end kills at once",
            PROGRESS,
            "        raise SystemExit(128 + number)",
            '        __import__("os")._exit(128 + number)',
            f"{STREAMS}::test_a_file_that_is_stopped_half_written_is_removed",
        ),
        Change(
            "a handler is left behind",
            PROGRESS,
            "        signal.signal(number, handler)",
            "        del number, handler",
            PROGRESS_TESTS,
        ),
        Change(
            "a hang-up that is ignored is taken all the same",
            PROGRESS,
            "        if signal.getsignal(number) == signal.SIG_DFL",
            "        if number",
            PROGRESS_TESTS,
        ),
        Change(
            "a bar is drawn into a pipe",
            RENDER,
            '    return _is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb"',
            "    return True",
            PROGRESS_TESTS,
        ),
        Change(
            "a bar hides the cursor",
            PROGRESS,
            "            return False\n",
            "            return super().show_cursor(show)\n",
            f"{SESSION}::test_a_bar_hides_no_cursor",
        ),
    ],
    "schema": [
        Change(
            "a field is printed that is not documented",
            "kioku/cli/formats.py",
            '        "pc_id": observation.host,',
            '        "pc_id": observation.host, "undocumented": True,',
            SCHEMA_TESTS,
        ),
        Change(
            "an object may have any field",
            "kioku/cli/shapes.py",
            '        "additionalProperties": False,',
            '        "additionalProperties": True,',
            SCHEMA_TESTS,
        ),
    ],
    "familiar": [
        Change(
            "a hit by letters passes for one by words",
            "kioku/cli/formats.py",
            '    mark = f" {BY_LETTERS}" if hit.is_substring else ""',
            '    mark = ""',
            "tests/integration/test_cli_search.py",
        ),
        Change(
            "one is counted as several",
            "kioku/wording.py",
            "{'' if count == 1 else 's'}",
            "s",
            "tests/unit/test_wording.py",
        ),
        Change(
            "a word of the mesh is unknown",
            "kioku/cli/later.py",
            '    "invite": _CLOSED,\n',
            "",
            f"{TABLE}::test_what_comes_later_says_with_what_and_what_to_do_today",
        ),
        Change(
            "a word of the mesh is done when it is typed",
            "kioku/cli/later.py",
            '    if not {"-h", "--help"} & set(rest):',
            '    if rest == ["never"]:',
            f"{TABLE}::test_what_comes_later_says_with_what_and_what_to_do_today",
        ),
    ],
}
