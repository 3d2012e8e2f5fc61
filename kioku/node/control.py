r"""How another process of this machine asks the leader: a Unix socket beside the store.

The rule this module guards: **asking costs the node nothing, and no answer is ever made up**. A
thread of its own takes one short question at a time, and answers with what the node tells it; an
asker that says nothing is left after ``ASKER_S``. Nothing is written to disk while nobody asks.

    -> {"ask": "status"}\\n        <- one line of JSON: what ``status`` gives
    -> {"ask": "sync"}\\n          <- the same, once comparing with all peers was begun

Whoever finds no socket, or one that nobody listens on, knows that nobody runs a node. One that
takes the connection and says nothing was stopped; its process id is in the lock's file.
"""

from __future__ import annotations

import errno
import json
import os
import selectors
import socket
import stat
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from kioku.errors import KiokuError, NodeSilentError, TransportError
from kioku.log.digest import blake2b
from kioku.log.files import access_error
from kioku.node.leader import close_in_children, holder_of, release

if TYPE_CHECKING:
    from collections.abc import Callable

ASKER_S: Final = 0.5
"""For one asker to say what it wants and to take the answer: it is on the same machine."""
ANSWER_S: Final = 1.0
"""For the leader to answer; one that is well does within milliseconds."""
QUESTION_BYTES_MAX: Final = 1_024
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
"""A thousand peers take less than one."""
_WAITING_MAX: Final = 16
_PATH_BYTES_MAX: Final = 100
"""What a socket's path may have: 108 bytes on Linux, 104 on macOS, with an end."""


def socket_paths(store: str) -> list[str]:
    """Give where a store's socket may be, the best first; the same for all who ask.

    Beside the store; where that path is too long for a socket, under a hashed name in a directory
    of this user's own. No variable of the environment takes part: a service has others.
    """
    store = os.path.realpath(store)
    beside = f"{os.path.splitext(store)[0]}.node.sock"
    if len(os.fsencode(beside)) <= _PATH_BYTES_MAX:
        return [beside]
    name = (
        f"{blake2b(os.fsencode(store), digest_size=16, person=b'kioku.sock.v1').hexdigest()}.sock"
    )
    user = os.getuid()
    return [f"/run/user/{user}/kioku/{name}", f"/tmp/kioku-{user}/{name}"]  # noqa: S108 - checked


class Control:
    """Answers on the sockets of the stores that are led here, in a thread of its own.

    ``answer`` is given what was asked and gives what JSON can say; it is called in that thread.
    """

    def __init__(self, answer: Callable[[str], Any]) -> None:
        self._answer = answer
        self._bell: _Bell | None = None
        self._lock = threading.Lock()
        self._listeners: dict[str, _Listener] = {}
        self._thread: threading.Thread | None = None
        self._rest = threading.Event()
        self._is_stopped = False

    def open(self, store: str) -> None:
        """Listen for those who ask about a store; only whoever leads it may.

        Raises:
            StoreAccessError: if no socket can be made; the node runs all the same.
        """
        listener = _listen(store)
        with self._lock:
            self._listeners[store] = listener
            if self._thread is None:
                self._bell = close_in_children(_Bell)
                self._thread = threading.Thread(target=self._run, name="kioku-ask", daemon=True)
                self._thread.start()
        self._ring()

    def close(self, store: str) -> None:
        """Listen no more for a store; safe to call twice."""
        with self._lock:
            listener = self._listeners.pop(store, None)
        if listener is not None:
            listener.remove()
            self._ring()

    def stop(self) -> None:
        """Answer nobody any more."""
        for store in list(self._listeners):
            self.close(store)
        self._is_stopped = True
        self._rest.set()
        self._ring()
        if self._thread is not None:
            self._thread.join(ASKER_S + ANSWER_S)
        if self._bell is not None:
            release(self._bell)

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.ring()

    # -- the thread

    def _run(self) -> None:
        bell = self._bell
        assert bell is not None, "it was made with the thread"
        while not self._is_stopped:
            with self._lock:
                listeners = list(self._listeners.values())
            with selectors.DefaultSelector() as selector, suppress(OSError, ValueError):
                # One that is closed meanwhile is none any more: the bell rings, and we look again.
                for listener in listeners:
                    selector.register(listener.socket, selectors.EVENT_READ, listener)
                selector.register(bell.ear, selectors.EVENT_READ)
                self._wait(selector, bell)

    def _wait(self, selector: selectors.BaseSelector, bell: _Bell) -> None:
        for key, _ in selector.select():
            if key.data is None:
                bell.hear()
            else:
                with suppress(OSError):
                    self._serve(key.data.socket)

    def _serve(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return  # it gave up meanwhile
        except OSError:
            self._rest.wait(ASKER_S)  # no descriptors are left: asking again at once helps nobody
            return
        with connection:
            connection.settimeout(ASKER_S)
            # A question comes whole: it is short, and its asker is on this machine.
            question = _read_question(connection.recv(QUESTION_BYTES_MAX))
            if question is None:
                return
            try:
                answer = self._answer(question)
            except KiokuError as error:
                answer = {"problem": str(error)}
            connection.sendall(json.dumps(answer).encode() + b"\n")


def _read_question(data: bytes) -> str | None:
    try:
        question = json.loads(data)["ask"] if data.endswith(b"\n") else None
    except (ValueError, TypeError, LookupError):
        return None
    return question if isinstance(question, str) else None


class _Bell:
    """Wakes a thread that waits for sockets."""

    def __init__(self) -> None:
        self.ear, self._rope = socket.socketpair()
        self.ear.setblocking(False)
        self._rope.setblocking(False)

    def ring(self) -> None:
        with suppress(OSError):
            self._rope.send(b"!")  # if it has been rung so often that it is full, it rings already

    def hear(self) -> None:
        with suppress(BlockingIOError):
            while self.ear.recv(64):
                pass

    def close(self) -> None:
        self.ear.close()
        self._rope.close()


class _Listener:
    """A socket at its path, and the file that it is there."""

    def __init__(self, listener: socket.socket, path: str) -> None:
        self.socket = listener
        self._path = path
        self._file = os.lstat(path)

    def remove(self) -> None:
        with suppress(OSError):  # what lies there now may be another leader's
            if os.path.samestat(self._file, os.lstat(self._path)):
                os.unlink(self._path)
        release(self.socket)


def _listen(store: str) -> _Listener:
    """Make a store's socket, at the first of its paths that can be used."""
    problem: OSError | None = None
    for path in socket_paths(store):
        try:
            _check_directory(store, path)
            return _listen_at(path)
        except OSError as error:
            problem = error
    assert problem is not None, "a socket has a path"
    raise access_error(path, problem)


def _check_directory(store: str, path: str) -> None:
    """See that a directory elsewhere than the store's is this user's alone."""
    directory = os.path.dirname(path)
    if directory == os.path.dirname(os.path.realpath(store)):
        return
    with suppress(FileExistsError):
        os.mkdir(directory, 0o700)
    found = os.lstat(directory)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(errno.EPERM, "is not this user's alone", directory)


def _listen_at(path: str) -> _Listener:
    with suppress(FileNotFoundError):
        os.unlink(path)  # of a leader that died: we hold the lock
    listener = close_in_children(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    try:
        listener.bind(path)
        os.chmod(path, 0o600)  # nobody can connect before it listens
        listener.listen(_WAITING_MAX)
        listener.settimeout(0)  # who gave up meanwhile is no reason to wait
        return _Listener(listener, path)
    except BaseException:
        release(listener)
        raise


# -- asking


def ask(store: str, question: str) -> Any | None:
    """Ask whoever runs a store's node; None if nobody does.

    Raises:
        NodeSilentError: if somebody does and does not answer within a second.
        StoreAccessError: if this user may not ask.
        TransportError: if what it answers is none.
    """
    for path in socket_paths(store):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(ANSWER_S)
            try:
                connection.connect(path)
                connection.sendall(json.dumps({"ask": question}).encode() + b"\n")
                answer = _receive(connection)
            except (FileNotFoundError, NotADirectoryError, ConnectionError):
                continue
            except (TimeoutError, BlockingIOError):  # the latter: too many wait for it already
                raise NodeSilentError(store, holder_of(store)) from None
            except OSError as error:
                raise access_error(path, error) from error
        if answer:
            return _decoded(answer)
    return None


def _receive(connection: socket.socket) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := connection.recv(65_536):
        parts.append(part)
        size += len(part)
        if size > ANSWER_BYTES_MAX:
            raise TransportError("the node's answer is too long; is it another kioku's?")
    return b"".join(parts)


def _decoded(answer: bytes) -> Any:
    try:
        found = json.loads(answer)
    except ValueError:
        raise TransportError("the node's answer cannot be read; ask again") from None
    if isinstance(found, dict) and "problem" in found and len(found) == 1:
        raise TransportError(str(found["problem"]))
    return found
