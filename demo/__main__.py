"""The tour: save, find, look back, exchange, back up, a kill -9. All of it happens in ``.demo``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from itertools import islice

import kioku
from demo.documents import PROJECT, ROOT, observations

PLACE = ROOT / ".demo"
LINES_MAX = 24  # of a command's output: enough to see what it is
SAVES_BEFORE_THE_KILL = 200


def main() -> None:
    """Run the six parts, in order; any that fails ends the demo with its error."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    for name in [name for name in os.environ if name.startswith(("KIOKU_", "MESH_MEM_"))]:
        del os.environ[name]
    os.environ["KIOKU_STATE_DIR"] = str(PLACE / "state")
    os.environ["KIOKU_CONFIG"] = str(PLACE / "config.toml")
    remember_the_documents()
    use_the_command_line()
    change_one_s_mind()
    exchange()
    back_up()
    kill_a_writer()
    _say("\nThat was kioku, in .demo; your own memory was not touched. Now: .venv/bin/kioku save …")


def remember_the_documents() -> None:
    """Import this repository's documents through the library."""
    _title("1. Remember this project's own decisions and documents")
    items = observations()
    began = time.perf_counter()
    with kioku.open() as memory:
        memory.save_many(items)
    took_ms = (time.perf_counter() - began) * 1000
    decisions = sum(item["memory_type"] == "decision" for item in items)
    _say(f"{len(items)} sections saved, {decisions} of them of decisions, in {took_ms:.0f} ms:")
    _say("with kioku.open() as memory:\n    memory.save_many(sections)")


def use_the_command_line() -> None:
    """Save and find with the real command."""
    _title("2. Save and find")
    saved = _run("save", "Chose Postgres over SQLite for the analytics database",
                 "-p", "demo", "-t", "db,analytics", "--memory-type", "decision")  # fmt: skip
    _run("save", "Chose Postgres over SQLite for the analytics database", "-p", "demo")
    _run("search", "which databases", "-p", "demo", "--explain")
    _run("search", "how do writers wait for each other", "-n", "2")
    _run("search", "why is MCP an extra", "-p", PROJECT, "-n", "2")
    _run("get-memory", saved.rpartition(" ")[2][:10])


def change_one_s_mind() -> None:
    """Edit, delete, undelete; look at what was before, then at what is."""
    _title("3. Change your mind")
    saved = _run("save", "Deploy on Fridays", "-p", "demo")
    short = saved.rpartition(" ")[2][:10]
    before = datetime.now(UTC).isoformat(timespec="milliseconds")
    _run("edit", short, "Never deploy on Fridays", "--importance", "5")
    _run("history", short)
    _run("delete", short, "-r", "everybody knows")
    _run("undelete", short)
    _run("get-memory", short, "--as-of", before)
    _run("list", "-p", "demo")
    _run("status")


def exchange() -> None:
    """Three people write apart; two stores take it in, in opposite orders, one of it twice."""
    _title("4. Two stores that exchange chunks in different orders agree")
    chunks = []
    for name in ("ann", "ben", "cai"):
        with kioku.open(PLACE / f"{name}.db") as memory:
            memory.save_many([{"content": f"{name} noted {n}", "project": name} for n in range(50)])
            chunks += list(memory.export_chunks())
    _say(
        f"ann, ben and cai each saved 50 observations apart: {len(chunks)} chunks of signed events"
    )
    with kioku.open(PLACE / "one.db") as one, kioku.open(PLACE / "two.db") as two:
        for chunk in chunks:
            one.ingest_chunk(chunk)
        for chunk in [*reversed(chunks), *chunks]:
            two.ingest_chunk(chunk)
        _say(f"first to last:          {one.digest()}")
        _say(f"last to first, twice:   {two.digest()}")
        lists = [[found.id for found in memory.list(limit=1000)] for memory in (one, two)]
        assert one.digest() == two.digest()
        assert lists[0] == lists[1]
        _say(f"equal digests, and equal lists of {len(lists[0])} observations")


def back_up() -> None:
    """Back the store up, go on, and put the backup in its place: the newer store is kept."""
    _title("5. A backup is one file, and a restore loses nothing either")
    file = str(PLACE / "backup.db")
    _run("backup", file)
    _run("save", "Saved after the backup", "-p", "late")
    restored = _run("restore", file, "--force")
    _run("search", "backup", "-p", "late")
    _run("import", restored.rpartition(" ")[2])
    _run("search", "backup", "-p", "late")


def kill_a_writer() -> None:
    """Kill a process in the middle of its saves; look for every one that it acknowledged."""
    _title("6. kill -9 in the middle of a save loses nothing that was acknowledged")
    command = [sys.executable, "-m", "demo.writer", "lab"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        acknowledged = [line.strip() for line in islice(writer.stdout, SAVES_BEFORE_THE_KILL)]
        writer.kill()
        acknowledged += [line.strip() for line in writer.stdout if line.endswith("\n")]
    with kioku.open(space="lab") as memory:
        lost = [saved for saved in acknowledged if memory.get(saved) is None]
    assert not lost, f"{len(lost)} acknowledged saves are gone"
    _say(f"acknowledged: {len(acknowledged)}; found after the kill: {len(acknowledged)}; lost: 0")
    _run("doctor", "--deep", "--space", "lab")


def _run(*arguments: str) -> str:
    """Show a command and its output as a terminal would; return its last line."""
    shown = " ".join(f'"{word}"' if " " in word else word for word in arguments)
    _say(f"\n$ kioku {shown}")
    done = subprocess.run(
        [sys.executable, "-m", "kioku.cli", *arguments],
        check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd=ROOT,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    _say("\n".join(lines[:LINES_MAX]) + ("\n…" if len(lines) > LINES_MAX else ""))
    return lines[-1] if lines else ""


def _title(text: str) -> None:
    _say(f"\n{text}\n{'-' * len(text)}")


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
