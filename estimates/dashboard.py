"""The admin's front page: counts of facts, how the service keeps up, last runs, an editor's tasks."""

from __future__ import annotations

import math
from typing import Any, Final

from django.conf import settings
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
from config import broker
from config.metrics.latency import request_latency
from estimates import pulse
from estimates.models import Calculation, CalculationRun, Estimate

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

OUTCOME_LENGTH: Final = 120


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: what the template of the front page shows."""
    rivals = Figure.objects.filter(accepted=False).count()
    unsourced = Figure.objects.filter(accepted=True, source=None).count()
    backlog = pulse.backlog()
    stale, parked = backlog.stale, backlog.parked
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
        "oldest_stale": duration(backlog.oldest_stale_seconds) if stale else "",
        "vital_signs": vital_signs(backlog),
        "workers": workers(),
        "schedules": schedules(),
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


def vital_signs(backlog: pulse.Backlog) -> list[dict[str, Any]]:
    """What a person on duty looks at first: each a figure, what it means, and whether it is a worry."""
    limit = settings.ATLAS_READY_STALE_SECONDS
    waiting = broker.queue_depth()
    recent, latency = pulse.recent_work(), request_latency()
    minutes = f"over the last {pulse.RECENT.total_seconds() / 60:.0f} min"
    calculations = reverse("admin:estimates_calculation_changelist")
    return [
        {
            "label": "Oldest stale",
            "value": duration(backlog.oldest_stale_seconds) if backlog.stale else "none",
            "note": f"limit {duration(limit)}" if limit else "no limit",
            "worry": bool(limit) and backlog.oldest_stale_seconds > limit,
        },
        {
            "label": "Stale",
            "value": f"{backlog.stale:,}",
            "note": f"{backlog.claimed:,} held by workers, {backlog.runs_active:,} runs active",
            "href": f"{calculations}?stale=yes",
        },
        {
            "label": "Parked",
            "value": f"{backlog.parked:,}",
            "note": "failed, wait for a change or a retry",
            "href": f"{calculations}?state__exact=failed",
            "worry": backlog.parked > 0,
        },
        {
            "label": "Queue",
            "value": "broker down" if waiting is None else f"{waiting:,}",
            "note": "the sweeper needs no queue" if waiting is None else "tasks wait",
            "worry": waiting is None,
        },
        {
            "label": "Recalculation",
            "value": f"{recent.configurations_per_second:,.0f}/s",
            "note": f"configurations; {recent.rows_per_second:,.0f} rows/s {minutes}",
        },
        {
            "label": "Requests, p50",
            "value": milliseconds(latency.p50_seconds),
            "note": f"of {latency.requests:,} since the web server began",
        },
        {
            "label": "Requests, p99",
            "value": milliseconds(latency.p99_seconds),
            "note": "by classes of the histogram",
        },
        {
            "label": "Errors",
            "value": f"{latency.errors:,}",
            "note": "answers of 5xx since the web server began",
            "worry": latency.errors > 0,
        },
    ]


def workers() -> dict[str, list[Any]]:
    """Worker processes that made something within a day."""
    return {
        "headers": ["Worker", "Last seen", "Calculations", "Configurations/s", "Failed", "Retries"],
        "rows": [
            [
                tally.worker,
                f"{timesince(tally.last_at)} ago",
                f"{tally.calculations:,}",
                f"{tally.configurations / tally.seconds:,.0f}" if tally.seconds else "—",
                f"{tally.failed:,}",
                f"{tally.retries:,}",
            ]
            for tally in pulse.workers_seen()
        ],
    }


def schedules() -> dict[str, list[Any]]:
    """How the last run of each enabled schedule ended."""
    return {
        "headers": ["Schedule", "Last run", "Ended", "Took", "Outcome"],
        "rows": [
            [
                run.title,
                run.state or "never ran",
                f"{timesince(run.finished_at)} ago" if run.finished_at else "—",
                duration(run.seconds) if run.seconds is not None else "—",
                run.outcome[:OUTCOME_LENGTH] or "—",
            ]
            for run in pulse.last_scheduled_runs()
        ],
    }


def duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "—"
    return "over 10 s" if math.isinf(seconds) else f"{seconds * 1000:,.0f} ms"
