"""Celery tasks of the estimates: thin, idempotent, and none of them needed for correctness but the sweep."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery import shared_task

from estimates import runs, sweeper
from estimates.claims import store as claim_store
from estimates.jobs import lifecycle, work
from estimates.method import code_has_changed
from estimates.schedules import tick as schedules_tick

#: Longest time spent on claims at once; the next round goes on.
CLAIMS_WITHIN_SECONDS = 120.0

log = logging.getLogger(__name__)


def _unless_outdated(make: Callable[..., Any], *arguments: Any) -> None:
    """Do the work, unless the code was replaced under a worker that still runs the old one.

    Old and new processes would each take the other's results for stale, for ever.
    """
    if code_has_changed():
        log.warning("the code has changed since this worker started: restart it, until then it makes nothing")
        return
    make(*arguments)


@shared_task(name="estimates.sweep")
def sweep() -> None:
    """One tick of the sweeper."""
    _unless_outdated(sweeper.sweep)


@shared_task(name="estimates.recalculate_accelerator")
def recalculate_accelerator(pk: int) -> None:
    """A hint: this accelerator has changed. A burst of them is made once; the rest find nothing stale."""
    _unless_outdated(sweeper.sweep_accelerator, pk)


@shared_task(name="estimates.recalculate_model")
def recalculate_model(pk: int) -> None:
    """A hint: this language model has changed."""
    _unless_outdated(sweeper.sweep_model, pk)


@shared_task(name="estimates.start_recalculation")
def start_recalculation(scope: str = "all", reason: str = "") -> None:
    """Request a run; the sweeps that follow make it."""
    runs.start_recalculation(scope, reason)


@shared_task(name="estimates.work_on_jobs")
def work_on_jobs() -> None:
    """A hint: parts of jobs wait, or lie with workers that were lost."""
    _unless_outdated(work.tick)


@shared_task(name="estimates.tick_schedules")
def tick_schedules() -> None:
    """Open the slots of schedules that are due, and work on their runs."""
    schedules_tick.tick()


@shared_task(name="estimates.prune_jobs")
def prune_jobs() -> None:
    """Delete jobs that ended so long ago that their results are no longer kept."""
    lifecycle.prune()


@shared_task(name="estimates.answer_claims")
def answer_claims() -> None:
    """Answer the published claims that rest on older facts, as many as the time allows."""
    _unless_outdated(claim_store.answer_stale, CLAIMS_WITHIN_SECONDS)
