"""Pruning on a schedule: what piles up and is past its keeping goes, with a count of each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from estimates.comparison import superseded
from estimates.convergence.models import Movement
from estimates.jobs import lifecycle
from estimates.schedules.kinds import Done, PruningParameters, Tell
from estimates.schedules.models import Schedule, ScheduledRun, ScheduledRunState

ENDED = (ScheduledRunState.DONE, ScheduledRunState.FAILED, ScheduledRunState.COVERED)


class Pruning:
    """Deletes in one transaction: all of it, or nothing and the run is tried again."""

    def prepare(
        self, run: ScheduledRun, schedule: Schedule, parameters: PruningParameters, tell: Tell
    ) -> None:
        """Nothing is read beforehand."""

    def work(self, prepared: Any, schedule: Schedule, parameters: PruningParameters, tell: Tell) -> Done:
        counts = {
            "jobs": lifecycle.prune(parameters.kept_job_days),
            "movements": prune_movements(parameters.movement_days),
            "scheduled_runs": prune_ledger(parameters.ledger_days),
            "superseded_estimates": superseded.prune(),
            "sessions": prune_sessions() if parameters.sessions else 0,
        }
        for name, count in counts.items():
            tell(f"{name.replace('_', ' ')}: {count} deleted")
        told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items() if count)
        return Done(f"deleted {told}" if told else "nothing was past its keeping", counts)


def prune_movements(days: int) -> int:
    """Movements of estimates older than so many days; how many were deleted."""
    return Movement.objects.filter(at__lt=Now() - timedelta(days=days)).delete()[0]


def prune_ledger(days: int) -> int:
    """Runs that ended so long ago; the last slot of each schedule stays, for slots count on from it."""
    later = ScheduledRun.objects.filter(schedule=OuterRef("schedule"), slot__gt=OuterRef("slot"))
    before = Now() - timedelta(days=days)
    old = ScheduledRun.objects.filter(state__in=ENDED, requested_at__lt=before)
    old = old.filter(Q(slot=None) | Exists(later))
    return old.delete()[1].get("estimates.ScheduledRun", 0)


def prune_sessions() -> int:
    """Sessions that have expired, as Django's `clearsessions` does; how many."""
    return Session.objects.filter(expire_date__lt=Now()).delete()[0]
