"""Recalculation on a schedule: requests a run of a scope; workers make it."""

from __future__ import annotations

from typing import Any

from estimates.runs import start_recalculation
from estimates.schedules.kinds import Done, RecalculationParameters, Tell
from estimates.schedules.models import Schedule, ScheduledRun


class Recalculating:
    """One calculation run for each slot."""

    def prepare(
        self, run: ScheduledRun, schedule: Schedule, parameters: RecalculationParameters, tell: Tell
    ) -> None:
        """Nothing: the request is one transaction."""

    def work(
        self, prepared: Any, schedule: Schedule, parameters: RecalculationParameters, tell: Tell
    ) -> Done:
        run = start_recalculation(parameters.scope, f"schedule {schedule.slug}")
        calculations = run.pending.count()
        tell(f"calculation run {run.pk}: {calculations} calculations of {run.chunks} models")
        return Done(
            f"requested {calculations:,} calculations of {run.chunks:,} models as calculation run {run.pk}",
            {"calculation_run": run.pk, "calculations": calculations, "models": run.chunks},
        )
