"""How a node is told to take part in the mesh: what is refused, and what a machine is called."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.config.mesh import machine_name
from kioku.errors import ConfigError
from kioku.node.settings import mesh_settings

GOOD: dict[str, Any] = {"role": "spoke", "machine": "laptop", "connect": ("tcp/hub:7447",)}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"role": "peer"}, "role"),
        ({"machine": "Laptop"}, "machine"),
        ({"machine": ""}, "machine"),
        ({"machine": "a" * 33}, "machine"),
        ({"machine": "a/b"}, "machine"),
        ({"connect": ("hub:7447",)}, "connect"),
        ({"connect": ("tcp/hub 7447",)}, "connect"),
        ({"connect": ()}, "connect"),
        ({"connect": ("tcp/hub:7447",) * 17}, "connect"),
        ({"listen": ("tcp/[::]:7447",)}, "listen"),
        ({"role": "hub"}, "listen"),
        ({"role": "hub", "listen": ("7447",)}, "listen"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(change: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{named}: .*; "):
        mesh_settings(**{**GOOD, **change})


def test_a_hub_may_dial_other_hubs() -> None:
    hub = mesh_settings("hub", "cellar", listen=("tcp/0.0.0.0:7447",), connect=("tcp/attic:7447",))
    assert (hub.role, hub.connect) == ("hub", ("tcp/attic:7447",))


def test_what_is_laid_over_zenoh_cannot_change_afterwards() -> None:
    given_zenoh = {"transport": {"link": {"tx": {"lease": 4000}}}}
    settings = mesh_settings(**GOOD, zenoh=given_zenoh)
    given_zenoh.clear()
    assert "transport" in settings.zenoh


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("laptop", "laptop"),
        ("Anna's MacBook.local", "anna-s-macbook-local"),
        ("--", "machine"),
        ("", "machine"),
        ("機械", "machine"),
        ("a" * 31 + ".b", "a" * 31),
    ],
)
def test_a_machine_is_called_after_its_host(host: str, name: str) -> None:
    assert machine_name(host) == name


@given(st.text(max_size=60))
def test_every_host_gives_a_name(host: str) -> None:
    name = machine_name(host)
    assert re.fullmatch(r"[a-z0-9-]{1,32}", name)
    assert machine_name(name) == name
