"""No network for what runs here, and the proof of it."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

from tests.clients.processes import run
from tests.integration.mesh import free_port
from tests.integration.namespaces import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

# An address that is nobody's: a system with no route to it says so at once.
_PROOF = """
import errno, socket
try:
    socket.create_connection(("192.0.2.1", 443), timeout=5)
except OSError as error:
    raise SystemExit(error.errno != errno.ENETUNREACH)
raise SystemExit(1)
"""


class Offline(NamedTuple):
    """How a command is kept from the network: words before it, variables, and how to say it."""

    prefix: tuple[str, ...]
    variables: dict[str, str]
    described: str


@contextlib.contextmanager
def offline() -> Iterator[Offline]:
    """A network namespace without a route, where we may make one; else proxies that are dead."""
    if not Network.is_possible():
        dead = f"http://127.0.0.1:{free_port()}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
        variables = {form: dead for name in names for form in (name, name.lower())}
        variables |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        yield Offline((), variables, "proxy variables that lead to a dead port of the loopback")
        return
    with Network() as network:
        prefix, _ = network.add("clients")
        proof = run([*prefix, sys.executable, "-c", _PROOF], environment=dict(os.environ))
        assert proof.code == 0, f"the namespace has a route to elsewhere: {proof}"
        yield Offline(prefix, {}, "a namespace without a route (a connection was tried: refused)")
