"""What is stale is a query: calculations whose inputs have moved on since they were made.

Nobody has to remember to mark anything. A calculation is stale when the version of its model or accelerator,
the workloads' digest or the method differs from what it stores, or when it was never made. A calculation
that failed counts as stale until `MAX_ATTEMPTS`; then it is parked until one of its inputs changes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Case, DateTimeField, F, Max, Min, Q, QuerySet, Value, When
from django.db.models.functions import Greatest, Least, Now

from catalog.models import Workload
from estimates.from_catalog import read_workloads
from estimates.method import method_version
from estimates.models import Calculation, CalculationState

MAX_ATTEMPTS: Final = 3

MODEL_CHANGED = ~Q(model_version=F("language_model__version"))
ACCELERATOR_CHANGED = ~Q(accelerator_version=F("accelerator__version"))
NEVER_MADE = Q(state=CalculationState.NEVER)


def is_stale(workloads_digest: str | None = None) -> Q:
    """The condition, ready for a filter on `Calculation`. Reads the workloads unless given their digest."""
    digest = read_workloads().digest if workloads_digest is None else workloads_digest
    return (
        NEVER_MADE
        | MODEL_CHANGED
        | ACCELERATOR_CHANGED
        | ~Q(workloads_digest=digest)
        | ~Q(method_version=method_version())
        | Q(state=CalculationState.FAILED, attempts__lt=MAX_ATTEMPTS)
    )


def stale_calculations() -> QuerySet[Calculation]:
    """Every calculation that has to be made again."""
    return Calculation.objects.filter(is_stale())


def parked_calculations() -> QuerySet[Calculation]:
    """Calculations that failed as often as they may and wait for a change of their inputs."""
    return Calculation.objects.filter(state=CalculationState.FAILED).exclude(is_stale())


def oldest_stale_seconds() -> float:
    """How long the oldest stale calculation has been stale; 0.0 when none is.

    Stale since the change that made it so: of its model, of its accelerator, or of the workloads; a
    calculation of an older method since it was made.
    """
    digest = read_workloads().digest
    workload_changed = Workload.objects.aggregate(at=Max("changed_at"))["at"]
    since = Case(
        When(NEVER_MADE, then=Greatest("language_model__changed_at", "accelerator__changed_at")),
        When(
            MODEL_CHANGED & ACCELERATOR_CHANGED,
            then=Least("language_model__changed_at", "accelerator__changed_at"),
        ),
        When(MODEL_CHANGED, then=F("language_model__changed_at")),
        When(ACCELERATOR_CHANGED, then=F("accelerator__changed_at")),
        When(~Q(workloads_digest=digest), then=Value(workload_changed, output_field=DateTimeField())),
        default=F("calculated_at"),
        output_field=DateTimeField(),
    )
    row = (
        Calculation.objects.filter(is_stale(digest))
        .order_by()
        .values(now=Now())
        .annotate(oldest=Min(since))
        .values_list("now", "oldest")
        .first()
    )
    if row is None or row[1] is None:
        return 0.0
    now, oldest = row
    assert isinstance(now, datetime)
    return max(0.0, (now - oldest).total_seconds())


def create_missing_calculations() -> int:
    """One calculation for every pair of model and accelerator that has none yet; how many were created."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO estimates_calculation (
                language_model_id, accelerator_id, state, model_version, accelerator_version,
                workloads_digest, method_version, input_digest, configurations, attempts, error)
            SELECT m.id, a.id, 'never', 0, 0, '', '', '', 0, 0, ''
            FROM catalog_languagemodel m CROSS JOIN catalog_accelerator a
            WHERE NOT EXISTS (
                SELECT FROM estimates_calculation c
                WHERE c.language_model_id = m.id AND c.accelerator_id = a.id)
            ORDER BY m.id, a.id
            ON CONFLICT DO NOTHING
            """
        )
        return cursor.rowcount
