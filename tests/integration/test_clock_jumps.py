"""A clock that jumps ten years either way and back, or beyond all time: nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import kioku
from tests.integration.wholeness import assert_whole, contents, problems

if TYPE_CHECKING:
    from pathlib import Path

TEN_YEARS_NS = 10 * 365 * 24 * 3_600 * 10**9


@pytest.mark.parametrize("jump_ns", [TEN_YEARS_NS, -TEN_YEARS_NS])
def test_a_clock_that_jumps_and_comes_back_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump_ns: int
) -> None:
    with kioku.open(tmp_path / "space.db") as memory, kioku.open(":memory:") as peer:
        real = memory._clock
        saved = {}
        for number, offset_ns in enumerate((0, jump_ns, jump_ns, 0, -jump_ns, 0)):
            monkeypatch.setattr(memory, "_clock", lambda offset=offset_ns: real() + offset)
            one = memory.save(f"save {number}")
            saved[one.id] = f"save {number}"
            first = next(iter(saved))
            memory.edit(first, content=f"edit {number}")
            saved[first] = f"edit {number}"
            assert contents(memory) == saved
        assert_whole(memory, saved.items())
        for chunk in memory.export_chunks():
            peer.ingest_chunk(chunk)
        # A peer shows at once what is stamped ahead of its clock, where nothing else has its key.
        assert contents(peer).keys() == saved.keys()
        assert peer.digest() == memory.digest()
        monkeypatch.setattr(peer, "_clock", lambda: real() + 3 * TEN_YEARS_NS)
        assert contents(peer) == saved
        assert problems(peer) == []
    with kioku.open(tmp_path / "space.db") as memory:
        assert_whole(memory, saved.items())
        assert memory.replica.statistics().logs == 1


@pytest.mark.parametrize("now_ns", [-(10**15), 200_000 * TEN_YEARS_NS])
def test_a_clock_beyond_all_time_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, now_ns: int
) -> None:
    with kioku.open(tmp_path / "space.db") as memory:
        kept = memory.save("kept")
        real = memory._clock
        monkeypatch.setattr(memory, "_clock", lambda: now_ns)
        with pytest.raises(kioku.KiokuError, match=r"clock|time"):
            memory.save("refused")
        monkeypatch.setattr(memory, "_clock", real)
        assert_whole(memory, [(kept.id, "kept")])
