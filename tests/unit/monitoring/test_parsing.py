from __future__ import annotations

import pytest

from gridcheck.monitoring.parsing import parse_day, parse_time
from gridcheck.monitoring.readings import TimeLabel, day_number
from tests.support.readings import DAY

D = day_number(DAY)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("2025-12-03 00:00", (D, 0)),
        ("2025/12/3 0:15", (D, 1)),
        ("2025-12-03T23:45:00", (D, 95)),
        ("2025年12月03日 08:30", (D, 34)),
        ("20251203 0830", (D, 34)),
        ("20251203083000", (D, 34)),
        ("2025-12-03 00:00:00.000", (D, 0)),
        ("2025-12-02T16:00:00Z", (D, 0)),
        ("2025-12-03T00:00:00+08:00", (D, 0)),
        ("2025-12-03 00:00+0800", (D, 0)),
        ("2025-12-02T11:00:00-05:00", (D, 0)),
    ],
)
def test_times_labelled_by_the_start(text: str, place: tuple[int, int]) -> None:
    point = parse_time(text, TimeLabel.START)

    assert not isinstance(point, str)
    assert (point.day, point.slot) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("2025-12-03 00:15", (D, 0), id="the first quarter hour ends at 00:15"),
        pytest.param("2025-12-03 23:45", (D, 94), id="23:45 ends point 95"),
        pytest.param("2025-12-03 24:00", (D, 95), id="24:00 ends the day"),
        pytest.param("2025-12-04 00:00", (D, 95), id="midnight belongs to the day before"),
        pytest.param("2025-12-31 24:00:00", (day_number(DAY.replace(day=31)), 95), id="end of the year"),
    ],
)
def test_times_labelled_by_the_end(text: str, place: tuple[int, int]) -> None:
    point = parse_time(text, TimeLabel.END)

    assert not isinstance(point, str)
    assert (point.day, point.slot) == place


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "bad_time"),
        ("yesterday", "bad_time"),
        ("2025-12-03", "bad_time"),
        ("2025-02-30 00:00", "bad_time"),
        ("2025-12-03 25:00", "bad_time"),
        ("2025-12-03 24:15", "bad_time"),
        ("2025-12-03 00:60", "bad_time"),
        ("1999-12-03 00:00", "bad_time"),
        ("9999-12-31 23:45+00:00", "bad_time"),
        ("0001-01-01 00:00+14:00", "bad_time"),
        ("2025-12-03 00:00+99:00", "bad_time"),
        ("45994.5", "bad_time"),
        ("2025-12-03 00:07", "time_off_grid"),
        ("2025-12-03 00:15:01", "time_off_grid"),
        ("2025-12-03 24:00", "time_24_00"),
        ("２０２５-12-03 00:00", "bad_time"),
    ],
)
def test_bad_times_name_their_rule(text: str, rule: str) -> None:
    assert parse_time(text, TimeLabel.START) == rule


def test_clock_time_takes_its_date_from_another_column() -> None:
    point = parse_time("08:30", TimeLabel.START, "2025/12/3 00:00:00")

    assert not isinstance(point, str)
    assert (point.day, point.slot) == (D, 34)


def test_full_time_ignores_the_date_column() -> None:
    point = parse_time("2025-12-03 08:30", TimeLabel.START, "2025-12-09")

    assert not isinstance(point, str)
    assert point.day == D


@pytest.mark.parametrize("text", ["2025-12-03", "2025/12/3", "20251203", "2025年12月3日", "2025-12-03 00:00:00"])
def test_days(text: str) -> None:
    day = parse_day(text)

    assert not isinstance(day, str)
    assert day.day == D


@pytest.mark.parametrize("text", ["", "2025-13-01", "2025-12-03 08:00", "3.12.2025", "1899-12-31"])
def test_bad_days(text: str) -> None:
    assert parse_day(text) == "bad_time"
