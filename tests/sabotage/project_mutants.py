"""More sabotages: of which project something belongs to, and of what is there already."""

from __future__ import annotations

from tests.sabotage.change import Change

ALIASES = "kioku/project/aliases.py"
DETECTION = "kioku/project/detection.py"
DUPLICATES = "kioku/memory/duplicates.py"
GIT = "kioku/project/git.py"
LIKENESS = "kioku/view/likeness.py"
MARKER = "kioku/project/marker.py"
NAMING = "kioku/memory/naming.py"
REMOTE = "kioku/project/remote.py"
RENAMING = "kioku/memory/renaming.py"

ALIAS_TESTS = "tests/property/test_project_aliases.py"
CLI_TESTS = "tests/integration/test_cli_projects.py"
DETECTION_TESTS = "tests/unit/test_project_detection.py"
DUPLICATE_TESTS = "tests/unit/test_memory_duplicates.py"
PROJECT_TESTS = "tests/unit/test_memory_projects.py"
REMOTE_TESTS = "tests/unit/test_project_remote.py"

PROJECT_GROUPS: dict[str, list[Change]] = {
    "detection": [
        Change(
            "a path of this machine gives two parts",
            REMOTE,
            "parts[-2:] if is_shared else parts[-1:]",
            "parts[-2:]",
            REMOTE_TESTS,
        ),
        Change(
            "the case of a remote makes another project",
            REMOTE,
            "name = _lower(",
            "name = str(",
            REMOTE_TESTS,
        ),
        Change(
            "a remote may name what leads elsewhere",
            REMOTE,
            'if not parts or ".." in parts:',
            "if not parts:",
            REMOTE_TESTS,
        ),
        Change(
            "a worktree is a repository of its own",
            GIT,
            "if named is not None and named.strip():",
            "if False:",
            DETECTION_TESTS,
        ),
        Change(
            "the first remote is taken for origin",
            GIT,
            'if name == "origin":',
            "if name:",
            DETECTION_TESTS,
        ),
        Change(
            "a comment goes on in the next line",
            GIT,
            'if trail % 2 and not joined.startswith(("#", ";")):',
            "if trail % 2:",
            DETECTION_TESTS,
        ),
        Change(
            "the home directory is a project",
            DETECTION,
            "if directory in (os.path.realpath(home), os.path.dirname(directory)):",
            "if False:",
            DETECTION_TESTS,
        ),
        Change(
            "a repository wins over a marker above it",
            DETECTION,
            "if marker and marker.project is not None:",
            "if marker and marker.project is not None and common is None:",
            DETECTION_TESTS,
        ),
        Change(
            "a marker may name anything",
            MARKER,
            'if project == "" or (isinstance(project, str) and is_project_name(project)):',
            "if isinstance(project, str):",
            DETECTION_TESTS,
        ),
        Change(
            "what a marker says beside is not mentioned",
            MARKER,
            "    return Marker(project, remark)\n",
            "    return Marker(project)\n",
            DETECTION_TESTS,
        ),
    ],
    "alias": [
        Change(
            "the alias that came last counts",
            ALIASES,
            "for alias in sorted(aliases):",
            "for alias in aliases:",
            ALIAS_TESTS,
        ),
        Change(
            "a circle is cut at its greatest",
            ALIASES,
            "least = min(circle",
            "least = max(circle",
            ALIAS_TESTS,
        ),
        Change(
            "an alias that is held counts",
            NAMING,
            "AND NOT held AND (expires_ms IS NULL",
            "AND (expires_ms IS NULL",
            PROJECT_TESTS,
        ),
        Change(
            "an alias the other way round leaves a circle behind",
            NAMING,
            "        withdraw(transaction, of, writer.now_ms)\n",
            "        pass\n",
            PROJECT_TESTS,
        ),
        Change(
            "a project is found under one name only",
            "kioku/memory/synonyms.py",
            "for name in (project, *names.names_of(project)))",
            "for name in (project,))",
            PROJECT_TESTS,
        ),
        Change(
            "aliases are among what was saved",
            "kioku/view/scope.py",
            "if not filter.shows_aliases:",
            "if False:",
            PROJECT_TESTS,
        ),
        Change(
            "a rename is the newest change there is",
            RENAMING,
            "stamp = entry.hlc + RENAMED_AFTER if entry.hlc <= limit else None",
            "stamp = None",
            PROJECT_TESTS,
        ),
        Change(
            "a rename takes a name that is another's",
            RENAMING,
            "if new not in names.names_of(old) and _exists(reading, names, new):",
            "if False:",
            PROJECT_TESTS,
        ),
        Change(
            "no project at all narrows a bulk delete to everything",
            "kioku/cli/arguments.py",
            '        del chosen["project"]\n',
            "        pass\n",
            CLI_TESTS,
        ),
    ],
    "duplicate": [
        Change(
            "what is hidden is returned",
            LIKENESS,
            "NOT r.held AND {NOT_EXPIRED.format('r')} AND {NOT_SUPERSEDED}",
            "NOT r.held AND {NOT_EXPIRED.format('r')}",
            DUPLICATE_TESTS,
        ),
        Change(
            "what is held is returned",
            LIKENESS,
            'f"NOT r.held AND {NOT_EXPIRED',
            'f"{NOT_EXPIRED',
            DUPLICATE_TESTS,
        ),
        Change(
            "a word that was cut is looked for",
            LIKENESS,
            "        tokens = tokens[:-1]  # it may have been cut\n",
            "        pass\n",
            DUPLICATE_TESTS,
        ),
        Change(
            "a text that begins the same is the same",
            "kioku/observation/layout.py",
            "    return encode_fields({1: content})[1:]\n",
            "    return encode_fields({1: content})[1:-1]\n",
            DUPLICATE_TESTS,
        ),
        Change(
            "what was to be replaced is forgotten",
            DUPLICATES,
            "if not set(new.supersedes) <= {*known.supersedes, known.id}:",
            "if False:",
            DUPLICATE_TESTS,
        ),
        Change(
            "what lasts less is returned",
            DUPLICATES,
            "new.expires_at is not None and new.expires_at <= known.expires_at",
            "True",
            DUPLICATE_TESTS,
        ),
        Change(
            "items of one call do not know each other",
            DUPLICATES,
            "if any(other.observation.content == item.observation.content for other in pending):",
            "if False:",
            DUPLICATE_TESTS,
        ),
        Change(
            "an import is a duplicate of itself",
            DUPLICATES,
            "if item.is_new else None",
            "if True else None",
            DUPLICATE_TESTS,
        ),
        Change(
            "again is not heard",
            "kioku/cli/saving.py",
            'if_duplicate="save" if arguments.again else "return",',
            'if_duplicate="return",',
            CLI_TESTS,
        ),
        Change(
            "what has one subject is no nearer",
            LIKENESS,
            "(SIMILARITY_MIN_OF_SUBJECT if is_about_same else SIMILARITY_MIN)",
            "SIMILARITY_MIN",
            DUPLICATE_TESTS,
        ),
    ],
}
