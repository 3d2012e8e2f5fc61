"""The words that people type for lists, times, ages and contents."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kioku.cli.arguments import days, moment, names


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a,b", ["a", "b"]), (" a , b ,, ", ["a", "b"]), ("", []), (",", []), ("a b", ["a b"])],
)
def test_a_comma_list_drops_spaces_and_empty_items(text: str, expected: list[str]) -> None:
    assert names(text) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_in_utc_is_itself_with_its_zone_or_without(value: datetime) -> None:
    assert moment(value.isoformat()) == value
    assert moment(value.replace(tzinfo=None).isoformat()) == value


def test_a_date_is_its_first_moment() -> None:
    assert moment("2026-05-22") == datetime(2026, 5, 22, tzinfo=UTC)


def test_a_zone_is_honoured() -> None:
    in_tokyo = datetime(2026, 5, 22, 9, tzinfo=timezone(timedelta(hours=9)))
    assert moment("2026-05-22T09:00:00+09:00") == in_tokyo
    assert moment("2026-05-22T00:00:00Z") == in_tokyo


@pytest.mark.parametrize(
    "text", ["", "now", "2026-02-30", "12:00", "0001-01-01T00:00+14:00", "1e9", "-1"]
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="2026-05-22"):
        moment(text)


@pytest.mark.parametrize(("text", "hours"), [("0", 0), ("1", 24), ("0.5", 12), ("365", 8_760)])
def test_days_may_be_fractions(text: str, hours: int) -> None:
    assert days(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["-1", "-0.1", "nan", "inf", "1e30", "", "a week"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="number of days"):
        days(text)
