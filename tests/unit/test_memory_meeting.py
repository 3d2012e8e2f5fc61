"""What a store knows of its peers, in the words of people; and what it may leave out for one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kioku.cli.acquaintance import AmbiguousPeerError, UnknownPeerError, find_peer, told_apart
from kioku.memory.meeting import frontier_of, known_erasures, known_peers
from tests.unit.meetings import state
from tests.unit.memories import NOON_MS, Clock, Stores, carry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kioku.memory import Memory


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    opened = Stores(tmp_path, Clock())
    yield opened
    opened.close()


def meet(memory: Memory, peer: Memory, machine: str = "beta-machine") -> bytes:
    """Let a memory's replica note another; gives the other's log."""
    log_id = peer.replica.begin_log(NOON_MS)
    memory.replica.note_peer(log_id, machine=machine, role="spoke", version="0.1.0", now_ms=NOON_MS)
    return log_id


def test_peers_of_one_name_are_told_apart_by_their_logs(stores: Stores) -> None:
    alpha = stores.open("alpha")
    one, two = (meet(alpha, stores.open(name), "laptop").hex() for name in ("beta", "gamma"))
    three = meet(alpha, stores.open("delta"), "server").hex()
    assert told_apart(known_peers(alpha.replica)) == {
        one: f"laptop {one[:8]}",
        two: f"laptop {two[:8]}",
        three: "server",
    }


def test_a_peer_is_called_as_its_log_says_once_that_is_here(stores: Stores) -> None:
    alpha, beta = stores.open("alpha"), stores.open("beta")
    log_id = meet(alpha, beta)
    [peer] = known_peers(alpha.replica)
    assert (peer.name, peer.machine, peer.log_id) == ("beta-machine", "beta-machine", log_id.hex())
    carry(beta, alpha)
    [peer] = known_peers(alpha.replica)
    assert (peer.name, peer.machine, peer.role) == ("beta", "beta-machine", "spoke")
    assert peer.last_seen_at.timestamp() * 1_000 == NOON_MS
    assert peer.last_seen_at.utcoffset() == timedelta(0)


def test_a_peer_is_found_by_name_machine_or_log(stores: Stores) -> None:
    alpha, beta = stores.open("alpha"), stores.open("beta")
    log_id = meet(alpha, beta).hex()
    carry(beta, alpha)
    known = known_peers(alpha.replica)
    for typed in ("beta", "beta-machine", log_id, log_id[:6], log_id[:6].upper()):
        assert find_peer(known, typed).log_id == log_id
    for typed in ("", "bet", "BETA", log_id[:5], log_id + "0"):
        with pytest.raises(UnknownPeerError):
            find_peer(known, typed)
    other = stores.open("other")
    meet(alpha, other)
    with pytest.raises(AmbiguousPeerError, match=log_id[:8]) as caught:
        find_peer(known_peers(alpha.replica), "beta-machine")
    assert "2 replicas" in str(caught.value)


def test_erasures_say_what_they_are_and_who_is_waited_for(stores: Stores) -> None:
    alpha, beta = stores.open("alpha"), stores.open("beta")
    meet(alpha, beta)
    key = alpha.save("secret").id
    carry(alpha, beta)
    alpha.purge(key)
    [purge] = known_erasures(alpha.replica)
    assert (purge.operation, purge.id, purge.replica) == ("purge", key, "alpha")
    assert not purge.is_signed
    alpha.replica.seal()
    [purge] = known_erasures(alpha.replica)
    assert purge.is_signed
    assert [peer.machine for peer in purge.outstanding] == ["beta-machine"]
    carry(alpha, beta)
    state(alpha.replica, beta.replica)
    [purge] = known_erasures(alpha.replica)
    assert (len(purge.confirmed), purge.outstanding) == (1, ())


@settings(max_examples=25)  # each makes two stores on the disk
@given(
    steps=st.lists(
        st.sampled_from(
            ("save", "save there", "purge", "purge there", "carry", "carry back", "state")
        ),
        max_size=14,
    )
)
def test_what_a_peer_is_known_to_have_it_has(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    """And an export without that is all it takes to bring it level."""
    stores = Stores(tmp_path_factory.mktemp("stores"), Clock())
    alpha, beta = stores.open("alpha"), stores.open("beta")
    log_id = meet(alpha, beta)
    for number, step in enumerate(steps):
        here, there = (beta, alpha) if step.endswith(("there", "back")) else (alpha, beta)
        if step.startswith("save"):
            here.save(f"number {number}")
        elif step.startswith("purge"):
            for one in here.list(limit=1):
                here.purge(one.id)
        elif step.startswith("carry"):
            carry(here, there)
        else:
            alpha.replica.seal()
            beta.replica.seal()
            state(alpha.replica, beta.replica)
    known = frontier_of(alpha.replica, log_id.hex())
    assert all(beta.replica.holds(tip) for tip in known)
    for chunk in alpha.export_chunks(known):
        beta.ingest_chunk(chunk)
    carry(beta, alpha)
    assert beta.digest() == alpha.digest()
    stores.close()
