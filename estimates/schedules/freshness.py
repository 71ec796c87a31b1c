"""The freshness report: how old prices and measurements are, what has no source, what is stale. Stored."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date
from typing import Any, Final

from django.db import connection
from django.db.models import Count, Q

from estimates.economics.hosted import first_day
from estimates.models import Calculation, CalculationState
from estimates.schedules.kinds import Done, FreshnessParameters, Tell
from estimates.schedules.ledger import database_now
from estimates.schedules.models import Schedule, ScheduledRun
from estimates.staleness import oldest_stale_seconds, parked_calculations, stale_calculations

#: Upper bounds of the classes of age in days; then what is older, then what bears no date.
AGES: Final = (30, 90, 180, 365)
AGE_COLUMNS: Final = [*(f"to_{days}_days" for days in AGES), "older", "no_date"]

_QUOTES_BY_PROVIDER: Final = """
    SELECT p.slug, q.observed_on::text, count(*)
    FROM catalog_pricequote q JOIN catalog_provider p ON p.id = q.provider_id
    WHERE q.suspect = '' GROUP BY 1, 2 ORDER BY 1
"""
_QUOTES_BY_VENDOR: Final = """
    SELECT v.slug, q.observed_on::text, count(*)
    FROM catalog_pricequote q JOIN catalog_accelerator a ON a.id = q.accelerator_id
    JOIN catalog_vendor v ON v.id = a.vendor_id
    WHERE q.suspect = '' GROUP BY 1, 2 ORDER BY 1
"""
_HOSTED_BY_PROVIDER: Final = """
    SELECT p.slug, t.observed_on, count(*)
    FROM catalog_tokenprice t JOIN catalog_provider p ON p.id = t.provider_id
    WHERE t.suspect = '' GROUP BY 1, 2 ORDER BY 1
"""
_MEASUREMENTS: Final = """
    SELECT coalesce(nullif(framework, ''), 'not named'), source_date, count(*)
    FROM catalog_measurementrun GROUP BY 1, 2 ORDER BY 1
"""
_FIGURES: Final = """
    SELECT CASE WHEN accelerator_id IS NOT NULL THEN 'accelerators' WHEN system_id IS NOT NULL THEN 'systems'
                WHEN language_model_id IS NOT NULL THEN 'models' ELSE 'workloads' END AS name,
           count(*),
           count(*) FILTER (WHERE source_id IS NULL),
           count(*) FILTER (WHERE kind = 'assumed' AND NOT EXISTS (
               SELECT FROM catalog_figure rival
               WHERE rival.quantity = figure.quantity AND rival.kind <> 'assumed'
                 AND rival.accelerator_id IS NOT DISTINCT FROM figure.accelerator_id
                 AND rival.system_id IS NOT DISTINCT FROM figure.system_id
                 AND rival.language_model_id IS NOT DISTINCT FROM figure.language_model_id
                 AND rival.workload_id IS NOT DISTINCT FROM figure.workload_id)),
           count(*) FILTER (WHERE confidence = 'low')
    FROM catalog_figure figure WHERE accepted GROUP BY 1 ORDER BY 1
"""


class Freshness:
    """Reads, and stores what it found with the run."""

    def prepare(
        self, run: ScheduledRun, schedule: Schedule, parameters: FreshnessParameters, tell: Tell
    ) -> None:
        """Everything is read in one transaction."""

    def work(self, prepared: Any, schedule: Schedule, parameters: FreshnessParameters, tell: Tell) -> Done:
        report = report_of(database_now().date(), parameters.stale_after_days)
        counts = report["counts"]
        for table in report["tables"]:
            tell(f"{table['title']}: {len(table['rows'])} rows")
        return Done(
            f"{counts['stale_price_sources']} of {counts['price_sources']} price sources are older than "
            f"{parameters.stale_after_days} days, {counts['figures_without_source']} figures have no source, "
            f"{counts['stale_calculations']} calculations are stale, {counts['parked_calculations']} parked",
            counts,
            report,
        )


def report_of(today: date, stale_after_days: int) -> dict[str, Any]:
    """The whole report: tables with a title, columns and rows, and the counts that stand out."""
    quotes = by_age("Price quotes by provider", _QUOTES_BY_PROVIDER, today, stale_after_days)
    vendors = by_age("Price quotes by vendor of the accelerator", _QUOTES_BY_VENDOR, today, stale_after_days)
    hosted = by_age("Hosted token prices by provider", _HOSTED_BY_PROVIDER, today, stale_after_days)
    measured = by_age("Measurements by serving software", _MEASUREMENTS, today, stale_after_days)
    figures, estimates = figures_table(), estimates_table()
    prices = [*quotes["rows"], *hosted["rows"]]
    states = dict(estimates["rows"])
    return {
        "on": today.isoformat(),
        "stale_after_days": stale_after_days,
        "counts": {
            "price_sources": len(prices),
            "stale_price_sources": sum(row[4] for row in prices),
            "figures_without_source": sum(row[2] for row in figures["rows"]),
            "figures_only_assumed": sum(row[3] for row in figures["rows"]),
            "measurements": sum(row[1] for row in measured["rows"]),
            "stale_calculations": states["stale"],
            "parked_calculations": states["parked"],
        },
        "tables": [quotes, vendors, hosted, figures, measured, estimates],
    }


def by_age(title: str, query: str, today: date, stale_after_days: int) -> dict[str, Any]:
    """Counts by class of age, with the newest date of each name; stale: the newest is older than the limit.

    The query gives name, ISO date as exact as known, and how many; a date counts as the first day that it
    may mean.
    """
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = cursor.fetchall()
    table: dict[str, tuple[list[int], list[date]]] = {}
    for name, seen, count in found:
        classes, days = table.setdefault(name, ([0] * len(AGE_COLUMNS), []))
        day = first_day(seen or "")
        if day is None:
            classes[-1] += count
            continue
        days.append(day)
        classes[bisect_left(AGES, (today - day).days)] += count
    rows: list[list[Any]] = []
    for name, (classes, days) in table.items():
        newest = max(days, default=None)
        age = None if newest is None else (today - newest).days
        stale = age is None or age > stale_after_days
        rows.append([name, sum(classes), newest and newest.isoformat(), age, stale, *classes])
    columns = ["name", "rows", "newest", "age_days", "stale", *AGE_COLUMNS]
    return {"title": title, "columns": columns, "rows": rows}


def figures_table() -> dict[str, Any]:
    """Accepted figures by kind of subject: without a source, only assumed, of low confidence."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES)
        rows = [list(row) for row in cursor.fetchall()]
    columns = ["of", "accepted", "without_source", "only_assumed", "low_confidence"]
    return {"title": "Accepted figures", "columns": columns, "rows": rows}


def estimates_table() -> dict[str, Any]:
    """Calculations by state, and for how long the oldest has been stale."""
    states = Calculation.objects.aggregate(
        calculations=Count("pk"), never=Count("pk", filter=Q(state=CalculationState.NEVER))
    )
    rows: list[list[Any]] = [
        ["calculations", states["calculations"]],
        ["never calculated", states["never"]],
        ["stale", stale_calculations().count()],
        ["parked", parked_calculations().count()],
        ["oldest stale, seconds", round(oldest_stale_seconds(), 1)],
    ]
    return {"title": "Estimates", "columns": ["what", "count"], "rows": rows}
