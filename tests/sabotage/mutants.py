"""The list of one-line sabotages: what is broken, and the tests that must notice.

The old line must stand exactly once in its file, so a mutant cannot drift silently from the code.
Add one for every rule that a test is meant to hold.
"""

from __future__ import annotations

from typing import NamedTuple

LAW = "kioku/crdt/lww_set.py"
CLOCK = "kioku/log/hlc.py"
SEAL = "kioku/log/seal.py"
CHUNK = "kioku/log/chunk.py"
TRANSFER = "kioku/log/transfer.py"

LAW_TESTS = "tests/property/test_lww_set.py"
CLOCK_TESTS = "tests/property/test_hlc.py"
CODEC_TESTS = "tests/property/test_codec.py"
REFUSAL_TESTS = "tests/property/test_refusals.py"


class Change(NamedTuple):
    """One line of one file, made wrong, and the tests that must turn red."""

    what: str
    path: str
    old: str
    new: str
    tests: str


class Mutant(NamedTuple):
    """A change with its place in the list."""

    group: str
    number: int
    change: Change

    @property
    def name(self) -> str:
        """What the report calls it."""
        return f"{self.group}-{self.number}"


GROUPS: dict[str, list[Change]] = {
    "merge": [
        Change(
            "merge drops our retractions",
            LAW,
            "retracted=self.retracted | other.retracted,",
            "retracted=other.retracted,",
            LAW_TESTS,
        ),
        Change(
            "merge keeps only what both sides have",
            LAW,
            "candidates=self.candidates | other.candidates,",
            "candidates=self.candidates & other.candidates,",
            LAW_TESTS,
        ),
        Change(
            "a tie of stamps is broken by arrival",
            LAW,
            "max(counting, key=lambda event: event.order, default=None)",
            "max(counting, key=lambda event: event.hlc, default=None)",
            LAW_TESTS,
        ),
        Change(
            "a tombstone is shown as if it were a save",
            LAW,
            "if event is None or event.kind != SAVE or not self.has_body(event):",
            "if event is None or not self.has_body(event):",
            LAW_TESTS,
        ),
        Change(
            "a held event beats one that counts",
            LAW,
            "event = winner or self._greatest(self.held, key)",
            "event = self._greatest(self.held, key) or winner",
            LAW_TESTS,
        ),
        Change(
            "a purge waits for the clock",
            LAW,
            "return kind in CANDIDATE_KINDS and hlc > horizon(now_ms)",
            "return hlc > horizon(now_ms)",
            LAW_TESTS,
        ),
    ],
    "chain": [
        Change(
            "events of a chunk are not linked",
            CHUNK,
            "        self.prev = digest\n",
            "",
            CODEC_TESTS,
        ),
        Change(
            "a genesis may stand anywhere",
            CHUNK,
            "        check_place(event.kind, self.seq)\n",
            "",
            REFUSAL_TESTS,
        ),
        Change(
            "bytes in another encoding pass",
            CHUNK,
            '    check_canonical(value, data, "chunk")\n',
            "",
            CODEC_TESTS,
        ),
        Change(
            "a body that is not the one committed to passes",
            CHUNK,
            "if commit(salt, body) != event.commitment:",
            "if commit(salt, body) == b'':",
            REFUSAL_TESTS,
        ),
    ],
    "seal": [
        Change(
            "a seal does not say which event of the log it is for",
            SEAL,
            "return encode([_TITLE, event.log_id, event.seq, event.hash])",
            "return encode([_TITLE, event.log_id])",
            CODEC_TESTS,
        ),
        Change(
            "a seal that does not verify passes",
            SEAL,
            "    except (InvalidSignature, ValueError) as error:",
            "    except InvalidSignature:\n        return\n    except ValueError as error:",
            CODEC_TESTS,
        ),
        Change(
            "a genesis may hold another log's key",
            CHUNK,
            "elif log_id_of(decode_genesis(event.body).public_key) != self.log_id:",
            "elif not decode_genesis(event.body).public_key:",
            REFUSAL_TESTS,
        ),
    ],
    "retract": [
        Change(
            "a retract erases a retract",
            LAW,
            "PERMANENT_KINDS = (PURGE, GENESIS, RETRACT)",
            "PERMANENT_KINDS = (PURGE, GENESIS)",
            LAW_TESTS,
        ),
        Change(
            "a retracted event still wins",
            LAW,
            "event for event in events if event.key == key and not self.is_retracted(event)",
            "event for event in events if event.key == key",
            LAW_TESTS,
        ),
    ],
    "purge": [
        Change(
            "the winner of a purged key is still named",
            LAW,
            "return None if self.is_purged(key) else self._greatest(self.candidates, key)",
            "return self._greatest(self.candidates, key)",
            LAW_TESTS,
        ),
        Change(
            "a purge erases no body",
            LAW,
            "return self.is_purged(event.key) or self.is_retracted(event)",
            "return self.is_retracted(event)",
            LAW_TESTS,
        ),
    ],
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
    ],
}

MUTANTS = [
    Mutant(group, number, change)
    for group, changes in GROUPS.items()
    for number, change in enumerate(changes, 1)
]
