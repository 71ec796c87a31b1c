"""Making the parts of jobs: claimed with a lease, stored under a fence, shared by any number of workers.

A part is claimed by `FOR UPDATE SKIP LOCKED` and then held by its lease, not by the transaction: a worker
that dies is known by the lease that it no longer renews, and the next worker takes the part. The number of
attempts is the fence: what a worker stores counts only while nobody has taken the part since. A part that
fails, or whose worker is lost, is tried again, and after `MOST_ATTEMPTS` fails for good; the others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from estimates.jobs import hints
from estimates.jobs.kinds import KINDS
from estimates.jobs.lifecycle import ACTIVE, active_jobs, finish_completed
from estimates.jobs.models import Job, JobPart, JobState, PartState
from estimates.worker import this_process

log = logging.getLogger(__name__)

#: A task works this long, then lets others have the worker; what is left is hinted at again.
BUDGET_SECONDS: Final = 2.0
MOST_ATTEMPTS: Final = 3

OPEN: Final = Q(state=PartState.WAITING) | Q(state=PartState.RUNNING, leased_until__lt=Now())


class Stopped(Exception):  # noqa: N818
    """The part is no longer this worker's: its job was cancelled, or its lease had lapsed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A part in this worker's hands."""

    part: int
    job: int
    attempt: int
    kind: str
    question: dict[str, Any]
    piece: dict[str, Any]
    parts: int


def tick() -> int:
    """One hint's work; asks for another worker while parts wait. How many parts were made."""
    if has_open_parts():
        hints.parts_waiting()
    made = work()
    if made and has_open_parts():
        hints.parts_waiting()
    return made


def work(
    budget_seconds: float = BUDGET_SECONDS,
    job: int | None = None,
    after_part: Callable[[], None] | None = None,
) -> int:
    """Make open parts, of one job or of all, until none is left or the budget is spent; how many."""
    began = time.monotonic()
    prepared: dict[int, Any] = {}
    made = 0
    finish_completed()
    while time.monotonic() - began < budget_seconds:
        claim = claim_part(job)
        if claim is None:
            break
        go_on = make_part(claim, prepared)
        finish_completed()
        made += 1
        if after_part:
            after_part()
        if not go_on:
            break
    return made


def has_open_parts() -> bool:
    """Whether any job waits for a worker."""
    return JobPart.objects.filter(OPEN, job__state__in=ACTIVE).exists()


def claim_part(only: int | None = None) -> Claim | None:
    """Take the next open part; None where all are made or in other hands.

    A part whose workers were lost `MOST_ATTEMPTS` times fails here.
    """
    while True:
        jobs = active_jobs() if only is None else active_jobs().filter(pk=only)
        lost = None
        for job in jobs:
            with transaction.atomic():
                # The job before the part: whoever cancels locks them in this order too.
                Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(
                    state=JobState.RUNNING, started_at=Coalesce(F("started_at"), Now())
                )
                part = (
                    JobPart.objects.filter(OPEN, job=job, job__state__in=ACTIVE)
                    .order_by("position")
                    .select_for_update(skip_locked=True, no_key=True, of=("self",))
                    .first()
                )
                if part is None:
                    continue
                claim = Claim(
                    part.pk, job.pk, part.attempts + 1, job.kind, job.question, part.question, job.parts
                )
                JobPart.objects.filter(pk=part.pk).update(
                    state=PartState.RUNNING,
                    attempts=claim.attempt,
                    leased_until=Now() + lease(),
                    worker=this_process()[:200],
                )
                if claim.attempt <= MOST_ATTEMPTS:
                    return claim
                lost = claim, part.error
            break
        if lost is None:
            return None
        error = lost[1] or f"its worker was lost {MOST_ATTEMPTS} times"
        settle(lost[0], PartState.FAILED, error=error)
        finish_completed()


def lease() -> timedelta:
    return timedelta(seconds=settings.ATLAS_JOB_LEASE_SECONDS)


def renew(claim: Claim) -> None:
    """Keep the part for another lease. Raises Stopped where it is no longer this worker's to make."""
    own = JobPart.objects.filter(
        pk=claim.part, state=PartState.RUNNING, attempts=claim.attempt, job__state__in=ACTIVE
    )
    if not own.update(leased_until=Now() + lease()):
        raise Stopped


def make_part(claim: Claim, prepared: dict[int, Any]) -> bool:
    """Make a part and store its result, or its error for another attempt; whether to go on with others.

    `prepared` is what earlier parts of the same jobs have read in this round of work.
    """
    kind = KINDS[claim.kind]
    try:
        if claim.job not in prepared:
            prepared[claim.job] = kind.prepare(claim.question)
        result, configurations = kind.make(
            prepared[claim.job], claim.piece, claim.parts, lambda: renew(claim)
        )
    except Stopped:
        settle(claim, PartState.CANCELLED)
        return True
    except Exception as error:  # kept with the part; the other parts go on
        log.exception("part %r of job %d failed, attempt %d", claim.piece, claim.job, claim.attempt)
        text = f"{type(error).__name__}: {error}"[:2000]
        last = claim.attempt >= MOST_ATTEMPTS
        settle(claim, PartState.FAILED if last else PartState.WAITING, error=text)
        return not isinstance(error, SoftTimeLimitExceeded)
    settle(claim, PartState.DONE, result, configurations)
    return True


def settle(
    claim: Claim,
    state: PartState,
    result: dict[str, Any] | None = None,
    configurations: int = 0,
    error: str = "",
) -> bool:
    """Store how a part ended, unless another worker has taken it since; whether it was stored."""
    ended = state in (PartState.DONE, PartState.FAILED)
    with transaction.atomic():
        job = Job.objects.select_for_update(no_key=True).only("pk", "state").get(pk=claim.job)
        if job.state not in ACTIVE:
            state, result, configurations, ended = PartState.CANCELLED, None, 0, False
        stored = JobPart.objects.filter(
            pk=claim.part, state=PartState.RUNNING, attempts=claim.attempt
        ).update(
            state=state,
            result=result,
            configurations=configurations,
            error=error,
            leased_until=None,
            finished_at=Now() if ended else None,
        )
        if stored and ended:
            Job.objects.filter(pk=claim.job).update(
                parts_done=F("parts_done") + 1,
                parts_failed=F("parts_failed") + int(state == PartState.FAILED),
                configurations=F("configurations") + configurations,
            )
    return bool(stored)
