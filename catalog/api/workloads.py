"""Workloads: what is asked of a model."""

from catalog.api.figures import FIGURES_MEANING, figures_section
from catalog.models import Workload
from config.rest.columns import Resource, boolean, integer, number, slug, text, time

WORKLOADS = Resource(
    name="workloads",
    noun="workload",
    meaning="Input and output length, the service levels that make an answer useful, and why.",
    rows=Workload.objects.all,
    ordering=("position", "slug"),
    columns=(
        slug("slug", example="chat"),
        text("name", nullable=False, example="Chat"),
        integer("isl", "input tokens", example=1024),
        integer("osl", "output tokens", example=512),
        number("ttft_limit_ms", "time to first token", example=1000.0),
        number("tpot_limit_ms", "time per output token", example=50.0),
        integer("percentile", example=50),
        number("prefix_share", "share of the input already cached", nullable=False, example=0.0),
        boolean("edge_only", "meant for PC and edge parts", example=False),
        text("reason", "why these lengths and limits", nullable=False),
        integer("position", "most used first", example=0),
        integer("version", "raised by every change", example=1),
        time("changed_at"),
    ),
    sections={"figures": figures_section("workload")},
    section_meanings={"figures": FIGURES_MEANING},
    example_query="osl__gte=500",
)
