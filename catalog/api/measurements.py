"""Published measurements: one row a metric, with the run it belongs to."""

from typing import Any

from catalog.api.references import ACCELERATOR, MODEL, SOURCE
from catalog.models import MeasuredValue
from config.rest.columns import Resource, integer, nested, number, slug, text


def _run_values(pk: int) -> dict[str, float]:
    rows = MeasuredValue.objects.filter(run__values=pk).order_by("metric")
    return dict(rows.values_list("metric", "value"))


def _count(name: str, **options: Any) -> Any:
    return integer(name, source=f"run__{name}", nullable=True, **options)


MEASUREMENTS = Resource(
    name="measurements",
    noun="measurement",
    meaning="One metric of one published run: hardware, model, deployment, lengths and load as printed.",
    rows=MeasuredValue.objects.all,
    key="id",
    ordering=("id",),
    deep=True,
    columns=(
        integer("id", source="pk", example=911),
        text("run_id", source="run__run_id", nullable=False),
        text("metric", nullable=False, example="output_tok_s"),
        number("value", nullable=False, example=2718.0),
        slug("accelerator", source="run__accelerator__slug", reference=ACCELERATOR, nullable=True),
        text("accelerator_as_printed", source="run__accelerator_as_printed", nullable=False),
        _count("accelerator_count"),
        text("system_as_printed", source="run__system_as_printed"),
        slug(
            "model",
            source="run__language_model__slug",
            reference=MODEL,
            nullable=True,
            example="llama-3.1-70b-instruct",
        ),
        text("model_as_printed", source="run__model_as_printed", nullable=False),
        text("weight_format", source="run__weight_format", example="fp8"),
        text("kv_format", source="run__kv_format"),
        text("framework", source="run__framework", example="vllm"),
        text("framework_version", source="run__framework_version"),
        text("serving", source="run__serving", nullable=False),
        text("scenario", source="run__scenario", nullable=False),
        *(_count(name) for name in ("workers", "tp", "pp", "ep", "dp", "moe_tp")),
        *(_count(f"prefill_{name}", listed=False) for name in ("workers", "tp", "pp", "ep", "dp")),
        number("isl", "input tokens", source="run__isl", example=1024.0),
        number("osl", "output tokens", source="run__osl", example=1024.0),
        number("concurrency", source="run__concurrency", example=64.0),
        nested("flags", source="run__flags", example=[]),
        slug("source", source="run__source__slug", reference=SOURCE),
        text("source_url", source="run__source__url"),
        text("source_date", source="run__source_date", example="2025-04"),
        text("notes", source="run__notes", listed=False),
    ),
    sections={"run": _run_values},
    section_meanings={"run": "every metric of the run"},
    example_query="accelerator=nvidia-h100-sxm&limit=5",
)
