"""One-line sabotages of the hybrid logical clock: what it issues, and what moves it."""

from __future__ import annotations

from tests.sabotage.change import Change

CLOCK = "kioku/log/hlc.py"
TRANSACTION = "kioku/transaction.py"

CLOCK_TESTS = "tests/property/test_hlc.py"
CLOCKS_TESTS = "tests/property/test_clocks.py"
FOUND_TESTS = "tests/property/test_found.py"
OWNER_TESTS = "tests/unit/log/test_owner.py"

CLOCK_GROUPS: dict[str, list[Change]] = {
    "hlc": [
        Change(
            "a stamp may repeat",
            CLOCK,
            "stamp = max(pack(wall_ms), last + 1)",
            "stamp = max(pack(wall_ms), last)",
            CLOCK_TESTS,
        ),
        Change(
            "a wall that goes back takes the stamps along",
            CLOCK,
            "stamp = max(pack(wall_ms), last + 1)",
            "stamp = pack(wall_ms)",
            CLOCK_TESTS,
        ),
        Change(
            "a stamp far ahead moves our clock",
            CLOCK,
            "return max(last, stamp) if stamp <= horizon(wall_ms) else last",
            "return max(last, stamp)",
            CLOCK_TESTS,
        ),
        Change(
            "reading an older stamp sets our clock back",
            CLOCK,
            "return max(last, stamp) if stamp <= horizon(wall_ms) else last",
            "return stamp if stamp <= horizon(wall_ms) else last",
            CLOCK_TESTS,
        ),
        Change(
            "the clock does not follow what was read",
            TRANSACTION,
            "        self._observe((entry.hlc for entry in entries), now_ms)\n",
            "",
            CLOCKS_TESTS,
        ),
        Change(
            "the clock does not follow what was released",
            TRANSACTION,
            "            self._observe((newest_due,), now_ms)\n",
            "",
            OWNER_TESTS,
        ),
        Change(
            "an import may be stamped years ahead",
            "kioku/log/draft.py",
            "yield draft.hlc if draft.hlc <= trusts else pack(now_ms)",
            "yield draft.hlc",
            FOUND_TESTS,
        ),
    ],
}
