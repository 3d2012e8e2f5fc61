"""When a sync is over: level after a comparison, out of time, or when nothing moves any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from jsonschema import validate

from kioku.cli import syncing
from kioku.cli.progress import Work
from kioku.cli.schemas import schema
from kioku.errors import PeerUnreachableError
from tests.unit.looks import engine, peer

if TYPE_CHECKING:
    from kioku.node.statistics import EngineStatistics

DOCTOR = "kioku doctor looks for what is in the way"
BARE = "a router answers, and no kioku there shares this space"
BEGAN_S = 1_000.0
LEVEL = engine(peer())
ALONE = engine()


class Played:
    """A node that gives one look after the other; each takes as long as a pause between two."""

    def __init__(self, patch: pytest.MonkeyPatch, *looks: EngineStatistics | None) -> None:
        self._looks = list(looks)
        self.asked = 0
        self.now = BEGAN_S
        self.compared = 0
        self.work = Work("testing")
        patch.setattr("kioku.cli.syncing.time", self)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def _look(self) -> syncing._Outcome:
        found = self._looks[min(self.asked, len(self._looks) - 1)]
        self.asked += 1
        return syncing._Outcome(found, "", is_bare=False)

    def _compare(self) -> None:
        self.compared += 1

    def converge(self, timeout_s: float | None = None) -> syncing._Outcome:
        return syncing._converge(self._look, self._compare, self.work, timeout_s)


def test_who_was_level_before_is_compared_with_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    played = Played(monkeypatch, LEVEL)
    assert played.converge().is_level
    assert (played.compared, played.asked) == (1, 2)


def test_it_is_not_over_while_a_comparison_is_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    comparing = engine(peer(), is_comparing=True)
    played = Played(monkeypatch, LEVEL, comparing, comparing, LEVEL)
    assert played.converge().is_level
    assert played.asked == 4


def test_as_long_as_something_moves_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = [
        engine(peer(is_level=False, behind=left), events_left=left) for left in range(3_000, 0, -1)
    ]
    played = Played(monkeypatch, *looks, LEVEL)
    assert played.converge().is_level
    assert played.now - BEGAN_S > 2 * syncing.STILL_S
    assert (played.work.done, played.work.total) == (3_000, 3_000)


def test_where_nothing_moves_it_ends_with_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = engine(peer(is_level=False, behind=7, problem="timeout"), events_left=7)
    played = Played(monkeypatch, stuck)
    outcome = played.converge()
    assert played.now - BEGAN_S == pytest.approx(syncing.STILL_S, abs=1)
    assert str(syncing._left(outcome)) == "not level with alpha (7 to come, timeout)"


def test_a_time_that_was_given_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = [engine(peer(is_level=False, behind=n), events_left=n) for n in range(9_000, 0, -1)]
    played = Played(monkeypatch, *moving)
    assert not played.converge(3).is_level
    assert played.now - BEGAN_S == pytest.approx(3, abs=1)


def test_who_reaches_nobody_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(monkeypatch, None, ALONE)
    outcome = played.converge()
    assert played.compared == 0
    bare = outcome._replace(is_bare=True, problem="no hub answers")
    for error, said in (
        (syncing._left(outcome), f"no peer is reached; {DOCTOR}"),
        (syncing._left(bare), f"no peer is reached; {BARE}; no hub answers; {DOCTOR}"),
    ):
        assert isinstance(error, PeerUnreachableError)
        assert str(error) == said


def test_who_reaches_nobody_does_not_know_what_is_left() -> None:
    """What a peer that is gone had shown is still known to be there."""
    gone = engine(peer(is_level=False, is_reachable=False, behind=3), events_left=3)
    for found, left in ((None, None), (ALONE, None), (gone, 3), (LEVEL, 0)):
        told = syncing._json(syncing._Outcome(found, "", is_bare=False))
        assert told["events_left"] == left
        validate(told, schema("sync"))
