"""Frontiers are sets of tips, with one encoding and a digest that any order gives."""

from __future__ import annotations

import cbor2
import pytest

from kioku.errors import MalformedMessageError
from kioku.log.frontier import TIPS_MAX, Frontier, Tip

TIPS = [
    Tip(bytes([log]) * 16, seq, bytes([log + seq]) * 32) for log, seq in ((1, 5), (1, 6), (2, 1))
]


def test_a_frontier_is_its_set_of_tips() -> None:
    frontier = Frontier([*reversed(TIPS), TIPS[0]])
    assert frontier == Frontier(TIPS)
    assert hash(frontier) == hash(Frontier(TIPS))
    assert list(frontier) == TIPS
    assert len(frontier) == 3
    assert TIPS[0] in frontier
    assert TIPS[0]._replace(seq=7) not in frontier
    assert frontier.of_log(TIPS[0].log_id) == TIPS[:2]
    assert frontier.of_log(bytes(16)) == []
    assert frontier.digest().hex()[:16] in repr(frontier)


def test_an_empty_frontier_has_the_zero_digest() -> None:
    assert Frontier().digest() == bytes(32)
    assert Frontier.from_bytes(b"\x80") == Frontier()


FORMS: dict[str, object] = {
    "a repeated tip": [list(TIPS[0])] * 2,
    "tips out of order": [list(TIPS[1]), list(TIPS[0])],
    "no list": {},
    "a short log id": [[b"x", 1, bytes(32)]],
    "a short hash": [[bytes(16), 1, b"x"]],
    "seq 0": [[bytes(16), 0, bytes(32)]],
    "a seq over the limit": [[bytes(16), 1 << 63, bytes(32)]],
    "a seq that is no number": [[bytes(16), True, bytes(32)]],
    "a field too many": [[bytes(16), 1, bytes(32), 0]],
    "a tip too many": [0] * (TIPS_MAX + 1),
}


@pytest.mark.parametrize("value", FORMS.values(), ids=FORMS.keys())
def test_what_is_no_frontier_is_refused(value: object) -> None:
    with pytest.raises(MalformedMessageError, match=r"^frontier: "):
        Frontier.from_bytes(cbor2.dumps(value))
