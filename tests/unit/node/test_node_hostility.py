"""Whatever others send changes nothing but counters, and keeps nobody waiting."""

from __future__ import annotations

import random
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kioku.log.chunk import decode_chunk, encode_chunk
from kioku.log.seal import sign
from kioku.node.answers import PENDING_MAX, REPLIES_PER_TURN
from kioku.node.peers import PEERS_MAX
from kioku.transport.limits import QUERY_BYTES_MAX
from kioku.transport.link import Address, LinkChange, Put, Query, Reply, ReplyEnd
from kioku.transport.message import Beacon, End, HeadsQuery, Leaving, Live, RangeQuery, decode
from tests.unit.node.world import Machine, World


def pair() -> tuple[World, Machine, Machine]:
    world = World()
    hub, anna = world.add("hub", "hub"), world.add("anna")
    world.run(5_000)
    anna.save(b"one", b"two")
    world.run(5_000)
    return world, hub, anna


def beacon(**fields: Any) -> Beacon:
    sound = Beacon(bytes(32), 1, None, None, 0, bytes(16), "1", True, 0, "spoke", b"")
    return sound._replace(**fields)


def flip(data: bytes, at: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[at % len(data)] ^= 1 << bit
    return bytes(changed)


KINDS = st.sampled_from(["live", "beacon"])
QUERIES = st.sampled_from(["heads", "hashes", "range", "bodies", "credentials"])


@settings(max_examples=30)
@given(data=st.data())
def test_garbage_of_any_kind_changes_only_counters(data: st.DataObject) -> None:
    world, hub, anna = pair()
    site = anna.engine._site
    tip = site.own_tip()
    assert tip
    true = [
        Live(next(iter(site.holdings.read_range(tip, None) or ()))).encode(),
        anna.engine._publisher._state().encode(),
        HeadsQuery(("",)).encode(),
        RangeQuery(tip, None, 1 << 20).encode(),
    ]
    spoilt = st.builds(flip, st.sampled_from(true), st.integers(0, 1 << 20), st.integers(0, 7))
    message = st.one_of(st.binary(max_size=200), spoilt, st.sampled_from(true))
    senders = st.sampled_from([anna.engine.address, Address(site.own_log_id, "x", bytes(16))])
    deliveries = st.one_of(
        st.builds(Put, senders, KINDS, message),
        st.builds(Query, QUERIES, message, st.just(lambda _: None), st.just(lambda: None)),
        st.builds(Reply, st.integers(0, 9), message),
        st.builds(ReplyEnd, st.integers(0, 9), st.text(max_size=5)),
        st.builds(LinkChange, st.booleans()),
    )
    before = hub.digest()
    for delivery in data.draw(st.lists(deliveries, max_size=20)):
        hub.step(partial(hub.engine.handle, delivery))
    assert hub.digest() == before
    assert hub.replica.statistics().logs == 2
    hub.inbox.append(LinkChange(is_up=True))
    (key,) = anna.save(b"three")
    world.run(60_000)
    assert hub.shows(key) == b"three"
    assert world.is_level()


def test_a_live_chunk_of_another_log_than_its_senders_is_refused() -> None:
    world, hub, anna = pair()
    late = world.add("late", "hub")
    tip = anna.engine._site.own_tip()
    assert tip
    chunk = next(iter(anna.engine._site.holdings.read_range(tip, None) or ()))
    late.inbox.append(Put(hub.engine.address, "live", Live(chunk).encode()))
    late.step(lambda: late.engine.handle(late.inbox.popleft()))
    late.step(lambda: late.engine.handle(Put(hub.engine.address, "live", Live(chunk).encode())))
    assert late.engine.statistics().counts["rejected"] == 1
    assert late.replica.statistics().logs == 1


def test_messages_of_another_space_are_refused() -> None:
    _, hub, anna = pair()
    stranger = anna.engine.address._replace(space_id=bytes(16))
    peers = len(hub.engine.statistics().peers)
    hub.step(lambda: hub.engine.handle(Put(stranger, "beacon", beacon().encode())))
    assert hub.engine.statistics().counts["rejected"] == 1
    assert len(hub.engine.statistics().peers) == peers


def test_a_question_that_cannot_be_read_is_counted_and_said_so() -> None:
    _, hub, _ = pair()
    answers: list[bytes] = []
    for data in (b"", b"garbage", HeadsQuery(("",)).encode()):
        hub.engine.handle(Query("heads", data, answers.append, lambda: None))
    while hub.engine.advance() == 0:
        pass
    assert [decode(one) for one in answers[:2]] == [End("malformed")] * 2
    assert hub.engine.statistics().counts["rejected"] == 2


def test_a_flood_of_questions_is_answered_a_few_at_a_time_and_the_rest_ended() -> None:
    _, hub, _ = pair()
    answers: list[bytes] = []
    ended: list[int] = []
    count = PENDING_MAX + 100
    for n in range(count):
        end = partial(ended.append, n)
        hub.engine.handle(Query("heads", HeadsQuery(("",)).encode(), answers.append, end))
    assert len(ended) == 100
    hub.engine.advance()
    assert len(answers) <= REPLIES_PER_TURN
    while hub.engine.advance() == 0:
        pass
    assert sorted(ended) == list(range(count))
    assert len(answers) == 2 * PENDING_MAX
    assert hub.engine.statistics().counts["dropped"] == 100


def test_questions_that_are_too_long_do_not_wait() -> None:
    _, hub, _ = pair()
    answers: list[bytes] = []
    ends: list[None] = []
    for _ in range(PENDING_MAX):
        data = bytes(QUERY_BYTES_MAX + 1)
        hub.engine.handle(Query("heads", data, answers.append, lambda: ends.append(None)))
    assert not hub.engine._answerer.is_busy
    assert len(ends) == PENDING_MAX
    assert {decode(one) for one in answers} == {End("malformed")}
    assert hub.engine.statistics().counts["rejected"] == PENDING_MAX


def test_a_long_answer_is_given_a_few_replies_at_a_time() -> None:
    _, _, anna = pair()
    for _ in range(10):
        anna.save(bytes(200_000))
    tip = anna.engine._site.own_tip()
    assert tip
    answers: list[bytes] = []
    query = RangeQuery(tip, None, 4 << 20).encode()
    anna.engine.handle(Query("range", query, answers.append, lambda: None))
    for turn in range(1, 3):
        anna.engine.advance()
        assert len(answers) == turn * REPLIES_PER_TURN
    anna.engine.advance()
    assert len(answers) > 2 * REPLIES_PER_TURN


def test_somebody_who_invents_peers_fills_no_memory_and_drives_nobody_out() -> None:
    world, hub, _ = pair()
    rng = random.Random(5)
    for n in range(PEERS_MAX + 200):
        address = Address(hub.engine.address.space_id, f"m{n}", rng.randbytes(16))
        data = beacon(identity=n.to_bytes(4, "big")).encode()
        hub.engine.handle(Put(address, "beacon", data))
    assert len(hub.engine._peers) == PEERS_MAX
    anna = [p for p in hub.engine.statistics().peers if p.machine == "anna"]
    assert anna[0].is_reachable
    assert hub.engine.statistics().counts["dropped"] >= 200
    world.counts.clear()
    world.run(60_000)
    assert world.counts["put beacon"] < 60  # nobody makes us talk
    (key,) = world.machines[1].save(b"still here")
    world.run(10_000)
    assert hub.shows(key) == b"still here"


def test_a_log_that_is_refused_is_asked_for_again_only_if_its_tip_changes() -> None:
    world, hub, anna = pair()
    tip = hub.engine._site.holdings.tips_of(anna.engine.address.log_id)[-1]
    ingest = hub.engine._site.holdings.ingest

    def refuse(data: bytes) -> int:
        return ingest(flip(data, len(data) - 5, 3))

    hub.engine._site.holdings.ingest = refuse  # type: ignore[method-assign]
    anna.save(b"spoilt on its way")
    world.run(60_000)
    assert hub.engine._site.holdings.tips_of(tip.log_id) == [tip]
    (peer,) = hub.engine.statistics().peers
    assert len(peer.refused) == 1
    ranges = sum(kind == "range" for who, _, kind in world.asked if who == "hub")
    hub.engine.compare_now()
    world.run(300_000)
    assert sum(kind == "range" for who, _, kind in world.asked if who == "hub") == ranges
    hub.engine._site.holdings.ingest = ingest  # type: ignore[method-assign]
    anna.save(b"another tip")
    world.run(60_000)
    assert world.is_level()


def test_a_log_that_was_spoilt_on_its_way_is_asked_for_again_after_a_while() -> None:
    world, hub, anna = pair()
    ingest = hub.engine._site.holdings.ingest

    def refuse(data: bytes) -> int:
        return ingest(flip(data, len(data) - 5, 3))

    hub.engine._site.holdings.ingest = refuse  # type: ignore[method-assign]
    (key,) = anna.save(b"spoilt on its way")
    world.run(60_000)
    hub.engine._site.holdings.ingest = ingest  # type: ignore[method-assign]
    world.run(300_000)
    assert hub.shows(key) is None
    world.run(360_000)
    assert hub.shows(key) == b"spoilt on its way"
    assert hub.engine.statistics().is_level


def loose_chunk(machine: Machine) -> bytes:
    """A chunk that a machine sealed, and that follows nothing."""
    log_id = machine.engine.address.log_id
    key = machine.replica._core.owner._keys.load(log_id)
    tip = machine.engine._site.own_tip()
    assert tip
    assert key
    whole = decode_chunk(next(iter(machine.engine._site.holdings.read_range(tip, None) or ())))
    made = partial(encode_chunk, log_id, 99, bytes([1]) * 32, events=whole.events[1:])
    return made(signature=sign(key.seed, decode_chunk(made(signature=bytes(64))).last))


def test_hints_that_lead_to_nothing_lead_to_fewer_and_fewer_sessions() -> None:
    world, hub, anna = pair()
    live = Live(loose_chunk(anna)).encode()
    world.counts.clear()
    for _ in range(600):
        hub.inbox.append(Put(anna.engine.address, "live", live))
        world.run(100)
    assert hub.engine.statistics().counts["hints"] == 600
    assert 3 <= world.counts["ask heads"] < 20


def test_a_forged_farewell_is_only_shown_and_only_until_the_next_beacon() -> None:
    """Whoever can publish can say it for others: nothing may depend on it."""
    world, hub, anna = pair()
    before = anna.joined
    process = anna.engine._site.nonce

    def shown() -> list[bool]:
        return [peer.is_reachable for peer in hub.engine.statistics().peers]

    for sender, nonce in ((before, b"n" * 16), (before._replace(log_id=b"l" * 16), process)):
        hub.inbox.append(Put(sender, "beacon", Leaving(nonce).encode()))
        world.settle()
        assert shown() == [True], "another process, or nobody who was heard"
    hub.inbox.append(Put(before, "beacon", Leaving(process).encode()))
    world.settle()
    assert shown() == [False]
    asked = len(world.asked)
    hub.step(hub.engine.compare_now)
    hub.inbox.append(Put(before, "beacon", Leaving(process).encode()))
    world.run(1_000)
    assert ("hub", "anna", "heads") in world.asked[asked:], "it is asked all the same"
    (key,) = anna.save(b"while it seems to be gone")
    world.run(5_000)
    assert hub.shows(key) == b"while it seems to be gone"
    assert shown() == [True]
