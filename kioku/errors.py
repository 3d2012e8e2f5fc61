"""Every error that kioku raises, grouped by who must act on it.

A caller that catches ``KiokuError`` has caught all of them. Facts are attributes; the message is
built from them and ends with what to do. Drivers' exceptions never leave the driver's module.
"""

from __future__ import annotations


class KiokuError(Exception):
    """Base of everything that kioku raises."""


class UsageError(KiokuError):
    """The caller asked for something that cannot be; the call must change."""


class InvalidObservationError(UsageError):
    """A field of an observation breaks its rule; nothing was written."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class SecretRefusedError(InvalidObservationError):
    """A text holds what looks like a credential, and the settings refuse those; nothing was
    written. ``kind`` says of what, ``start`` at which character; what it is, nobody repeats.
    """

    def __init__(self, kind: str, field: str, start: int, *, is_name: bool = False) -> None:
        super().__init__(
            field,
            f"holds what looks like a credential ({kind}) at character {start:,}; take it out"
            + ("" if is_name else ", or set KIOKU_SECRETS=redact to have it taken out"),
        )
        self.kind = kind
        self.start = start


class TooLargeError(InvalidObservationError):
    """A value is over its limit; nothing was written."""

    def __init__(self, field: str, size: int, limit: int, unit: str = "bytes") -> None:
        super().__init__(field, f"{size:,} {unit}, the limit is {limit:,}; make it shorter")
        self.size = size
        self.limit = limit


class InvalidArgumentError(UsageError):
    """An argument that is not part of an observation is out of range or of the wrong form."""


class NotFoundError(UsageError):
    """No observation that can be read has this id."""


class AmbiguousIdError(UsageError):
    """A prefix fits more than one id."""

    def __init__(self, prefix: str, count: int) -> None:
        super().__init__(f"{prefix}: fits {count} ids; give more digits")
        self.prefix = prefix
        self.count = count


class ExistsError(UsageError):
    """A file that would be replaced is there already; ``hint`` says how it can be all the same."""

    def __init__(self, path: str, hint: str = "") -> None:
        super().__init__(f"{path}: exists already")
        self.path = path
        self.hint = hint


class ReplicaClosedError(UsageError):
    """The replica was closed, or opened by a process that has forked since."""


class NestedTransactionError(UsageError):
    """A call that needs a transaction of its own was made inside another's block."""

    def __init__(self) -> None:
        super().__init__("inside a transaction's block, use the transaction itself")


class PrivateSpaceError(UsageError):
    """A private space was asked for what would take its events elsewhere; nothing was given."""

    def __init__(self, space: str) -> None:
        super().__init__(
            f"space {space} is private: its events are never sealed, stated or exported;"
            " a backup copies it whole"
        )
        self.space = space


class ConfigError(UsageError):
    """A setting from the config file or the environment cannot be used."""


class PeerError(KiokuError):
    """What a peer sent cannot be accepted; nothing of it was stored."""


class MalformedMessageError(PeerError):
    """Bytes that are not one well-formed, canonical message within its limits."""


class UnsupportedVersionError(PeerError):
    """A log writes a format that this kioku cannot chain; upgrade kioku here."""


class BrokenChainError(PeerError):
    """A chunk does not link to an event that is held here, or not within itself."""


class BadCommitmentError(PeerError):
    """A body is not the one that its header commits to."""


class BadSealError(PeerError):
    """A signature does not verify with the log's key."""


class LogLimitError(PeerError):
    """A log or a space has more tips than the protocol allows."""


class TransportError(KiokuError):
    """The network or a peer cannot be reached now; waiting or trying again may help."""


class LinkClosedError(TransportError):
    """The link was closed; nothing was sent."""


class PeerUnreachableError(TransportError):
    """No replica answered in time; nothing was lost, what is saved here waits in its log."""


class AddressInUseError(TransportError):
    """A hub cannot listen where it was told to: the port is taken, or the address is no one's."""

    def __init__(self, endpoint: str, reason: str) -> None:
        super().__init__(f"cannot listen on {endpoint}: {reason}; choose another with --listen")
        self.endpoint = endpoint
        self.reason = reason


class NodeSilentError(TransportError):
    """A process of this machine runs the node of a store and does not answer: it was stopped."""

    def __init__(self, store: str, pid: int | None) -> None:
        who = f"process {pid}" if pid is not None else "another process"
        super().__init__(
            f"{store}: {who} runs the node and does not answer; let it go on, or end it"
        )
        self.pid = pid


class StoreError(KiokuError):
    """The file, the disk or the machine; its operator must act."""


class SpaceError(StoreError):
    """One of several spaces cannot be read, so nothing was answered for any; its cause says why."""

    def __init__(self, space: str, reason: str) -> None:
        super().__init__(f"space {space}: {reason}")
        self.space = space
        self.reason = reason


class StoreBusyError(StoreError):
    """Other processes kept the store locked for the whole busy timeout."""


class StoreCorruptError(StoreError):
    """Something read from the file is not what was written; the message names the place."""


class StoreFullError(StoreError):
    """The disk is full; nothing was written."""


class StoreIOError(StoreError):
    """The operating system failed a read or a write; nothing was acknowledged."""


class StoreAccessError(StoreError):
    """The store cannot be opened or written with the permissions of this process."""


class UnsafeFileSystemError(StoreError):
    """A store would lie where locks do not work, as on a network file system; none was created."""

    hint = "set KIOKU_STATE_DIR to a directory on a local disk"

    def __init__(self, path: str, fault: str) -> None:
        super().__init__(f"{path}: lies on {fault}, where a store would be destroyed")
        self.path = path
        self.fault = fault


class SchemaVersionError(StoreError):
    """The file was written by a newer kioku; it was not touched."""


class ClockError(StoreError):
    """The machine's clock gives a time that no timestamp can hold, or that cannot be believed."""
