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
        to_jsonb((array_agg(pair.told ORDER BY pair.distance DESC, pair.key))[1:{FARTHEST}])
    FROM unnest(
        %(calculations)s::bigint[], %(model_versions)s::integer[], %(accelerator_versions)s::integer[]
    ) AS given (id, model_version, accelerator_version)
    JOIN estimates_calculation c ON c.id = given.id AND c.state <> 'never'
    JOIN (
        SELECT COALESCE(e.calculation_id, new.calculation_id) AS calculation_id,
            e.state AS old_state, new.state AS new_state,
            e.offer_id IS NOT NULL AS before, new.offer_id IS NOT NULL AS after,
            throughput, tpot,
            CASE WHEN e.state IS DISTINCT FROM new.state THEN 'Infinity'::float8
                 ELSE GREATEST(abs(ln(NULLIF(throughput, 0))), abs(ln(NULLIF(tpot, 0))), 0) END AS distance,
            ARRAY[COALESCE(e.offer_id, new.offer_id), COALESCE(e.workload_id, new.workload_id),
                  COALESCE(e.objective, new.objective)] AS key,
            jsonb_build_object(
                'offer', COALESCE(e.offer_id, new.offer_id),
                'workload', COALESCE(e.workload_id, new.workload_id),
                'objective', COALESCE(e.objective, new.objective),
                'before', CASE WHEN e.offer_id IS NOT NULL THEN jsonb_build_object('state', e.state,
                    'tpot_ms', e.tpot_ms, 'ttft_ms', e.ttft_ms, 'throughput_tok_s', e.throughput_tok_s) END,
                'after', CASE WHEN new.offer_id IS NOT NULL THEN jsonb_build_object('state', new.state,
                    'tpot_ms', new.tpot_ms, 'ttft_ms', new.ttft_ms,
                    'throughput_tok_s', new.throughput_tok_s) END) AS told
        FROM (SELECT * FROM estimates_estimate WHERE calculation_id = ANY(%(calculations)s::bigint[])) e
        FULL JOIN new ON e.language_model_id = new.language_model_id AND e.workload_id = new.workload_id
            AND e.objective = new.objective AND e.offer_id = new.offer_id,
        LATERAL (SELECT new.throughput_tok_s::float8 / NULLIF(e.throughput_tok_s, 0) AS throughput,
                        new.tpot_ms::float8 / NULLIF(e.tpot_ms, 0) AS tpot) ratio
        WHERE (e.state, e.tpot_ms, e.ttft_ms, e.throughput_tok_s)
              IS DISTINCT FROM (new.state, new.tpot_ms, new.ttft_ms, new.throughput_tok_s)
    ) pair ON pair.calculation_id = c.id
    GROUP BY c.id, given.model_version, given.accelerator_version
"""


def prune(older_than_days: int) -> int:
    """Delete movements of that age; how many."""
    return Movement.objects.filter(at__lt=Now() - timedelta(days=older_than_days)).delete()[0]
