"""Sums of tips by prefix of the log id: where two replicas differ is found without a list of all.

A trie over the hex digits of the log ids. A leaf holds few logs, an inner node the sum of all that
is below it, so that a tip that moves changes one sum a level:

        ""  Σ                  inner: Σ and the sixteen by the next digit
      0 … a … f
          │
         "a"  {log: tips, …}   leaf: at most ``LEAF_LOGS_MAX`` logs, summed when asked

A sum under ``""`` is the frontier's digest. Ids are hashes, so they spread by themselves; whoever
makes keys until their ids share a prefix pays sixteen times as much for each level.

Source: Bellare & Micciancio 1997; docs/adr/0069.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.errors import MalformedMessageError
from kioku.log.frontier import DIGEST_MODULUS, tip_sum

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kioku.log.frontier import Tip

LEAF_LOGS_MAX: Final = 32
"""As many as one answer lists tips (DESIGN §8), so that a leaf is mostly one answer."""
SUM_BYTES: Final = 16
DIGITS: Final = 32
_VALUES: Final = {digit: value for value, digit in enumerate("0123456789abcdef")}

Logs = dict[bytes, tuple["Tip", ...]]


class _Node:
    """What is under one prefix: a leaf while ``children`` is empty."""

    __slots__ = ("children", "count", "logs", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0
        self.logs: Logs = {}
        self.children: list[_Node] = []


class PrefixSums:
    """The stated tips of a replica, by log, with the sums of every prefix."""

    def __init__(self, logs: Iterable[tuple[bytes, Sequence[Tip]]] = ()) -> None:
        """Take over all logs with their tips. Cost: about 4 µs each."""
        ordered = sorted((log_id, tuple(tips)) for log_id, tips in logs if tips)
        sums = [sum(map(tip_sum, tips)) for _, tips in ordered]
        self._root = _build(ordered, sums, 0)

    def put(self, log_id: bytes, tips: Iterable[Tip]) -> None:
        """Say which tips a log has now; none takes the log out."""
        after = tuple(tips)
        before = self._leaf(log_id).logs.get(log_id, ())
        if before == after:
            return
        change = sum(map(tip_sum, after)) - sum(map(tip_sum, before))
        count = len(after) - len(before)
        node, depth = self._root, 0
        while True:
            node.total = (node.total + change) % DIGEST_MODULUS
            node.count += count
            if not node.children:
                break
            node = node.children[_digit(log_id, depth)]
            depth += 1
        if after:
            node.logs[log_id] = after
        else:
            del node.logs[log_id]
        if len(node.logs) > LEAF_LOGS_MAX:
            _split(node, depth)

    def tips_of(self, log_id: bytes) -> list[Tip]:
        """Give a log's tips."""
        return list(self._leaf(log_id).logs.get(log_id, ()))

    def digest(self) -> bytes:
        """Give the sum of all tips: 32 bytes."""
        return self._root.total.to_bytes(32, "big")

    def count(self, prefix: str) -> int:
        """Count the tips of the logs under a prefix of hex digits."""
        node, is_exact = self._node(prefix)
        return node.count if is_exact else sum(len(tips) for _, tips in _under(node, prefix))

    def tips(self, prefix: str) -> list[Tip]:
        """Give the tips of the logs under a prefix, ascending. Cost: O(found)."""
        node, _ = self._node(prefix)
        return sorted(tip for _, tips in _under(node, prefix) for tip in tips)

    def sums(self, prefix: str) -> list[bytes]:
        """Give 16 sums by the next digit, 16 bytes each; zeros where there is nothing."""
        node, is_exact = self._node(prefix)
        totals = [child.total for child in node.children] if is_exact else []
        if not totals:
            totals = [0] * len(_VALUES)
            for log_id, tips in _under(node, prefix):
                if len(prefix) < DIGITS:
                    totals[_digit(log_id, len(prefix))] += sum(map(tip_sum, tips))
        return [(total % DIGEST_MODULUS).to_bytes(32, "big")[:SUM_BYTES] for total in totals]

    def _leaf(self, log_id: bytes) -> _Node:
        node, depth = self._root, 0
        while node.children:
            node = node.children[_digit(log_id, depth)]
            depth += 1
        return node

    def _node(self, prefix: str) -> tuple[_Node, bool]:
        """Give the lowest node that holds all under a prefix, and whether it holds no more."""
        node, depth = self._root, 0
        for digit in prefix:
            value = _VALUES.get(digit)
            if value is None:
                raise MalformedMessageError(f"prefix {prefix[:DIGITS]!r}: not hex digits")
            if node.children:
                node = node.children[value]
                depth += 1
        return node, depth == len(prefix)


def _digit(log_id: bytes, depth: int) -> int:
    byte = log_id[depth >> 1]
    return byte & 15 if depth & 1 else byte >> 4


def _build(ordered: list[tuple[bytes, tuple[Tip, ...]]], sums: list[int], depth: int) -> _Node:
    """Make the node of logs that share ``depth`` digits, ascending by id."""
    node = _Node()
    node.count = sum(len(tips) for _, tips in ordered)
    node.total = sum(sums) % DIGEST_MODULUS
    if len(ordered) <= LEAF_LOGS_MAX:
        node.logs = dict(ordered)
        return node
    start = 0
    for value in range(len(_VALUES)):
        end = start
        while end < len(ordered) and _digit(ordered[end][0], depth) == value:
            end += 1
        node.children.append(_build(ordered[start:end], sums[start:end], depth + 1))
        start = end
    return node


def _split(leaf: _Node, depth: int) -> None:
    """Make a leaf that holds too many logs an inner node."""
    ordered = sorted(leaf.logs.items())
    built = _build(ordered, [sum(map(tip_sum, tips)) for _, tips in ordered], depth)
    leaf.children, leaf.logs = built.children, built.logs


def _under(node: _Node, prefix: str) -> Iterator[tuple[bytes, tuple[Tip, ...]]]:
    """Give the logs below a node whose ids begin so."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        waiting += one.children
        for log_id, tips in one.logs.items():
            if log_id.hex().startswith(prefix):
                yield log_id, tips
