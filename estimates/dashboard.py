"""The admin's front page: counts of facts, age of the oldest stale estimate, last runs, an editor's tasks."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.timesince import timesince

from catalog.models import (
    Accelerator,
    Figure,
    LanguageModel,
    MeasurementRun,
    PriceQuote,
    PublishedClaim,
    System,
    TokenPrice,
)
from estimates.models import Calculation, CalculationRun, Estimate
from estimates.staleness import oldest_stale_seconds, parked_calculations, stale_calculations

COUNTED = (
    ("Accelerators", Accelerator),
    ("Systems", System),
    ("Models", LanguageModel),
    ("Price quotes", PriceQuote),
    ("Token prices", TokenPrice),
    ("Measurement runs", MeasurementRun),
    ("Claims", PublishedClaim),
    ("Estimates", Estimate),
)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: what the template of the front page shows."""
    stale = stale_calculations().count()
    rivals = Figure.objects.filter(accepted=False).count()
    unsourced = Figure.objects.filter(accepted=True, source=None).count()
    parked = parked_calculations().count()
    figures = reverse("admin:catalog_figure_changelist")
    calculations = reverse("admin:estimates_calculation_changelist")
    context |= {
        "counts": [
            {
                "label": label,
                "value": model._default_manager.count(),
                "href": reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"),
            }
            for label, model in COUNTED
        ],
        "stale": stale,
        "calculations": Calculation.objects.count(),
        "oldest_stale": _duration(oldest_stale_seconds()) if stale else "",
        "runs": {
            "headers": ["Scope", "State", "Chunks", "Configurations", "Rows written", "Requested", "Reason"],
            "rows": [
                [
                    run.scope,
                    run.get_state_display(),
                    f"{run.chunks_done} of {run.chunks}",
                    f"{run.configurations:,}",
                    f"{run.rows_written:,}",
                    f"{timesince(run.requested_at)} ago",
                    run.reason or "—",
                ]
                for run in CalculationRun.objects.all()[:8]
            ],
        },
        "tasks": [
            {
                "title": "Enter a datasheet",
                "text": "A new accelerator, or new figures of a known one, each with its source.",
                "href": reverse("admin:catalog_accelerator_add"),
                "icon": "add_notes",
            },
            {
                "title": "Resolve conflicts",
                "text": f"{rivals:,} figures stand against an accepted one.",
                "href": f"{figures}?standing=rival",
                "icon": "rule",
            },
            {
                "title": "Find sources",
                "text": f"{unsourced:,} accepted figures have no source and lower the grade.",
                "href": f"{figures}?standing=unsourced&accepted__exact=1",
                "icon": "menu_book",
            },
            {
                "title": "See what is stale",
                "text": f"{stale:,} calculations wait, {parked:,} failed and are parked.",
                "href": f"{calculations}?stale=yes",
                "icon": "hourglass_bottom",
            },
        ],
    }
    return context


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
