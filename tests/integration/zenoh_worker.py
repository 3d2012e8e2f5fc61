"""A process of its own that takes part in a mesh over Zenoh, told what to do line by line.

Usage: python -m tests.integration.zenoh_worker hub|spoke MACHINE ENDPOINT [ENDPOINT ...]

A hub listens on the first endpoint and dials the others. The worker prints ``up`` once it has
joined, does what each line says, and prints ``done``; at the end of its input it just ends.
"""

from __future__ import annotations

import os
import sys
import threading

from kioku.errors import LinkClosedError
from kioku.transport.link import Address, Delivery, LinkChange
from kioku.transport.zenoh_link import ZenohTransport
from kioku.transport.zenoh_settings import ZenohSettings

SPACE = b"s" * 16


class Worker:
    """A transport with one link, and what it heard."""

    def __init__(self, settings: ZenohSettings, machine: str) -> None:
        self._transport = ZenohTransport.open(settings)
        self._address = Address(SPACE, machine, machine.encode().ljust(16, b"\0"))
        self._is_down = threading.Event()
        self._link = self._transport.join(self._address, self._deliver)

    def obey(self, order: str) -> None:
        """Do what one line says."""
        verb, *rest = order.split()
        match verb:
            case "await-loss":
                assert self._is_down.wait(60)
            case "close":
                self._transport.close(float(rest[0]))
            case "fill":
                for _ in range(200):
                    self._link.put("live", bytes(200_000))
            case "ask":
                nobody = self._address._replace(log_id=b"n" * 16)
                self._link.ask(nobody, "heads", b"?", request_id=1, timeout_ms=60_000)
            case "fork":
                self._fork()
            case _:
                raise AssertionError(order)

    def _fork(self) -> None:
        child = os.fork()
        if child == 0:
            is_refused = self._refuses_to_be_joined()
            self._link.put("live", b"from the child")
            self._link.close()
            self._transport.close(60)
            os._exit(7 if is_refused else 8)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        self._link.put("live", b"from the parent")

    def _refuses_to_be_joined(self) -> bool:
        try:
            self._transport.join(self._address, self._deliver)
        except LinkClosedError:
            return True
        return False

    def _deliver(self, delivery: Delivery) -> None:
        if isinstance(delivery, LinkChange) and not delivery.is_up:
            self._is_down.set()


def main(role: str, machine: str, *endpoints: str) -> None:
    """Join, and then obey until the input ends."""
    hub = ZenohSettings("hub", listen=endpoints[:1], connect=endpoints[1:])
    spoke = ZenohSettings("spoke", connect=endpoints)
    worker = Worker(hub if role == "hub" else spoke, machine)
    print("up", flush=True)
    for line in sys.stdin:
        worker.obey(line)
        print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
