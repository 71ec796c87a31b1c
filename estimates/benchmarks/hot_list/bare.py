"""A view as bare as can be: one SQL statement makes the JSON of the ranked list, the view passes it on.

The statement looks names up, chooses prices, ranks, counts and formats. What the workloads' digest and the
method are it is told: a process reads them once.
"""

from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, Final

from django.db import connection
from django.http import HttpRequest, HttpResponse

from catalog.models.prices import PricingModel
from catalog.prices import CURRENCY, STALE_AFTER_DAYS, chosen_statement
from estimates.from_catalog import read_workloads
from estimates.method import method_version
from estimates.models import Limit, Objective, Tier
from estimates.models import State as Fit
from estimates.staleness import MAX_ATTEMPTS

LIMIT: Final = 50


def words(column: str, members: type[Enum]) -> str:
    """A code as its lower-case word."""
    cases = " ".join(f"WHEN {member.value} THEN '{member.name.lower()}'" for member in members)
    return f"CASE {column} {cases} END"


PLAIN: Final = (
    *("tp", "pp", "ep", "dp", "replicas", "concurrency", "tpot_ms", "tpot_low_ms", "tpot_high_ms"),
    *("ttft_ms", "ttft_low_ms", "ttft_high_ms", "ttft_unloaded_ms", "throughput_tok_s"),
    *("throughput_low_tok_s", "throughput_high_tok_s", "tok_s_per_user", "memory_used_gb"),
    *("memory_usable_gb", "shortfall_gb", "meets_service_level"),
)
TEXTS: Final = ("reason", "weight_format", "kv_format", "grade")

STATEMENT: Final = f"""
WITH {chosen_statement()}, used AS MATERIALIZED (
    SELECT c.offer_id, c.pricing_model, c.usd_per_hour, (SELECT row_to_json(q) FROM (SELECT
        c.id AS quote, c.key, p.slug AS provider, p.name AS provider_name,
        NULLIF(c.offering, '') AS offering, NULLIF(c.region, '') AS region,
        NULLIF(c.country, '') AS country, c.pricing_model, NULLIF(c.term, '') AS term, c.kind,
        s.slug AS source, NULLIF(s.url, '') AS source_url,
        trim_scale(c.usd_per_hour)::text AS usd_per_hour,
        trim_scale(c.price_per_hour)::text AS quoted_usd_per_hour,
        trim_scale(c.accelerator_count)::text AS quoted_count,
        trim_scale(c.scaled_from)::text AS scaled_from, c.observed_on,
        %(day)s::date - c.observed_on AS age_days,
        COALESCE(%(day)s::date - c.observed_on > {STALE_AFTER_DAYS}, true) AS stale
    ) AS q) AS quote
    FROM chosen c
    JOIN catalog_provider p ON p.id = c.provider_id
    JOIN catalog_source s ON s.id = c.source_id
), best AS MATERIALIZED (
    SELECT DISTINCT ON (e.offer_id) e.id, e.offer_id, e.throughput_tok_s
    FROM estimates_estimate e
    WHERE e.language_model_id = (SELECT id FROM catalog_languagemodel WHERE slug = %(model)s)
      AND e.workload_id = (SELECT id FROM catalog_workload WHERE slug = %(workload)s)
      AND e.state IN ({Fit.OK.value}, {Fit.SATURATED.value})
    ORDER BY e.offer_id, e.objective = {Objective.THROUGHPUT.value},
             e.objective = {Objective.FASTEST.value}
), page AS MATERIALIZED (
    SELECT b.id, u.usd_per_hour, u.quote, count(*) OVER () AS of_all,
           u.usd_per_hour::double precision / NULLIF(b.throughput_tok_s, 0) / 0.0036 AS usd
    FROM best b
    JOIN catalog_offer o ON o.id = b.offer_id AND NOT o.retired
    LEFT JOIN used u ON u.offer_id = b.offer_id AND u.pricing_model = %(basis)s
    ORDER BY usd NULLS LAST, b.id LIMIT {LIMIT}
)
SELECT json_build_object(
    'count', COALESCE(max(r.of_all), 0),
    'next', CASE WHEN max(r.of_all) > {LIMIT} THEN %(next)s END,
    'previous', NULL,
    'results', json_agg(r.shown ORDER BY r.usd NULLS LAST, r.id)
)::text FROM (SELECT page.of_all, page.usd, page.id, (SELECT row_to_json(x) FROM (SELECT
    e.id, m.slug AS model, w.slug AS workload, o.slug AS offer, a.slug AS accelerator,
    a.name AS accelerator_name, v.slug AS vendor, a.kind, a.segment, a.status, o.count,
    ARRAY(SELECT name FROM catalog_system WHERE offer_id = o.id ORDER BY name) AS systems,
    {words("e.objective", Objective)} AS objective, {words("e.state", Fit)} AS state,
    {", ".join(f"NULLIF(e.{name}, '') AS {name}" for name in TEXTS)},
    {", ".join(f"e.{name}" for name in PLAIN)},
    {words("e.binding_limit", Limit)} AS binding_limit, {words("e.tier", Tier)} AS tier,
    trim_scale(page.usd_per_hour)::text AS usd_per_hour,
    page.usd::text AS usd_per_mtok_output,
    (page.usd * w.osl / w.isl)::text AS usd_per_mtok_input,
    (page.usd * w.osl / (w.isl + w.osl))::text AS usd_per_mtok_blended,
    page.quote,
    (SELECT COALESCE(json_object_agg(u.pricing_model, json_build_object(
        'usd_per_hour', trim_scale(u.usd_per_hour)::text,
        'usd_per_mtok_output', one.usd::text,
        'usd_per_mtok_input', (one.usd * w.osl / w.isl)::text,
        'usd_per_mtok_blended', (one.usd * w.osl / (w.isl + w.osl))::text,
        'output_tokens_per_usd', (1e6 / one.usd)::text,
        'blended_tokens_per_usd', (1e6 / one.usd * (w.isl + w.osl) / w.osl)::text,
        'quote', u.quote)), '{{}}')
     FROM used u, LATERAL (SELECT
        u.usd_per_hour::double precision / NULLIF(e.throughput_tok_s, 0) / 0.0036 AS usd) AS one
     WHERE u.offer_id = e.offer_id) AS costs,
    c.model_version, c.accelerator_version, c.method_version, c.calculated_at,
    (c.state = 'never' OR c.model_version <> m.version OR c.accelerator_version <> a.version
     OR c.workloads_digest <> %(digest)s OR c.method_version <> %(method)s
     OR c.state = 'failed' AND c.attempts < {MAX_ATTEMPTS}) AS stale,
    '/api/v1/estimates/' || e.id || '/explain' AS explain
) AS x) AS shown
FROM page
JOIN estimates_estimate e ON e.id = page.id
JOIN estimates_calculation c ON c.id = e.calculation_id
JOIN catalog_offer o ON o.id = e.offer_id
JOIN catalog_accelerator a ON a.id = o.accelerator_id
JOIN catalog_vendor v ON v.id = a.vendor_id
JOIN catalog_languagemodel m ON m.id = e.language_model_id
JOIN catalog_workload w ON w.id = e.workload_id) AS r
"""


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    return {"digest": read_workloads().digest, "method": method_version()}


def bare(request: HttpRequest) -> HttpResponse:
    """The first 50 of one model and workload by cost on demand."""
    asked = request.GET
    following = request.build_absolute_uri(f"/api/v1/estimates?{request.META['QUERY_STRING']}&offset={LIMIT}")
    parameters: dict[str, Any] = {
        "model": asked["model"],
        "workload": asked["workload"],
        "next": following,
        "basis": PricingModel.ON_DEMAND.value,
        "pricing_models": list(PricingModel.values),
        "currency": CURRENCY,
        "day": datetime.now(UTC).date(),
        **versions(),
    }
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({STATEMENT}) AS answer", parameters)
        (answer,) = cursor.fetchone()
    return HttpResponse(answer, content_type="application/json")


def nothing(request: HttpRequest) -> HttpResponse:
    """What the load generator and the server can do where there is nothing to answer."""
    return HttpResponse(b"{}", content_type="application/json")
