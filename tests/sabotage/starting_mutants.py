"""One-line sabotages of what an agent is told when it starts, and of the hooks that ask for it."""

from __future__ import annotations

from tests.sabotage.change import Change

STARTING = "kioku/view/starting.py"
PAGE = "kioku/context/page.py"
LINES = "kioku/context/lines.py"
TOKENS = "kioku/context/tokens.py"
HOOKING = "kioku/cli/hooking.py"
HOOKS = "kioku/install/hooks.py"

CONTEXT_TESTS = "tests/unit/test_context.py"
LAW_TESTS = "tests/property/test_context.py"
CLI_TESTS = "tests/integration/test_cli_context.py"
HOOK_TESTS = "tests/unit/install/test_hooks.py"

STARTING_GROUPS: dict[str, list[Change]] = {
    "starting": [
        Change(
            "what was superseded is in force",
            STARTING,
            "Filter(projects=projects), now_ms)",
            "Filter(projects=projects, include_superseded=True), now_ms)",
            CONTEXT_TESTS,
        ),
        Change(
            "the last session is counted from its end",
            STARTING,
            'f" ORDER BY {_TIME_OF_KEY}, r.key LIMIT 1",',
            'f" ORDER BY {_TIME_OF_KEY} DESC, r.key LIMIT 1",',
            CONTEXT_TESTS,
        ),
        Change(
            "the present session counts as the last one",
            STARTING,
            " AND r.session_id <> :session",
            "",
            CONTEXT_TESTS,
        ),
        Change(
            "a heading is not weighed",
            PAGE,
            "(0 if section.notes else section.heading_quarters)",
            "0",
            LAW_TESTS,
        ),
        Change(
            "a note may close the block",
            LINES,
            '_TAG.sub("&lt;", " ".join(text.split()))',
            '" ".join(text.split())',
            CONTEXT_TESTS,
        ),
        Change(
            "a CJK character counts as its bytes",
            TOKENS,
            "return len(text.encode()) - len(cjk.encode()) + QUARTERS * len(cjk)",
            "return len(text.encode()) + 0 * len(cjk)",
            CONTEXT_TESTS,
        ),
        Change(
            "a hook fails as the command does",
            HOOKING,
            "    except Exception as error:  # noqa",
            "    except ZeroDivisionError as error:  # noqa",
            CLI_TESTS,
        ),
        Change(
            "a group that somebody shares is taken for ours",
            HOOKS,
            "return len(inner) == 1 and _is_our_item(inner[0], client)",
            "return any(_is_our_item(one, client) for one in inner)",
            HOOK_TESTS,
        ),
    ],
}
