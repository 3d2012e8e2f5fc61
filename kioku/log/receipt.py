"""Receipts: what a replica has confirmed to have erased, as one row number.

Rows of events only grow and never change, so "it has confirmed all that erases up to row 4711"
says which events are meant, once and for all:

    covered   the newest erasing event (purge, retract) that it has confirmed
    lacks     of logs that it lacks some of: from which seq on it has confirmed nothing

What erases and lies past ``covered``, or in a log past where the peer lacks it, is outstanding. A
statement that covers less takes receipts back; one that says "not yet erased" gives none. Both are
kept in their least form, so that a receipt changes when something is confirmed and not when any
event comes.

Source: DESIGN §9, Receipt; docs/adr/0070.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LACKS_MAX: Final = 64
"""Logs that one receipt excepts; past that it covers less, which is never false."""

Lack = tuple[bytes, int]
"""A log, and from which seq on a replica lacks it (or may lack it)."""


class Extent(NamedTuple):
    """What a store states at a moment: all rows up to ``row``, but for what erases ``unsealed``."""

    digest: bytes
    row: int
    unsealed: tuple[Lack, ...]


class Erasing(NamedTuple):
    """A purge or a retract that is here, by its row."""

    row: int
    log_id: bytes
    seq: int


class Receipt(NamedTuple):
    """What a peer has confirmed to have erased."""

    covered: int = 0
    lacks: tuple[Lack, ...] = ()

    def confirms(self, event: Erasing) -> bool:
        """Whether the peer has confirmed this purge or retract."""
        if event.row > self.covered:
            return False
        return all(event.log_id != log_id or event.seq < first for log_id, first in self.lacks)


def heard(
    receipt: Receipt,
    erasing: Sequence[Erasing],
    *,
    row: int,
    lacks: Iterable[Lack],
    is_erased: bool,
) -> Receipt:
    """Give what a peer has confirmed once it has stated what it has.

    Args:
        receipt: what it had confirmed before.
        erasing: all purges and retracts that are here.
        row: up to which row its statement was held against ours.
        lacks: what of that it does not cover; one log may be named more than once.
        is_erased: whether nothing was left to erase there at that moment, or later.
    """
    lacking: dict[bytes, int] = {}
    is_whole = is_erased and row >= receipt.covered
    for log_id, first in (*lacks, *(() if is_whole else receipt.lacks)):
        lacking[log_id] = min(first, lacking.get(log_id, first))
    covered = max(row, receipt.covered) if is_erased else receipt.covered
    return _least(covered, lacking, erasing)


def _least(covered: int, lacking: Mapping[bytes, int], erasing: Sequence[Erasing]) -> Receipt:
    """Give the one receipt, of all that confirm the same, that says the least."""
    known = [event for event in erasing if event.row <= covered]
    confirmed = [e.row for e in known if e.seq < lacking.get(e.log_id, e.seq + 1)]
    covered = max(confirmed, default=0)
    first_seqs: dict[bytes, int] = {}
    first_rows: dict[bytes, int] = {}
    for row, log_id, seq in known:
        if row < covered and seq >= lacking.get(log_id, seq + 1):
            first_seqs[log_id] = min(seq, first_seqs.get(log_id, seq))
            first_rows[log_id] = min(row, first_rows.get(log_id, row))
    if len(first_seqs) > LACKS_MAX:
        too_many = sorted(first_rows.values())[LACKS_MAX]
        return _least(too_many - 1, lacking, erasing)
    return Receipt(covered, tuple(sorted(first_seqs.items())))
