"""The public API is what ``kioku.__all__`` names, and docs/python.md tells of all of it."""

from __future__ import annotations

import inspect
import re
from importlib import metadata

import pytest

import kioku
from tests.tidy.repository import ROOT, modules

NAMES = sorted(name for name in kioku.__all__ if not name.startswith("__"))
GUIDE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(kioku, name)
    assert re.search(rf"\b{name}\b", GUIDE), f"docs/python.md does not tell of {name}"
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)


def test_public_names_are_named_once() -> None:
    assert len(kioku.__all__) == len(set(kioku.__all__))


def test_every_error_is_public() -> None:
    from kioku import errors

    named = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, kioku.KiokuError)
    }
    assert named <= set(kioku.__all__)


def test_the_package_knows_its_version() -> None:
    assert kioku.__version__ == metadata.version("kioku-log")
    assert f"## [{kioku.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_what_stands_on_the_public_api_uses_nothing_else() -> None:
    """The demo is written as a user would write it."""
    inner = [
        f"{module.path}:{found.line} {found.name}"
        for module in modules()
        if module.path.startswith("demo/")
        for found in module.imports()
        if found.top == "kioku" and found.name.removeprefix("kioku").lstrip(".") not in ("", *NAMES)
    ]
    assert not inner
