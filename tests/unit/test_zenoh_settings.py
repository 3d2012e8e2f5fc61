"""What Zenoh is told: nothing that the design rests on can be undone by a setting."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from kioku.errors import AddressInUseError, ConfigError, PeerUnreachableError
from kioku.transport import zenoh_faults
from kioku.transport.zenoh_settings import FIXED, ZenohSettings, check_overrides, configuration

HUB = ZenohSettings("hub", listen=("tcp/127.0.0.1:7447",), connect=("tcp/attic:7447",))
SPOKE = ZenohSettings("spoke", connect=("tcp/cellar:7447", "tcp/attic:7447"))


def made(settings: ZenohSettings) -> Any:
    return json.loads(configuration(settings))


def nested(path: str, value: object) -> dict[str, Any]:
    for name in reversed(path.split("/")):
        value = {name: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("fixed", FIXED)
def test_what_is_fixed_cannot_be_laid_over(fixed: str) -> None:
    within = f"{fixed}/deeper"
    above = fixed.rpartition("/")[0] or fixed
    for path in (fixed, within, above):
        with pytest.raises(ConfigError) as caught:
            check_overrides(nested(path, 1))
        assert str(caught.value).startswith(f"[zenoh] {path.replace('/', '.')} cannot be set: ")
        assert str(caught.value).endswith("; take it out")


def test_an_empty_table_and_a_neighbour_change_nothing_that_is_fixed() -> None:
    check_overrides({"scouting": {}, "modest": 1, "transport": {"link": {"tx": {"lease": 1}}}})


def test_what_is_laid_over_stands_beside_what_is_there() -> None:
    overrides = {"connect": {"retry": {"period_max_ms": 9}}, "routing": {"router": {"x": True}}}
    whole = made(SPOKE._replace(overrides=overrides))
    assert whole["connect"]["retry"] == {
        "period_init_ms": 200,
        "period_max_ms": 9,
        "period_increase_factor": 2,
    }
    assert whole["connect"]["endpoints"] == list(SPOKE.connect)
    assert whole["routing"] == {"router": {"x": True}}


@pytest.mark.parametrize("value", [dt.date(2026, 1, 1), float("nan"), b"bytes"])
def test_what_zenoh_cannot_read_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match=r"^\[zenoh\]: .*; use text"):
        configuration(SPOKE._replace(overrides={"routing": value}))


@pytest.mark.parametrize("settings", [HUB, SPOKE])
def test_nobody_is_looked_for_and_nothing_is_shared(settings: ZenohSettings) -> None:
    whole = made(settings)
    assert not whole["scouting"]["multicast"]["enabled"]
    assert not whole["scouting"]["gossip"]["enabled"]
    assert not whole["transport"]["shared_memory"]["enabled"]
    assert whole["scouting"]["delay"] == 0


def test_a_hub_is_a_router_that_must_listen_and_need_not_connect() -> None:
    whole = made(HUB)
    assert whole["mode"] == "router"
    assert whole["listen"]["exit_on_failure"]
    assert not whole["connect"]["exit_on_failure"]
    assert whole["low_pass_filter"][0]["size_limit"] == 4 * 1024 * 1024


def test_a_spoke_is_a_client_that_listens_nowhere() -> None:
    whole = made(SPOKE)
    assert whole["mode"] == "client"
    assert "listen" not in whole
    assert whole["connect"]["timeout_ms"] == 0  # with any other, the second hub is never tried


@pytest.mark.parametrize(
    "endpoint", ["", "tcp", "tcp/", "udp/a:1", "TCP/a:1", "tcp/a b", "tls/a:1"]
)
def test_an_endpoint_of_another_protocol_is_refused(endpoint: str) -> None:
    for settings in (HUB._replace(listen=(endpoint,)), SPOKE._replace(connect=(endpoint,))):
        with pytest.raises(ConfigError, match="is none; write tcp/HOST:PORT"):
            configuration(settings)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x tcp/127.0.0.1:7447: [Address already in use (os error 98) at /a/b.rs:1.]", "another"),
        ("Cannot assign requested address", "no such address"),
        ("Permission denied (os error 13)", "more rights"),
    ],
)
def test_why_a_hub_cannot_listen_is_said_in_one_line(text: str, reason: str) -> None:
    error = zenoh_faults.of_opening(RuntimeError(text), HUB)
    assert isinstance(error, AddressInUseError)
    assert error.endpoint == "tcp/127.0.0.1:7447"
    assert reason in error.reason


def test_what_is_not_known_is_said_without_the_places_in_the_source() -> None:
    odd = RuntimeError("it\nbroke at /root/.cargo/x/y.rs:12. at /root/z.rs:3.")
    error = zenoh_faults.of_opening(odd, HUB)
    assert isinstance(error, ConfigError)
    assert str(error) == "cannot listen on tcp/127.0.0.1:7447: it broke; correct the endpoint"


def test_what_zenoh_would_know_instead_is_left_out() -> None:
    odd = RuntimeError("unknown field `foo`, expected one of `id`, `metadata`, `mode`, `a")
    assert zenoh_faults.one_line(odd) == "unknown field `foo`"


def test_hubs_that_do_not_answer_are_named() -> None:
    for cause in (None, RuntimeError("Unable to connect")):
        error = zenoh_faults.of_opening(cause, SPOKE)
        assert isinstance(error, PeerUnreachableError)
        assert "tcp/cellar:7447, tcp/attic:7447" in str(error)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"Timeout", "timeout"),
        (b"busy", "busy"),
        (b"", "error"),
        (b"\xff", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_an_error_that_came_instead_of_a_reply_is_a_word(payload: bytes, problem: str) -> None:
    assert zenoh_faults.of_reply(payload) == problem
