"""What kioku asks of Zenoh: its configuration, made of a few settings and of what was measured.

The rule this module guards: what a person lays over it can tune, but not undo what the design
rests on. Zenoh's defaults listen on every interface, look for strangers by multicast and share
memory; each of those is off here, and whoever tries to change one is told its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from kioku.errors import ConfigError

MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of one message, in and out (DESIGN §8); a hub lets nothing larger through."""

OPEN_TIMEOUT_MS: Final = 1_600
"""How long one hub may take to answer a connection attempt, which is two round trips once TCP is
connected: enough for a satellite (750 ms there and back were seen to do). Zenoh's own 10 s would
keep a spoke from its second hub for as long; with 2 s a dial outlived a program that may take two
seconds to end."""

LEASE_MS: Final = 4_000
"""A peer that is silent for so long is gone: how late a frozen one is noticed."""

ROOM_US: Final = {"wait_before_drop": 50_000, "max_wait_before_drop_fragments": 500_000}
"""How long a message waits for room before it is dropped. With Zenoh's 1 and 50 ms, one of twenty
answers of 4 MiB lost its end on the loopback interface. A frozen peer costs this wait once, for
then Zenoh drops at once what is for it."""

PROTOCOLS: Final = ("tcp", "unixsock-stream")
_ENDPOINT: Final = re.compile(r"([a-z][a-z0-9_-]*)/\S+")

# What nobody may change, as the beginnings of paths into Zenoh's configuration, each with a reason.
FIXED: Final = {
    "mode": "a hub is a router and a spoke a client; other topologies lose messages silently",
    "id": "each process draws its own",
    "namespace": "keys are the protocol's",
    "listen": "say listen in [mesh]",
    "connect/endpoints": "say connect in [mesh]",
    "connect/timeout_ms": "with any other, a spoke never tries its second hub",
    "connect/exit_on_failure": "a hub starts while others are down, a spoke says that all are",
    "scouting": "nobody is found by multicast or gossip, only where told",
    "timestamping": "events carry their own time",
    "queries_default_timeout": "each question has its own",
    "transport/shared_memory": "it has lost questions",
    "transport/unicast/open_timeout": "how soon the next hub is tried depends on it",
    "transport/unicast/accept_timeout": "how soon the next hub is tried depends on it",
    "transport/link/protocols": "what listens and what is dialled decides it",
    "transport/link/rx/max_message_size": "a message has 4 MiB at most",
    "low_pass_filter": "a message has 4 MiB at most",
    "plugins": "nothing but kioku runs in a node",
    "plugins_loading": "nothing but kioku runs in a node",
}


class ZenohSettings(NamedTuple):
    """How to reach the mesh. ``connect`` are hubs, tried in order; ``overrides`` is ``[zenoh]``."""

    role: Literal["hub", "spoke"]
    listen: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    overrides: Mapping[str, Any] = MappingProxyType({})


def configuration(settings: ZenohSettings) -> str:
    """Give Zenoh's configuration as JSON.

    Raises:
        ConfigError: if an endpoint cannot be one, or an override touches what is fixed.
    """
    for endpoint in settings.listen + settings.connect:
        check_endpoint(endpoint)
    check_overrides(settings.overrides)
    whole = _hub(settings) if settings.role == "hub" else _spoke(settings)
    try:
        return json.dumps(_merged(whole, settings.overrides), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"[zenoh]: {error}; use text, numbers, true, false and tables") from None


def check_endpoint(endpoint: str) -> None:
    """Refuse what Zenoh could not use as an endpoint of a protocol that kioku speaks.

    Raises:
        ConfigError: if it is none.
    """
    parts = _ENDPOINT.fullmatch(endpoint)
    if not parts or parts[1] not in PROTOCOLS:
        raise ConfigError(
            f"endpoint {endpoint!r} is none; write tcp/HOST:PORT or unixsock-stream/PATH"
        )


def check_overrides(overrides: Mapping[str, Any]) -> None:
    """Refuse whatever would change what is fixed.

    Raises:
        ConfigError: if an override does; names it and says why.
    """
    for path in _paths(overrides, ""):
        for fixed, reason in FIXED.items():
            if path == fixed or path.startswith(f"{fixed}/") or fixed.startswith(f"{path}/"):
                raise ConfigError(
                    f"[zenoh] {path.replace('/', '.')} cannot be set: {reason}; take it out"
                )


def _hub(settings: ZenohSettings) -> dict[str, Any]:
    whole = _both(settings)
    whole["mode"] = "router"
    whole["listen"] = {
        "endpoints": list(settings.listen),
        "timeout_ms": 0,
        "exit_on_failure": True,
    }
    # -1: another hub that is down is tried for ever, beside everything else.
    whole["connect"] |= {"timeout_ms": -1, "exit_on_failure": False}
    whole["low_pass_filter"] = [
        {
            "flows": ["ingress"],
            "messages": ["put", "query", "reply"],
            "key_exprs": ["**"],
            "size_limit": MESSAGE_BYTES_MAX,
        }
    ]
    return whole


def _spoke(settings: ZenohSettings) -> dict[str, Any]:
    whole = _both(settings)
    whole["mode"] = "client"
    # 0: every hub is tried once, in order. With more, only the first one ever is.
    whole["connect"] |= {"timeout_ms": 0, "exit_on_failure": True}
    return whole


def _both(settings: ZenohSettings) -> dict[str, Any]:
    retry = {"period_init_ms": 200, "period_max_ms": 5_000, "period_increase_factor": 2}
    return {
        "connect": {"endpoints": list(settings.connect), "retry": retry},
        "scouting": {
            "delay": 0,
            "multicast": {"enabled": False},
            "gossip": {"enabled": False},
        },
        "timestamping": {"enabled": False},
        "queries_default_timeout": 5_000,
        "transport": {
            "shared_memory": {"enabled": False},
            "unicast": {
                "open_timeout": OPEN_TIMEOUT_MS,
                "accept_timeout": OPEN_TIMEOUT_MS,
                "compression": {"enabled": True},
            },
            "link": {
                "protocols": list(PROTOCOLS),
                "tx": {
                    "lease": LEASE_MS,
                    "keep_alive": 4,
                    "queue": {"congestion_control": {"drop": ROOM_US}},
                },
                "rx": {"max_message_size": 4 * MESSAGE_BYTES_MAX},
            },
        },
    }


def _merged(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Lay ``theirs`` over ``ours``, tables within tables."""
    whole = dict(ours)
    for name, value in theirs.items():
        mine = whole.get(name)
        if isinstance(value, Mapping):
            whole[name] = _merged(mine if isinstance(mine, Mapping) else {}, value)
        else:
            whole[name] = value
    return whole


def _paths(table: Mapping[str, Any], prefix: str) -> list[str]:
    """Give the paths of everything that a table sets; an empty table sets nothing."""
    paths: list[str] = []
    for name, value in table.items():
        path = f"{prefix}{name}"
        paths += _paths(value, f"{path}/") if isinstance(value, Mapping) else [path]
    return paths
