"""A changed byte in the file is detected; it is never sent on and never folded (invariants 1, 5).

What SQLite itself does not see, a bit that flipped in a column, the chain, a commitment or a seal
must.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import StoreCorruptError
from kioku.log.event import SAVE
from kioku.log.hlc import pack
from tests.property.authors import Author
from tests.property.forests import Forest, Mirror, deliveries, forests
from tests.property.histories import KEYS, NOW_MS
from tests.property.stores import damage, open_store

if TYPE_CHECKING:
    from kioku.replica import Replica

BLOBS = ("key", "hash", "commitment", "salt", "body", "header")
NUMBERS = ("hlc", "kind")


def flip(replica: Replica, data: st.DataObject) -> bool:
    """Change one column of one event; False if there is nothing to change in it."""
    with replica.transaction(now_ms=NOW_MS) as transaction:
        ask = transaction.connection.execute
        rows = [row[0] for row in ask("SELECT event FROM event")]
        event, column = (
            data.draw(st.sampled_from(rows)),
            data.draw(st.sampled_from(BLOBS + NUMBERS)),
        )
        if column in NUMBERS:
            ask(f"UPDATE event SET {column} = {column} + 1 WHERE event = ?", (event,))
            # A later format's kind and stamp are read from its header, whose bytes are the truth.
            return not ask("SELECT header IS NOT NULL FROM event WHERE event = ?", (event,)).get
        value = ask(f"SELECT {column} FROM event WHERE event = ?", (event,)).get
        if not value:
            return False
        at = data.draw(st.integers(0, len(value) - 1))
        changed = value[:at] + bytes((value[at] ^ 1,)) + value[at + 1 :]
        ask(f"UPDATE event SET {column} = ? WHERE event = ?", (changed, event))
        header = ask("SELECT header FROM event WHERE event = ?", (event,)).get
        return header is None or column not in ("key", "commitment")


def send(replica: Replica, other: Replica) -> None:
    for chunk in replica.export_chunks():
        other.ingest_chunk(chunk, now_ms=NOW_MS)


@given(forests(), st.data())
def test_a_changed_byte_of_an_event_is_found_and_not_sent(
    forest: Forest, data: st.DataObject
) -> None:
    with open_store(seed=1) as replica, open_store(seed=2) as other:
        Mirror(replica).take_all(data.draw(deliveries(forest, always_whole=True)), repeat(NOW_MS))
        if not flip(replica, data):
            return
        assert damage(replica, now_ms=NOW_MS)
        with pytest.raises(StoreCorruptError):
            send(replica, other)
        # What came before the damage is whole.
        assert not damage(other, now_ms=NOW_MS)


@pytest.mark.parametrize("change", ["seq = seq + 1", "body = NULL, salt = NULL"])
def test_a_gap_that_nothing_explains_is_found(change: str) -> None:
    author = Author(1, hlc=pack(NOW_MS))
    tip = author.append(author.genesis, SAVE, hlc=pack(NOW_MS), key=KEYS[0], body=b"body")
    with open_store() as replica:
        replica.ingest_chunk(author.chunk(author.genesis, tip), now_ms=NOW_MS)
        with replica.transaction(now_ms=NOW_MS) as transaction:
            transaction.connection.execute(f"UPDATE event SET {change} WHERE kind = {SAVE}")
        assert damage(replica, now_ms=NOW_MS)


def test_a_changed_seal_is_found_and_the_peer_refuses_it() -> None:
    author = Author(1, hlc=pack(NOW_MS))
    with open_store() as replica:
        replica.ingest_chunk(author.chunk(author.genesis, author.genesis), now_ms=NOW_MS)
        with replica.transaction(now_ms=NOW_MS) as transaction:
            transaction.connection.execute("UPDATE seal SET signature = zeroblob(64)")
        assert any(found.startswith("seals") for found in damage(replica, now_ms=NOW_MS))
