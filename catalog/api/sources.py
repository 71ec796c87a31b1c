"""Sources, and the published claims that the service can be held against."""

from typing import Any

from django.db.models import Count

from catalog.api.references import ACCELERATOR, MODEL, SOURCE, SYSTEM
from catalog.models import PublishedClaim, Source
from catalog.models.claims import Relation
from config.rest.columns import Resource, boolean, choice, nested, number, slug, text
from config.rest.columns import date as date_column


def _cited(pk: int) -> dict[str, Any]:
    counted = Source.objects.filter(pk=pk).order_by()
    return {
        name: counted.aggregate(n=Count(related))["n"]
        for name, related in (
            ("figures", "figures"),
            ("price_quotes", "quotes"),
            ("measurement_runs", "runs"),
        )
    }


SOURCES = Resource(
    name="sources",
    noun="source",
    meaning="A document, table or page that figures were read from.",
    rows=Source.objects.all,
    ordering=("slug",),
    columns=(
        slug("slug", example="nvidia-h100-datasheet"),
        text("title", nullable=False, example="NVIDIA H100 Tensor Core GPU Datasheet"),
        text("url"),
        text("publisher"),
        text("published_on", "ISO date, as exact as printed"),
        date_column("read_on", nullable=True),
        text("licence"),
        boolean("restricted", "terms bar shipping the source as data", example=False),
        text("notes", listed=False),
    ),
    sections={"cited_by": _cited},
    section_meanings={"cited_by": "how many figures, quotes and runs come from it"},
    example_query="title__ic=datasheet&limit=5",
)

CLAIMS = Resource(
    name="claims",
    noun="claim",
    meaning="A published sentence with a number, a configuration and a source.",
    rows=PublishedClaim.objects.all,  # served with its answer by estimates.api.claims
    ordering=("slug",),
    columns=(
        slug("slug"),
        text("subject", nullable=False),
        text("quantity", nullable=False),
        number("value"),
        text("unit"),
        choice("relation", Relation, "eq, le (at most), ge (at least) or ask (an open question)"),
        text("conditions"),
        text("kind", nullable=False),
        slug("accelerator", source="accelerator__slug", reference=ACCELERATOR, nullable=True),
        slug("system", source="system__slug", reference=SYSTEM, nullable=True),
        slug("model", source="language_model__slug", reference=MODEL, nullable=True),
        nested("parameters", "what the claim states of count, lengths and formats", example={}),
        slug("source", source="source__slug", reference=SOURCE),
        text("source_url", source="source__url"),
        text("source_date"),
        text("notes", listed=False),
    ),
    example_query="limit=5",
)
