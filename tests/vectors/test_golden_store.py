"""A store as version 1 of the schema wrote it: opened from a copy, it is what it was.

The golden file is never opened itself. When the schema changes, this file stays, a migration brings
the copy forward, and all that is asked here must still hold.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import kioku
from kioku import Frontier, SchemaVersionError, Tip
from kioku.log.chunk import decode_chunk
from kioku.observation import decode_body
from tests.vectors import decoder
from tests.vectors.golden import HERE, load

if TYPE_CHECKING:
    from pathlib import Path

GOLDEN: Any = load("store-v1.json")
STORE = HERE / "store-v1.db"
BYTES = STORE.read_bytes()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copyfile(STORE, tmp_path / "space.db")


@pytest.fixture(autouse=True)
def _the_golden_file_is_never_touched() -> Any:
    yield
    assert STORE.read_bytes() == BYTES
    assert not list(HERE.glob("store-v1.db-*"))


def expected() -> dict[str, str]:
    """What it showed when it was written, as a reader of observations sees it."""
    out = {}
    for key, body in GOLDEN["shown"].items():
        fields = decoder.read(body) if body[:1] >= b"\xa0" else {}
        if 1 in fields:
            out[key] = fields[1]
            assert decode_body(body).content == fields[1]
    return out


def test_it_is_of_schema_1() -> None:
    assert int.from_bytes(BYTES[60:64], "big") == 1
    assert BYTES[68:72] == b"kiok"
    assert len(BYTES) < 200_000


def test_it_lists_what_it_showed(copy: Path) -> None:
    with kioku.open(copy) as memory:
        assert {one.id: one.content for one in memory.list()} == expected()
        assert len(expected()) >= 3
        for key, content in expected().items():
            found = memory.get(key)
            assert found is not None
            assert found.content == content
        assert [hit.observation.content for hit in memory.search("second wording")][:1] == [
            "second wording"
        ]
        assert failures(memory) == []


def test_its_view_is_built_anew_with_the_tables_of_today(copy: Path) -> None:
    """The golden view is an older one's: its rows were there, its later indexes were not."""

    def schema(path: Path) -> set[str]:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'record%'")
            return {name for (name,) in rows if not name.startswith("record_text_")}

    assert "record_session" not in schema(copy)
    kioku.open(copy).close()
    fresh = copy.with_name("fresh.db")
    kioku.open(fresh).close()
    assert schema(copy) == schema(fresh) >= {"record", "record_session", "record_alias"}


def failures(memory: kioku.Memory) -> list[Any]:
    """What a deep look finds, less two bodies that never came: their sender had none."""
    found = memory.replica.check(deep=True, now_ms=memory.now_ms())
    assert {one.name for one in found if one.status == "warn"} <= {"missing"}
    return [one for one in found if one.status == "fail"]


def test_its_chunks_are_the_golden_ones(copy: Path) -> None:
    """What it gave to others then is what any store that ingested it gives now."""
    with kioku.open(":memory:") as memory:
        for chunk in GOLDEN["chunks"]:
            memory.ingest_chunk(chunk)
        tips = {Tip(*tip) for tip in GOLDEN["frontier"]}
        assert set(memory.frontier()) == tips
        assert memory.digest() == decoder.frontier_digest(GOLDEN["frontier"]).hex()
        assert memory.frontier() == Frontier(tips)
        assert {one.id: one.content for one in memory.list()} == expected()
        assert list(memory.export_chunks()) == GOLDEN["chunks"]


def test_both_decoders_read_its_chunks() -> None:
    keys: dict[bytes, bytes] = {}
    for data in GOLDEN["chunks"]:
        log_id, first_seq, items = (decoder.read(data)[place] for place in (1, 2, 4))
        if first_seq == 1:
            keys[log_id] = decoder.read(items[0][4])[0]
        events = decoder.read_chunk(data, keys[log_id])
        assert [event["hash"] for event in events] == list(decode_chunk(data).hashes)


def test_a_copy_begins_a_log_of_its_own_and_loses_nothing(copy: Path) -> None:
    with kioku.open(copy) as memory, kioku.open(":memory:") as other:
        logs = memory.replica.statistics().logs
        saved = memory.save("saved in the copy")
        assert memory.replica.statistics().logs == logs + 1
        shown = {one.id: one.content for one in memory.list()}
        assert shown == {**expected(), saved.id: "saved in the copy"}
        for chunk in (*GOLDEN["chunks"], *memory.export_chunks()):
            other.ingest_chunk(chunk)
        assert {one.id: one.content for one in other.list()} == shown
        assert other.digest() != GOLDEN["digest_before_the_tail"].hex()
        for chunk in other.export_chunks(memory.frontier()):
            memory.ingest_chunk(chunk)
        assert memory.digest() == other.digest()
        assert failures(memory) == []


def test_a_rebuild_shows_the_same(copy: Path) -> None:
    with kioku.open(copy) as memory:
        memory.rebuild()
        assert {one.id: one.content for one in memory.list()} == expected()


def test_a_newer_schema_is_refused_and_its_bytes_are_not_touched(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA user_version = 999")
    content = copy.read_bytes()
    with pytest.raises(SchemaVersionError, match="999"):
        kioku.open(copy)
    assert copy.read_bytes() == content
