"""What a session says at its end: of the logs it refused, and of the peer."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random
from typing import TYPE_CHECKING

from kioku.log.event import SAVE
from kioku.log.hlc import pack
from kioku.replica import Draft
from kioku.transport.message import (
    End,
    HeadsAnswer,
    RangeQuery,
    decode,
)
from kioku.transport.session import Session
from tests.property.authors import Author
from tests.property.histories import KEYS, NOW_MS
from tests.property.paper import PaperHoldings, event_at, log_ids
from tests.property.stores import open_store
from tests.property.wires import Wire, holdings_of
from tests.unit.transport.scripted import (
    DIGEST,
    LOGS,
    heads_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kioku.replica import Replica
    from kioku.transport.session import Ask

# -- logs that the store refuses


def spoilt_log(log_id: bytes) -> Callable[[Ask, list[bytes]], list[bytes]]:
    """A peer that sends one log with a seal that is not its owner's."""

    def spoil(ask: Ask, replies: list[bytes]) -> list[bytes]:
        question = decode(ask.data)
        if not isinstance(question, RangeQuery) or question.goal.log_id != log_id:
            return replies
        return [r[:-1] + bytes([r[-1] ^ 1]) if r[1] == 8 else r for r in replies]

    return spoil


def two_logs(stack: ExitStack) -> tuple[Replica, Replica, Author, Author]:
    ours, theirs = (stack.enter_context(open_store(seed=seed)) for seed in (1, 2))
    good, bad = Author(1, hlc=pack(NOW_MS)), Author(2, hlc=pack(NOW_MS) + 1)
    for author in (good, bad):
        theirs.ingest_chunk(author.chunk(author.genesis, author.genesis), now_ms=NOW_MS)
    return ours, theirs, good, bad


def test_a_log_that_is_refused_does_not_end_the_session() -> None:
    """It is reported, and left out of what makes two replicas level."""
    with ExitStack() as stack:
        ours, theirs, good, bad = two_logs(stack)
        spoil = spoilt_log(bad.log_id)
        wire = Wire(holdings_of(ours), holdings_of(theirs), spoil=spoil)
        outcome = wire.run()
        assert outcome.problem == ""
        assert [refusal.tip for refusal in outcome.refused] == [bad.genesis]
        assert "seal is not its owner's" in outcome.refused[0].reason
        assert not outcome.refused[0].is_lasting
        assert outcome.is_level
        assert outcome.events_left == 1
        assert list(ours.stated_frontier()) == [good.genesis]
        again = Wire(holdings_of(ours), holdings_of(theirs), spoil=spoil, refused={bad.genesis})
        assert again.run().is_level
        assert again.kinds == ["heads"]


def test_what_lacks_of_a_refused_log_is_counted_apart() -> None:
    """Else one refused log would hide that others did not come, and they were not asked for."""
    for is_absent in (False, True):
        with ExitStack() as stack:
            ours, theirs, good, bad = two_logs(stack)
            spoil = spoilt_log(bad.log_id)

            def answers(
                ask: Ask,
                replies: list[bytes],
                *,
                refuses: Callable[[Ask, list[bytes]], list[bytes]] = spoil,
                absent: bytes | None = good.log_id if is_absent else None,
            ) -> list[bytes]:
                question = decode(ask.data)
                if isinstance(question, RangeQuery) and question.goal.log_id == absent:
                    return [End("unknown").encode()]
                return refuses(ask, replies)

            outcome = Wire(holdings_of(ours), holdings_of(theirs), spoil=answers).run()
            assert outcome.problem == ""
            assert outcome.events_refused == 1
            assert outcome.events_left == 1 + is_absent


def test_a_chunk_that_was_spoilt_once_is_asked_for_again() -> None:
    """The network may be to blame, and then no log is."""
    with ExitStack() as stack:
        ours, theirs, _, bad = two_logs(stack)
        always = spoilt_log(bad.log_id)
        spoilt: list[Ask] = []

        def once(ask: Ask, replies: list[bytes]) -> list[bytes]:
            sent = replies if spoilt else always(ask, replies)
            spoilt.extend([ask] if sent != replies else [])
            return sent

        wire = Wire(holdings_of(ours), holdings_of(theirs), spoil=once)
        outcome = wire.run()
        assert spoilt
        assert not outcome.refused
        assert wire.session.statistics().hostile == 1
        assert ours.stated_digest() == theirs.stated_digest()


def test_a_refused_log_is_asked_for_again_when_its_tip_changes() -> None:
    with ExitStack() as stack:
        ours, theirs, _, bad = two_logs(stack)
        later = bad.append(bad.genesis, SAVE, hlc=pack(NOW_MS), key=KEYS[0], body=b"more")
        theirs.ingest_chunk(bad.chunk(later, later), now_ms=NOW_MS)
        outcome = Wire(holdings_of(ours), holdings_of(theirs), refused={bad.genesis}).run()
        assert outcome.is_level
        assert ours.stated_digest() == theirs.stated_digest()


def test_a_refused_log_hides_no_other_difference() -> None:
    with ExitStack() as stack:
        ours, theirs, good, bad = two_logs(stack)
        ours.append([Draft(SAVE, KEYS[0], b"not there")], now_ms=NOW_MS)
        ours.seal()
        refused = {bad.genesis}
        outcome = Wire(holdings_of(ours), holdings_of(theirs), refused=refused).run()
        assert not outcome.is_level
        assert outcome.ahead == 2
        assert {one.log_id for one in outcome.differing} >= {bad.log_id, good.log_id}


def test_a_log_with_too_many_tips_is_refused_for_good() -> None:
    with ExitStack() as stack:
        ours, theirs = (stack.enter_context(open_store(seed=seed)) for seed in (1, 2))
        author = Author(1, hlc=pack(NOW_MS))
        tips = [
            author.append(author.genesis, SAVE, hlc=pack(NOW_MS) + n, key=KEYS[0], body=b"x")
            for n in range(17)
        ]
        genesis = author.chunk(author.genesis, author.genesis)
        for replica, branches in ((ours, tips[:16]), (theirs, tips[1:])):
            replica.ingest_chunk(genesis, now_ms=NOW_MS)
            for tip in branches:
                replica.ingest_chunk(author.chunk(tip, tip), now_ms=NOW_MS)
        outcome = Wire(holdings_of(ours), holdings_of(theirs)).run()
        assert [(r.tip, r.is_lasting) for r in outcome.refused] == [(tips[16], True)]


# -- what is said of the peer


def test_a_peer_that_changes_while_it_is_asked_gives_no_receipt() -> None:
    """Its parts are of different moments, and erased was true at some of them only."""
    ids = log_ids(100)
    ours, theirs = PaperHoldings({}), PaperHoldings(dict.fromkeys(ids, 3))

    def change(ask: Ask, replies: list[bytes]) -> list[bytes]:
        if ask.kind == "heads":
            theirs.grow(b"\xff" * 16, 1)
        return replies

    assert not Wire(ours, theirs, spoil=change).run().erased
    calm = Wire(ours, theirs).run()
    assert calm.is_compared
    assert calm.erased


def test_a_peer_that_has_not_erased_yet_gives_no_receipt() -> None:
    wire = Wire(PaperHoldings({}), spoil=lambda *_: heads_of(digest=DIGEST, erased=False))
    outcome = wire.run()
    assert outcome.is_level
    assert not outcome.erased


def test_erased_must_be_said_with_every_answer() -> None:
    """The first may speak of heads that the last does not repeat."""
    theirs = PaperHoldings(dict.fromkeys(log_ids(100), 3))
    has_spoken: list[Ask] = []

    def first_not(ask: Ask, replies: list[bytes]) -> list[bytes]:
        heads = decode(replies[0])
        if has_spoken or not isinstance(heads, HeadsAnswer):
            return replies
        has_spoken.append(ask)
        return [heads._replace(erased=False).encode(), *replies[1:]]

    outcome = Wire(PaperHoldings({}), theirs, spoil=first_not).run()
    assert outcome.is_compared
    assert not outcome.erased


def test_whole_prefixes_that_the_peer_lacks_are_noted() -> None:
    """Of these it states nothing: their sum is zeros."""
    ids = log_ids(200)
    ours = PaperHoldings(dict.fromkeys(ids, 3))
    lacking = {log for log in ids if log.hex()[0] in "37"}
    theirs = PaperHoldings({log: 3 for log in ids if log not in lacking})
    outcome = Wire(ours, theirs).run()
    assert {one.log_id for one in outcome.differing} == lacking
    assert outcome.ahead == 3 * len(lacking)


def test_what_the_peer_lacks_is_counted() -> None:
    ours = PaperHoldings({LOGS[0]: 10, LOGS[1]: 7, LOGS[2]: 4})
    theirs = PaperHoldings({LOGS[0]: 6, LOGS[2]: 9})
    outcome = Wire(ours, theirs).run()
    assert (outcome.behind, outcome.new_events, outcome.ahead) == (5, 5, 4 + 7)
    stated = {one.log_id: one.tips for one in outcome.differing}
    assert stated == {
        LOGS[0]: (event_at(LOGS[0], 6),),
        LOGS[1]: (),
        LOGS[2]: (event_at(LOGS[2], 9),),
    }
    assert not outcome.is_level


def test_events_left_shrink_while_it_runs() -> None:
    theirs = PaperHoldings({LOGS[0]: 5_000})
    seen = []

    def look(_: Ask, replies: list[bytes]) -> Iterator[bytes]:
        for reply in replies:
            seen.append(wire.session.events_left)
            yield reply

    wire = Wire(PaperHoldings({}), theirs, spoil=look)
    wire.run()
    assert wire.session.events_left == 0
    assert seen == [0, 0, 5_000, *range(4_500, -1, -500)]


def test_two_sessions_do_not_share_the_numbers_of_their_questions() -> None:
    first, second = (Session(PaperHoldings({}), rng=Random(seed)) for seed in (1, 2))
    assert first.begin(NOW_MS)[0].request_id != second.begin(NOW_MS)[0].request_id
