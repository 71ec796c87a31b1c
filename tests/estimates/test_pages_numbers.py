"""Numbers for people: three significant digits, aligned, with SI prefixes, and ages in words."""

from datetime import date

import pytest

from estimates.pages.numbers import age, aligned, duration, prefixed, significant


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.012345, "0.0123"),
        (0.9999, "1.00"),
        (12.345, "12.3"),
        (999.6, "1,000"),
        (84210.0, "84,200"),
        (0, "0"),
    ],
)
def test_three_significant_digits_without_an_exponent(value: float, text: str) -> None:
    assert significant(value) == text


def test_a_column_stands_on_one_decimal_point() -> None:
    """Figure and punctuation spaces stand for the missing digits and point, so that all have one width."""
    column = [aligned(value, 2) for value in (0.42, 12.3, 104.0)]
    assert column == ["0.42", "12.3\u2007", "104\u2008\u2007\u2007"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.35e12, "B/s", "3.35 TB/s"),
        (989e12, "FLOP/s", "989 TFLOP/s"),
        (450e9, "B/s", "450 GB/s"),
        (12, "B", "12.0 B"),
    ],
)
def test_si_prefixes(value: float, unit: str, text: str) -> None:
    assert prefixed(value, unit) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.0, "2.00 s"), (0.0124, "12.4 ms"), (8.4e-4, "840 µs"), (5e-8, "50.0 ns"), (0, "0")],
)
def test_durations_in_the_unit_a_person_would_say(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 6, 30), "today"),
        (date(2026, 6, 29), "1 day"),
        (date(2026, 5, 2), "59 days"),
        (date(2026, 1, 1), "6 months"),
        (date(2023, 6, 30), "3 years"),
    ],
)
def test_ages(day: date, text: str) -> None:
    assert age(day, date(2026, 6, 30)) == text
