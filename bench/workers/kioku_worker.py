"""kioku's side of every workload; the store is the default one of KIOKU_STATE_DIR."""

from __future__ import annotations

import json
import os
import re
import resource
import statistics
import time
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import apsw
import cbor2

import kioku
from bench.corpus import COMMON_WORD, RARE_WORD, item, items
from bench.secret_samples import HARMLESS, HOSTILE, samples
from bench.workers.protocol import Answer, p95_ms, save_each, serve, timed, wait_for_go
from kioku.secrets.detection import find
from kioku.secrets.screening import redacted

if TYPE_CHECKING:
    from collections.abc import Callable

    from kioku import Memory

BUILD_BATCH = 10_000
PROBE_SAVES = 50
PROBE_SEARCHES = 25
SECRET_TEXTS = 5_000
SAMPLE_ROUNDS = 5
HOSTILE_SIZE = 1_500_000


def open_memory(durability: str = "full") -> Memory:
    """Open the store with a fixed identity, so that rows are equally long everywhere."""
    return kioku.open(
        session_id="bench-session", agent_family="bench", client_id="bench", durability=durability
    )


def build(*, count: int, edits: int = 0) -> Answer:
    """Fill the store with ``count`` observations and then edit ``edits`` of them."""
    with open_memory("normal") as memory:
        ids: list[str] = []
        for start in range(0, count, BUILD_BATCH):
            saved = memory.save_many(items(start, min(BUILD_BATCH, count - start)))
            ids += [each.id for each in saved[: max(edits - len(ids), 0)]]
        for number, id_ in enumerate(ids):
            memory.edit(id_, content=item(count + number)["content"])
        return {"observations": memory.statistics().observations, "digest": memory.digest()}


def save_one(*, count: int, durability: str) -> Answer:
    """Save one by one into a fresh store; its log has begun before the clock does."""
    work = list(items(1, count))
    with open_memory(durability) as memory:
        memory.save(**item(0))

        def save() -> None:
            for each in work:
                memory.save(**each)

        return {"seconds": timed(save)}


def save_many(*, count: int, secrets: str) -> Answer:
    """Save all in one call into a fresh store; its log has begun before the clock does."""
    os.environ["KIOKU_SECRETS"] = secrets
    work = list(items(1, count))
    with open_memory() as memory:
        memory.save(**item(0))
        return {"seconds": timed(lambda: memory.save_many(work))}


def export(*, file: str) -> Answer:
    """Write every chunk of the store to ``file``, a CBOR sequence of byte strings."""
    with open_memory() as memory, Path(file).open("wb") as out:
        chunks = 0
        for chunk in memory.export_chunks():
            cbor2.dump(chunk, out)
            chunks += 1
        return {"chunks": chunks, "digest": memory.digest()}


def ingest(*, file: str) -> Answer:
    """Take every chunk of ``file`` into a fresh store, each in a transaction of its own."""
    chunks = read_chunks(file)
    with open_memory() as memory:

        def take_in() -> None:
            for chunk in chunks:
                memory.ingest_chunk(chunk)

        seconds = timed(take_in)
        return {
            "seconds": seconds,
            "digest": memory.digest(),
            "observations": memory.statistics().observations,
        }


def read_chunks(file: str) -> list[bytes]:
    """Read the chunks that ``export`` wrote."""
    chunks = []
    with Path(file).open("rb") as source:
        end = source.seek(0, 2)
        source.seek(0)
        while source.tell() < end:
            chunks.append(cbor2.load(source))
    return chunks


def writer(*, number: int, count: int, seconds: float = 0.0) -> Answer:
    """Save ``count`` observations, or as many as fit in ``seconds``, once all writers are there."""
    with open_memory() as memory:
        work = list(items(number * count, count))
        wait_for_go()
        deadline = time.monotonic() + seconds
        due = takewhile(lambda _: not seconds or time.monotonic() < deadline, work)
        return save_each(lambda each: memory.save(**each), due)


def count() -> Answer:
    """Count what can be read, in a process that wrote none of it."""
    with open_memory() as memory:
        return {"observations": memory.statistics().observations}


def tables() -> Answer:
    """Return the bytes that each table and index of the store's file takes, the largest first."""
    file = apsw.Connection(os.path.join(os.environ["KIOKU_STATE_DIR"], "default.db"))
    rows = file.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC")
    return {"tables": rows.fetchall()}


def search(*, query: str, repeats: int) -> Answer:
    """Search the store for the same words some times."""
    with open_memory() as memory:
        return {"p95_ms": p95_ms(lambda: memory.search(query), repeats)}


def retrieval(*, file: str, mode: str) -> Answer:
    """Ask every question of every conversation of ``file``; mean recall at 1, 5 and 10."""
    found: dict[int, list[float]] = {1: [], 5: [], 10: []}
    conversations = [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]
    for each in conversations:
        with kioku.open(":memory:", agent_family="bench", client_id="bench") as memory:
            saved = memory.save_many(
                {"content": said["content"], "session_id": said["session"]}
                for said in each["observations"]
            )
            pairs = zip(saved, each["observations"], strict=True)
            refs = {one.id: said["ref"] for one, said in pairs}
            for asked in each["queries"]:
                hits = memory.search(asked["query"], limit=max(found), mode=mode)
                answers, relevant = [refs[hit.observation.id] for hit in hits], asked["relevant"]
                for k, recalls in found.items():
                    recalls.append(len({*relevant} & {*answers[:k]}) / len(relevant))
    return {
        "recall": {k: statistics.fmean(recalls) for k, recalls in found.items()},
        "conversations": len(conversations),
        "observations": sum(len(each["observations"]) for each in conversations),
        "queries": len(found[1]),
    }


def secrets(*, file: str, seed: int) -> Answer:
    """Look for credentials in texts that hold none and in some that do."""
    talk = [
        said["content"]
        for line in Path(file).read_text("utf-8").splitlines()
        for said in json.loads(line)["observations"]
    ]
    corpus = [each["content"] for each in items(0, SECRET_TEXTS)]
    held = [each for number in range(SAMPLE_ROUNDS) for each in samples(seed * 100 + number)]
    floor = re.compile("[A-Za-z0-9_-]{20}")
    false = [text for text in (*talk, *HARMLESS) if find(text)]
    missed = [each for each in held if each.secret in redacted(each.text)]
    slow = {unit: timed(partial(find, unit * (HOSTILE_SIZE // len(unit)))) for unit in HOSTILE}
    worst = max(slow, key=lambda unit: slow[unit])
    return {
        "floor_us": _microseconds(floor.search, corpus),
        "corpus_us": _microseconds(find, corpus),
        "talk_us": _microseconds(find, talk),
        "sample_us": _microseconds(find, [each.text for each in held]),
        "hostile": worst,
        "hostile_s": slow[worst],
        "recall": 1 - len(missed) / len(held),
        "false_per_1000": 1_000 * len(false) / (len(talk) + len(HARMLESS)),
        "talk_texts": len(talk),
        "sample_texts": len(held),
    }


def _microseconds(look: Callable[[str], object], texts: list[str]) -> float:
    """Return what one text takes, in the best of some rounds: the machine only ever adds to it."""
    return min(timed(lambda: [look(text) for text in texts]) for _ in range(3)) / len(texts) * 1e6


def scan() -> Answer:
    """Look for credentials in all of a store."""
    with open_memory() as memory:
        return {"seconds": timed(memory.scan_secrets)}


def probe(*, start: int) -> Answer:
    """Open a store, search it and save into it; times in ms, peak resident memory in MB."""
    opened_at = time.perf_counter()
    with open_memory() as memory:
        memory.list(limit=1)
        open_ms = (time.perf_counter() - opened_at) * 1_000
        rare = [timed(lambda: memory.search(RARE_WORD)) for _ in range(PROBE_SEARCHES)]
        saves = save_each(lambda each: memory.save(**each), items(start, PROBE_SAVES))
        memory.search(f"{COMMON_WORD} {RARE_WORD}")
    return {
        "open_ms": open_ms,
        "rare_ms": statistics.median(rare) * 1_000,
        "save_ms": statistics.median(saves["latencies_ms"]),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
    }


if __name__ == "__main__":
    serve(
        {
            "build": build,
            "save_one": save_one,
            "save_many": save_many,
            "export": export,
            "ingest": ingest,
            "writer": writer,
            "count": count,
            "tables": tables,
            "probe": probe,
            "search": search,
            "retrieval": retrieval,
            "secrets": secrets,
            "scan": scan,
        }
    )
