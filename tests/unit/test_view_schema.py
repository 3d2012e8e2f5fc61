"""The view follows the fold, and what leaves it leaves no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kioku.crdt.standing import Change
from kioku.observation import Observation
from kioku.view.filter import Filter
from tests.unit.view_store import ViewStore, key_of

if TYPE_CHECKING:
    from pathlib import Path

SECRET = Observation(
    "the zanzibar password is HunterTwo",
    project="xylophone",
    subject="quokka",
    summary="wombat",
    tags=("platypus",),
    memory_type="bug",
    source_files=("src/echidna.py",),
    references=("bandicoot",),
    supersedes=("ab" * 16,),
    agent_family="numbat",
    client_id="dugong",
    host="galah",
    session_id="kookaburra",
    extra={"bilby": "potoroo"},
)
TRACES = (
    b"zanzibar password hunter huntertwo hunt xylophon quokka wombat platypus platypu echidna"
    b" bandicoot numbat dugong galah kookaburra bilby potoroo"
).split()


def bytes_of(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir())).lower()


def scrubbed(store: ViewStore, directory: Path) -> bytes:
    """What is left in the files once an erasure has been finished, but for the vacuum."""
    with store.connection:
        store.view.scrub(store.connection)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return bytes_of(directory)


@pytest.mark.parametrize("way_out", ["hide", "edit"])
@pytest.mark.parametrize("others", [0, 300])
def test_what_leaves_is_in_no_file(tmp_path: Path, others: int, way_out: str) -> None:
    store = ViewStore(str(tmp_path / "store.db"))
    store.connection.execute("PRAGMA temp_store = MEMORY")
    for number in range(others):
        store.show(Observation(f"ordinary words {number % 7}"), key=number + 2, hlc=number + 2)
        if number == others // 2:
            store.show(SECRET, key=1, hlc=1)
    if not others:
        store.show(SECRET, key=1, hlc=1)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    seen = bytes_of(tmp_path)
    assert all(trace in seen for trace in (b"zanzibar", b"xylophon", b"potoroo"))

    if way_out == "edit":
        old = store.shown[key_of(1)].event_id
        store.show(Observation("all is well"), key=1, hlc=999)
        store.connection.execute("UPDATE event SET body = NULL WHERE event = ?", (old,))
    else:
        store.hide(1)
    left = scrubbed(store, tmp_path)
    assert [trace for trace in TRACES if trace in left] == []
    assert bytes.fromhex("ab" * 16) not in left


def test_a_secret_of_a_bulk_batch_leaves_too(tmp_path: Path) -> None:
    store = ViewStore(str(tmp_path / "store.db"))
    with store.connection:
        changes = [
            store.event(Observation(f"words {number}"), key=number + 2, hlc=number + 2)
            for number in range(2_000)
        ]
        changes.insert(1_000, store.event(SECRET, key=1, hlc=1))
        store.view.apply(store.connection, changes)
    store.hide(1)
    left = scrubbed(store, tmp_path)
    assert [trace for trace in TRACES if trace in left] == []


def test_clearing_leaves_no_word(tmp_path: Path) -> None:
    store = ViewStore(str(tmp_path / "store.db"))
    event = store.show(SECRET, key=1, hlc=1)
    with store.connection:
        store.view.clear(store.connection)
        store.connection.execute("UPDATE event SET body = NULL WHERE event = ?", (event,))
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    left = bytes_of(tmp_path)
    assert [trace for trace in TRACES if trace in left] == []
    assert store.words() == []


def test_an_edit_replaces_what_was_found() -> None:
    store = ViewStore()
    store.show(Observation("alpha", project="old"), key=1, hlc=1)
    store.show(Observation("beta", project="new"), key=1, hlc=2)
    assert store.search("alpha") == []
    assert store.contents("beta") == ["beta"]
    assert store.newest(filter=Filter(projects=("old",))) == []
    assert store.newest() == ["beta"]


def test_a_body_that_cannot_be_read_has_no_row() -> None:
    store = ViewStore()
    store.show(b"\xff", key=1, hlc=1)
    store.show(b"\xa0", key=2, hlc=2)
    store.show(Observation("alpha"), key=2, hlc=3)
    store.show(b"\x00", key=2, hlc=4)
    assert store.newest() == []
    assert store.words() == []


def test_fields_that_are_known_are_not_read_again() -> None:
    store = ViewStore()
    with store.connection:
        known, unknown = (store.event(Observation(f"alpha {n}"), key=n, hlc=n) for n in (1, 2))
        store.view.apply(store.connection, [known._replace(fields={1: "beta"}), unknown])
    assert [word for word, *_ in store.words()] == ["2", "alpha", "beta"]


def test_creating_twice_changes_nothing() -> None:
    store = ViewStore()
    store.show(Observation("alpha"), key=1, hlc=1)
    store.view.create(store.connection)
    assert store.contents("alpha") == ["alpha"]


def test_a_batch_that_moves_backwards_is_sorted() -> None:
    store, other = ViewStore(), ViewStore()
    for each, step in ((store, 1), (other, -1)):
        with each.connection:
            first = [each.event(Observation(f"alpha {n}"), key=n, hlc=n) for n in range(1, 9)]
            each.view.apply(each.connection, first[::step])
            second = [each.event(Observation(f"beta {n}"), key=n, hlc=n + 9) for n in range(1, 9)]
            each.view.apply(each.connection, second[::step])
    assert store.words() == other.words()
    assert store.newest() == other.newest()
    assert store.search("alpha") == []


def test_a_release_only_turns_the_mark() -> None:
    store = ViewStore()
    store.show(Observation("alpha"), key=1, hlc=1, held=True)
    held = store.shown[key_of(1)]
    store.view.apply(store.connection, [Change(key_of(1), held, held._replace(held=False))])
    assert store.connection.execute("SELECT held FROM record").get == 0
    assert store.contents("alpha") == ["alpha"]


def test_the_index_is_sound_after_changes() -> None:
    store = ViewStore()
    for number in range(60):
        store.show(Observation(f"alpha {number} 日本語 HttpServer"), key=number % 20, hlc=number)
    for number in range(0, 20, 2):
        store.hide(number)
    store.connection.execute("INSERT INTO record_text(record_text) VALUES('integrity-check')")
    assert len(store.search("日本", limit=100)) == 10
