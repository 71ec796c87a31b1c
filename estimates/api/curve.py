"""Load curves over the API: of a what-if and of a cached estimate, as JSON or CSV."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from pydantic import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest.faults import Fault, Problem, invalid_parameters, not_found
from config.rest.parameters import clean
from config.rest.rendering import CsvRenderer, JsonRenderer, Table
from config.rest.schema import component
from config.rest.views import ApiView
from estimates.api.bodies import asked_schema, refused
from estimates.core.architecture_json import ArchitectureError
from estimates.core.facts import InvalidFact
from estimates.core.formats import UnknownFormat
from estimates.curves import (
    AXES,
    COLUMNS,
    MOST_POINTS,
    USUAL_POINTS,
    CurveAsked,
    CurveQuestion,
    curves,
    stored_curves,
)
from estimates.models import Estimate
from estimates.what_if import InvalidQuestion

EXAMPLE = {
    "model": "llama-3.1-70b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "count": 8,
    "workload": {"isl": 1024, "osl": 1024},
    "deployment": {"weights": "fp8", "tp": 8},
    "curve": {"axis": "requests_per_s", "points": 12, "limits": [{"metric": "ttft", "at": "p95", "ms": 500}]},
}
TEXTS = ("axis", "state", "grade", "tier")
NUMBER: dict[str, Any] = {"type": ["number", "null"]}
POINT = component(
    "CurvePoint",
    {
        "type": "object",
        "description": "One load. `_low` and `_high` are the ends of the 80% interval; times in ms, rates of "
        "the whole offer. `state`: ok, near (some may wait for room, or prompts take most of the machine) or "
        "saturated, where no first token is given but `ttft_saturated_mean_ms`, of a closed population. "
        "`ttft_first_wave_ms`: part of the mean that clients cause who start together; the median has none.",
        "required": list(COLUMNS),
        "properties": {name: {"type": "string"} if name in TEXTS else NUMBER for name in COLUMNS},
    },
)
RATE = dict.fromkeys(("requests_per_s", "requests_per_s_low", "requests_per_s_high"), NUMBER)
CURVE = component(
    "Curve",
    {
        "type": "object",
        "required": ["model", "accelerator", "count", "state", "reason", "saturation", "limits", "points"],
        "properties": {
            "model": {"type": "string"},
            "accelerator": {"type": "string"},
            "count": {"type": "integer"},
            "offer": {"type": "string"},
            "estimate": {"type": "integer", "description": "of a cached estimate"},
            "workload": {"type": "object"},
            "state": {"type": "string", "enum": ["ok", "does_not_fit", "refused"]},
            "reason": {"type": ["object", "null"]},
            "missing_facts": {"type": "array", "items": {"type": "string"}},
            "deployment": {"type": ["object", "null"]},
            "saturation": {
                "type": ["object", "null"],
                "description": "clients beyond whom requests wait for room, the throughput there, and the "
                "highest stable rate of Poisson arrivals",
                "properties": {"concurrency": NUMBER, "throughput_tok_s": NUMBER, **RATE},
            },
            "limits": {
                "type": "array",
                "items": {
                    "type": "object",
                    "description": "most clients and highest rate within a limit; `reached_by` says what "
                    "comes first: the limit, saturation, or never where one request alone breaks it",
                    "properties": {
                        "metric": {"type": "string", "enum": ["ttft", "tpot"]},
                        "at": {"type": "string", "enum": ["mean", "median", "p95"]},
                        "ms": {"type": "number"},
                        "concurrency": NUMBER,
                        **RATE,
                        "reached_by": {
                            "type": ["string", "null"],
                            "enum": ["limit", "saturation", "never", None],
                        },
                    },
                },
            },
            "points": {"type": "array", "items": POINT},
            "notes": {"type": "array", "items": {"type": "string"}},
            "method_version": {"type": "string"},
        },
    },
)
ANSWER_EXAMPLE = {
    "model": "llama-3.1-70b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "count": 8,
    "state": "ok",
    "reason": None,
    "saturation": {"concurrency": 1024, "throughput_tok_s": 9381.3, "requests_per_s": 9.3441},
    "limits": [
        {"metric": "ttft", "at": "p95", "ms": 500, "requests_per_s": 9.2991, "reached_by": "limit"},
    ],
    "points": [
        {
            "axis": "requests_per_s",
            "concurrency": 179.12,
            "requests_per_s": 6.7127,
            "state": "ok",
            "throughput_tok_s": 6873.9,
            "ttft_median_ms": 67.1,
            "ttft_p95_ms": 113.2,
        }
    ],
}


def table(found: dict[str, Any]) -> Response:
    """The curves as JSON, their points as CSV."""
    return Response(Table(found, list(COLUMNS), found["points"]))


def only_format(request: Request) -> None:
    """Raises Problem (400) for any parameter but `format`."""
    faults: list[Fault] = []
    clean(request.query_params, ["format"], faults)
    if faults:
        raise invalid_parameters(faults)


FORMAT = OpenApiParameter("format", str, enum=["json", "csv"], description="csv: the points alone")


@extend_schema_view(
    post=extend_schema(
        operation_id="curve_estimate",
        summary="Load curves of a what-if",
        tags=["estimates"],
        parameters=[FORMAT],
        request={"application/json": asked_schema(CurveQuestion)},
        responses={(200, "application/json"): CURVE, (200, "text/csv"): {"type": "string"}},
        examples=[
            OpenApiExample("Against a request rate", value=EXAMPLE, request_only=True),
            OpenApiExample(
                "Curve",
                value=ANSWER_EXAMPLE,
                response_only=True,
                status_codes=["200"],
                media_type="application/json",
            ),
        ],
    )
)
class CurveView(ApiView):
    """Throughput, TPOT and TTFT (mean, median, p95) against closed-loop clients and Poisson arrivals.

    The question of a what-if with `curve` beside it. The deployment is chosen as there and kept while the
    load moves. Nothing is saved.
    """

    renderer_classes: Any = [JsonRenderer, CsvRenderer]

    def post(self, request: Request) -> Response:
        only_format(request)
        try:
            return table(curves(request.data))
        except InvalidQuestion as error:
            raise refused(error) from None


@extend_schema_view(
    get=extend_schema(
        operation_id="curve_of_estimate",
        summary="Load curves of one estimate",
        tags=["estimates"],
        parameters=[
            OpenApiParameter("key", int, OpenApiParameter.PATH, description="id of the estimate"),
            OpenApiParameter("axis", str, enum=list(AXES), description="left out: both"),
            OpenApiParameter(
                "points", int, description=f"of each axis, 4 to {MOST_POINTS}; {USUAL_POINTS} where left out"
            ),
            FORMAT,
        ],
        responses={(200, "application/json"): CURVE, (200, "text/csv"): {"type": "string"}},
        examples=[
            OpenApiExample(
                "Curve",
                value=ANSWER_EXAMPLE,
                response_only=True,
                status_codes=["200"],
                media_type="application/json",
            )
        ],
    )
)
class StoredCurveView(ApiView):
    """The load curves of a cached estimate's deployment, from the facts as they stand now."""

    renderer_classes: Any = [JsonRenderer, CsvRenderer]

    def get(self, request: Request, key: str) -> Response:
        asked = asked_curve(request)
        related = ("calculation", "language_model", "workload", "offer")
        rows = Estimate.objects.select_related(*related)
        row = rows.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
        if row is None:
            raise not_found("estimate", key)
        try:
            return table(stored_curves(row, asked))
        except (ArchitectureError, InvalidFact, UnknownFormat) as error:
            raise Problem(409, "cannot-explain", f"The facts behind it cannot be read now: {error}") from None


def asked_curve(request: Request) -> CurveAsked:
    """The query string as a curve. Raises Problem (400)."""
    faults: list[Fault] = []
    given = clean(request.query_params, ["axis", "points", "format"], faults)
    chosen: dict[str, str] = {name: given[name][0] for name in ("axis", "points") if name in given}
    try:
        asked = CurveAsked.model_validate(chosen)
    except ValidationError as error:
        accepted: dict[str, Any] = {"axis": list(AXES), "points": f"a whole number from 4 to {MOST_POINTS}"}
        for item in error.errors(include_url=False):
            name = str(item["loc"][0])
            detail = f"{name}={str(chosen[name])[:60]!r} is not accepted"
            faults.append(Fault(f"?{name}", item["type"], detail, accepted[name]))
    if faults:
        raise invalid_parameters(faults)
    return asked
