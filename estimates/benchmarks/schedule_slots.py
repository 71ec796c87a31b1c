"""Slots of schedules through two beats whose clocks jump, over both changes of the clocks: runs per slot.

What must run is derived here without the cron library: minute by minute for steps, date by date for fixed
times. What did run is counted from a table of its own that each run writes in the transaction that marks it
done, without a unique key: a slot that ran twice is there twice.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, connections, transaction

from estimates.schedules import ledger
from estimates.schedules.models import CatchUp, Schedule, ScheduledRun, ScheduledRunState, ScheduleKind

CLAIMED_AT_ONCE: Final = 100
#: The work of claimed runs: a row for each and the mark that it is done, for those still this worker's.
_WORK: Final = """
    WITH done AS (
        UPDATE estimates_scheduledrun run
        SET state = 'done', leased_until = NULL, finished_at = clock_timestamp()
        FROM unnest(%s::bigint[], %s::int[]) AS claim (id, attempt)
        WHERE run.id = claim.id AND run.state = 'running' AND run.attempts = claim.attempt
        RETURNING run.schedule_id, run.slot)
    INSERT INTO trial_effect SELECT schedule_id, slot FROM done
"""
START: Final = datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC)
END: Final = datetime(2026, 11, 10, 0, 0, 30, tzinfo=UTC)
TICKS: Final = 30
LARGEST_JUMP: Final = timedelta(days=20)
MINUTE: Final = timedelta(minutes=1)
ZONES: Final = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # changes by half an hour
    "America/St_Johns",
    "Asia/Kathmandu",
    "UTC",
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """Minutes and hours of every day; fixed local times, or steps that follow the time that passes."""

    cron: str
    minutes: frozenset[int]
    hours: frozenset[int]
    fixed: bool


def _pattern(cron: str, minutes: set[int], hours: set[int], fixed: bool) -> Pattern:
    return Pattern(cron, frozenset(minutes), frozenset(hours), fixed)


PATTERNS: Final = (
    _pattern("30 2 * * *", {30}, {2}, fixed=True),
    _pattern("30 1 * * *", {30}, {1}, fixed=True),
    _pattern("0,30 2 * * *", {0, 30}, {2}, fixed=True),
    _pattern("15,45 1-3 * * *", {15, 45}, {1, 2, 3}, fixed=True),
    _pattern("*/20 2 * * *", {0, 20, 40}, {2}, fixed=False),
    _pattern("10 */6 * * *", {10}, {0, 6, 12, 18}, fixed=False),
)


def expected_slots(pattern: Pattern, zone: ZoneInfo) -> set[datetime]:
    """Every slot in (START, END], by the rules of `estimates.schedules.slots`, the slow way."""
    found = set(_fixed(pattern, zone) if pattern.fixed else _steps(pattern, zone))
    return {slot for slot in found if START < slot <= END}


def _fixed(pattern: Pattern, zone: ZoneInfo) -> Iterator[datetime]:
    """Each local time of each date, the first of two; one that does not exist, at the end of its gap."""
    day: date = START.date() - timedelta(days=1)
    while day <= END.date() + timedelta(days=1):
        for hour in pattern.hours:
            for minute in pattern.minutes:
                wall = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001
                while (instant := wall.replace(tzinfo=zone).astimezone(UTC)).astimezone(zone).replace(
                    tzinfo=None
                ) != wall:
                    wall += MINUTE
                yield instant
        day += timedelta(days=1)


def _steps(pattern: Pattern, zone: ZoneInfo) -> Iterator[datetime]:
    """Each minute that passes while the clock on the wall shows a minute and an hour of the pattern."""
    instant = START.replace(second=0)
    while instant <= END:
        wall = instant.astimezone(zone)
        if wall.hour in pattern.hours and wall.minute in pattern.minutes:
            yield instant
        instant += MINUTE * 5  # every pattern and every zone's offset is a multiple of five minutes


@dataclass(slots=True)
class Tried:
    """What the trial found. `slots` are of schedules that catch up with each; `latest_*` of the others."""

    slots: int
    runs: int
    least_runs_per_slot: int
    most_runs_per_slot: int
    unexpected_runs: int
    latest_slots: int
    latest_runs: int
    latest_covered: int
    latest_unaccounted: int
    beats: int
    ticks: int
    jumps: int
    schedules: int
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether every slot ran once and nothing else ran."""
        each = (self.least_runs_per_slot, self.most_runs_per_slot) == (1, 1)
        return each and self.unexpected_runs == 0 and self.latest_unaccounted == 0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def try_slots(slots: int = 10_000, beats: int = 2, seed: int = 1) -> Tried:
    """Run at least so many slots through beats at once. Writes to the database: give it one of its own."""
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS trial_effect")
        cursor.execute("CREATE TABLE trial_effect (schedule bigint, slot timestamptz)")
    expected = _schedules(slots)
    with ThreadPoolExecutor(beats) as pool:
        told = list(pool.map(_beat, [seed * 1_000 + number for number in range(beats)]))
    return _tried(expected, beats, sum(ticks for ticks, _ in told), sum(jumps for _, jumps in told), began)


def _schedules(slots: int) -> dict[int, tuple[str, set[datetime]]]:
    """Schedules until they have the slots, some that catch up with the latest only: what each expects."""
    expected: dict[int, tuple[str, set[datetime]]] = {}
    known: dict[tuple[Pattern, str], set[datetime]] = {}
    total = number = 0
    while total < slots:
        pattern = PATTERNS[number % len(PATTERNS)]
        zone = ZONES[number // len(PATTERNS) % len(ZONES)]
        catch_up = CatchUp.LATEST if number % 12 == 7 else CatchUp.EACH
        if (pattern, zone) not in known:
            known[pattern, zone] = expected_slots(pattern, ZoneInfo(zone))
        schedule = Schedule.objects.create(
            slug=f"trial-{number}",
            title=f"{pattern.cron} in {zone}",
            kind=ScheduleKind.PRUNING,
            cron=pattern.cron,
            time_zone=zone,
            catch_up=catch_up,
            counts_from=START,
        )
        found = known[pattern, zone]
        expected[schedule.pk] = (catch_up, found)
        total += len(found) if catch_up == CatchUp.EACH else 0
        number += 1
    return expected


def _beat(seed: int) -> tuple[int, int]:
    """One beat and worker with a connection of its own and a clock that jumps; its ticks and jumps."""
    chance = random.Random(seed)
    jumps = 0
    try:
        for step in range(TICKS + 1):
            now = START + (END - START) * step / TICKS
            if chance.random() < 0.3:
                jumps += 1
                now = min(max(START, now + LARGEST_JUMP * chance.uniform(-1, 1)), END)
            _tick(now)
        while _tick(END) or _open():
            pass
    finally:
        connections.close_all()
    return TICKS + 1, jumps


def _tick(now: datetime) -> int:
    """Open what is due and work on what waits, many runs in one transaction; how many slots were opened."""
    opened = ledger.open_due(now)
    while claims := ledger.claim(CLAIMED_AT_ONCE):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_WORK, [[one.run for one in claims], [one.attempt for one in claims]])
    return opened


def _open() -> bool:
    states = [ScheduledRunState.WAITING, ScheduledRunState.RUNNING]
    return ScheduledRun.objects.filter(state__in=states).exists()


def _tried(
    expected: dict[int, tuple[str, set[datetime]]], beats: int, ticks: int, jumps: int, began: float
) -> Tried:
    with connection.cursor() as cursor:
        cursor.execute("SELECT schedule, slot FROM trial_effect")
        ran = Counter(cursor.fetchall())
    latest = [pk for pk, (catch_up, _) in expected.items() if catch_up == CatchUp.LATEST]
    wanted = [(pk, slot) for pk, (_, slots) in expected.items() if pk not in latest for slot in slots]
    per_slot = [ran[key] for key in wanted]
    entered = Counter(
        ScheduledRun.objects.filter(schedule__in=latest).values_list("schedule", "slot", "state")
    )
    accounted: Counter[tuple[int, datetime | None]] = Counter()
    for (pk, slot, state), count in entered.items():
        done = state == ScheduledRunState.DONE and ran[pk, slot] == 1
        covered = state == ScheduledRunState.COVERED and ran[pk, slot] == 0
        accounted[pk, slot] += count if done or covered else 2
    latest_slots = [(pk, slot) for pk in latest for slot in expected[pk][1]]
    allowed = {*wanted, *latest_slots}
    return Tried(
        slots=len(wanted),
        runs=sum(per_slot),
        least_runs_per_slot=min(per_slot),
        most_runs_per_slot=max(per_slot),
        unexpected_runs=sum(count for key, count in ran.items() if key not in allowed),
        latest_slots=len(latest_slots),
        latest_runs=sum(ran[key] for key in latest_slots),
        latest_covered=sum(
            count for (_, _, state), count in entered.items() if state == ScheduledRunState.COVERED
        ),
        latest_unaccounted=sum(accounted[key] != 1 for key in latest_slots)
        + sum(key not in allowed for key in accounted),
        beats=beats,
        ticks=ticks,
        jumps=jumps,
        schedules=len(expected),
        seconds=round(time.monotonic() - began, 1),
    )
