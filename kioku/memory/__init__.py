"""A memory over one replica: what the library offers to whoever saves and finds.

opening   settings, clock and chance come in          facade   Memory, one method an operation:
handle    the open store below all of these                    saving, finding, forgetting, sharing
intake    what is handed in -> observation            change   what is written, in a transaction
recall    events -> what is handed out                history  the past of one observation
results   the values that come back                     awaiting the same, for asyncio
"""

from kioku.memory.facade import Memory
from kioku.memory.opening import open, open_store  # noqa: A004 - it is kioku.open

__all__ = ["Memory", "open", "open_store"]
