"""Sums by prefix: after any updates they are what a list of all tips adds up to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.errors import MalformedMessageError
from kioku.log.frontier import Frontier, Tip
from kioku.log.prefix import PrefixSums

STARTS = st.sampled_from((b"", b"\x12\x34", b"\x12\x35", b"\xff"))


def _log_id(start: bytes, end: int) -> bytes:
    return (start + bytes(16))[:14] + end.to_bytes(2, "big")


# Ids that share long prefixes and come in runs, so that a few runs already make a deep trie.
LOG_IDS = st.builds(_log_id, STARTS, st.integers(0, 400))
TIPS = st.sets(st.integers(1, 9), max_size=3)
RUNS = st.builds(
    lambda start, first, count, tips: [(_log_id(start, first + n), tips) for n in range(count)],
    STARTS,
    st.integers(0, 400),
    st.integers(1, 40),
    TIPS,
)
UPDATES = st.lists(RUNS, max_size=8).map(lambda runs: [one for run in runs for one in run])
EVERY_DIGIT = "0123456789abcdef"


def _tips(log_id: bytes, seqs: set[int]) -> list[Tip]:
    return sorted(Tip(log_id, seq, bytes([seq]) * 32) for seq in seqs)


def _naive_sums(tips: list[Tip], prefix: str) -> list[bytes]:
    sums = []
    for digit in EVERY_DIGIT:
        under = [tip for tip in tips if tip.log_id.hex().startswith(prefix + digit)]
        sums.append(Frontier(under).digest()[:16])
    return sums


def _check(sums: PrefixSums, logs: dict[bytes, list[Tip]], prefix: str) -> None:
    tips = sorted(tip for of_log in logs.values() for tip in of_log)
    under = [tip for tip in tips if tip.log_id.hex().startswith(prefix)]
    assert sums.tips(prefix) == under
    assert sums.count(prefix) == len(under)
    assert sums.sums(prefix) == _naive_sums(tips, prefix)
    assert sums.digest() == Frontier(tips).digest()


@given(UPDATES, UPDATES, st.data())
def test_sums_equal_those_of_a_list_after_any_updates(
    built: list[tuple[bytes, set[int]]], updates: list[tuple[bytes, set[int]]], data: st.DataObject
) -> None:
    logs = {log_id: _tips(log_id, seqs) for log_id, seqs in built}
    sums = PrefixSums(logs.items())
    for log_id, seqs in updates:
        logs[log_id] = _tips(log_id, seqs)
        sums.put(log_id, logs[log_id])
    for log_id, tips in logs.items():
        assert sums.tips_of(log_id) == tips
    some_id = data.draw(LOG_IDS).hex()
    for length in (0, 1, 3, 4, 28, 29, 30, 31, 32):
        _check(sums, logs, some_id[:length])


@given(UPDATES)
def test_what_is_built_at_once_equals_what_is_put_one_by_one(
    built: list[tuple[bytes, set[int]]],
) -> None:
    logs = {log_id: _tips(log_id, seqs) for log_id, seqs in built}
    one_by_one = PrefixSums()
    for log_id, tips in logs.items():
        one_by_one.put(log_id, tips)
    at_once = PrefixSums(logs.items())
    for prefix in ("", "1", "12", "1234", "ff", "0000000000"):
        assert one_by_one.sums(prefix) == at_once.sums(prefix)
        assert one_by_one.tips(prefix) == at_once.tips(prefix)


@pytest.mark.parametrize("prefix", ["g", "A", " ", "1z", "ö"])
def test_a_prefix_that_is_none_is_refused(prefix: str) -> None:
    with pytest.raises(MalformedMessageError, match="hex digits"):
        PrefixSums().tips(prefix)


def test_a_prefix_longer_than_an_id_has_nothing_under_it() -> None:
    tips = _tips(bytes(16), {1})
    sums = PrefixSums([(bytes(16), tips)])
    assert sums.tips("0" * 33) == []
    assert sums.count("0" * 33) == 0
    assert sums.sums("0" * 32) == [bytes(16)] * 16
