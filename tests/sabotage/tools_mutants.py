"""More sabotages: what agents are shown, and what their tools may do."""

from __future__ import annotations

from tests.sabotage.change import Change

RESULTS = "kioku/mcp/results.py"
SHOWING = "kioku/mcp/showing.py"
TEXT = "kioku/mcp/text.py"
TOOLS = "kioku/mcp/tools.py"
WHOLE = "kioku/mcp/whole.py"

RESULT_TESTS = "tests/property/test_mcp_results.py"
TOOL_TESTS = "tests/unit/test_mcp_tools.py"
ERROR_TESTS = "tests/unit/test_mcp_errors.py"

TOOLS_GROUPS: dict[str, list[Change]] = {
    "tools": [
        Change(
            "a line separator of another alphabet ends the margin",
            TEXT,
            "for line in text.splitlines() or",
            'for line in text.split("\\n") or',
            RESULT_TESTS,
        ),
        Change(
            "a stored name stands bare in a line of kioku's",
            TEXT,
            "if _WORD.fullmatch(text) and shown == text:",
            "if shown == text:",
            RESULT_TESTS,
        ),
        Change(
            "a joined character is cut in two",
            TEXT,
            "if not _is_joined(text, place):",
            "if place:",
            RESULT_TESTS,
        ),
        Change(
            "a list goes on past its limit",
            SHOWING,
            "if room < 0:\n            break\n        made.append",
            "if room < -9_000:\n            break\n        made.append",
            RESULT_TESTS,
        ),
        Change(
            "each page is merged anew, from as much as it takes",
            "kioku/mcp/recalling.py",
            "if len(asked) == 1 else DEPTH",
            "if asked else DEPTH",
            "tests/unit/test_mcp_pages.py",
        ),
        Change(
            "the rest of a long content is not announced",
            WHOLE,
            "next_offset=end if end < len(content) else 0",
            "next_offset=0 * end",
            RESULT_TESTS,
        ),
        Change(
            "what says nothing is sent all the same",
            RESULTS,
            "return not value\n",
            "return False\n",
            TOOL_TESTS,
        ),
        Change(
            "who only reads is offered what changes",
            TOOLS,
            '_AGENT: Final = PROFILES - {"read-only"}',
            "_AGENT: Final = PROFILES",
            TOOL_TESTS,
        ),
        Change(
            "what was meant to be private is shared",
            TOOLS,
            "profiles=_AGENT,\n        left_out=_IDENTITY,\n        refused=_VISIBILITY,",
            "profiles=_AGENT,\n        left_out={**_IDENTITY, **_VISIBILITY},",
            ERROR_TESTS,
        ),
    ],
}
