"""What can be wrong with a store: its files, its key, its log, its clock, what is derived."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from kioku.doctor import check
from kioku.log.event import PURGE, SAVE
from kioku.memory import open as open_memory
from kioku.memory import opening
from kioku.replica import Draft
from tests.property.authors import Author
from tests.unit.ailments import Bench, breaks, named, of
from tests.unit.memories import NOON_MS, carry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.memory import Memory


# -- the store


@breaks("store")
def a_file_that_is_no_store(bench: Bench) -> Iterator[Any]:
    bench.state.mkdir()
    (bench.state / "default.db").write_text("this is no database" * 1_000)
    yield check
    (bench.state / "default.db").unlink()


@breaks("files")
def files_that_others_can_read(bench: Bench) -> Iterator[Any]:
    path = bench.save()
    [key] = bench.state.glob("*.key")
    with open_memory() as memory:
        memory.save("so that there is a write-ahead log")
        for name in (path, f"{path}-wal", f"{path}-shm", key):
            os.chmod(name, 0o644)
        yield check
        check(fix=True)
        assert {os.stat(name).st_mode & 0o777 for name in (path, f"{path}-wal", key)} == {0o600}


@breaks("kept")
def a_store_that_a_restore_put_aside_and_that_is_damaged(bench: Bench) -> Iterator[Any]:
    path = bench.save()
    kept = bench.state / "default.db.before-restore-1"
    kept.write_bytes(b"damaged" + Path(path).read_bytes()[7:])
    yield check
    kept.unlink()


@breaks("key")
def a_copy(bench: Bench) -> Iterator[Any]:
    bench.memory().close()
    path = bench.tmp_path / "copy.db"
    shutil.copy(bench.tmp_path / "one.db", path)
    yield lambda **options: check(path, **options)
    bench.stores.open("copy").save("another")


@breaks("key")
def a_copy_with_its_key(bench: Bench) -> Iterator[Any]:
    bench.memory().close()
    shutil.copy(bench.tmp_path / "one.db", bench.tmp_path / "copy.db")
    [key] = bench.tmp_path.glob("*.key")
    shutil.copy(key, bench.tmp_path / key.name.replace("one", "copy"))
    yield lambda **options: check(bench.tmp_path / "copy.db", **options)
    bench.stores.open("copy").save("another")


@breaks("key")
def a_copy_on_another_machine(bench: Bench) -> Iterator[Any]:
    bench.patch.setattr(opening, "_CONTAINER_MARKS", ())
    bench.patch.setattr(opening, "read_machine_id", lambda: b"this machine")
    bench.memory().close()
    bench.patch.setattr(opening, "read_machine_id", lambda: b"that machine")
    yield lambda **options: check(bench.tmp_path / "one.db", **options)
    bench.stores.open().save("another")


@breaks("key")
def an_older_copy_of_itself(bench: Bench) -> Iterator[Any]:
    bench.memory().close()
    path = bench.tmp_path / "one.db"
    before = path.read_bytes()
    later = bench.memory()
    later.digest()
    later.close()
    path.write_bytes(before)
    yield lambda **options: check(path, **options)
    bench.stores.open().save("another")


@breaks("key")
def a_key_that_is_damaged(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    [key] = bench.tmp_path.glob("*.key")
    key.write_bytes(b"nothing")
    yield of(memory)
    key.rename(bench.tmp_path / "kept")
    memory.save("another")


def damage(memory: Memory, sql: str, *values: Any) -> None:
    """Write into a store behind its back."""
    with memory.replica.transaction(now_ms=memory.now_ms()) as transaction:
        transaction.connection.execute(sql, values)


def damaged(name: str, sql: str, *, deep: bool = True) -> None:
    """A case of damage to the log itself, which a backup mends."""

    def the_log_is_damaged(bench: Bench) -> Iterator[Any]:
        first = bench.memory()
        first.digest()  # seals
        first.close()
        path = bench.tmp_path / "one.db"
        backup = path.read_bytes()
        with closing(apsw.Connection(str(path))) as connection:
            connection.execute("PRAGMA writable_schema = ON")
            connection.execute(sql)
        yield lambda **options: check(path, deep=deep, **options)
        path.write_bytes(backup)

    the_log_is_damaged.__name__ = f"damage_{name.replace(' ', '_')}"
    breaks(name)(the_log_is_damaged)


FLIP = "UPDATE event SET body = CAST(replace(body, 'some', 'None') AS BLOB) WHERE kind = 1"
damaged("own log", FLIP, deep=False)
damaged("own log", "UPDATE event SET hlc = hlc - 1 WHERE seq = 2", deep=False)
damaged("own log", "UPDATE event SET hash = zeroblob(32) WHERE seq = 1", deep=False)
damaged("chain", FLIP)
damaged("chain", "DELETE FROM event WHERE seq = 2")
damaged("seals", "UPDATE seal SET signature = zeroblob(64)")
damaged("absent", "UPDATE event SET body = NULL, salt = NULL WHERE kind = 1")
damaged("file", "DELETE FROM sqlite_schema WHERE name = 'held_until'")


@breaks("clock")
def a_clock_that_was_ahead(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    bench.clock.ms -= 60_001
    yield of(memory)
    memory.fix_clock()


@breaks("clock")
def a_clock_that_is_behind(bench: Bench) -> Iterator[Any]:
    memory = bench.stores.open("here")
    carry(bench.memory("there"), memory)
    bench.clock.ms -= 60_001
    yield of(memory)
    bench.clock.ms += 60_001


@breaks("clock")
def a_clock_that_was_never_set(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    bench.clock.ms = 1_735_689_599_999
    assert named(check(memory), "clock")[0].status == "fail"
    yield of(memory)
    bench.clock.ms = NOON_MS


@breaks("index")
def an_index_that_lacks_a_row(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    damage(memory, "DELETE FROM record")
    yield of(memory)
    assert check(memory, fix=True).fixed
    assert memory.search("something")


@breaks("unreadable")
def what_a_newer_kioku_wrote(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    key = bytes.fromhex(memory.list()[0].id)
    memory.replica.append([Draft(SAVE, key, b"\xff")], now_ms=memory.now_ms())
    yield of(memory)
    memory.save_many([{"content": "as an upgrade would read it"}])
    memory.purge(key.hex())


@breaks("held")
def events_of_a_clock_that_is_ahead(bench: Bench) -> Iterator[Any]:
    early, here = bench.memory("early", 100_000), bench.memory("here")
    carry(early, here)
    [found] = named(check(here), "held")
    assert "1 of early until 2026-09-21T14:14:00Z" in found.summary
    yield of(here)
    bench.clock.ms += 40_001


@breaks("held")
def events_that_their_author_takes_back(bench: Bench) -> Iterator[Any]:
    early, here = bench.memory("early", 10**9), bench.memory("here")
    carry(early, here)
    yield of(here)
    early.close()
    mended = bench.stores.open("early")  # on the clock that is right
    assert mended.fix_clock().saves == 1
    carry(mended, here)


@breaks("held")
def events_of_a_machine_that_is_gone(bench: Bench) -> Iterator[Any]:
    early, here = bench.memory("early", 10**9), bench.memory("here")
    carry(early, here)
    assert "--retract-held" in named(check(here), "held")[0].hint
    yield of(here)
    here.retract_held("early")


@breaks("missing")
def a_body_that_did_not_come(bench: Bench) -> Iterator[Any]:
    author = Author(7, hlc=1)
    last = author.append(author.genesis, SAVE, hlc=2, key=b"k" * 16, body=b"\xff")
    memory = bench.memory()
    memory.ingest_chunk(author.chunk(author.genesis, last, bodiless=[last]))
    yield of(memory)
    memory.ingest_chunk(author.chunk(author.genesis, last))


@breaks("erasures")
def somebody_reads_what_was_erased(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    key = bytes.fromhex(memory.list()[0].id)
    with closing(apsw.Connection(str(bench.tmp_path / "one.db"))) as reader:
        reader.execute("BEGIN; SELECT count(*) FROM event").fetchall()
        memory.replica.append([Draft(PURGE, key)], now_ms=memory.now_ms())
        yield of(memory)
    assert check(memory, fix=True).fixed == ("overwrote what was erased",)


# -- what is derived


def derived(name: str, sql: str) -> None:
    """A case of damage to what is derived, which a deep look mends itself."""

    def the_rest_is_derived_again(bench: Bench) -> Iterator[Any]:
        memory = bench.memory()
        memory.edit(memory.list()[0].id, content="something else")
        memory.digest()
        damage(memory, sql)
        yield of(memory, deep=True)
        memory.rebuild()

    the_rest_is_derived_again.__name__ = f"derived_{name}"
    breaks(name)(the_rest_is_derived_again)


derived("fold", "UPDATE version SET wins = 0")
derived("view", "DELETE FROM record")
derived("frontier", "UPDATE meta SET value = zeroblob(32) WHERE name = 'digest'")


@breaks("erased")
def a_body_that_came_back(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    key = memory.list()[0].id
    with memory.replica.reading(now_ms=memory.now_ms()) as reading:
        row: Any = reading.connection.execute(
            "SELECT salt, body, event FROM event WHERE kind = 1"
        ).fetchone()
    memory.purge(key)
    damage(memory, "UPDATE event SET salt = ?, body = ? WHERE event = ?", *row)
    yield of(memory, deep=True)
    memory.rebuild()


@breaks("rebuild")
def a_lock_that_somebody_keeps(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    damage(memory, "DELETE FROM record")
    bench.patch.setattr(memory.replica._database, "_busy_s_max", 0.01)
    with closing(apsw.Connection(str(bench.tmp_path / "one.db"))) as other:
        other.execute("BEGIN IMMEDIATE")
        yield of(memory, deep=True)
    memory.rebuild()
