"""The list of sabotages keeps up with the code; running them is ``make sabotage``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sabotage.__main__ import drift
from tests.sabotage.mutants import GROUPS, MUTANTS

if TYPE_CHECKING:
    from tests.sabotage.change import Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_sabotaged_line_stands_exactly_once_in_its_file(mutant: Mutant) -> None:
    assert drift(mutant.change) is None


@pytest.mark.parametrize("rule", ["merge", "chain", "seal", "purge", "retract", "hlc", "fold"])
def test_every_rule_is_sabotaged_in_three_ways_at_least(rule: str) -> None:
    assert len(GROUPS[rule]) >= 3
