"""How wrong the estimator is on measurements it has not seen: scores, slices, tiers, stages, worst groups."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.rest.faults import Fault, Problem, invalid_parameters, nearest
from config.rest.lookups import FALSE_WORDS, TRUE_WORDS
from config.rest.parameters import FORMATS, clean
from config.rest.rendering import CsvRenderer, JsonRenderer, Table
from config.rest.schema import component
from config.rest.views import ApiView
from estimates.accuracy.predictions import DIMENSIONS, FOLDS, METRICS, TIERS
from estimates.accuracy.report import Report, current, headline, peers, worst_groups
from estimates.accuracy.scores import scores, slices

DEFAULT_BY = "metric"
FEW = 20  # values that an error lists whole
SLICE_COLUMNS = (
    "fold",
    "metric",
    "by",
    "value",
    "rows",
    "answered",
    "mape_pct",
    "median_ape_pct",
    "bias_pct",
    "within20_pct",
    "coverage80_pct",
    "interval_ratio",
)
MEANINGS = {
    "metric": f"measured figure: {', '.join(METRICS)}",
    "accelerator": "slug of the accelerator",
    "software": "serving software",
    "model": "slug of the model",
    "weight_format": "number format of the weights",
    "serving": "aggregated or disaggregated",
    "tier": "novelty: measured (the row's group was measured), kin (its kin was), none",
    "grade": "grade of the estimate, A to D",
    "fold": "what was left out of the calibration: rows, one by one, or groups, whole",
}


def calibrated() -> Report:
    """The report in force. Raises Problem (404) where no calibration has written one."""
    report = current()
    if report is None:
        detail = "No calibration has left its report here yet; `manage.py calibrate` writes it."
        raise Problem(404, "not-calibrated", detail)
    return report


def read_filters(
    report: Report, given: dict[str, list[str]], faults: list[Fault]
) -> tuple[dict[str, list[str]], bool]:
    """The values that each dimension may have, and whether incomplete rows stay out; faults are noted."""
    wanted: dict[str, list[str]] = {}
    for name in DIMENSIONS:
        known = report.predictions.values[name]
        for value in given.get(name, ()):
            if value not in known:
                near = known if len(known) <= FEW else nearest(value, known) or known[:FEW]
                detail = f"no prediction has the {name} {value[:80]!r}"
                faults.append(Fault(f"?{name}", "unknown", detail, near))
        if name in given:
            wanted[name] = given[name]
    complete = given.get("complete", ["true"])
    if len(complete) > 1 or complete[0] not in (*TRUE_WORDS, *FALSE_WORDS):
        detail = f"complete={complete[-1][:60]!r} is not true or false"
        faults.append(Fault("?complete", "invalid", detail, "true or false"))
    return wanted, complete[0] in TRUE_WORDS


def accuracy(given: Any) -> Table:
    """The answer to a query string; raises Problem (400, or 404 without a calibration)."""
    report, faults = calibrated(), list[Fault]()
    values = clean(given, [*DIMENSIONS, "by", "complete", "format"], faults)
    wanted, complete = read_filters(report, values, faults)
    by = values.get("by", [DEFAULT_BY])
    if len(by) > 1 or by[0] not in DIMENSIONS:
        faults.append(Fault("?by", "choice", f"by={by[-1][:60]!r} is no dimension", list(DIMENSIONS)))
    if faults:
        raise invalid_parameters(faults)
    overall = scores(report.predictions, wanted, complete)
    rows = [
        {"fold": fold, "metric": metric, "by": item.by, "value": item.value or None} | item.score.as_json()
        for fold, metrics in overall.items()
        for metric in metrics
        for item in slices(report.predictions, by[0], wanted | {"fold": [fold], "metric": [metric]}, complete)
    ]
    body = {
        "made": report.part("made"),
        "efficiency_version": report.version,
        "measurements": report.part("measurements"),
        "filters": wanted,
        "complete": complete,
        "scores": {
            fold: {metric: score.as_json() for metric, score in metrics.items()}
            for fold, metrics in overall.items()
        },
        "by": by[0],
        "slices": rows,
        "report": headline(report),
        "stages": report.part("stages") or [],
        "ablation": report.part("ablation") or [],
        "worst_groups": worst_groups(report),
        "peers": peers(report),
        "ranking": report.part("ranking"),
    }
    return Table(body, list(SLICE_COLUMNS), rows)


SCORE = component(
    "Score",
    {
        "type": "object",
        "description": "Errors are relative to the measured value, in per cent; the bias is their signed "
        "mean. `coverage80_pct` is the share of measured values inside the 80% interval, `interval_ratio` "
        "the median of its upper over its lower end. null: nothing was predicted.",
        "required": ["rows", "answered"],
        "properties": {
            "rows": {"type": "integer", "description": "measured figures"},
            "answered": {"type": "integer", "description": "of which predicted"},
            **{name: {"type": ["number", "null"]} for name in SLICE_COLUMNS[6:]},
        },
    },
)
ANSWER = component(
    "Accuracy",
    {
        "type": "object",
        "description": "Predictions made without the row (`rows`) or without its whole group (`groups`), "
        "against what was measured.",
        "required": ["made", "scores", "by", "slices", "worst_groups"],
        "properties": {
            "made": {"type": ["string", "null"], "description": "day of the calibration"},
            "efficiency_version": {"type": "string"},
            "measurements": {"type": ["object", "null"]},
            "filters": {"type": "object"},
            "complete": {"type": "boolean"},
            "scores": {
                "type": "object",
                "description": "by fold, then metric",
                "additionalProperties": {"type": "object", "additionalProperties": SCORE},
            },
            "by": {"type": "string", "enum": list(DIMENSIONS)},
            "slices": {
                "type": "array",
                "items": {
                    "allOf": [
                        SCORE,
                        {
                            "type": "object",
                            "properties": {
                                "fold": {"type": "string", "enum": list(FOLDS)},
                                "metric": {"type": "string"},
                                "by": {"type": "string"},
                                "value": {"type": ["string", "null"]},
                            },
                        },
                    ]
                },
            },
            "report": {
                "type": "object",
                "description": "the calibration's own scores: all, complete and physically plausible rows",
            },
            "stages": {"type": "array", "items": {"type": "object"}, "description": "what each stage buys"},
            "ablation": {
                "type": "array",
                "items": {"type": "object"},
                "description": "what each term of the physics buys",
            },
            "worst_groups": {"type": "array", "items": {"type": "object"}},
            "peers": {
                "type": "array",
                "items": {"type": "object"},
                "description": "other estimators on the rows that they answer, and ours by fold on the same",
            },
            "ranking": {
                "type": ["object", "null"],
                "description": "Kendall's tau between the measured and the estimated order of systems by "
                "throughput per chip: `means` by view and order; `low_groups`, whose tau is below "
                "`low_tau` in an order, with the swapped pairs. Written by `manage.py validate --ranking`.",
            },
        },
    },
)
EXAMPLE_SCORE = {
    "rows": 120,
    "answered": 120,
    "mape_pct": 6.2,
    "median_ape_pct": 3.4,
    "bias_pct": 0.4,
    "within20_pct": 95.0,
    "coverage80_pct": 80.8,
    "interval_ratio": 1.2,
}
EXAMPLE = {
    "made": "2026-11-22",
    "filters": {"metric": ["tpot_ms"], "fold": ["rows"]},
    "complete": True,
    "scores": {"rows": {"tpot_ms": EXAMPLE_SCORE}},
    "by": "software",
    "slices": [{"fold": "rows", "metric": "tpot_ms", "by": "software", "value": "vllm"} | EXAMPLE_SCORE],
    "worst_groups": [],
}


@extend_schema_view(
    get=extend_schema(
        operation_id="accuracy",
        summary="How wrong the estimates are",
        tags=["accuracy"],
        parameters=[
            OpenApiParameter(
                "by", str, description=f"Dimension of `slices`; default {DEFAULT_BY}.", enum=list(DIMENSIONS)
            ),
            *(
                OpenApiParameter(
                    name,
                    str,
                    description=f"Only rows with this {MEANINGS[name]}; repeat for or.",
                    enum={"tier": list(TIERS), "fold": list(FOLDS)}.get(name),
                    many=True,
                    explode=True,
                )
                for name in DIMENSIONS
            ),
            OpenApiParameter(
                "complete",
                bool,
                description="true, the default: without rows whose deployment is not fully stated, or that "
                "are speculative, of MLPerf's open division, or marked an anomaly.",
            ),
            OpenApiParameter("format", str, enum=FORMATS, description="CSV has the rows of `slices`."),
        ],
        responses={(200, "application/json"): ANSWER, (200, "text/csv"): OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "By software",
                value=EXAMPLE,
                response_only=True,
                media_type="application/json",
                status_codes=["200"],
            )
        ],
    )
)
class AccuracyView(ApiView):
    """The error of the estimates on measurements left out of the calibration, whole and by slice.

    Example: `GET /api/v1/accuracy?metric=tpot_ms&fold=groups&by=software`
    """

    renderer_classes: Any = [JsonRenderer, CsvRenderer]

    def get(self, request: Request) -> Response:
        return Response(accuracy(request.query_params))
