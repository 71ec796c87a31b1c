"""What a recalculation moved: recorded by the statement that replaces the estimates, one row a calculation.

A movement says from which versions of the facts to which, how many estimates came out otherwise and how far.
Nothing is recorded where nothing moved, nor for a calculation that had not been made before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db.models.functions import Now

from estimates.convergence.models import Movement

#: Estimates told of one by one: those that moved farthest.
FARTHEST: Final = 5

#: A part of the statement in `estimates/store.py`, where `new` is what came in. A ratio is after over before;
#: what changes its state, comes or goes counts as farther than any ratio.
RECORD: Final = f"""
    INSERT INTO estimates_movement (
        calculation_id, language_model_id, accelerator_id, at,
        from_model_version, to_model_version, from_accelerator_version, to_accelerator_version,
        from_method, to_method, workloads_changed,
        rows, changed, added, removed, state_changes,
        throughput_ratio_low, throughput_ratio_median, throughput_ratio_high, tpot_ratio_median, farthest)
    SELECT c.id, c.language_model_id, c.accelerator_id, clock_timestamp(),
        c.model_version, given.model_version, c.accelerator_version, given.accelerator_version,
        c.method_version, %(method)s, c.workloads_digest <> %(digest)s,
        (SELECT count(*) FROM new WHERE new.calculation_id = c.id),
        count(*) FILTER (WHERE pair.before AND pair.after), count(*) FILTER (WHERE NOT pair.before),
        count(*) FILTER (WHERE NOT pair.after),
        count(*) FILTER (WHERE pair.before AND pair.after AND pair.old_state <> pair.new_state),
        min(pair.throughput), percentile_cont(0.5) WITHIN GROUP (ORDER BY pair.throughput),
        max(pair.throughput), percentile_cont(0.5) WITHIN GROUP (ORDER BY pair.tpot),
        jsonb_agg(
            jsonb_build_object('offer', pair.offer, 'workload', pair.workload, 'objective', pair.objective,
                'before', CASE WHEN pair.before THEN jsonb_build_object('state', pair.old_state,
                    'tpot_ms', pair.old_tpot, 'ttft_ms', pair.old_ttft,
                    'throughput_tok_s', pair.old_throughput) END,
                'after', CASE WHEN pair.after THEN jsonb_build_object('state', pair.new_state,
                    'tpot_ms', pair.new_tpot, 'ttft_ms', pair.new_ttft,
                    'throughput_tok_s', pair.new_throughput) END)
            ORDER BY pair.place) FILTER (WHERE pair.place <= {FARTHEST})
    FROM unnest(
        %(calculations)s::bigint[], %(model_versions)s::integer[], %(accelerator_versions)s::integer[]
    ) AS given (id, model_version, accelerator_version)
    JOIN estimates_calculation c ON c.id = given.id AND c.state <> 'never'
    JOIN (
        SELECT both_ends.*, row_number() OVER (
            PARTITION BY calculation_id
            ORDER BY CASE WHEN old_state IS DISTINCT FROM new_state THEN 'Infinity'::float8
                     ELSE GREATEST(abs(ln(NULLIF(throughput, 0))), abs(ln(NULLIF(tpot, 0))), 0) END DESC,
                offer, workload, objective) AS place
        FROM (
            SELECT COALESCE(e.calculation_id, new.calculation_id) AS calculation_id,
                COALESCE(e.offer_id, new.offer_id) AS offer,
                COALESCE(e.workload_id, new.workload_id) AS workload,
                COALESCE(e.objective, new.objective) AS objective,
                e.offer_id IS NOT NULL AS before, new.offer_id IS NOT NULL AS after,
                e.state AS old_state, e.tpot_ms AS old_tpot, e.ttft_ms AS old_ttft,
                e.throughput_tok_s AS old_throughput,
                new.state AS new_state, new.tpot_ms AS new_tpot, new.ttft_ms AS new_ttft,
                new.throughput_tok_s AS new_throughput,
                new.throughput_tok_s::float8 / NULLIF(e.throughput_tok_s, 0) AS throughput,
                new.tpot_ms::float8 / NULLIF(e.tpot_ms, 0) AS tpot
            FROM (SELECT * FROM estimates_estimate
                  WHERE calculation_id = ANY(%(calculations)s::bigint[])) e
            FULL JOIN new ON e.language_model_id = new.language_model_id
                AND e.workload_id = new.workload_id
                AND e.objective = new.objective AND e.offer_id = new.offer_id
            WHERE (e.state, e.tpot_ms, e.ttft_ms, e.throughput_tok_s)
                  IS DISTINCT FROM (new.state, new.tpot_ms, new.ttft_ms, new.throughput_tok_s)
        ) both_ends
    ) pair ON pair.calculation_id = c.id
    GROUP BY c.id, given.model_version, given.accelerator_version
"""


def prune(older_than_days: int) -> int:
    """Delete movements of that age; how many."""
    return Movement.objects.filter(at__lt=Now() - timedelta(days=older_than_days)).delete()[0]
