"""The state of the service in numbers: facts and estimates, staleness, worker, broker, versions."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Any

import django
from django.conf import settings
from django.db import connection, models

from catalog.models import (
    Accelerator,
    Figure,
    LanguageModel,
    MeasuredValue,
    MeasurementRun,
    Offer,
    PriceQuote,
    Provider,
    PublishedClaim,
    Source,
    System,
    TokenPrice,
    Vendor,
    Workload,
)
from config import broker
from estimates.method import method_version
from estimates.models import Calculation, CalculationRun, Estimate
from estimates.staleness import oldest_stale_seconds, parked_calculations, stale_calculations

COUNTED: dict[str, type[models.Model]] = {
    "vendors": Vendor,
    "accelerators": Accelerator,
    "systems": System,
    "offers": Offer,
    "models": LanguageModel,
    "providers": Provider,
    "price_quotes": PriceQuote,
    "token_prices": TokenPrice,
    "workloads": Workload,
    "measurement_runs": MeasurementRun,
    "measured_values": MeasuredValue,
    "claims": PublishedClaim,
    "figures": Figure,
    "sources": Source,
    "calculations": Calculation,
    "estimates": Estimate,
}


@dataclass(frozen=True)
class Status:
    """What `manage.py status` tells. `stale` counts calculations, the unit of recalculation."""

    counts: dict[str, int]
    stale: int
    parked: int
    oldest_stale_seconds: float
    last_run: dict[str, Any] | None
    broker: str
    workers: list[str]
    versions: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """One flat object: the counts stand beside the rest."""
        return {
            **self.counts,
            "stale": self.stale,
            "parked": self.parked,
            "oldest_stale_seconds": self.oldest_stale_seconds,
            "last_run": self.last_run,
            "broker": self.broker,
            "worker": "answering" if self.workers else "none answers",
            "workers": self.workers,
            "versions": self.versions,
        }


def current_status() -> Status:
    """Count and ask. Takes a second longer where the broker answers and no worker does."""
    broker_is_up = broker.broker_answers()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        database_version = cursor.fetchone()[0]
    return Status(
        counts={name: model._default_manager.count() for name, model in COUNTED.items()},
        stale=stale_calculations().count(),
        parked=parked_calculations().count(),
        oldest_stale_seconds=round(oldest_stale_seconds(), 1),
        last_run=_last_run(),
        broker="answering" if broker_is_up else "unavailable",
        workers=broker.answering_workers() if broker_is_up else [],
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
