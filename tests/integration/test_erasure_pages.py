"""Erasure against SQLite's pages and other processes: what a deletion leaves where nobody looks.

SQLite moves cells from page to page and leaves copies between those that stay; FTS5 parts pages by
words; and another process may erase between any two steps of ours.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from kioku.errors import SchemaVersionError
from kioku.log.draft import retracts
from kioku.log.event import PURGE, SAVE
from kioku.observation import Observation, encode_body
from kioku.replica import Draft, Replica
from kioku.view import ObservationView
from kioku.view.audit import find_differences
from tests.property.stores import FollowingView, open_store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NOW_MS = 1_790_000_000_000
ONE, TWO = bytes([1]) * 16, bytes([2]) * 16
SECRET = b"quetzalcoatlus" * 5
COUNT, BATCH = 400, 20
SEEDS = (2, 4, 9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "space.db"


class Reader:
    """Another program that reads the store: as long as it does, no old page can go."""

    def __init__(self, path: Path) -> None:
        self._connection = apsw.Connection(str(path))
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT count(*) FROM event").fetchall()

    def end(self) -> None:
        self._connection.close()


def files_with(path: Path, secret: bytes) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir() if secret in one.read_bytes().lower())


def due(replica: Replica) -> int:
    return replica.statistics().erasures_due


# --- several who erase ----------------------------------------------------------------------------


def test_an_erasure_that_comes_while_another_is_finished_is_finished_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other purges after our last look at the pages and before we note that all is done."""
    with open_store(str(path), seed=1) as ours, open_store(str(path), seed=2) as other:
        ours.append([Draft(SAVE, ONE, b"first"), Draft(SAVE, TWO, SECRET)], now_ms=NOW_MS)
        reader = Reader(path)
        ours.append([Draft(PURGE, ONE)], now_ms=NOW_MS)
        reader.end()
        assert due(ours) == 1
        truncate = ours._database.truncate_wal
        left = [2]  # the second of a round is the last step before the note

        def truncate_then_purge(timeout_ms: int) -> bool:
            is_done = truncate(timeout_ms)
            left[0] -= 1
            if left[0] == 0:
                reader = Reader(path)
                other.append([Draft(PURGE, TWO)], now_ms=NOW_MS)
                reader.end()
                assert files_with(path, SECRET), "the other could not finish while one read"
            return is_done

        monkeypatch.setattr(ours._database, "truncate_wal", truncate_then_purge)
        ours.finish_erasure(1_000)
        assert left[0] < 0, "there was more to do, so it went round again"
        assert due(other) == 0
        assert files_with(path, SECRET) == []


def test_a_slower_finisher_takes_back_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both see one erasure due; the other is done with it and with a second one before us."""
    with open_store(str(path), seed=1) as ours, open_store(str(path), seed=2) as other:
        ours.append([Draft(SAVE, ONE, b"first"), Draft(SAVE, TWO, SECRET)], now_ms=NOW_MS)
        reader = Reader(path)
        ours.append([Draft(PURGE, ONE)], now_ms=NOW_MS)
        reader.end()
        vacuum = ours._database.vacuum
        left: list[int] = []

        def vacuum_late(timeout_ms: int) -> bool:
            if not left:
                other.finish_erasure(1_000)
                other.append([Draft(PURGE, TWO)], now_ms=NOW_MS)
            left.append(due(other))
            return vacuum(timeout_ms)

        monkeypatch.setattr(ours._database, "vacuum", vacuum_late)
        ours.finish_erasure(1_000)
        assert left == [0], "done once, and what the other noted was not taken back"
        assert due(ours) == 0
        assert files_with(path, SECRET) == []


# --- pages ----------------------------------------------------------------------------------------


def name(number: int) -> str:
    """A word that no other begins with."""
    return f"zq{number * 7919 % 1_000_003:06d}qz".translate(
        str.maketrans("0123456789", "abcdefghij")
    )


def body(number: int, random: Random) -> bytes:
    words = " ".join(f"v{random.randrange(500)}" for _ in range(random.randrange(8)))
    word = name(number)
    return encode_body(Observation(f"c{word} {words}", tags=(f"t{word}",), project=f"p{word}"))


def key(number: int) -> bytes:
    return b"k" * 14 + number.to_bytes(2, "big")


def purge(replica: Replica, numbers: Iterable[int]) -> None:
    for number in numbers:
        replica.append([Draft(PURGE, key(number))], now_ms=NOW_MS)


# Without the vacuum, each of these leaves some secret for a while: on a page that no query reads.
@pytest.mark.parametrize("seed", SEEDS)
def test_hundreds_of_secrets_purged_one_by_one_are_in_no_page(path: Path, seed: int) -> None:
    """Content, tag and project of each: none may stay between the cells of a page."""
    random = Random(seed)
    with open_store(str(path), seed=seed, view=ObservationView()) as replica:
        for first in range(0, COUNT, 10):
            numbers = range(first, first + 10)
            drafts = [Draft(SAVE, key(number), body(number, random)) for number in numbers]
            replica.append(drafts, now_ms=NOW_MS)
        for number in random.sample(range(COUNT), 60):  # edits move cells about
            replica.append([Draft(SAVE, key(number), body(number, random))], now_ms=NOW_MS)
        order = random.sample(range(COUNT), COUNT)
        for gone in range(BATCH, COUNT - 2 * BATCH + 1, BATCH):
            batch = order[gone - BATCH : gone]
            reader = Reader(path)  # so that a batch is finished at once, and the test is quick
            purge(replica, batch[1:])
            reader.end()
            purge(replica, batch[:1])
            assert due(replica) == 0
            everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
            assert [n for n in order[:gone] if name(n).encode() in everything] == []
    everything = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert all(name(number).encode() in everything for number in order[-2 * BATCH :])


@pytest.mark.parametrize("secure_delete", [0, 1])  # 1 is what stores made before ADR 0096 have
def test_no_purged_word_parts_the_pages_of_the_word_index(path: Path, secure_delete: int) -> None:
    random = Random(5)
    words = ["".join(random.choices("bcdfghjklm", k=9)) for _ in range(3_000)]
    kept = "".join(random.choices("nopqrstvwx", k=9))
    with open_store(str(path), view=ObservationView()) as replica:
        contents = [" ".join(words[first : first + 20]) for first in range(0, 3_000, 20)]
        bodies = [encode_body(Observation(content)) for content in (*contents, kept)]
        drafts = [Draft(SAVE, key(number), body) for number, body in enumerate(bodies)]
        connection = replica._database.connection
        connection.execute(
            "INSERT INTO record_text(record_text, rank) VALUES('secure-delete', ?)",
            (secure_delete,),
        )
        replica.append(drafts, now_ms=NOW_MS)
        parts = "SELECT DISTINCT CAST(term AS BLOB) FROM record_text_idx WHERE length(term) > 1"
        assert connection.execute(parts).fetchall(), "there are pages to part"
        reader = Reader(path)
        purge(replica, range(len(contents) - 1))
        reader.end()
        purge(replica, [len(contents) - 1])
        assert due(replica) == 0
        parting = [bytes(term)[1:].decode() for (term,) in connection.execute(parts)]
        assert [part for part in parting if any(word.startswith(part) for word in words)] == []
        connection.execute("INSERT INTO record_text(record_text) VALUES('integrity-check')")


@pytest.mark.parametrize("count", [0, 12])
@pytest.mark.parametrize("more", [3, 20])
def test_no_purged_word_is_left_where_the_index_has_more_levels_than_it_needs(
    path: Path, count: int, more: int
) -> None:
    """Erasures raise the number of FTS5's levels; a batch then pulls older pieces down again."""
    random = Random(7)

    def saves(of: int) -> list[Draft]:
        words = ["".join(random.choices("bcdfghjklm", k=9)) for _ in range(40 * of)]
        texts = [" ".join(words[first : first + 40]) for first in range(0, 40 * of, 40)]
        bodies = [encode_body(Observation(text)) for text in texts]
        return [Draft(SAVE, random.randbytes(16), body) for body in bodies]

    with open_store(str(path), view=ObservationView()) as replica:
        replica.append(saves(count), now_ms=NOW_MS)
        for number in range(6):
            secret = f"zanzibar{'nopqrs'[number]}"
            replica.append(saves(more * (number % 3 == 2)), now_ms=NOW_MS)
            replica.append([Draft(SAVE, key(number), encode_body(Observation(secret)))], now_ms=1)
            replica.append([Draft(PURGE, key(number))], now_ms=NOW_MS)
            assert due(replica) == 0
            assert files_with(path, b"zanzibar") == []


@pytest.mark.parametrize("way", ["purge", "retract"])
def test_words_that_an_edit_took_from_the_index_go_with_their_body(path: Path, way: str) -> None:
    """An edit leaves them in the index's pages, for the history has them too; then it has not."""
    with open_store(str(path), view=ObservationView()) as replica:
        bodies = [encode_body(Observation(text)) for text in ("the zanzibar key", "all is well")]
        [first] = replica.append([Draft(SAVE, ONE, bodies[0])], now_ms=NOW_MS)
        replica.append([Draft(SAVE, ONE, bodies[1])], now_ms=NOW_MS)
        assert files_with(path, b"zanzibar")
        drafts = [Draft(PURGE, ONE)] if way == "purge" else list(retracts([first.id]))
        replica.append(drafts, now_ms=NOW_MS)
        assert due(replica) == 0
        assert files_with(path, b"zanzibar") == []
        assert bool(files_with(path, b"well")) == (way == "retract")


def test_a_store_of_an_earlier_view_is_built_anew_without_the_words_that_it_left(
    path: Path,
) -> None:
    with open_store(str(path), view=ObservationView()) as replica:
        replica.append([Draft(SAVE, ONE, encode_body(Observation("all is well")))], now_ms=NOW_MS)
        with replica._database.write() as connection:
            connection.execute("UPDATE meta SET value = '2.3' WHERE name = 'derived_by'")
            connection.execute(
                "INSERT INTO record_text(record_text, rank) VALUES('secure-delete', 1)"
            )
            connection.execute("INSERT INTO record_text(rowid, text) VALUES(77, 'zanzibar')")
        assert files_with(path, b"zanzibar")
    with open_store(str(path), view=ObservationView()) as replica:
        settings = replica._database.connection.execute("SELECT k FROM record_text_config")
        assert ("secure-delete",) not in settings.fetchall()
    assert files_with(path, b"zanzibar") == []


@pytest.mark.parametrize("rotten", [b"quftzalcoatlus", b"\xff", 5])
@pytest.mark.parametrize("way", ["purge", "retract", "edit"])
def test_the_words_of_a_body_that_rotted_go_with_it(path: Path, rotten: Any, way: str) -> None:
    """The words to take out of the index are read from the body, and it is not what it was."""
    with open_store(str(path), view=ObservationView()) as replica:
        bodies = [encode_body(Observation(text)) for text in ("quetzalcoatlus", "all is well")]
        [saved, _] = replica.append(
            [Draft(SAVE, ONE, bodies[0]), Draft(SAVE, TWO, bodies[1])], now_ms=NOW_MS
        )
        if rotten.__class__ is bytes:
            rotten = bodies[0].replace(b"quetzalcoatlus", rotten)
        with replica._database.write() as connection:
            connection.execute("UPDATE event SET body = ? WHERE key = ?", (rotten, ONE))
        if way == "edit":
            replica.append([Draft(SAVE, ONE, bodies[1])], now_ms=NOW_MS)
        drafts = list(retracts([saved.id])) if way == "retract" else [Draft(PURGE, ONE)]
        replica.append(drafts, now_ms=NOW_MS)
        assert due(replica) == 0
        assert files_with(path, b"tzalcoatlus") == []
        assert list(find_differences(replica._database.connection)) == []


# --- views ----------------------------------------------------------------------------------------


class NewerView(FollowingView):
    """The same view as a later kioku builds it."""

    version = 2


def open_bare(path: Path) -> Replica:
    return Replica.open(path, rng=Random(9), name="no view", machine_id=b"one machine")


def test_a_store_with_a_view_is_not_opened_without_it(path: Path) -> None:
    """It could purge, but not the words that it knows nothing of."""
    with open_store(str(path)) as replica:
        replica.append([Draft(SAVE, ONE, SECRET)], now_ms=NOW_MS)
    before = path.read_bytes()
    with pytest.raises(SchemaVersionError, match="upgrade"):
        open_bare(path)
    assert path.read_bytes() == before


def test_a_store_with_a_newer_view_is_not_opened_with_an_older_one(path: Path) -> None:
    open_store(str(path), view=NewerView()).close()
    with pytest.raises(SchemaVersionError, match="upgrade"):
        open_store(str(path))
    open_store(str(path), view=NewerView()).close()


def test_an_open_store_takes_no_more_once_another_version_has_taken_it_over(path: Path) -> None:
    """What it would write into the newer view, the newer view could not take back."""
    with open_store(str(path), seed=1) as older:
        older.append([Draft(SAVE, ONE, SECRET)], now_ms=NOW_MS)
        with open_store(str(path), seed=2, view=NewerView()) as newer:
            with pytest.raises(SchemaVersionError, match="open it again"):
                older.append([Draft(SAVE, TWO, b"late")], now_ms=NOW_MS)
            with pytest.raises(SchemaVersionError, match="open it again"):
                older.append([Draft(PURGE, ONE)], now_ms=NOW_MS)
            with pytest.raises(SchemaVersionError, match="upgrade"):
                older.rebuild()
            assert newer.statistics().events == 2
            newer.append([Draft(PURGE, ONE)], now_ms=NOW_MS)
            assert files_with(path, SECRET) == []


def test_a_rebuild_leaves_nothing_of_the_view_that_was_there(path: Path) -> None:
    with open_store(str(path), seed=1) as older:
        older.append([Draft(SAVE, ONE, b"body")], now_ms=NOW_MS)
        connection = older._database.connection
        connection.execute("INSERT INTO followed(key, body) VALUES(?, ?)", (TWO, SECRET))
    assert files_with(path, SECRET) == [path.name]
    with open_store(str(path), seed=2, view=NewerView()) as newer:
        assert due(newer) == 0
        assert files_with(path, SECRET) == []
