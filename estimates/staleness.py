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
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest, Least, Now

from catalog.models import Workload
from estimates.comparison.models import Method
from estimates.from_catalog import read_workloads
from estimates.method import in_force_since, method_version
from estimates.models import Calculation, CalculationState

MAX_ATTEMPTS: Final = 3

MODEL_CHANGED = ~Q(model_version=F("language_model__version"))
ACCELERATOR_CHANGED = ~Q(accelerator_version=F("accelerator__version"))
NEVER_MADE = Q(state=CalculationState.NEVER)
TO_BE_TRIED_AGAIN = Q(state=CalculationState.FAILED, attempts__lt=MAX_ATTEMPTS)


def is_stale(workloads_digest: str | None = None) -> Q:
    """The condition on a row, for a filter on `Calculation` that names few of them.

    Reads the workloads unless given their digest. For all that is stale, `stale_calculations` asks by index.
    """
    digest = read_workloads().digest if workloads_digest is None else workloads_digest
    return (
        NEVER_MADE
        | MODEL_CHANGED
        | ACCELERATOR_CHANGED
        | ~Q(workloads_digest=digest)
        | ~Q(method_version=method_version())
        | TO_BE_TRIED_AGAIN
    )


def _versions_differ(condition: str = "") -> str:
    """SQL of the keys whose model or accelerator has another version, each branch a range of an index.

    OFFSET 0 keeps the planner, which takes "below" for a third of the table, from joining all of it: one look
    into the index for each accelerator and each model does.
    """
    branches = [
        f"""
    SELECT changed.id FROM catalog_{table} fact, LATERAL (
        SELECT id FROM estimates_calculation
        WHERE {key}_id = fact.id AND {column} < fact.version {condition}
        UNION ALL
        SELECT id FROM estimates_calculation
        WHERE {key}_id = fact.id AND {column} > fact.version {condition}
        OFFSET 0
    ) changed"""
        for table, key, column in (
            ("accelerator", "accelerator", "accelerator_version"),
            ("languagemodel", "language_model", "model_version"),
        )
    ]
    return "\n    UNION ALL".join(branches)


_EDITED_KEYS: Final = _versions_differ(f"AND state <> '{CalculationState.NEVER.value}'")
_STALE_KEYS: Final = f"""{_versions_differ()}
    UNION ALL
    SELECT id FROM estimates_calculation WHERE method_version < %s
    UNION ALL
    SELECT id FROM estimates_calculation WHERE method_version > %s
    UNION ALL
    SELECT id FROM estimates_calculation WHERE method_version = %s AND workloads_digest < %s
    UNION ALL
    SELECT id FROM estimates_calculation WHERE method_version = %s AND workloads_digest > %s
    UNION ALL
    SELECT id FROM estimates_calculation
    WHERE state <> '{CalculationState.DONE.value}'
      AND (state = '{CalculationState.NEVER.value}' OR attempts < {MAX_ATTEMPTS})
"""


def stale_calculations(workloads_digest: str | None = None) -> QuerySet[Calculation]:
    """Every calculation that has to be made again, in one query of index scans.

    The branches say what `is_stale` says of a row. What is up to date costs one look into an index for each
    model and each accelerator, not one for each pair of them.
    """
    digest = read_workloads().digest if workloads_digest is None else workloads_digest
    method = method_version()
    keys = RawSQL(_STALE_KEYS, (method, method, method, digest, method, digest))
    return Calculation.objects.filter(pk__in=keys)


def wanted_calculations() -> QuerySet[Calculation]:
    """What is stale, and what a run asks for although it may not be."""
    method, digest = method_version(), read_workloads().digest
    asked_for = " UNION ALL SELECT id FROM estimates_calculation WHERE run_id IS NOT NULL"
    keys = RawSQL(_STALE_KEYS + asked_for, (method, method, method, digest, method, digest))
    return Calculation.objects.filter(pk__in=keys).order_by()


def edited_calculations() -> QuerySet[Calculation]:
    """What was made before and is stale because its model or accelerator has changed."""
    return Calculation.objects.filter(pk__in=RawSQL(_EDITED_KEYS, ())).order_by()


def parked_calculations() -> QuerySet[Calculation]:
    """Calculations that failed as often as they may and wait for a change of their inputs."""
    return Calculation.objects.filter(state=CalculationState.FAILED).exclude(is_stale())


def try_again(failed: QuerySet[Calculation]) -> int:
    """Forget the failed attempts and lost workers of these, so that the sweeper takes them; how many."""
    return failed.filter(state=CalculationState.FAILED).update(
        attempts=0, losses=0, claimed_until=None, claimed_by=""
    )


def stale_since(workloads_digest: str) -> Case:
    """When a stale calculation became so, for a query on stale rows.

    Since the change that made it so: of its model, of its accelerator, of the workloads, or of the
    method, which changes when the first process with the new code begins or writes.
    """
    workload_changed = Workload.objects.aggregate(at=Max("changed_at"))["at"]
    method_changed = (
        Method.objects.filter(version=method_version()).values_list("first_at", flat=True).first()
        or in_force_since()
    )
    return Case(
        When(NEVER_MADE, then=Greatest("language_model__changed_at", "accelerator__changed_at")),
        When(
            MODEL_CHANGED & ACCELERATOR_CHANGED,
            then=Least("language_model__changed_at", "accelerator__changed_at"),
        ),
        When(MODEL_CHANGED, then=F("language_model__changed_at")),
        When(ACCELERATOR_CHANGED, then=F("accelerator__changed_at")),
        When(
            ~Q(workloads_digest=workloads_digest), then=Value(workload_changed, output_field=DateTimeField())
        ),
        When(~Q(method_version=method_version()), then=Value(method_changed, output_field=DateTimeField())),
        default=F("calculated_at"),
        output_field=DateTimeField(),
    )


def oldest_stale_seconds() -> float:
    """How long the oldest stale calculation has been stale; 0.0 when none is."""
    digest = read_workloads().digest
    row = (
        stale_calculations(digest)
        .order_by()
        .values(now=Now())
        .annotate(oldest=Min(stale_since(digest)))
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
