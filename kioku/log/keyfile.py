"""A log's private key: who may extend the log, and until where it has been signed.

The key lies beside the store in ``<space>.<log id>.key`` (0600), never inside it, so a copy of the
store does not carry it. The file names the machine and the inode of the store that it was made
for: a store that was copied or moved elsewhere with its key fits neither and begins a log of its
own, instead of signing the same seqs as its original. It also holds the last (seq, hash) that was
sealed: a store that was rolled back in place does not have that event, and begins a new log too.
Device numbers are not compared, for reboots and container restarts change them.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Final, Protocol

from kioku.errors import MalformedMessageError, StoreCorruptError
from kioku.log.codec import check_canonical, decode, encode
from kioku.log.digest import blake2b
from kioku.log.files import access_error
from kioku.log.seal import SEED_BYTES

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:
    from kioku.values import dataclass, replace

_TITLE: Final = "kioku.key.v1"


@dataclass(frozen=True, slots=True)
class LogKey:
    """A log's private key, the store it belongs to, and the last event it sealed."""

    log_id: bytes
    seed: bytes
    machine_id: bytes | None
    inode: int | None
    sealed_seq: int = 0
    sealed_hash: bytes = b""

    def sealed(self, seq: int, digest: bytes) -> LogKey:
        """The same key once ``seq`` was sealed."""
        return replace(self, sealed_seq=seq, sealed_hash=digest)

    def belongs_to(self, machine_id: bytes | None, inode: int | None) -> bool:
        """Whether it was made for this store on this machine, as far as both can be told."""
        if None not in (self.machine_id, machine_id) and self.machine_id != machine_id:
            return False
        return self.inode == inode


class KeyRing(Protocol):
    """Where keys are kept."""

    def load(self, log_id: bytes) -> LogKey | None:
        """Give a log's key; None if it is not here."""

    def store(self, key: LogKey) -> None:
        """Keep a key, durably, before returning; replaces an older state of it."""

    def discard(self, log_id: bytes) -> None:
        """Drop the key of a log that was never committed."""

    def has_any(self) -> bool:
        """Whether a log was ever begun here."""

    def inode(self) -> int | None:
        """Give the inode of the store as it is now; None where there is no file."""


class MemoryKeyRing:
    """Keys of a store that is not a file: they end with it."""

    def __init__(self) -> None:
        self._keys: dict[bytes, LogKey] = {}

    def load(self, log_id: bytes) -> LogKey | None:
        """Give a log's key; None if it is not here."""
        return self._keys.get(log_id)

    def store(self, key: LogKey) -> None:
        """Keep a key."""
        self._keys[key.log_id] = key

    def discard(self, log_id: bytes) -> None:
        """Drop the key of a log that was never committed."""
        self._keys.pop(log_id, None)

    def has_any(self) -> bool:
        """Whether a log was ever begun here."""
        return bool(self._keys)

    def inode(self) -> int | None:
        """There is no file."""
        return None


class FileKeyRing:
    """Keys as files beside their store."""

    def __init__(self, store_path: str) -> None:
        self._store_path = store_path
        self._base = os.path.splitext(store_path)[0]
        self._cached: tuple[tuple[int, ...], LogKey] | None = None

    def path(self, log_id: bytes) -> str:
        """Give the file of a log's key."""
        return f"{self._base}.{log_id.hex()}.key"

    def has_any(self) -> bool:
        """Whether a key lies beside the store, so that it cannot be a new one."""
        directory, base = os.path.split(self._base)
        names = os.listdir(directory or ".")
        return any(name.startswith(f"{base}.") and name.endswith(".key") for name in names)

    def inode(self) -> int | None:
        """Give the inode that the store's path has now; None if nothing is there."""
        try:
            return os.stat(self._store_path).st_ino
        except FileNotFoundError:
            return None
        except OSError as error:
            raise access_error(self._store_path, error) from error

    def load(self, log_id: bytes) -> LogKey | None:
        """Read a log's key; None if there is no such file. Cost: one stat when unchanged.

        Raises:
            StoreCorruptError: if the file holds something else.
            StoreAccessError: if it cannot be read.
        """
        path = self.path(log_id)
        try:
            status = os.stat(path)
            mark = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._cached and self._cached[0] == mark and self._cached[1].log_id == log_id:
                return self._cached[1]
            with open(path, "rb") as file:
                key = _decode_key(file.read(), path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise access_error(path, error) from error
        if key.log_id != log_id:
            raise StoreCorruptError(f"{path}: holds another log's key; restore the right file")
        self._cached = (mark, key)
        return key

    def store(self, key: LogKey) -> None:
        """Write a key durably: the file is whole before it has its name, and so is its directory.

        Raises:
            StoreError: if it cannot be written; the older file, if any, is untouched.
        """
        path = self.path(key.log_id)
        temporary = f"{path}.new"
        try:
            self._write(key, path, temporary)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise access_error(path, error) from error

    def _write(self, key: LogKey, path: str, temporary: str) -> None:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as file:
            file.write(_encode_key(key))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_directory(os.path.dirname(path) or ".")

    def discard(self, log_id: bytes) -> None:
        """Drop the key of a log that was never committed."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(log_id))


def _encode_key(key: LogKey) -> bytes:
    fields = (key.log_id, key.seed, key.machine_id, key.inode, key.sealed_seq, key.sealed_hash)
    return encode([_TITLE, *fields])


def _decode_key(data: bytes, path: str) -> LogKey:
    try:
        value = decode(data, path)
        match value:
            case [
                str(title),
                bytes(log_id),
                bytes(seed),
                machine,
                inode,
                int(seq),
                bytes(digest),
            ] if (
                title == _TITLE
                and len(seed) == SEED_BYTES
                and (machine is None or type(machine) is bytes)
                and (inode is None or type(inode) is int)
            ):
                check_canonical(value, data, path)
                return LogKey(log_id, seed, machine, inode, seq, digest)
    except MalformedMessageError as error:
        raise StoreCorruptError(f"{path}: is damaged; restore it, or delete it") from error
    raise StoreCorruptError(f"{path}: is no kioku key; restore it, or delete it")


def read_machine_id() -> bytes | None:
    """Give a stable fingerprint of this machine (16 bytes); None where it has no stable id.

    The id itself is confidential (machine-id(5)), so only a hash of it is kept.
    """
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            found = file.read(64).strip()
            if found:
                return blake2b(found, digest_size=16, person=b"kioku.machine.v1").digest()
    return None


def sync_directory(path: str) -> None:
    """Make the names in a directory survive a power loss."""
    if os.name == "nt":
        return  # a directory cannot be opened there, and its entries are journalled
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
