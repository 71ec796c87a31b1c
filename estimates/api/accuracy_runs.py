"""Every prediction behind the accuracy scores: a measured figure, and what was predicted without its row."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from numpy.typing import NDArray
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.references import ACCELERATOR, MODEL
from catalog.models import MeasurementRun
from config.rest import arrays
from config.rest.columns import Column, Parameter, Resource, Row, Type, attached, nested, number, slug, text
from config.rest.lookups import FALSE_WORDS, TRUE_WORDS
from config.rest.parameters import read_list
from config.rest.schema import component, list_parameters, row_example, row_schema
from config.rest.views import ListView, list_response
from estimates.accuracy.predictions import FOLDS, METRICS, NUMBERS, TEXTS, TIERS
from estimates.accuracy.report import Report
from estimates.api.accuracy import calibrated
from estimates.core.grades import GRADES

RUN_COLUMNS = {
    "accelerator_count": "accelerator_count",
    "tp": "tp",
    "isl": "isl",
    "osl": "osl",
    "concurrency": "concurrency",
    "scenario": "scenario",
    "source": "source__slug",
    "source_url": "source__url",
}


def words(name: str, values: tuple[str, ...], meaning: str, **options: Any) -> Column:
    return Column(name, Type.CHOICE, meaning, words={value: value for value in values}, **options)


def attach_runs(positions: list[int], rows: list[Row], wanted: set[str]) -> None:
    """Add lengths, load and source of the measured run to rows of predictions, in one query."""
    names = calibrated().predictions.texts("run_id")
    ids = [names[position] for position in positions]
    columns = [name for name in RUN_COLUMNS if name in wanted]
    runs = {
        values[0]: values[1:]
        for values in MeasurementRun.objects.filter(run_id__in=ids)
        .order_by()
        .values_list("run_id", *(RUN_COLUMNS[name] for name in columns))
    }
    for run, row in zip(ids, rows, strict=True):
        row |= dict(zip(columns, runs.get(run, [None] * len(columns)), strict=True))


PREDICTIONS = Resource(
    name="accuracy/runs",
    noun="prediction",
    meaning="A measured figure and what was predicted without its row (`fold` rows) or without its whole "
    "group of chip, software, architecture, format and serving (`fold` groups).",
    rows=MeasurementRun.objects.none,
    key="run_id",
    ordering=("run_id", "metric", "-fold"),
    columns=(
        text("run_id", "of the measurements", nullable=False, example="h100-llama-70b-fp8-c64"),
        words("metric", METRICS, "measured figure, its unit in the name"),
        words("fold", FOLDS, "what was left out", example="rows"),
        number("measured", nullable=False, example=24.1),
        number("predicted", "unknown: the question was refused", example=23.4),
        number("low", "lower end of the 80% interval", example=21.0),
        number("high", "upper end", example=26.2),
        number("error_pct", "predicted over measured less one", example=-2.9),
        number("ape_pct", "its size", example=2.9),
        words("grade", GRADES, "A to D", nullable=True, example="A"),
        words("tier", TIERS, "novelty of the group", nullable=True, example="measured"),
        slug("accelerator", reference=ACCELERATOR, nullable=True),
        text("software", example="vllm"),
        slug("model", reference=MODEL, nullable=True, example="llama-3.1-70b-instruct"),
        text("weight_format", example="fp8"),
        text("serving", nullable=False, example="aggregated"),
        nested("flags", example=[]),
        *(attached(name, kind=Type.NUMBER, example=64.0) for name in list(RUN_COLUMNS)[:5]),
        *(attached(name, kind=Type.TEXT, example="text") for name in list(RUN_COLUMNS)[5:]),
    ),
    parameters=(
        Parameter(
            "complete",
            "false: with the rows that are reported apart (incomplete deployment, speculative, MLPerf's open "
            "division, anomaly); true, the default: without",
            words=(*TRUE_WORDS, *FALSE_WORDS),
        ),
    ),
    attach=attach_runs,
    has_detail=False,
    example_query="metric=tpot_ms&fold=groups&ordering=-ape_pct&limit=5",
)


def columns_of(report: Report) -> Mapping[str, NDArray[Any]]:
    """The predictions by the names of the resource's columns."""
    predictions = report.predictions
    error = 100.0 * predictions.error
    return {
        **{name: predictions.texts(name) for name in TEXTS},
        **{name: predictions.numbers(name) for name in NUMBERS},
        "flags": predictions.flags,
        "error_pct": np.round(error, 2),
        "ape_pct": np.round(np.abs(error), 2),
    }


PAGE = component(
    "PredictionPage",
    {
        "type": "object",
        "required": ["count", "next", "previous", "results"],
        "properties": {
            "count": {"type": "integer"},
            "next": {"type": ["string", "null"], "format": "uri"},
            "previous": {"type": ["string", "null"], "format": "uri"},
            "results": {
                "type": "array",
                "items": component("Prediction", row_schema(PREDICTIONS, with_sections=False)),
            },
        },
    },
)


@extend_schema_view(
    get=extend_schema(
        operation_id="list_predictions",
        summary="List predictions of measured figures",
        description=f"{PREDICTIONS.meaning}\n\n"
        f"Example: `GET /api/v1/accuracy/runs?{PREDICTIONS.example_query}`",
        tags=["accuracy"],
        parameters=list_parameters(PREDICTIONS),
        responses={(200, "application/json"): PAGE, (200, "text/csv"): OpenApiTypes.STR},
        examples=[
            OpenApiExample(
                "One row",
                value={"count": 1, "next": None, "previous": None, "results": [row_example(PREDICTIONS)]},
                response_only=True,
                media_type="application/json",
                status_codes=["200"],
            )
        ],
    )
)
class AccuracyRunsView(ListView):
    """Predictions of measured figures, filtered, ordered, in pages, as JSON or CSV."""

    resource = PREDICTIONS

    def get(self, request: Request) -> Response:
        report = calibrated()
        query = read_list(PREDICTIONS, request.query_params)
        complete = query.parameters.get("complete", ["true"])[0] in TRUE_WORDS
        among = report.predictions.whole if complete else None
        return list_response(request, arrays.run(PREDICTIONS, query, columns_of(report), among))
