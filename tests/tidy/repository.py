"""The repository as the tidy tests see it: its files, and its modules as syntax trees."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
_CODE_FOLDERS = ("kioku", "tests", "bench", "demo")
_GENERATED = {"__pycache__", "results"}

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Module:
    """One Python file: where it is, its text and its syntax tree."""

    path: str  # relative to the root, with slashes
    text: str
    tree: ast.Module

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def functions(self) -> Iterator[FunctionNode]:
        """Yield every function and method, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, FunctionNode):
                yield node

    def imports(self) -> Iterator[Import]:
        """Yield every import, wherever it stands."""
        yield from _imports(self.tree, in_function=False, for_types=False)


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and the conditions under which it is imported."""

    name: str  # dotted, as written; for ``from a import b`` it is ``a.b``
    line: int
    in_function: bool
    for_types: bool  # under ``if TYPE_CHECKING``: the running program does not import it

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]


def _imports(node: ast.AST, *, in_function: bool, for_types: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, node.lineno, in_function, for_types)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield Import(f"{node.module}.{alias.name}", node.lineno, in_function, for_types)
    in_function = in_function or isinstance(node, FunctionNode)
    for_types = for_types or (
        isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    )
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, in_function=in_function, for_types=for_types)


@cache
def modules() -> tuple[Module, ...]:
    """Return every Python file of the package, its tests, its benchmarks and its demo."""
    found = []
    for folder in _CODE_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if _GENERATED.isdisjoint(path.relative_to(ROOT).parts):
                text = path.read_text(encoding="utf-8")
                found.append(Module(path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    return tuple(found)


def package_modules() -> tuple[Module, ...]:
    """Return the modules of the package itself."""
    return tuple(module for module in modules() if module.path.startswith("kioku/"))


@cache
def documents() -> tuple[Path, ...]:
    """Return every Markdown file of the repository."""
    return tuple(path for path in tracked_files() if path.suffix == ".md")


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return the files that git tracks or would track, those that it ignores left out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in sorted(filter(None, listed.split("\0"))))
    return tuple(path for path in paths if path.is_file())
