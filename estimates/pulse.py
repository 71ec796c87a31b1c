"""How the service keeps up: what is stale, what the workers did of late, how the schedules ended.

One reading for the dashboard, `manage.py status` and the metrics.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Now

from catalog.models import Accelerator, LanguageModel, System, Vendor, Workload
from estimates.convergence.models import DURATION_BOUNDS_SECONDS, WorkTally
from estimates.from_catalog import read_workloads
from estimates.jobs.models import Job, JobState
from estimates.models import Calculation, CalculationState
from estimates.runs import active_runs
from estimates.schedules.models import Schedule, ScheduledRun, ScheduledRunState
from estimates.staleness import is_stale, stale_since

#: What "of late" means.
RECENT: Final = timedelta(minutes=5)
#: A worker that has made nothing for so long is no longer told of.
REMEMBERED: Final = timedelta(days=1)
KEPT_TIMES_ITS_COST: Final = 20
VERSIONED: Final = (Accelerator, LanguageModel, System, Vendor, Workload)
ENDED: Final = (ScheduledRunState.DONE, ScheduledRunState.FAILED)


@dataclass(frozen=True)
class Backlog:
    """Calculations, the unit of recalculation: what waits, what is under way, what was given up."""

    stale: int
    oldest_stale_seconds: float
    parked: int
    claimed: int
    runs_active: int


def backlog() -> Backlog:
    """As of now, in one pass over the calculations: at the same cost whether none or all are stale."""
    digest = read_workloads().digest
    stale = is_stale(digest)
    found = Calculation.objects.order_by().aggregate(
        stale=Count("pk", filter=stale),
        oldest=Min(stale_since(digest), filter=stale),
        parked=Count("pk", filter=Q(state=CalculationState.FAILED) & ~stale),
        claimed=Count("pk", filter=Q(claimed_until__gt=Now())),
        now=Max(Now()),
    )
    age = (found["now"] - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    return Backlog(
        stale=found["stale"],
        oldest_stale_seconds=round(max(0.0, age), 1),
        parked=found["parked"],
        claimed=found["claimed"],
        runs_active=active_runs().count(),
    )


_last: tuple[float, float, Backlog] | None = None


def backlog_of_late() -> Backlog:
    """The backlog for those who ask again and again: kept for as long as makes reading it 5% of the time.

    The age goes on while the reading is kept; what became stale meanwhile is seen with the next one.
    """
    global _last
    began = time.monotonic()
    if _last is not None and began < _last[1]:
        read_at, _, kept = _last
        age = round(kept.oldest_stale_seconds + began - read_at, 1) if kept.stale else 0.0
        return replace(kept, oldest_stale_seconds=age)
    found = backlog()
    ended = time.monotonic()
    _last = (began, ended + KEPT_TIMES_ITS_COST * (ended - began), found)
    return found


def forget_backlog() -> None:
    """The next reading asks the database."""
    global _last
    _last = None


@dataclass(frozen=True)
class Recent:
    """What was calculated within the last minutes, counted once where it was made several times."""

    seconds: float
    calculations: int
    configurations: int
    rows: int

    @property
    def configurations_per_second(self) -> float:
        return self.configurations / self.seconds

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


def recent_work() -> Recent:
    """Of calculations made within `RECENT`: a scan of their table and of their estimates."""
    seconds = RECENT.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH made AS (
                SELECT id, configurations FROM estimates_calculation
                WHERE calculated_at > statement_timestamp() - make_interval(secs => %s))
            SELECT count(*), coalesce(sum(configurations), 0),
                (SELECT count(*) FROM estimates_estimate WHERE calculation_id IN (SELECT id FROM made))
            FROM made
            """,
            [seconds],
        )
        row = cursor.fetchone()
    assert row is not None
    return Recent(seconds, int(row[0]), int(row[1]), int(row[2]))


def workers_seen() -> list[WorkTally]:
    """The tallies of workers that made something within a day, by name."""
    return list(WorkTally.objects.filter(last_at__gt=Now() - REMEMBERED).order_by("worker"))


def median_seconds(tallies: Sequence[WorkTally]) -> float | None:
    """The class of durations in which half of the chunks have ended: its upper bound; None of nothing."""
    classes = [sum(counts) for counts in zip(*(tally.durations for tally in tallies), strict=True)]
    total, seen = sum(classes), 0
    for bound, count in zip((*DURATION_BOUNDS_SECONDS, float("inf")), classes, strict=False):
        seen += count
        if count and 2 * seen >= total:
            return bound
    return None


def jobs_by_state() -> dict[str, int]:
    """Every state, those of no job with 0."""
    counted = dict(Job.objects.order_by().values_list("state").annotate(Count("pk")))
    return {state: counted.get(state, 0) for state in JobState.values}


@dataclass(frozen=True)
class LastRun:
    """How the last run of a schedule ended. None: it has not run yet."""

    schedule: str
    title: str
    state: str | None
    outcome: str
    finished_at: datetime | None
    seconds: float | None


def last_scheduled_runs() -> list[LastRun]:
    """The last ended run of each enabled schedule, by its name."""
    ended = ScheduledRun.objects.filter(state__in=ENDED, schedule__enabled=True)
    newest = ended.order_by().values("schedule").annotate(newest=Max("pk")).values("newest")
    runs = {run.schedule_id: run for run in ScheduledRun.objects.filter(pk__in=newest)}
    found = []
    for schedule in Schedule.objects.filter(enabled=True).order_by("slug"):
        run = runs.get(schedule.pk)
        length = run.duration if run is not None else None
        found.append(
            LastRun(
                schedule=schedule.slug,
                title=str(schedule),
                state=None if run is None else run.state,
                outcome="" if run is None else run.outcome or run.error,
                finished_at=None if run is None else run.finished_at,
                seconds=None if length is None else length.total_seconds(),
            )
        )
    return found


def waiting_scheduled_runs() -> int:
    """Runs of schedules that are due and not ended."""
    open_states = (ScheduledRunState.WAITING, ScheduledRunState.RUNNING)
    return ScheduledRun.objects.filter(
        Q(not_before=None) | Q(not_before__lte=Now()), Q(state__in=open_states)
    ).count()


def last_change_at() -> datetime | None:
    """When a fact that carries a version was changed last; price quotes carry none."""
    found = [model.objects.aggregate(at=Max(F("changed_at")))["at"] for model in VERSIONED]
    return max((at for at in found if at is not None), default=None)
