"""Lives that are cut short: run as a process by the crash test, once for all lives of a store.

It reads one line a life (path of the store, seed, directory of chunks to ingest) and forks before
the store is opened, so that a life costs milliseconds and not an interpreter's start. A life says
what it is about to do and that it is done, each in one write, until it is killed:

    ["begin", operation, id or file or null, content or null]     ["done", [id, …]]     ["dead", n]
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

# Imported once for all lives: each needs it for its first seal.
import cryptography.hazmat.primitives.asymmetric.ed25519  # noqa: F401

from kioku import open as open_memory

if TYPE_CHECKING:
    from kioku import Memory

OPERATIONS = (
    *("save",) * 8,
    *("edit", "delete", "purge") * 2,
    *("undelete", "save_many", "gc", "seal", "export", "ingest", "rebuild", "reopen"),
)


def say(*words: Any) -> None:
    os.write(1, (json.dumps(words) + "\n").encode())


class Life:
    """One process on one store, doing this and that until it is killed."""

    def __init__(self, path: str, seed: int, chunks: str) -> None:
        self.path = path
        self.random = Random(seed)
        self.seed = seed
        self.count = 0
        self.chunks = sorted(os.path.join(chunks, name) for name in os.listdir(chunks))
        say("begin", "open", None, None)
        self.memory: Memory = open_memory(path)
        shown = self.memory.list(limit=10_000, include_deleted=True)
        self.ids = {one.id: one.is_deleted for one in shown}
        say("done", [])

    def text(self) -> str:
        self.count += 1
        return f"life{self.seed}word{self.count}end {'filler ' * self.random.randrange(40)}"

    def step(self) -> None:
        operation = self.random.choice(OPERATIONS)
        wants_deleted = operation == "undelete"
        ids = [one for one, is_deleted in self.ids.items() if is_deleted == wants_deleted]
        if operation in ("edit", "delete", "purge", "undelete"):
            if ids:
                self.change(operation, self.random.choice(ids))
        elif operation in ("save", "save_many"):
            self.save(operation)
        elif operation == "ingest":
            self.ingest()
        else:
            say("begin", operation, None, None)
            getattr(self, operation)()
            say("done", [])

    def save(self, operation: str) -> None:
        content = self.text()
        say("begin", operation, None, content)
        if operation == "save":
            saved = [self.memory.save(content, tags=["crash"])]
        else:
            saved = self.memory.save_many({"content": content} for _ in range(3))
        self.ids.update((one.id, False) for one in saved)
        say("done", [one.id for one in saved])

    def change(self, operation: str, one: str) -> None:
        if operation == "edit":
            content = self.text()
            say("begin", operation, one, content)
            self.memory.edit(one, content=content)
        else:
            say("begin", operation, one, None)
            getattr(self.memory, operation)(one)
        if operation == "purge":
            del self.ids[one]
        else:
            self.ids[one] = operation == "delete"
        say("done", [one])

    def ingest(self) -> None:
        path = self.random.choice(self.chunks)
        say("begin", "ingest", os.path.basename(path), None)
        with open(path, "rb") as file:
            self.memory.ingest_chunk(file.read())
        say("done", [])

    def gc(self) -> None:
        self.memory.gc(retention=timedelta(days=30), history=timedelta(0))

    def seal(self) -> None:
        self.memory.digest()

    def export(self) -> None:
        for _ in self.memory.export_chunks():
            pass

    def rebuild(self) -> None:
        self.memory.rebuild()

    def reopen(self) -> None:
        self.memory.close()
        self.memory = open_memory(self.path)


def main() -> None:
    """Fork a life for each line, and say when it is over."""
    for line in sys.stdin:
        path, seed, chunks = json.loads(line)
        pid = os.fork()
        if pid == 0:
            say("alive", os.getpid())
            life = Life(path, seed, chunks)
            while True:
                life.step()
        _, status = os.waitpid(pid, 0)
        say("dead", os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
