"""Search: the best deployments of a model over all hardware under a demand; a job where it is large."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from pydantic.json_schema import models_json_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.access.models import Scope
from config.access.permissions import may
from config.rest.faults import Fault, Problem, invalid_body, invalid_parameters
from config.rest.parameters import FORMATS, clean
from config.rest.rendering import CsvRenderer, JsonRenderer, Table
from config.rest.schema import COMPONENTS, component
from config.rest.views import ApiView
from estimates.api.jobs import JOB_EXAMPLE, JOB_SCHEMA, job_body
from estimates.jobs.lifecycle import KeyTaken, start_job
from estimates.jobs.models import Job, JobKind
from estimates.search.answering import cases_of, search_now, too_large_for_now
from estimates.search.question import SearchQuestion, read_search
from estimates.search.table import COLUMNS, flat
from estimates.what_if import InvalidQuestion

PERMISSION = "estimates.add_job"
NEEDS_SCOPE = (
    "This search is large enough to be a job: that needs a token with the scope run_jobs, or a person with "
    f"the permission {PERMISSION}. One model under one load on all hardware is answered at once."
)
LONGEST_KEY = 200


def answer(request: Request) -> Response:
    """The ranked deployments, or 202 with the job that will find them. Raises Problem."""
    faults: list[Fault] = []
    clean(request.query_params, ["format"], faults)
    if faults:
        raise invalid_parameters(faults)
    try:
        question = read_search(request.data)
        cases = cases_of(question)
        if too_large_for_now(question, cases):
            return accepted(request, question)
        found = search_now(question, cases)
    except InvalidQuestion as error:
        raise invalid_body(
            [Fault(one.pointer, one.code, one.detail, one.accepted) for one in error.faults]
        ) from None
    return Response(Table(found, COLUMNS, [flat(row) for row in found["results"]]))


def accepted(request: Request, question: SearchQuestion) -> Response:
    """Make a job of the question. Raises Problem without the scope, InvalidQuestion for what is unknown."""
    if not may(request, Scope.RUN_JOBS, PERMISSION):
        if request.auth is None and not request.user.is_authenticated:
            raise Problem(401, "authentication-required", NEEDS_SCOPE, headers={"WWW-Authenticate": "Bearer"})
        raise Problem(403, "permission-denied", NEEDS_SCOPE)
    job = requested(request, question)
    body = job_body(job)
    address = request.build_absolute_uri(f"/api/v1/jobs/{job.pk}")
    return Response(Table(body, list(body), [body]), status=202, headers={"Location": address})


def requested(request: Request, question: SearchQuestion) -> Job:
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST_KEY or not key.isprintable():
        detail = f"Idempotency-Key has {len(key)} characters"
        accepted = f"at most {LONGEST_KEY} printable characters"
        raise Problem(
            400, "invalid-header", detail, [Fault("header:Idempotency-Key", "invalid", detail, accepted)]
        )
    token: Any = request.auth
    try:
        return start_job(
            JobKind.SEARCH.value,
            question.model_dump(mode="json", exclude_unset=True),
            owner=request.user if request.user.is_authenticated else None,
            token=token,
            idempotency_key=key,
        )
    except KeyTaken as error:
        fault = Fault("header:Idempotency-Key", "key_taken", str(error), "the same body, or another key")
        raise Problem(422, "idempotency-key-taken", str(error), [fault]) from None


def body_schema() -> dict[str, Any]:
    """The JSON schema of a question, its parts registered as components."""
    _, schema = models_json_schema(
        [(SearchQuestion, "validation")], ref_template="#/components/schemas/{model}"
    )
    for name, part in schema["$defs"].items():
        COMPONENTS.setdefault(name, part)
    return {"$ref": "#/components/schemas/SearchQuestion"}


EXAMPLE = {
    "model": "llama-3.1-70b-instruct",
    "workload": {"isl": 8192, "osl": 1024},
    "objective": "usd_per_mtok",
    "demand": {"concurrency": 100, "tpot_ms": 50, "ttft_ms": 2000, "ttft_at": "median", "spare": 1},
    "price": {"basis": "on_demand"},
    "hardware": {"segments": ["datacentre"]},
    "limit": 20,
}
NUMBER = {"type": ["number", "null"]}
SPREAD = component(
    "SearchFigure",
    {
        "type": ["object", "null"],
        "description": "a figure with the ends of its 80% interval; times with median and 95th percentile",
        "properties": dict.fromkeys(("mean", "low", "high", "median", "p95", "unloaded"), NUMBER),
    },
)
ROW = component(
    "SearchRow",
    {
        "type": "object",
        "description": "The best deployment of an offer. Rates are output tokens/s of the whole deployment "
        "under the load asked for; `spare` replicas are paid for and idle. Money is decimal text.",
        "required": ["rank", "model", "offer", "deployment", "replicas", "machines", "chips", "cost"],
        "properties": {
            "rank": {"type": "integer"},
            "model": {"type": "string"},
            "workload": {"type": "string"},
            "offer": {"type": "string"},
            "accelerator": {"type": "string"},
            "vendor": {"type": "string"},
            "systems": {"type": "array", "items": {"type": "string"}},
            "deployment": {"type": "object", "description": "formats, tp, pp, ep, dp, machines a replica"},
            "replicas": {"type": "integer", "description": "that the load needs"},
            "spare": {"type": "integer"},
            "machines": {"type": "integer", "description": "spare included"},
            "chips": {"type": "integer"},
            "watts": {**NUMBER, "description": "rated, spare included"},
            "watts_from": {
                "type": ["string", "null"],
                "description": "system: the machine's rating; accelerators: theirs alone",
            },
            "tpot_ms": SPREAD,
            "ttft_ms": SPREAD,
            "throughput_tok_s": SPREAD,
            "tok_s_per_user": NUMBER,
            "throughput_per_chip_tok_s": NUMBER,
            "throughput_per_watt_tok_s": NUMBER,
            "throughput_per_rack_tok_s": NUMBER,
            "memory_gb": {"type": "object"},
            "binding_limit": {"type": "string"},
            "grade": {"type": "string"},
            "tier": {"type": "string"},
            "cost": {
                "type": ["object", "null"],
                "description": "USD an hour and per million tokens, tokens per USD, interval, and the price "
                "used: basis, quote or parts of owning, age in days, whether it is stale",
            },
            "slack": {"type": "object", "description": "by limit asked for: value, limit, share unused"},
            "score": {**NUMBER, "description": "of the objective, smaller is better"},
        },
    },
)
ANSWER = component(
    "SearchAnswer",
    {
        "type": "object",
        "description": "Deployments ranked by the objective, one an offer; Pareto fronts over everything "
        "evaluated within the bounds; what is excluded, by which constraint, how far and what would help. "
        "Of several models, workloads or loads `parts` has each one's own.",
        "required": ["objective", "price_basis", "results", "front", "excluded", "counts", "configurations"],
        "properties": {
            "objective": {"type": "string"},
            "price_basis": {"type": "string"},
            "demand": {"type": "object"},
            "limits": {"type": ["object", "null"], "description": "in force, the workload's own included"},
            "results": {"type": "array", "items": ROW},
            "front": {"type": ["object", "null"]},
            "excluded": {"type": "array", "items": {"type": "object"}},
            "counts": {"type": "object"},
            "parts": {"type": ["array", "null"], "items": {"type": "object"}},
            "configurations": {"type": "integer", "description": "evaluated"},
            "seconds": {"type": "number"},
            "complete": {"type": "boolean"},
            "method_version": {"type": "string"},
        },
    },
)
ANSWER_EXAMPLE = {
    "objective": "usd_per_mtok",
    "price_basis": "on_demand",
    "results": [
        {
            "rank": 1,
            "model": "llama-3.1-70b-instruct",
            "offer": "nvidia-b200-sxm-x1",
            "deployment": {"weight_format": "nvfp4", "kv_format": "fp8", "tp": 1, "pp": 1},
            "replicas": 3,
            "spare": 1,
            "machines": 4,
            "chips": 4,
            "tpot_ms": {"mean": 32.3, "low": 30.8, "high": 34.0, "median": 32.2, "p95": 36.2},
            "cost": {"usd_per_hour": "15", "usd_per_mtok_output": "1.39434"},
            "slack": {"tpot": {"value": 32.3, "limit": 50.0, "unused_share": 0.354}},
        }
    ],
    "front": {"speed_and_throughput_per_chip": [], "speed_and_usd_per_mtok": []},
    "excluded": [
        {
            "offer": "nvidia-a40-x1",
            "constraint": "memory",
            "value": 49.417,
            "limit": 48.306,
            "unit": "GB",
            "smallest_change": {"kind": "context", "value": 5823, "detail": "a context of 5823 tokens"},
        }
    ],
    "counts": {"offers": 287, "feasible": 61, "vendors": 5, "excluded": {"price": 148, "memory": 41}},
    "configurations": 33124,
}


@extend_schema_view(
    post=extend_schema(
        operation_id="search_deployments",
        summary="Search the best deployments over all hardware",
        tags=["estimates"],
        request={"application/json": body_schema()},
        parameters=[
            OpenApiParameter("format", str, enum=FORMATS, description="CSV has the ranked rows."),
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                description="Of a search that becomes a job: the same key and body are the same job, the "
                "same key with another body is a 422.",
            ),
        ],
        responses={
            (200, "application/json"): ANSWER,
            (200, "text/csv"): OpenApiTypes.STR,
            (202, "application/json"): JOB_SCHEMA,
        },
        examples=[
            OpenApiExample("100 users, on demand", value=EXAMPLE, request_only=True),
            OpenApiExample(
                "Ranked",
                value=ANSWER_EXAMPLE,
                response_only=True,
                media_type="application/json",
                status_codes=["200"],
            ),
            OpenApiExample(
                "A job",
                value=JOB_EXAMPLE,
                response_only=True,
                media_type="application/json",
                status_codes=["202"],
            ),
        ],
    )
)
class SearchView(ApiView):
    """Rank every offer's best deployment that carries the load within the limits; nothing is saved.

    One model under one load is answered at once; many models, workloads or loads become a job: 202 with its
    address in `Location`, which needs the scope run_jobs.
    """

    renderer_classes: Any = [JsonRenderer, CsvRenderer]

    def post(self, request: Request) -> Response:
        return answer(request)
