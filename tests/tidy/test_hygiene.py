"""What must not be in the repository: promises, excuses, waits, addresses of a registry.

The words are put together from parts, so that this file does not find itself.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.tidy.repository import ROOT, modules, tracked_files

if TYPE_CHECKING:
    from pathlib import Path

LOCK_FILES = ("constraints.txt",)
_PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][0-9A-Za-z.]*")
_PROMISES = re.compile(
    r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b"
)
_ADDRESS = re.compile(r"\bhttps?://(?!localhost|127\.0\.0\.1|\[::1\])[\w.-]+")
# A name that looks like an address: the dialect of the JSON schemas, which nothing fetches.
_NAMES = ("https://json-schema.org/draft/2020-12/schema",)
_MARKS = ("sk" + "ip", "sk" + "ipif", "xf" + "ail", "importor" + "skip")
_BINARY = (".db", ".png", ".cbor", ".bin", ".gz")


@pytest.mark.parametrize("name", LOCK_FILES)
def test_a_lock_file_holds_names_and_versions_only(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert not [line for line in pins if not _PIN.fullmatch(line)]


def test_there_is_no_other_lock_file() -> None:
    locks = {path.name for path in tracked_files() if path.suffix == ".lock"}
    assert not locks


def test_nothing_promises_to_be_done_later() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_files()
        if path.suffix not in _BINARY
        for number, line in enumerate(_text(path).splitlines(), 1)
        if _PROMISES.search(line)
    ]
    assert not found


def test_only_documents_and_tests_name_addresses() -> None:
    """What installs, builds or runs fetches nothing from an address written down here."""
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked_files()
        if path.suffix not in (".md", *_BINARY) and path.relative_to(ROOT).parts[0] != "tests"
        for number, line in enumerate(_text(path).splitlines(), 1)
        if _ADDRESS.search(line) and not any(name in line for name in _NAMES)
    ]
    assert not found


def test_no_test_is_passed_over() -> None:
    found = [
        f"{module.path}:{node.lineno} {name}"
        for module in modules()
        if module.path.startswith("tests/")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute | ast.Name)
        and (name := node.attr if isinstance(node, ast.Attribute) else node.id) in _MARKS
    ]
    assert not found


def test_no_test_sleeps() -> None:
    found = [
        f"{module.path}:{node.lineno}"
        for module in modules()
        if module.path.startswith("tests/")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"time.sleep", "sleep", "asyncio.sleep"}
    ]
    assert not found


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
