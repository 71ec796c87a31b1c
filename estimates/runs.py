"""Runs: a request to recalculate, kept in Postgres until every calculation it asked for has been made.

A run marks its calculations; the sweeper makes the marked ones. A lost task or a dead worker therefore loses
nothing: what is not made stays marked. A later run takes over what an earlier one still waits for.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Collection
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from catalog import hints, names
from catalog.models import Accelerator, LanguageModel
from estimates.models import Calculation, CalculationRun, Estimate, RunState
from estimates.staleness import create_missing_calculations, is_stale
from estimates.store import Written

SCOPES: Final = "all, stale, model:SLUG or accelerator:SLUG"


class UnknownScope(ValueError):  # noqa: N818
    """A scope that names nothing: the value, what is accepted, and near matches."""

    def __init__(self, value: str, accepted: str, near: Collection[str] = ()) -> None:
        self.value, self.accepted, self.near = value, accepted, tuple(near)
        hint = f"; did you mean {', '.join(self.near)}?" if self.near else ""
        super().__init__(f"{value!r} is not accepted; accepted: {accepted}{hint}")


def calculations_in(scope: str) -> Q:
    """The condition on `Calculation` that a scope stands for. Raises UnknownScope."""
    from estimates.near import near_matches

    if scope == "all":
        return Q()
    if scope == "stale":
        return is_stale()
    kind, _, slug = scope.partition(":")
    if kind == "model" and slug:
        if (model := names.find_model(slug)) is not None:
            return Q(language_model=model)
        raise UnknownScope(slug, "the slug of a language model", near_matches(LanguageModel, slug))
    if kind == "accelerator" and slug:
        if Accelerator.objects.filter(slug=slug).exists():
            return Q(accelerator__slug=slug)
        raise UnknownScope(slug, "the slug of an accelerator", near_matches(Accelerator, slug))
    raise UnknownScope(scope, SCOPES)


def start_recalculation(scope: str, reason: str = "", *, hint: bool = True) -> CalculationRun:
    """Request the calculations of a scope; workers make them, most used models first.

    `scope` is `all`, `stale`, `model:SLUG` or `accelerator:SLUG`; raises UnknownScope. Everything in the
    scope is made again, whether or not its inputs have changed. `hint=False` sends no task: the caller makes
    them itself, or leaves them to the sweeper.
    """
    with transaction.atomic():
        create_missing_calculations()
        wanted = Calculation.objects.filter(calculations_in(scope)).order_by().values("pk")
        run = CalculationRun.objects.create(scope=scope, reason=reason[:300])
        Calculation.objects.filter(pk__in=wanted).update(run=run)
        run.chunks = run.pending.aggregate(models=Count("language_model", distinct=True))["models"]
        if not run.chunks:
            run.state, run.started_at, run.finished_at = RunState.DONE, run.requested_at, run.requested_at
        run.save()
        if hint and run.chunks:
            hints.work_waiting()
    return run


def start_first_calculation(*, hint: bool = True) -> CalculationRun | None:
    """Request everything where nothing has been estimated yet; None where something has, or is under way."""
    if Estimate.objects.exists() or active_runs().exists() or not LanguageModel.objects.exists():
        return None
    return start_recalculation("all", "first calculation", hint=hint)


def active_runs() -> QuerySet[CalculationRun]:
    """Runs that are queued or running."""
    return CalculationRun.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING])


def report_progress(run_ids: Collection[int], written: Written) -> None:
    """Note what a chunk did for the runs that waited for it; called in the chunk's transaction, last."""
    for pk in sorted(run_ids):
        # Locked before the count, so that the count sees what other workers have committed meanwhile.
        run = CalculationRun.objects.select_for_update(no_key=True).get(pk=pk)
        waiting = run.pending.aggregate(models=Count("language_model", distinct=True))["models"]
        CalculationRun.objects.filter(pk=pk).update(
            state=RunState.RUNNING if waiting else RunState.DONE,
            started_at=Coalesce(F("started_at"), Now()),
            finished_at=None if waiting else Now(),
            chunks_done=run.chunks - min(waiting, run.chunks),
            configurations=F("configurations") + written.configurations,
            rows_written=F("rows_written") + written.rows,
        )


def finish_completed() -> int:
    """Close runs for which nothing is left to make: taken over by a later run, or deleted meanwhile."""
    pending = Calculation.objects.filter(run=OuterRef("pk"))
    return (
        active_runs()
        .filter(~Exists(pending))
        .update(
            state=RunState.DONE,
            chunks_done=F("chunks"),
            started_at=Coalesce(F("started_at"), Now()),
            finished_at=Now(),
        )
    )


def work_on(
    run: CalculationRun,
    processes: int,
    on_progress: Callable[[CalculationRun], None],
) -> CalculationRun:
    """Make the run's calculations in this many processes of our own and wait for the end.

    One process works here; more are children, each a `manage.py sweep`, which claim chunks as workers do.
    Workers of a running service help. Raises RuntimeError when a child ends with an error.
    """
    from estimates.sweeper import sweep

    if processes == 1:
        sweep(float("inf"), scope=Q(run=run), after_chunk=lambda _: on_progress(_fresh(run)))
        return _await(run, [], on_progress)
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "sweep", "--run", str(run.pk), "--quiet"]
    children = [subprocess.Popen(command) for _ in range(processes)]
    try:
        return _await(run, children, on_progress)
    finally:
        for child in children:
            if child.poll() is None:
                child.terminate()
        for child in children:
            child.wait()


def follow(run: CalculationRun, on_progress: Callable[[CalculationRun], None]) -> CalculationRun:
    """Wait until the workers of a running service have made the run."""
    return _await(run, None, on_progress)


def _fresh(run: CalculationRun) -> CalculationRun:
    run.refresh_from_db()
    return run


def _await(
    run: CalculationRun,
    children: list[subprocess.Popen[bytes]] | None,
    on_progress: Callable[[CalculationRun], None],
) -> CalculationRun:
    while True:
        on_progress(_fresh(run))
        if run.state in (RunState.DONE, RunState.FAILED):
            return run
        if children is not None and all(child.poll() is not None for child in children):
            if any(child.returncode for child in children):
                raise RuntimeError("a process that calculates ended with an error; see its message above")
            finish_completed()
            if _fresh(run).state != RunState.DONE:
                time.sleep(0.5)  # a worker of the service still holds the last chunks
                continue
        time.sleep(0.25)
