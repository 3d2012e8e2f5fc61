"""kioku (記憶, memory): a shared, durable memory for coding agents, over a replicated event log.

    with kioku.open() as memory:
        memory.save("Chose Postgres over SQLite for the analytics database", project="demo")
        hits = memory.search("which database")

The names below are the public API and nothing else is. They are imported when they are first used,
so that the command line pays only for what one command needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from kioku.audit import Finding as Finding
    from kioku.backup import Backup as Backup
    from kioku.clock_repair import ClockRepair as ClockRepair
    from kioku.clock_repair import HeldRetraction as HeldRetraction
    from kioku.context import build_context as build_context
    from kioku.context.values import Context as Context
    from kioku.context.values import ContextNote as ContextNote
    from kioku.context.values import ContextSection as ContextSection
    from kioku.crdt.standing import Change as Change
    from kioku.crdt.standing import Shown as Shown
    from kioku.crdt.standing import View as View
    from kioku.doctor import Check as Check
    from kioku.doctor import Report as Report
    from kioku.doctor import check as check
    from kioku.errors import *  # noqa: F403 - every error is public
    from kioku.log.draft import Draft as Draft
    from kioku.log.event import GENESIS as GENESIS
    from kioku.log.event import PURGE as PURGE
    from kioku.log.event import RETRACT as RETRACT
    from kioku.log.event import SAVE as SAVE
    from kioku.log.event import TOMBSTONE as TOMBSTONE
    from kioku.log.event import EventId as EventId
    from kioku.log.event import make_key as make_key
    from kioku.log.frontier import Frontier as Frontier
    from kioku.log.frontier import Tip as Tip
    from kioku.log.payload import encode_targets as encode_targets
    from kioku.log.store import Entry as Entry
    from kioku.memory import Memory as Memory
    from kioku.memory import open as open  # noqa: A004 - it is kioku.open
    from kioku.memory.awaiting import AsyncMemory as AsyncMemory
    from kioku.memory.awaiting import AsyncSyncing as AsyncSyncing
    from kioku.memory.awaiting import open_async as open_async
    from kioku.memory.difference import Difference as Difference
    from kioku.memory.explanation import Explanation as Explanation
    from kioku.memory.explanation import TermPart as TermPart
    from kioku.memory.hit import Hit as Hit
    from kioku.memory.news import Changes as Changes
    from kioku.memory.news import LoggedChange as LoggedChange
    from kioku.memory.predecessor import Predecessor as Predecessor
    from kioku.memory.ranker import Ranker as Ranker
    from kioku.memory.restoring import Restored as Restored
    from kioku.memory.restoring import restore as restore
    from kioku.memory.results import FoundSecret as FoundSecret
    from kioku.memory.results import HistoryEntry as HistoryEntry
    from kioku.memory.results import MemoryStatistics as MemoryStatistics
    from kioku.memory.results import Project as Project
    from kioku.memory.spaces import Space as Space
    from kioku.memory.spaces import SpaceHit as SpaceHit
    from kioku.memory.spaces import SpaceObservation as SpaceObservation
    from kioku.memory.spaces import Spaces as Spaces
    from kioku.memory.spaces import open_spaces as open_spaces
    from kioku.memory.spaces import spaces as spaces
    from kioku.memory.syncing import Syncing as Syncing
    from kioku.node.statistics import EngineStatistics as EngineStatistics
    from kioku.node.statistics import PeerStatistics as PeerStatistics
    from kioku.node.status import NodeStatus as NodeStatus
    from kioku.node.status import SpaceStatus as SpaceStatus
    from kioku.observation import Observation as Observation
    from kioku.observation import Redaction as Redaction
    from kioku.project.detection import detect_project as detect_project
    from kioku.replica import Replica as Replica
    from kioku.retention import GcCounts as GcCounts
    from kioku.transaction import IngestCounts as IngestCounts
    from kioku.transaction import Reading as Reading
    from kioku.transaction import ReplicaStatistics as ReplicaStatistics
    from kioku.transaction import Transaction as Transaction
    from kioku.transaction import Version as Version

__version__: Final = "0.1.0"

_NAMES: Final = {
    "audit": "Finding",
    "backup": "Backup",
    "clock_repair": "ClockRepair HeldRetraction",
    "context": "build_context",
    "context.values": "Context ContextNote ContextSection",
    "crdt.standing": "Change Shown View",
    "doctor": "Check Report check",
    "errors": (
        "AddressInUseError AmbiguousIdError BadCommitmentError BadSealError"
        " BrokenChainError ClockError ConfigError ExistsError InvalidArgumentError"
        " InvalidObservationError KiokuError LinkClosedError LogLimitError"
        " MalformedMessageError NestedTransactionError NodeSilentError NotFoundError"
        " PeerError PeerUnreachableError PrivateSpaceError ReplicaClosedError SchemaVersionError"
        " SecretRefusedError SpaceError StoreAccessError StoreBusyError StoreCorruptError"
        " StoreError StoreFullError StoreIOError TooLargeError TransportError"
        " UnsafeFileSystemError UnsupportedVersionError UsageError"
    ),
    "log.event": "EventId GENESIS PURGE RETRACT SAVE TOMBSTONE make_key",
    "log.frontier": "Frontier Tip",
    "log.draft": "Draft",
    "log.payload": "encode_targets",
    "log.store": "Entry",
    "memory": "Memory open",
    "memory.awaiting": "AsyncMemory AsyncSyncing open_async",
    "memory.difference": "Difference",
    "memory.news": "Changes LoggedChange",
    "memory.restoring": "Restored restore",
    "memory.explanation": "Explanation TermPart",
    "memory.predecessor": "Predecessor",
    "memory.ranker": "Ranker",
    "memory.results": "FoundSecret HistoryEntry MemoryStatistics Project",
    "memory.hit": "Hit",
    "memory.spaces": "Space SpaceHit SpaceObservation Spaces open_spaces spaces",
    "memory.syncing": "Syncing",
    "node.statistics": "EngineStatistics PeerStatistics",
    "node.status": "NodeStatus SpaceStatus",
    "observation": "Observation Redaction",
    "project.detection": "detect_project",
    "replica": "Replica",
    "retention": "GcCounts",
    "transaction": "IngestCounts Reading ReplicaStatistics Transaction Version",
}
_HOMES: Final = {name: home for home, names in _NAMES.items() for name in names.split()}

__all__ = [*_HOMES]  # noqa: PLE0604 - names, from the table above


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'kioku' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"kioku.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
