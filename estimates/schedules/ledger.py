"""The ledger: opens due slots once, hands runs to workers, keeps how they ended.

Time is the database's (`clock_timestamp()`), on whichever machine beat and workers run; a test gives its own
to `open_due`. Slots go into the ledger under the lock of their schedule, `ON CONFLICT DO NOTHING`: beats that
tick at once, or with clocks that differ, open each slot once. A schedule goes on from its last slot that is
not in the future, so that a clock that ran ahead and came back neither repeats nor withholds anything.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest, Now

from estimates.schedules import slots
from estimates.schedules.models import CatchUp, Schedule, ScheduledRun, ScheduledRunState
from estimates.worker import this_process

log = logging.getLogger(__name__)

MOST_ATTEMPTS: Final = 3
#: Of missed slots that one run covers, so many (the last) have a row of their own; the count tells of all.
MOST_COVERED_ROWS: Final = 500
#: Missed slots of a schedule that runs `each`, opened in one tick; the next tick goes on.
EACH_AT_ONCE: Final = 200
LONGEST_LOG: Final = 20_000
RETRY_AFTER: Final = timedelta(seconds=30)

_CLAIM: Final = """
    WITH open AS MATERIALIZED (
        SELECT id FROM estimates_scheduledrun
        WHERE state IN ('waiting', 'running')
          AND ((state = 'waiting' AND (not_before IS NULL OR not_before <= clock_timestamp()))
            OR (state = 'running' AND leased_until < clock_timestamp()))
          AND (%(only)s::bigint IS NULL OR id = %(only)s)
        ORDER BY slot NULLS FIRST, id
        LIMIT %(most)s
        FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE estimates_scheduledrun run
    SET state = 'running', attempts = run.attempts + 1, worker = %(worker)s, not_before = NULL,
        started_at = clock_timestamp(), leased_until = clock_timestamp() + %(lease)s * interval '1 second'
    FROM open WHERE run.id = open.id
    RETURNING run.id, run.schedule_id, run.slot, run.attempts
"""
_LOG: Final = """
    UPDATE estimates_scheduledrun
    SET log = right(log || %(text)s, %(longest)s),
        leased_until = clock_timestamp() + %(lease)s * interval '1 second'
    WHERE id = %(pk)s AND state = 'running' AND attempts = %(attempt)s
"""


class Lost(Exception):  # noqa: N818
    """The run is no longer this worker's: its lease had lapsed and another took it, or it is gone."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run in this worker's hands."""

    run: int
    schedule: int
    slot: datetime | None
    attempt: int


def database_now() -> datetime:
    """The time of the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


def lease_seconds() -> int:
    return int(settings.ATLAS_SCHEDULE_LEASE_SECONDS)


def open_due(now: datetime | None = None) -> int:
    """Enter every slot that is due and not yet in the ledger; how many rows were added."""
    now = database_now() if now is None else now
    # Changed while the clock ran ahead: without this, nothing would run until it gets there again.
    Schedule.objects.filter(enabled=True, counts_from__gt=now).update(counts_from=now)
    opened = 0
    for schedule in _with_last_slot(Schedule.objects.filter(enabled=True), now):
        try:
            due = next(_due(schedule, now), None)
        except slots.InvalidSlots as error:
            log.warning("schedule %s cannot run: %s", schedule.slug, error)
            continue
        if due is not None:
            opened += _open_slots(schedule.pk, now)
    return opened


def _with_last_slot(schedules: QuerySet[Schedule], now: datetime) -> QuerySet[Any]:
    known = ScheduledRun.objects.filter(schedule=OuterRef("pk"), slot__lte=now).order_by("-slot")
    last = Subquery(known.values("slot")[:1])
    # GREATEST leaves out what is null.
    return schedules.annotate(after=Greatest(F("counts_from"), last))


def _due(schedule: Any, now: datetime) -> Any:
    return slots.slots_between(schedule.cron, schedule.time_zone, schedule.after, now)


@transaction.atomic
def _open_slots(pk: int, now: datetime) -> int:
    """Enter the due slots of one schedule; none where another beat is at it."""
    locked = Schedule.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=pk, enabled=True)
    if not locked.values_list("pk").first():
        return 0
    # Read after the lock was got, by a statement of its own: it sees what the beat before has entered.
    schedule = _with_last_slot(Schedule.objects.filter(pk=pk), now).get()
    if schedule.catch_up == CatchUp.EACH:
        rows = [
            ScheduledRun(schedule=schedule, slot=slot) for slot in islice(_due(schedule, now), EACH_AT_ONCE)
        ]
        return _insert(rows)
    missed = slots.last_slots(schedule.cron, schedule.time_zone, schedule.after, now, MOST_COVERED_ROWS + 1)
    if not missed.last:
        return 0
    *earlier, last = missed.last
    opened = _insert([ScheduledRun(schedule=schedule, slot=last, missed=missed.count - 1)])
    if earlier:
        run = ScheduledRun.objects.only("pk").get(schedule=schedule, slot=last)
        covered = ScheduledRunState.COVERED
        opened += _insert(
            [ScheduledRun(schedule=schedule, slot=slot, state=covered, covered_by=run) for slot in earlier]
        )
    return opened


def _insert(rows: list[ScheduledRun]) -> int:
    ScheduledRun.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


@transaction.atomic
def run_now(schedule: Schedule, asked_by: User | None = None, *, hint: bool = True) -> ScheduledRun:
    """A run outside the slots; one that still waits is the answer to a second request, too.

    `hint=False` sends no task: the caller works on it, or beat's next tick does.
    """
    from estimates.schedules import hints

    Schedule.objects.select_for_update(no_key=True).get(pk=schedule.pk)
    waiting = ScheduledRun.objects.filter(schedule=schedule, slot=None, state=ScheduledRunState.WAITING)
    run = waiting.first()
    if run is None:
        run = ScheduledRun.objects.create(schedule=schedule, asked_by=asked_by)
    if hint:
        hints.runs_waiting()
    return run


def claim(most: int = 1, only: int | None = None) -> list[Claim]:
    """Take open runs, those asked for by hand first, then by slot.

    A run whose workers were lost `MOST_ATTEMPTS` times fails here and is left out.
    """
    with connection.cursor() as cursor:
        given: dict[str, int | str | None] = {
            "most": most,
            "only": only,
            "worker": this_process()[:200],
            "lease": lease_seconds(),
        }
        cursor.execute(_CLAIM, given)
        claims = sorted((Claim(*row) for row in cursor.fetchall()), key=_in_order)
    taken = []
    for one in claims:
        if one.attempt <= MOST_ATTEMPTS:
            taken.append(one)
        else:
            settle_lost(one)
    return taken


def _in_order(claim: Claim) -> tuple[float, int]:
    return (claim.slot.timestamp() if claim.slot else float("-inf"), claim.run)


def has_open() -> bool:
    """Whether a run waits for a worker."""
    return ScheduledRun.objects.filter(state=ScheduledRunState.WAITING, not_before=None).exists()


def append_log(claim: Claim, text: str) -> None:
    """Add to the run's log and keep the run for another lease. Raises Lost."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LOG,
            {
                "text": text,
                "longest": LONGEST_LOG,
                "lease": lease_seconds(),
                "pk": claim.run,
                "attempt": claim.attempt,
            },
        )
        if not cursor.rowcount:
            raise Lost


def hold(claim: Claim) -> None:
    """Lock the run for the transaction that does its work: nobody else can take it. Raises Lost."""
    held = owned(claim).select_for_update(no_key=True).values_list("pk").first()
    if held is None:
        raise Lost


def owned(claim: Claim) -> QuerySet[ScheduledRun]:
    """The run while it is this worker's."""
    return ScheduledRun.objects.filter(
        pk=claim.run, state=ScheduledRunState.RUNNING, attempts=claim.attempt
    ).order_by()


def settle_done(claim: Claim, outcome: str, counts: dict[str, Any], report: Any, log_text: str) -> None:
    """Mark the run done, in the transaction of its work. Raises Lost."""
    stored = owned(claim).update(
        state=ScheduledRunState.DONE,
        outcome=outcome[:500],
        counts=counts,
        report=report,
        log=log_text[-LONGEST_LOG:],
        error="",
        traceback="",
        leased_until=None,
        finished_at=Now(),
    )
    if not stored:
        raise Lost


def settle_failed(
    claim: Claim,
    error: str,
    traceback: str = "",
    *,
    final: bool,
    log_text: str | None = None,
    report: Any = None,
) -> bool:
    """Keep the error: the run is tried again after a while, or has failed; whether it was still ours."""
    final = final or claim.attempt >= MOST_ATTEMPTS
    ended: dict[str, Any] = (
        {"state": ScheduledRunState.FAILED, "finished_at": Now(), "outcome": error[:500]}
        if final
        else {
            "state": ScheduledRunState.WAITING,
            "not_before": Now() + RETRY_AFTER * 2 ** (claim.attempt - 1),
        }
    )
    if log_text is not None:
        ended["log"] = log_text[-LONGEST_LOG:]
    if report is not None:
        ended["report"] = report
    return bool(
        owned(claim).update(error=error[:2000], traceback=traceback[-20_000:], leased_until=None, **ended)
    )


def settle_lost(claim: Claim) -> bool:
    """The run has failed: each of its workers went away over it."""
    known = ScheduledRun.objects.filter(pk=claim.run).values_list("error", flat=True).first()
    why = f"its worker was lost {MOST_ATTEMPTS} times"
    error = f"{why}; the last error: {known}" if known else why
    return settle_failed(claim, error, final=True)
