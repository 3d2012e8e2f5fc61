"""Asking the leader: an answer, nobody, or somebody who does not answer, and nothing else."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from kioku.errors import NodeSilentError, StoreAccessError, TransportError
from kioku.node import control
from kioku.node.control import Control, ask, socket_paths
from tests.integration.child import Child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LEADER = """
import sys
from kioku.node.control import Control
from kioku.node.leader import LeaderLock
lock = LeaderLock(sys.argv[1])
assert lock.try_take()
control = Control(lambda question: [question])
control.open(sys.argv[1])
print("ready", flush=True)
sys.stdin.read()
control.stop()
"""


@contextmanager
def listening(store: str, answer: Callable[[str], Any]) -> Iterator[Control]:
    opened = Control(answer)
    opened.open(store)
    try:
        yield opened
    finally:
        opened.stop()


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "space.db")


def test_who_asks_is_answered_as_often_as_it_asks(store: str) -> None:
    with listening(store, lambda question: {"asked": question}):
        assert ask(store, "status") == {"asked": "status"}
        assert ask(store, "sync") == {"asked": "sync"}


def test_nobody_answers_where_nobody_runs(store: str) -> None:
    assert ask(store, "status") is None
    with listening(store, lambda _: 1):
        pass
    assert ask(store, "status") is None


def test_the_socket_is_its_owners_alone_and_goes_with_the_leader(store: str) -> None:
    [path] = socket_paths(store)
    with listening(store, lambda _: 1):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert not os.path.exists(path)


def test_a_leader_answers_only_for_the_stores_that_it_leads(tmp_path: Path) -> None:
    one, two = (str(tmp_path / f"{name}.db") for name in ("one", "two"))
    with listening(one, lambda _: 1) as opened:
        assert ask(two, "status") is None
        opened.open(two)
        assert (ask(one, "status"), ask(two, "status")) == (1, 1)
        opened.close(one)
        opened.close(one)
        assert (ask(one, "status"), ask(two, "status")) == (None, 1)


def test_the_socket_of_a_leader_that_died_is_nobody_and_in_nobodys_way(store: str) -> None:
    with Child(LEADER, store) as child:
        assert child.read_line() == "ready"
        assert ask(store, "status") == ["status"]
        child.kill()
    assert os.path.exists(socket_paths(store)[0])
    assert ask(store, "status") is None
    with listening(store, lambda _: 2):
        assert ask(store, "status") == 2


def test_a_leader_that_was_stopped_is_told_from_none_by_its_process(store: str) -> None:
    with Child(LEADER, store) as child:
        assert child.read_line() == "ready"
        os.kill(child.pid, signal.SIGSTOP)
        with pytest.raises(NodeSilentError, match=f"process {child.pid} runs .* let it go on"):
            ask(store, "status")
        os.kill(child.pid, signal.SIGCONT)
        assert ask(store, "status") == ["status"]


def test_more_askers_than_may_wait_are_told_that_nobody_answers(store: str) -> None:
    with Child(LEADER, store) as child:
        assert child.read_line() == "ready"
        os.kill(child.pid, signal.SIGSTOP)
        crowd = [socket.socket(socket.AF_UNIX) for _ in range(2 * control._WAITING_MAX)]
        for one in crowd:
            one.setblocking(False)
            one.connect_ex(socket_paths(store)[0])
        with pytest.raises(NodeSilentError):
            ask(store, "status")
        for one in crowd:
            one.close()


def test_an_asker_that_says_nothing_or_nonsense_keeps_nobody_waiting(store: str) -> None:
    with listening(store, lambda question: question):
        for said in (b"", b"\n", b"[]\n", b'{"ask": 1}\n', b'{"ask": "status"}', b"\xff" * 2_000):
            with closing(socket.socket(socket.AF_UNIX)) as rude:
                rude.connect(socket_paths(store)[0])
                rude.sendall(said)
                assert ask(store, "status") == "status"


def test_what_the_leader_cannot_answer_is_an_error_of_the_asker(store: str) -> None:
    def answer(_: str) -> Any:
        raise TransportError("not now; ask later")

    with listening(store, answer), pytest.raises(TransportError, match="not now; ask later"):
        ask(store, "status")


def test_an_answer_is_bounded(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "ANSWER_BYTES_MAX", 100)
    with listening(store, lambda _: "x" * 200_000), pytest.raises(TransportError, match="too long"):
        ask(store, "status")


@contextmanager
def crowded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store whose socket has no place beside it, and a place of its user's elsewhere."""
    directory = tmp_path / ("long" * 30)
    directory.mkdir()
    store = str(directory / "space.db")
    places = [path for path in socket_paths(store) if path.startswith("/tmp/")]
    with TemporaryDirectory(dir="/tmp") as short:
        moved = [path.replace("/tmp/", f"{short}/") for path in places]
        monkeypatch.setattr(control, "socket_paths", lambda _: moved)
        yield store


def test_a_path_too_long_for_a_socket_has_one_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crowded(tmp_path, monkeypatch) as store, listening(store, lambda _: 1):
        [path] = control.socket_paths(store)
        assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
        assert ask(store, "status") == 1


def test_a_place_elsewhere_that_others_may_enter_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crowded(tmp_path, monkeypatch) as store:
        [path] = control.socket_paths(store)
        os.mkdir(os.path.dirname(path), 0o755)
        opened = Control(lambda _: 1)
        with pytest.raises(StoreAccessError, match="not this user's alone"):
            opened.open(store)
        opened.stop()


def test_every_path_fits_and_two_stores_never_share_one(tmp_path: Path) -> None:
    stores = [str(tmp_path / ("x" * length) / "space.db") for length in (1, 60, 90, 120, 200)]
    paths = [path for store in stores for path in socket_paths(store)]
    assert len(set(paths)) == len(paths)
    assert all(len(os.fsencode(path)) < 104 for path in paths)


def test_nothing_is_left_running(store: str) -> None:
    before = threading.active_count()
    with listening(store, lambda _: 1):
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
