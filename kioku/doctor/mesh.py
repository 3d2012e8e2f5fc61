"""How this machine is set up to take part in a mesh: its settings, who reaches it, whom it reaches.

A machine that takes part in none passes with one line. Hubs are dialled all at once and for two
seconds in all, so that a doctor without a network is as quick as one with it.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Final

from kioku.config.endpoints import parse_endpoint
from kioku.config.mesh import WHAT_INSECURE_MEANS, load_mesh
from kioku.doctor.report import Check
from kioku.errors import ConfigError
from kioku.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kioku.config.mesh import MeshConfig

DIAL_S: Final = 2.0
"""For all hubs together; the farthest answers in a third of a second."""


def check_mesh(environ: Mapping[str, str]) -> Iterator[Check]:
    """Look at the settings of the mesh and at the network; starts no node and asks none."""
    try:
        config = load_mesh(environ)
    except ConfigError as error:
        yield Check("mesh", "fail", str(error), "correct the setting that it names")
        return
    if config.mode == "local":
        yield Check("mesh", "pass", "off: this machine is in no mesh")
        return
    names = f", shares {', '.join(config.spaces)}" if config.spaces else ""
    yield Check("mesh", "pass", f"{config.mode}, known as {config.machine}{names}")
    yield _check_exposure(config)
    if config.connect:
        yield _check_hubs(config.connect)


def _check_exposure(config: MeshConfig) -> Check:
    if not config.exposed:
        listens = f"listens on {', '.join(config.listen)}" if config.listen else "listens nowhere"
        return Check("exposure", "pass", f"{listens}: no other machine reaches it")
    shown = ", ".join(config.exposed)
    return Check(
        "exposure",
        "warn",
        f"listens on {shown}, and {WHAT_INSECURE_MEANS}",
        "let a firewall admit your machines alone, or listen on the address of a private network"
        " or of a tunnel (docs/operations.md); or on 127.0.0.1: kioku init --mode hub --force",
    )


# -- whom it reaches ----------------------------------------------------------------------------


def _check_hubs(endpoints: Sequence[str]) -> Check:
    """Dial every hub, and hang up."""
    problems: dict[str, str] = {}
    threads = {
        endpoint: threading.Thread(target=_dial, args=(endpoint, problems), daemon=True)
        for endpoint in endpoints
    }
    for thread in threads.values():
        thread.start()
    for endpoint, thread in threads.items():
        thread.join(DIAL_S)
        if thread.is_alive():
            problems[endpoint] = "does not answer"
    told = [f"{endpoint}: {problems[endpoint]}" for endpoint in endpoints if endpoint in problems]
    if told:
        return Check(
            "hubs",
            "warn",
            "; ".join(told) + ("" if len(told) == len(endpoints) else "; the others answer"),
            "start kioku serve there; if it runs: kioku status there shows where it listens, and a"
            " firewall between must let that port through",
        )
    return Check("hubs", "pass", f"{counted(len(endpoints), 'hub')} can be dialled")


def _dial(endpoint: str, problems: dict[str, str]) -> None:
    address = parse_endpoint(endpoint)
    try:
        socket.create_connection((address.host, address.port), DIAL_S).close()
    except OSError as error:
        problems[endpoint] = error.strerror or str(error) or type(error).__name__
