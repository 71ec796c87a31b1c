"""Figures: each value with its source; as a resource, and as a part of whatever they speak of."""

from collections.abc import Callable
from typing import Any

from catalog.api.references import ACCELERATOR, MODEL, SOURCE, SYSTEM, WORKLOAD
from catalog.models import Figure
from catalog.models.sources import Confidence, FigureKind, FigureOrigin
from config.rest.columns import Resource, boolean, choice, integer, number, slug, text, time

FIGURES = Resource(
    name="figures",
    noun="figure",
    meaning="One value of one quantity of one subject, as one source has it. The accepted one stands in the "
    "subject's column; the others are its rivals.",
    rows=Figure.objects.all,
    key="id",
    ordering=("id",),
    deep=True,
    columns=(
        integer("id", source="pk", example=4021),
        slug("accelerator", source="accelerator__slug", reference=ACCELERATOR, nullable=True),
        slug("system", source="system__slug", reference=SYSTEM, nullable=True),
        slug("model", source="language_model__slug", reference=MODEL, nullable=True),
        slug("workload", source="workload__slug", reference=WORKLOAD, nullable=True),
        text(
            "quantity",
            "column, or peak_rate:fp8, memory_tier:second:capacity_gb, link:scale_up:bandwidth_gbs",
            nullable=False,
            example="memory_bandwidth_gbs",
        ),
        number("value", "in the unit", example=3350.0),
        text("text", "a value that is no number"),
        text("unit", example="GB/s"),
        text("as_printed", "as the source prints it", example="3.35TB/s"),
        text("sparsity", "dense, sparse or unknown, for peak rates"),
        choice("kind", FigureKind, "how the value came to be known"),
        choice("confidence", Confidence),
        slug("source", source="source__slug", reference=SOURCE, nullable=True),
        text("source_title", source="source__title"),
        text("source_url", source="source__url"),
        text("observed_on", "ISO date, as exact as known", example="2025-01"),
        boolean("accepted", "its value is the one in use"),
        choice("origin", FigureOrigin, "data files or an editor"),
        text("reason", "why accepted or not, or what was normalised"),
        time("created_at"),
    ),
    example_query="accelerator=nvidia-h100-sxm&quantity=memory_bandwidth_gbs",
)

FIGURES_MEANING = (
    "by quantity: the accepted figure and its rivals, each with value, unit, kind, date and source"
)


def figures_section(subject: str) -> Callable[[int], dict[str, Any]]:
    """The section of a detail that shows the figures of one subject: one query."""

    def section(pk: int) -> dict[str, Any]:
        rows = Figure.objects.filter(**{subject: pk}).select_related("source").order_by("quantity", "pk")
        found: dict[str, Any] = {}
        for figure in rows:
            entry = found.setdefault(figure.quantity, {"accepted": None, "rivals": []})
            if figure.accepted:
                entry["accepted"] = shown(figure)
            else:
                entry["rivals"].append(shown(figure))
        return found

    return section


def shown(figure: Figure) -> dict[str, Any]:
    """A figure with its source, as details show it."""
    source = figure.source
    return {
        "id": figure.pk,
        "value": figure.value if figure.value is not None else figure.text,
        "unit": figure.unit or None,
        "as_printed": figure.as_printed or None,
        "sparsity": figure.sparsity or None,
        "kind": figure.kind,
        "confidence": figure.confidence,
        "observed_on": figure.observed_on or None,
        "origin": figure.origin,
        "reason": figure.reason or None,
        "source": None
        if source is None
        else {
            "slug": source.slug,
            "title": source.title,
            "url": source.url or None,
            "publisher": source.publisher or None,
            "published_on": source.published_on or None,
            "read_on": source.read_on,
        },
    }
