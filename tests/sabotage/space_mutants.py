"""One-line sabotages of spaces: what is private, and what several at once answer."""

from __future__ import annotations

from tests.sabotage.change import Change

PRIVATE_TESTS = "tests/unit/test_private_spaces.py"
SPACES_TESTS = "tests/unit/test_spaces.py"
CONFIG_TESTS = "tests/unit/test_config.py"
CONFIG_VERB_TESTS = "tests/integration/test_cli_config.py"
WORDS_TESTS = "tests/unit/test_completion_words.py"
COMPLETION_TESTS = "tests/integration/test_completion.py"
SPACES = "kioku/memory/spaces.py"
WORDS = "kioku/cli/completion/words.py"
ANSWER = "kioku/cli/completion/answer.py"

SPACE_GROUPS: dict[str, list[Change]] = {
    "private": [
        Change(
            "the name makes nothing private",
            "kioku/log/private.py",
            " or space_of(connection) == PRIVATE_SPACE",
            "",
            PRIVATE_TESTS,
        ),
        Change(
            "a store that is created private is not marked",
            "kioku/log/schema.py",
            "    if private:\n",
            "    if False:\n",
            PRIVATE_TESTS,
        ),
        Change(
            "a private log is signed",
            "kioku/log/owner.py",
            "        refuse_private(self._store.connection)\n",
            "",
            PRIVATE_TESTS,
        ),
        Change(
            "a private chunk is read",
            "kioku/log/transfer.py",
            "    refuse_private(store.connection)\n",
            "",
            PRIVATE_TESTS,
        ),
        Change(
            "a private digest is given",
            "kioku/log/store.py",
            "        refuse_private(self.connection)\n        return self._digest()\n",
            "        return self._digest()\n",
            PRIVATE_TESTS,
        ),
        Change(
            "a private frontier is given",
            "kioku/log/store.py",
            "        refuse_private(self.connection)\n        rows =",
            "        rows =",
            PRIVATE_TESTS,
        ),
        Change(
            "a copy says its private tail again",
            "kioku/log/owner.py",
            "return [] if is_private(self._store.connection) else self._tail(",
            "return self._tail(",
            PRIVATE_TESTS,
        ),
        Change(
            "an open store is taken for a private one",
            "kioku/memory/opening.py",
            "if (private or space == PRIVATE_SPACE) and not replica.is_private():",
            "if private and not replica.is_private():",
            PRIVATE_TESTS,
        ),
    ],
    "spaces": [
        Change(
            "all means private ones too",
            SPACES,
            "{name for name in names_of(settings) if not _is_private(settings, name)}",
            "set(names_of(settings))",
            SPACES_TESTS,
        ),
        Change(
            "a space that is not there is created",
            SPACES,
            "if not os.path.exists(path):",
            "if False:",
            SPACES_TESTS,
        ),
        Change(
            "a space that cannot be read is not named",
            SPACES,
            "        raise SpaceError(space, str(error)) from error\n",
            "        raise\n",
            SPACES_TESTS,
        ),
        Change(
            "scores of two stores are compared",
            SPACES,
            "return (found.hit.is_substring, -found.score, -changed_s, found.space)",
            "return (found.hit.is_substring, -found.hit.score, -changed_s, found.space)",
            SPACES_TESTS,
        ),
        Change(
            "places tie by the order of naming",
            SPACES,
            "return (found.hit.is_substring, -found.score, -changed_s, found.space)",
            "return (found.hit.is_substring, -found.score, -changed_s, '')",
            SPACES_TESTS,
        ),
        Change(
            "substrings stand among words",
            SPACES,
            "return (found.hit.is_substring, -found.score, -changed_s, found.space)",
            "return (False, -found.score, -changed_s, found.space)",
            SPACES_TESTS,
        ),
        Change(
            "a glance may write",
            "kioku/log/glance.py",
            'connection.execute("PRAGMA query_only = ON")',
            "pass",
            SPACES_TESTS,
        ),
        Change(
            "of two spaces one is left out unseen",
            "kioku/cli/arguments.py",
            'if getattr(namespace, self.dest) is not None or "," in values:',
            "if False:",
            "tests/integration/test_cli_spaces.py",
        ),
    ],
    "config": [
        Change(
            "the older name of a variable comes first",
            "kioku/config/sources.py",
            'ENVIRONMENT_PREFIXES = ("KIOKU_", "KIOKU_MESH_", "MESH_MEM_")',
            'ENVIRONMENT_PREFIXES = ("MESH_MEM_", "KIOKU_MESH_", "KIOKU_")',
            CONFIG_TESTS,
        ),
        Change(
            "a bad value from the environment is taken",
            "kioku/config/sources.py",
            "    faults += [fault for fault in checked if fault and fault not in file_faults]\n",
            "",
            CONFIG_TESTS,
        ),
        Change(
            "a directory is not checked",
            "kioku/config/sources.py",
            "    if is_plain(value):\n        return found\n    place =",
            "    if True:\n        return found\n    place =",
            CONFIG_TESTS,
        ),
        Change(
            "a variable that means nothing is not named",
            "kioku/config/explanation.py",
            "is_ours = name.startswith(ENVIRONMENT_PREFIXES) or name in _FOREIGN",
            "is_ours = name in _FOREIGN",
            CONFIG_VERB_TESTS,
        ),
        Change(
            "a bad value is shown as a good one",
            "kioku/cli/settling.py",
            "    if broken:\n",
            "    if False:\n",
            CONFIG_VERB_TESTS,
        ),
    ],
    "completion": [
        Change(
            "what bash inserts is not quoted",
            WORDS,
            'return "".join(c if c in _PLAIN or c.isalnum() else "\\\\" + c for c in rest)',
            "return rest",
            WORDS_TESTS,
        ),
        Change(
            "a substitution stays one between double quotes",
            WORDS,
            'inside = re.sub(r\'([\\\\"$`])\', r"\\\\\\1", rest)',
            "inside = rest",
            WORDS_TESTS,
        ),
        Change(
            "a quote at the beginning ends the open one",
            WORDS,
            'before = word.quote if inside.startswith(word.quote) else ""',
            'before = ""',
            WORDS_TESTS,
        ),
        Change(
            "a quote at the end leaves the line open",
            WORDS,
            'behind = word.quote if inside.endswith(word.quote) else ""',
            'behind = ""',
            WORDS_TESTS,
        ),
        Change(
            "what stands before a colon is inserted twice",
            WORDS,
            "rest = text[word.kept :]",
            "rest = text",
            WORDS_TESTS,
        ),
        Change(
            "a name with a line break is offered",
            ANSWER,
            "return bool(text) and text.isprintable() and (",
            "return bool(text) and (",
            COMPLETION_TESTS,
        ),
        Change(
            "a problem is told at the prompt",
            ANSWER,
            "    except Exception:  # noqa: BLE001 - a prompt is no place for a traceback\n",
            "    except IndexError:\n",
            COMPLETION_TESTS,
        ),
        Change(
            "an item of a comma list is offered twice",
            ANSWER,
            "        and text not in used\n",
            "",
            COMPLETION_TESTS,
        ),
        Change(
            "the line's space is not looked at",
            ANSWER,
            'space = place.space.partition(",")[0] if place.space else None',
            "space = None",
            COMPLETION_TESTS,
        ),
        Change(
            "names are not bounded",
            "kioku/suggestions.py",
            "FROM step WHERE step.name IS NOT NULL LIMIT :most)",
            "FROM step WHERE step.name IS NOT NULL LIMIT :most + 50)",
            COMPLETION_TESTS,
        ),
    ],
}
