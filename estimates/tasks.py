"""Celery tasks of the estimates: thin, idempotent, and none of them needed for correctness but the sweep."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from celery import Task, shared_task
from django.db import InterfaceError, OperationalError

from estimates import runs, sweeper
from estimates.claims import store as claim_store
from estimates.convergence.tally import count_retry
from estimates.jobs import lifecycle, work
from estimates.method import code_has_changed
from estimates.schedules import tick as schedules_tick

#: Longest time spent on claims at once; the next round goes on.
CLAIMS_WITHIN_SECONDS = 120.0

log = logging.getLogger(__name__)

#: Where the database fails, a task is sent again after 1, 2, 4, ... 60 s, each less by chance, nine times.
TRIED_AGAIN: Final[dict[str, Any]] = {
    "autoretry_for": (OperationalError, InterfaceError),
    "retry_backoff": 1,
    "retry_backoff_max": 60,
    "retry_jitter": True,
    "max_retries": 9,
}


def _counted(task: Task) -> None:
    """Note in the tally that this is not the task's first attempt."""
    if task.request.retries:
        count_retry()


def _unless_outdated(make: Callable[..., Any], *arguments: Any) -> None:
    """Do the work, unless the code was replaced under a worker that still runs the old one.

    Old and new processes would each take the other's results for stale, for ever.
    """
    if code_has_changed():
        log.warning("the code has changed since this worker started: restart it, until then it makes nothing")
        return
    make(*arguments)


@shared_task(name="estimates.sweep", bind=True, **TRIED_AGAIN)
def sweep(self: Task) -> None:
    """One tick of the sweeper."""
    _counted(self)
    _unless_outdated(sweeper.sweep)


@shared_task(name="estimates.recalculate_accelerator", bind=True, **TRIED_AGAIN)
def recalculate_accelerator(self: Task, pk: int) -> None:
    """A hint: this accelerator has changed. A burst of them is made once; the rest find nothing stale."""
    _counted(self)
    _unless_outdated(sweeper.sweep_edits)


@shared_task(name="estimates.recalculate_model", bind=True, **TRIED_AGAIN)
def recalculate_model(self: Task, pk: int) -> None:
    """A hint: this language model has changed."""
    _counted(self)
    _unless_outdated(sweeper.sweep_edits)


@shared_task(name="estimates.start_recalculation", **TRIED_AGAIN)
def start_recalculation(scope: str = "all", reason: str = "") -> None:
    """Request a run; the sweeps that follow make it."""
    runs.start_recalculation(scope, reason)


@shared_task(name="estimates.work_on_jobs", **TRIED_AGAIN)
def work_on_jobs() -> None:
    """A hint: parts of jobs wait, or lie with workers that were lost."""
    _unless_outdated(work.tick)


@shared_task(name="estimates.tick_schedules")
def tick_schedules() -> None:
    """Open the slots of schedules that are due, and work on their runs."""
    schedules_tick.tick()


@shared_task(name="estimates.prune_jobs", **TRIED_AGAIN)
def prune_jobs() -> None:
    """Delete jobs that ended so long ago that their results are no longer kept."""
    lifecycle.prune()


@shared_task(name="estimates.answer_claims", **TRIED_AGAIN)
def answer_claims() -> None:
    """Answer the published claims that rest on older facts, as many as the time allows."""
    _unless_outdated(claim_store.answer_stale, CLAIMS_WITHIN_SECONDS)
