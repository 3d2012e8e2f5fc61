"""The mesh's floors: raw Zenoh, between the same processes and through the same kind of hub.

Nothing is stored, checked or folded. Times are the monotonic clock's, which all processes of a
machine share, so that what one sent and another saw can be subtracted.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from bench.workers.protocol import Answer, serve, timed, wait_for_go

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "bench/1/message"
PAGES = "bench/1/pages"
SECONDS_MAX = 60.0


def router(*, endpoint: str) -> Answer:
    """Be the hub until told to go."""
    with _session("router", listen=endpoint):
        wait_for_go()
    return {}


def receive(*, endpoint: str, count: int) -> Answer:
    """Note when each of ``count`` messages came, by its number."""
    seen: dict[int, int] = {}
    has_all = threading.Event()

    def take(sample: Any) -> None:
        at = time.monotonic_ns()
        seen[int.from_bytes(sample.payload.to_bytes()[:4], "big")] = at
        if len(seen) == count:
            has_all.set()

    with _session("client", connect=endpoint) as session:
        subscriber = session.declare_subscriber(KEY, take)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        has_all.wait(SECONDS_MAX)
        subscriber.undeclare()
    return {"seen_ns": {str(number): at for number, at in seen.items()}}


def send(*, endpoint: str, count: int, size: int, pause_s: float) -> Answer:
    """Put ``count`` messages of ``size`` bytes, and say when each began."""
    sent: dict[str, int] = {}
    with _session("client", connect=endpoint) as session:
        publisher = session.declare_publisher(KEY)
        wait_for_go()
        for number in range(count):
            payload = number.to_bytes(4, "big") + bytes(size - 4)
            sent[str(number)] = time.monotonic_ns()
            publisher.put(payload)
            time.sleep(pause_s)
    return {"sent_ns": sent}


def offer_pages(*, endpoint: str, pages: int, size: int) -> Answer:
    """Answer each question with all pages, until told to go."""
    page = bytes(size)
    with _session("client", connect=endpoint) as session:

        def answer(query: Any) -> None:
            with query:
                for _ in range(pages):
                    query.reply(PAGES, page)

        queryable = session.declare_queryable(PAGES, answer)
        wait_for_go()
        queryable.undeclare()
    return {}


def fetch_pages(*, endpoint: str, pages: int) -> Answer:
    """Ask for all pages at once, and say how long they took to come."""
    with _session("client", connect=endpoint) as session:
        import zenoh

        def ask() -> Iterator[Any]:
            mode = zenoh.ConsolidationMode.NONE
            return iter(session.get(PAGES, consolidation=mode, timeout=SECONDS_MAX))

        deadline = time.monotonic() + SECONDS_MAX
        while (count := sum(reply.ok is not None for reply in ask())) == 0:
            if time.monotonic() > deadline:
                raise TimeoutError("nobody answers")
        seconds = timed(lambda: sum(1 for _ in ask()))
    if count != pages:
        raise ValueError(f"{count} of {pages} pages came")
    return {"seconds": seconds}


def _session(mode: str, *, listen: str = "", connect: str = "") -> Any:
    import zenoh

    config: dict[str, Any] = {
        "mode": mode,
        "scouting": {"delay": 0, "multicast": {"enabled": False}, "gossip": {"enabled": False}},
        "transport": {"shared_memory": {"enabled": False}},
        "connect": {"endpoints": [connect] if connect else []},
        "listen": {"endpoints": [listen] if listen else []},
    }
    return zenoh.open(zenoh.Config.from_json5(json.dumps(config)))


if __name__ == "__main__":
    serve(
        {
            "router": router,
            "receive": receive,
            "send": send,
            "offer_pages": offer_pages,
            "fetch_pages": fetch_pages,
        }
    )
