"""What is known of peers: how long one that fails is left alone, and who is worth asking."""

from __future__ import annotations

from kioku.node.peers import BACKOFF_BASE_MS, BACKOFF_MS_MAX, TRIES_MAX, Peer, Peers
from kioku.transport.link import Address
from kioku.transport.message import Beacon

ADDRESS = Address(bytes(16), "anna", b"1" * 16)


def beacon(**fields: object) -> Beacon:
    sound = Beacon(bytes(32), 1, None, None, 0, bytes(16), "1", True, 0, "spoke", b"anna's")
    return sound._replace(**fields)  # type: ignore[arg-type]


def test_a_peer_that_fails_is_left_alone_longer_each_time_and_a_minute_at_most() -> None:
    peer = Peer(ADDRESS)
    waits = []
    for _ in range(20):
        peer.failed("away", now_ms=1_000, chance=0.999)
        waits.append(peer.not_before_ms - 1_000)
    assert waits == sorted(waits)
    assert waits[0] >= 0.99 * BACKOFF_BASE_MS
    assert waits[1] >= 1.9 * waits[0]
    assert 0.99 * BACKOFF_MS_MAX <= waits[-1] <= BACKOFF_MS_MAX
    peer.succeeded(now_ms=2_000)
    peer.failed("away", now_ms=2_000, chance=0.999)
    assert peer.not_before_ms - 2_000 == waits[0]


def test_how_long_is_drawn_from_nothing_to_all_of_it() -> None:
    peer = Peer(ADDRESS)
    for _ in range(6):
        peer.failed("away", now_ms=0, chance=0.0)
    assert peer.not_before_ms == 0


def test_who_fails_again_and_again_is_worth_asking_once_it_was_heard() -> None:
    peer = Peer(ADDRESS)
    told = [peer.is_worth_asking]
    peer.heard(beacon(), now_ms=10, wall_ms=0)
    for _ in range(TRIES_MAX):
        told.append(peer.is_worth_asking)
        peer.failed("away", now_ms=20, chance=0.5)
    told.append(peer.is_worth_asking)
    peer.heard(beacon(), now_ms=30, wall_ms=0)
    told.append(peer.is_worth_asking)
    assert told == [False, *[True] * TRIES_MAX, False, True]


def test_a_process_that_begins_anew_is_new_and_one_that_goes_on_is_not() -> None:
    peer = Peer(ADDRESS)
    assert peer.is_new(beacon())
    peer.heard(beacon(), now_ms=10, wall_ms=0)
    assert not peer.is_new(beacon(digest=b"2" * 32))
    assert peer.is_new(beacon(nonce=b"n" * 16))


def test_who_begins_another_log_is_one_peer_and_not_two() -> None:
    peers = Peers()
    before = peers.meet(ADDRESS)
    assert before
    before.heard(beacon(), now_ms=10, wall_ms=0)
    after = peers.meet(ADDRESS._replace(log_id=b"2" * 16))
    assert after
    peers.succeed(after, b"anna's")
    assert list(peers) == [after]
    other = peers.meet(ADDRESS._replace(machine="ben", log_id=b"3" * 16))
    assert other
    peers.succeed(other, b"anna's")
    assert list(peers) == [after, other]
