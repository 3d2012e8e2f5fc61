"""Sabotages of what is written into other programs' configs."""

from __future__ import annotations

from tests.sabotage.change import Change

CARRYING = "kioku/install/carrying.py"
EDITING = "kioku/install/editing.py"
FILES = "kioku/install/files.py"
JSON_TEXT = "kioku/install/json_text.py"
LAUNCHER = "kioku/install/launcher.py"
PLANNING = "kioku/install/planning.py"

CARRYING_TESTS = "tests/unit/install/test_carrying.py"
EDITING_TESTS = "tests/unit/install/test_editing.py"
FILES_TESTS = "tests/unit/install/test_files.py"
LAUNCHER_TESTS = "tests/unit/install/test_launcher.py"
PLANNING_TESTS = "tests/unit/install/test_planning.py"

INSTALL_GROUPS: dict[str, list[Change]] = {
    "install": [
        Change(
            "what another program wrote meanwhile is replaced",
            FILES,
            "            _require_same(path, old)\n            os.replace(beside, target)",
            "            os.replace(beside, target)",
            FILES_TESTS,
        ),
        Change(
            "an edit is believed unread",
            EDITING,
            "if not self._says(text, wanted):",
            "if False:",
            EDITING_TESTS,
        ),
        Change(
            "a comment swallows what follows our entry",
            JSON_TEXT,
            "stop == start and text",
            "stop < start and text",
            EDITING_TESTS,
        ),
        Change(
            "a link into a versioned directory is followed",
            LAUNCHER,
            "return (found,)",
            "return (real,)",
            LAUNCHER_TESTS,
        ),
        Change(
            "another server of the name is replaced unasked",
            PLANNING,
            "        return wish.force\n",
            "        return True\n",
            PLANNING_TESTS,
        ),
        Change(
            "a client's command is believed",
            CARRYING,
            "    fault = step.fault()",
            '    fault = ""',
            CARRYING_TESTS,
        ),
        Change(
            "secrets of other servers are shown",
            PLANNING,
            "                found += _texts(one.entry.get(name))",
            "                found += ()",
            CARRYING_TESTS,
        ),
    ],
}
