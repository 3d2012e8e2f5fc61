"""The table of the tools, as clients are shown it; what they do is in the modules beside.

The rule this module guards: **what a tool may do is said, and nothing is said twice**. The four
annotations decide whether a client asks before it calls, and the descriptions are read by a model
at the start of each session, so the list of the ``agent`` profile stays under 8,000 bytes
(docs/adr/0086).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from kioku.mcp import finding, knowing, recalling, saving
from kioku.mcp.table import PROFILES, Tool

TOOLS_BYTES_MAX: Final = 8_000  # of the `agent` profile's list

_ALL: Final = frozenset({"all"})
_AGENT: Final = PROFILES - {"read-only"}
_AGENT_READING: Final = PROFILES
_READING: Final = PROFILES - {"agent"}

# A store of one's own is a closed world: nothing a tool reaches is anybody else's system.
_reads: Final = partial(Tool, read_only=True, destructive=False, idempotent=True, open_world=False)
_changes: Final = partial(Tool, read_only=False, open_world=False)

# What other memories let a caller say about itself; here the connection says it.
_IDENTITY: Final = dict.fromkeys(
    ("agent_family", "client_id", "pc_id", "session_id"),
    "Who you are is not an argument: it is known of the connection (get_memory_status shows it).",
)
# To share what somebody believes to be private would be worse than an error (docs/adr/0098).
_VISIBILITY: Final = {
    "visibility": "there is none here: whoever shares a space sees all that is in it, and nothing"
    " was saved or searched. Leave it out if that is well; what must stay on this machine belongs"
    " in a private space, which the person sets up (KIOKU_SPACE=private)",
}

TOOLS: Final = (
    _changes(
        "save_observation",
        saving.save_observation,
        "Save",
        "Save what a later session should know. No secrets. Says the id.",
        destructive=False,
        idempotent=False,
        profiles=_AGENT,
        left_out=_IDENTITY,
        refused=_VISIBILITY,
    ),
    _reads(
        "search_memory",
        finding.search_memory,
        "Search",
        "Find memories by words.",
        profiles=_AGENT_READING,
        refused=_VISIBILITY,
    ),
    _reads(
        "recall_context",
        recalling.recall_context,
        "Recall",
        "Before work: what bears on a task, its files, its issues. Empty: the newest.",
        profiles=_AGENT_READING,
        refused=_VISIBILITY,
    ),
    _reads(
        "get_memory",
        finding.get_memory,
        "Read",
        "One memory, all fields.",
        profiles=_AGENT_READING,
    ),
    _reads(
        "list_memories",
        finding.list_memories,
        "List",
        "The newest memories.",
        profiles=_READING,
    ),
    _changes(
        "edit_memory",
        saving.edit_memory,
        "Edit",
        "Change fields; empty ones stay. Earlier versions are kept.",
        destructive=True,
        idempotent=True,
        profiles=_ALL,
        left_out=_IDENTITY,
        refused=_VISIBILITY,
    ),
    _changes(
        "delete_memory",
        saving.delete_memory,
        "Delete",
        "Delete on every machine; undo=true brings it back.",
        destructive=True,
        idempotent=True,
        profiles=_AGENT,
    ),
    _reads(
        "memory_history",
        knowing.memory_history,
        "History",
        "Every version and deletion of a memory, and why one counts.",
        profiles=_READING,
    ),
    _reads(
        "list_projects",
        knowing.list_projects,
        "Projects",
        "The projects that have memories.",
        profiles=_READING,
    ),
    _reads(
        "get_memory_status",
        knowing.get_memory_status,
        "Status",
        "How the memory stands, and who you are in it.",
        profiles=_READING,
    ),
    _reads(
        "drain_pending_puts",
        knowing.drain_pending_puts,
        "Nothing to drain",
        "Accepted for older clients: no save ever waits.",
        profiles=_READING,
    ),
)
