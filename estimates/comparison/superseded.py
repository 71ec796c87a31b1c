"""The answers of earlier methods: which are kept, of which method, and when they go."""

from __future__ import annotations

from typing import Final

from django.db import connection

from estimates.comparison.models import Method, SupersededEstimate
from estimates.models import Estimate

#: Methods before the one in force whose answers are kept.
KEPT_METHODS: Final = 2

_REGISTER: Final = """
    INSERT INTO estimates_method (version, first_at)
    SELECT %(version)s, clock_timestamp()
    WHERE NOT EXISTS (SELECT FROM estimates_method WHERE version = %(version)s)
    ON CONFLICT (version) DO NOTHING
"""
_PRUNE: Final = """
    DELETE FROM estimates_supersededestimate
    WHERE method_id NOT IN (SELECT id FROM estimates_method ORDER BY id DESC LIMIT %s)
"""


def register_method(version: str) -> None:
    """Note a method that estimates are made by; a new one lets go the answers of the oldest kept.

    Within the transaction that writes the first estimates by it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_REGISTER, {"version": version})
        if cursor.rowcount:
            prune()


def prune() -> int:
    """Delete the answers of methods before those that are kept; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE, [KEPT_METHODS + 1])
        return cursor.rowcount


def kept_answers(row: Estimate) -> list[tuple[Method, SupersededEstimate]]:
    """What earlier methods said of an estimate, the newest first."""
    answers = {
        answer.method_id: answer
        for answer in SupersededEstimate.objects.filter(
            language_model_id=row.language_model_id,
            offer_id=row.offer_id,
            workload_id=row.workload_id,
            objective=row.objective,
        )
    }
    return [(method, answers[method.pk]) for method in Method.objects.filter(pk__in=answers).order_by("-pk")]
