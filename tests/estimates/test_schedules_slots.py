"""Slots of cron expressions: instants derived by hand over the changes of the clocks, and what is refused.

Europe/Berlin is UTC+1 (CET) and UTC+2 in summer (CEST). On 2026-03-29 02:00 CET becomes 03:00 CEST at 01:00
UTC; on 2026-10-25 03:00 CEST becomes 02:00 CET at 01:00 UTC. America/New_York is UTC-5 (EST), in summer
UTC-4 (EDT): on 2026-03-08 02:00 EST becomes 03:00 EDT at 07:00 UTC, on 2026-11-01 02:00 EDT becomes 01:00
EST at 06:00 UTC.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimates.schedules.slots import (
    MOST_COUNTED,
    InvalidSlots,
    check,
    last_slots,
    next_slots,
    slots_after,
    slots_between,
)

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def between(cron: str, zone: str, after: str, until: str) -> list[str]:
    return [f"{slot:%m-%d %H:%M}" for slot in slots_between(cron, zone, at(after), at(until))]


def test_a_daily_time_that_summer_time_skips_runs_at_the_first_moment_after_the_gap() -> None:
    """02:30 CET is 01:30 UTC; on the 29th there is no 02:30 and the gap ends at 01:00 UTC; then CEST."""
    found = between("30 2 * * *", BERLIN, "2026-03-27T12:00", "2026-03-30T12:00")
    assert found == ["03-28 01:30", "03-29 01:00", "03-30 00:30"]


def test_two_skipped_times_are_one_slot() -> None:
    found = between("0,30 2 * * *", BERLIN, "2026-03-28T12:00", "2026-03-30T12:00")
    assert found == ["03-29 01:00", "03-30 00:00", "03-30 00:30"]


def test_a_daily_time_that_winter_time_doubles_runs_the_first_time_only() -> None:
    """02:30 CEST is 00:30 UTC, once; the second 02:30 (01:30 UTC) does not run. From then on CET."""
    found = between("30 2 * * *", BERLIN, "2026-10-23T12:00", "2026-10-26T12:00")
    assert found == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]


def test_steps_follow_the_time_that_passes() -> None:
    """In March 01:30 CET (00:30 UTC) is followed by 03:00 CEST (01:00 UTC): nothing is skipped in UTC."""
    found = between("*/30 * * * *", BERLIN, "2026-03-29T00:00", "2026-03-29T02:00")
    assert found == ["03-29 00:30", "03-29 01:00", "03-29 01:30", "03-29 02:00"]
    found = between("0 * * * *", BERLIN, "2026-10-24T23:30", "2026-10-25T02:30")
    assert found == ["10-25 00:00", "10-25 01:00", "10-25 02:00"]


def test_steps_within_a_skipped_hour_do_not_run_and_within_a_doubled_one_run_twice() -> None:
    """Minutes 0, 20, 40 of hour 2: none on the 29th; from 00:00 to 01:40 UTC on the 25th of October."""
    cron = "*/20 2 * * *"
    assert between(cron, BERLIN, "2026-03-28T12:00", "2026-03-29T12:00") == []
    found = between(cron, BERLIN, "2026-10-24T12:00", "2026-10-25T12:00")
    assert found == [f"10-25 {hour:02}:{minute:02}" for hour in (0, 1) for minute in (0, 20, 40)]


def test_the_same_in_new_york() -> None:
    """02:30 EST is 07:30 UTC, the gap ends at 07:00 UTC; 01:30 EDT is 05:30 UTC and comes first."""
    found = between("30 2 * * *", NEW_YORK, "2026-03-07T00:00", "2026-03-09T12:00")
    assert found == ["03-07 07:30", "03-08 07:00", "03-09 06:30"]
    found = between("30 1 * * *", NEW_YORK, "2026-10-31T00:00", "2026-11-02T12:00")
    assert found == ["10-31 05:30", "11-01 05:30", "11-02 06:30"]


def test_who_begins_within_the_second_pass_of_a_doubled_hour_is_not_sent_back_to_the_first() -> None:
    """01:15 UTC on the 25th is 02:15 CET; 02:30 CEST has passed, the next 02:30 is tomorrow's."""
    assert next_slots("30 2 * * *", BERLIN, at("2026-10-25T01:15"), 1) == [at("2026-10-26T01:30")]


@given(
    st.sampled_from(["*/7 * * * *", "13 */3 * * *", "0,30 2 * * *", "30 1-3 * * SUN", "5 4 1 * *"]),
    st.sampled_from([BERLIN, NEW_YORK, "UTC", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]),
    st.integers(0, 365 * 24 * 60),
)
def test_slots_are_the_same_wherever_one_begins(cron: str, zone: str, minutes: int) -> None:
    """Going on from any slot gives what went on before: nothing repeated, nothing left out."""
    start = at("2026-01-01T00:00") + timedelta(minutes=minutes)
    slots = next_slots(cron, zone, start, 8)
    assert all(earlier < later for earlier, later in pairwise([start, *slots]))
    for position, slot in enumerate(slots[:-1]):
        assert next(slots_after(cron, zone, slot)) == slots[position + 1]


def test_after_a_long_absence_the_last_slots_are_found_and_the_count_is_a_lower_bound() -> None:
    missed = last_slots("* * * * *", "UTC", at("2016-01-01T00:00"), at("2026-01-01T00:00"), 501)
    assert (len(missed.last), missed.count, missed.exact) == (501, MOST_COUNTED, False)
    assert missed.last[-1] == at("2026-01-01T00:00")
    assert missed.last[0] == at("2026-01-01T00:00") - timedelta(minutes=500)
    few = last_slots("0 0 * * *", "UTC", at("2026-01-01T00:00"), at("2026-01-11T00:00"), 4)
    assert (len(few.last), few.count, few.exact) == (4, 10, True)


@pytest.mark.parametrize(
    "cron",
    [
        "", "* * * *", "0 * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 9",
        "@daily", "*/0 * * * *", "5-1 * * * *", "a b c d e", "1,, * * * *", "0 0 30 2 *", "٣ * * * *",
        "* * * * ²L", "0 0 31 4,6 *", "0 0 L/2 * MON#9",
    ],
)  # fmt: skip
def test_what_is_no_expression_or_has_no_slot_is_refused_with_what_is_accepted(cron: str) -> None:
    with pytest.raises(InvalidSlots, match="is not accepted; accepted: ") as caught:
        check(cron, BERLIN)
    assert caught.value.field == "cron"


@given(st.text(alphabet="0123456789*/,-#LW MONTUEan\t", max_size=30))
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    try:
        check(text, BERLIN)
    except InvalidSlots:
        return
    assert next_slots(text, BERLIN, at("2026-01-01T00:00"), 2)[0] > at("2026-01-01T00:00")


@pytest.mark.parametrize("zone", ["", "Berlin", "Europe/Berln", "../etc/passwd", "Mars/Olympus"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(InvalidSlots) as caught:
        check("0 0 * * *", zone)
    assert caught.value.field == "time_zone"


def test_a_zone_that_is_nearly_right_names_the_right_one() -> None:
    with pytest.raises(InvalidSlots, match="Europe/Berlin"):
        check("0 0 * * *", "europe/berlin")
