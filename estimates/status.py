"""The state of the service in numbers: facts and estimates, staleness, worker, broker, versions."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from typing import Any

import django
from django.conf import settings
from django.db import connection

from config import broker
from config.health import missing_migrations
from estimates import pulse
from estimates.counts import exact_counts
from estimates.method import method_version
from estimates.models import CalculationRun, WorkTally


@dataclass(frozen=True)
class Status:
    """What `manage.py status` tells. `stale` counts calculations, the unit of recalculation."""

    counts: dict[str, int]
    backlog: pulse.Backlog
    recent: pulse.Recent
    last_run: dict[str, Any] | None
    broker: str
    tasks_waiting: int | None
    workers: list[str]
    tallies: list[WorkTally]
    schedules: list[pulse.LastRun]
    missing_migrations: int
    versions: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """One flat object: the counts stand beside the rest."""
        return {
            **self.counts,
            **asdict(self.backlog),
            "stale_limit_seconds": settings.ATLAS_READY_STALE_SECONDS or None,
            "configurations_per_second": round(self.recent.configurations_per_second, 1),
            "rows_per_second": round(self.recent.rows_per_second, 1),
            "last_run": self.last_run,
            "broker": self.broker,
            "tasks_waiting": self.tasks_waiting,
            "worker": "answering" if self.workers else "none answers",
            "workers": self.workers,
            "workers_seen": {tally.worker: tally.last_at.isoformat() for tally in self.tallies},
            "failed_calculations": sum(tally.failed for tally in self.tallies),
            "retries": sum(tally.retries for tally in self.tallies),
            "schedules": {run.schedule: run.state or "never ran" for run in self.schedules},
            "missing_migrations": self.missing_migrations,
            "versions": self.versions,
        }


def current_status() -> Status:
    """Count and ask. Takes a second longer where the broker answers and no worker does."""
    waiting = broker.queue_depth()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        database_version = cursor.fetchone()[0]
    return Status(
        counts=exact_counts(),
        backlog=pulse.backlog(),
        recent=pulse.recent_work(),
        last_run=_last_run(),
        broker="unavailable" if waiting is None else "answering",
        tasks_waiting=waiting,
        workers=[] if waiting is None else broker.answering_workers(),
        tallies=pulse.workers_seen(),
        schedules=pulse.last_scheduled_runs(),
        missing_migrations=len(missing_migrations()),
        versions={
            "inference_atlas": settings.VERSION,
            "method": method_version(),
            "python": platform.python_version(),
            "django": django.get_version(),
            "postgres": database_version.split()[0],
        },
    )


def _last_run() -> dict[str, Any] | None:
    """The most recent calculation run, its columns as they are; None before the first."""
    row = CalculationRun.objects.order_by("-pk").values().first()
    return None if row is None else dict(row)
