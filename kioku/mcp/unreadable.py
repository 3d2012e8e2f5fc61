r"""What becomes of a line that no parser takes: its sender is told, instead of waiting for ever.

Such lines come from programs that are not at fault alone: JavaScript writes half of a cut emoji as
``\ud83d``. The SDK drops them. Here each is exchanged for a request that any server answers with an
error, under the id that the line has at its top level. Without one nobody waits for an answer.
"""

from __future__ import annotations

import re
from typing import Final

METHOD: Final = "kioku/unreadable"
WHY: Final = (
    "this message could not be read, so nothing was done: it is no JSON-RPC, is over 8 MiB, nests"
    " too deeply, or has half of a character (such as \\ud83d) or a number that is too long;"
    " correct it and send it again"
)
SCANNED_BYTES: Final = 256 * 1024  # for the names at the top: what comes behind is arguments
TAIL_BYTES: Final = 200  # of a line that is too long to be kept: some programs write the id last

# A string (one that is cut off, too), or a bracket; nothing else says how deep one is.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)
_VALUE: Final = re.compile(rb'\s*:\s*(-?\d{1,18}(?![\d.eE])|"[^"\\\x00-\x1f]{0,200}")')
_LAST: Final = re.compile(rb'"id"\s*:\s*(-?\d{1,18}|"[^"\\\x00-\x1f]{0,100}")\s*\}\s*\Z')


def stand_in(line: bytes, tail: bytes = b"") -> str:
    """A request in the place of a line, or an empty line if nobody waits for its answer.

    ``tail`` is how a line ended that was not kept whole.
    """
    is_request, found = _read_at_top(line[:SCANNED_BYTES])
    found = found or _id_at_end(tail or line[-TAIL_BYTES:])
    if not is_request or found is None:
        return "\n"
    return f'{{"jsonrpc":"2.0","id":{found.decode("utf-8", "replace")},"method":"{METHOD}"}}\n'


def _read_at_top(line: bytes) -> tuple[bool, bytes | None]:
    """Whether a message asks for something, and its id: by how deep the names stand, for an
    argument may have these names, too.
    """
    depth, is_request, found = 0, False, None
    for token in _TOKEN.finditer(line):
        text = token[0]
        depth += (text in b"{[") - (text in b"}]")
        if depth == 1 and text == b'"method"':
            is_request = True
        elif depth == 1 and text == b'"id"' and (value := _VALUE.match(line, token.end())):
            found = value[1]
    return is_request, found


def _id_at_end(tail: bytes) -> bytes | None:
    found = _LAST.search(tail)
    return found[1] if found else None
