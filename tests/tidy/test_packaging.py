"""What an installation gives: the commands, the types, and the dependencies that are pinned."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata

import pytest

from tests.tidy.repository import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = {
    line.lower().partition("==")[0]
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if "==" in line
}


def _names(requirements: list[str]) -> list[str]:
    return [re.split(r"[<>=!~ ;\[]", requirement)[0].lower() for requirement in requirements]


@pytest.mark.parametrize(
    ("older", "name"), [("kioku-mesh", "kioku"), ("kioku-mesh-mcp", "kioku-mcp")]
)
def test_the_older_name_of_a_command_is_the_same_command(older: str, name: str) -> None:
    assert PROJECT["scripts"][older] == PROJECT["scripts"][name]


@pytest.mark.parametrize("name", PROJECT["scripts"])
def test_a_command_leads_to_a_function(name: str) -> None:
    [entry] = metadata.entry_points(group="console_scripts", name=name)
    assert callable(entry.load())


def test_the_types_are_shipped() -> None:
    assert (ROOT / "kioku" / "py.typed").is_file()


def test_a_plain_install_brings_what_was_decided() -> None:
    decided = ["apsw", "cbor2", "cryptography", "eclipse-zenoh", "platformdirs", "rich"]
    assert _names(PROJECT["dependencies"]) == decided
    extra = ["anyio", "mcp", "pydantic", "ruamel.yaml"]
    assert _names(PROJECT["optional-dependencies"]["mcp"]) == extra


@pytest.mark.parametrize(
    "name", _names(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
)
def test_what_is_needed_here_is_pinned(name: str) -> None:
    assert name in PINNED
