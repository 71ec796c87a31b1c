"""Celery tasks of the estimates: thin, idempotent, and none of them needed for correctness but the sweep."""

from __future__ import annotations

from celery import shared_task

from estimates import runs, sweeper


@shared_task(name="estimates.sweep")
def sweep() -> None:
    """One tick of the sweeper."""
    sweeper.sweep()


@shared_task(name="estimates.recalculate_accelerator")
def recalculate_accelerator(pk: int) -> None:
    """A hint: this accelerator has changed. A burst of them is made once; the rest find nothing stale."""
    sweeper.sweep_accelerator(pk)


@shared_task(name="estimates.recalculate_model")
def recalculate_model(pk: int) -> None:
    """A hint: this language model has changed."""
    sweeper.sweep_model(pk)


@shared_task(name="estimates.start_recalculation")
def start_recalculation(scope: str = "all", reason: str = "") -> None:
    """Request a run; the sweeps that follow make it."""
    runs.start_recalculation(scope, reason)
