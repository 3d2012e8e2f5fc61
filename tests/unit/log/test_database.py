"""One connection: how it is opened, what its errors mean, how long it waits."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import apsw
import pytest

from kioku.errors import (
    StoreAccessError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreIOError,
)
from kioku.log.database import APPLICATION_ID, Database, translate
from kioku.log.files import access_error
from tests.property.stores import open_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "space.db"


def test_a_store_is_known_by_its_header(path: Path) -> None:
    open_store(str(path)).close()
    header = path.read_bytes()[:100]
    assert header[:16] == b"SQLite format 3\0"
    assert int.from_bytes(header[68:72], "big") == APPLICATION_ID
    assert header[68:72] == b"kiok"
    assert int.from_bytes(header[60:64], "big") == 1  # user_version: the schema's


def test_every_connection_has_the_settings_that_erasure_and_safety_need(path: Path) -> None:
    with open_store(str(path)) as replica:
        pragma = replica._database.pragma
        found = {
            name: pragma(name)
            for name in ("journal_mode", "secure_delete", "temp_store", "trusted_schema")
        }
    assert found == {
        "journal_mode": "wal",
        "secure_delete": 1,
        "temp_store": 2,
        "trusted_schema": 0,
    }


def test_a_store_that_another_process_creates_meanwhile_is_ours(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks at its header a file can stop being empty."""
    real = Database.pragma
    created: list[str] = []

    def create_behind(self: Database, name: str) -> Any:
        value = real(self, name)
        if not created:
            created.append(name)
            open_store(str(path)).close()
        return value

    monkeypatch.setattr(Database, "pragma", create_behind)
    with open_store(str(path), seed=1) as replica:
        assert replica.statistics().events == 0
    assert created


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (apsw.BusyError, StoreBusyError),
        (apsw.LockedError, StoreBusyError),
        (apsw.FullError, StoreFullError),
        (apsw.IOError, StoreIOError),
        (apsw.ReadOnlyError, StoreAccessError),
        (apsw.CantOpenError, StoreAccessError),
        (apsw.PermissionsError, StoreAccessError),
        (apsw.CorruptError, StoreCorruptError),
        (apsw.NotADBError, StoreCorruptError),
        (apsw.NoMemError, StoreError),
    ],
)
def test_an_error_says_who_must_act_and_names_the_store(
    path: Path, error: Any, expected: type[StoreError]
) -> None:
    with open_store(str(path)) as replica:

        def fail() -> None:
            with replica._database.errors():
                raise error

        with pytest.raises(StoreError, match=str(path)) as caught:
            fail()
        assert caught.type is expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, StoreAccessError),
        (errno.EROFS, StoreAccessError),
        (errno.ENOSPC, StoreFullError),
        (errno.EDQUOT, StoreFullError),
        (errno.EIO, StoreIOError),
    ],
)
def test_an_error_of_the_system_says_who_must_act(number: int, expected: type[StoreError]) -> None:
    found = access_error("space.db", OSError(number, "a reason"))
    assert type(found) is expected
    assert "space.db: a reason" in str(found)


def test_an_error_inside_a_transaction_leaves_none_open(path: Path) -> None:
    with open_store(str(path)) as replica:
        database = replica._database

        def fail() -> None:
            with database.write() as connection:
                connection.execute("INSERT INTO meta VALUES('new', 1)")
                connection.execute("no SQL at all")

        with pytest.raises(StoreError):
            fail()
        assert not database.connection.in_transaction
        with database.read() as connection:
            assert connection.execute("SELECT 1 FROM meta WHERE name = 'new'").get is None


def test_a_write_at_full_goes_back_to_the_durability_that_was_asked_for(path: Path) -> None:
    with open_store(str(path)) as replica:  # at normal
        database = replica._database
        with database.write(full=True) as connection:
            assert connection.execute("PRAGMA synchronous").get == 2
        assert database.pragma("synchronous") == 1


def test_a_write_at_full_that_cannot_go_back_is_written_and_connects_anew(path: Path) -> None:
    """SQLite may have to read the schema again for it, and the disk may refuse just then."""

    def refuse(cursor: Any, sql: str, bindings: Any) -> bool:
        if sql == "PRAGMA synchronous = NORMAL":
            raise apsw.IOError("disk I/O error")
        return True

    with open_store(str(path)) as replica:  # at normal
        database = replica._database
        database.connection.exec_trace = refuse
        with database.write(full=True) as connection:
            connection.execute("INSERT INTO meta VALUES('new', 1)")
        assert database.has_failed
        assert replica.count_unsealed() == 0
        assert database.connection.execute("SELECT 1 FROM meta WHERE name = 'new'").get
        assert database.pragma("synchronous") == 1


def test_a_failure_is_never_said_to_be_no_error() -> None:
    """A backup leaves no message on the connection, and SQLite then says "not an error"."""
    silent = translate(apsw.IOError("not an error"), "there.db")
    assert isinstance(silent, StoreIOError)
    assert str(silent).endswith("check the disk")
    assert str(translate(apsw.IOError("disk I/O error"), "there.db")).endswith("(disk I/O error)")
