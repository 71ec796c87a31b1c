"""Calculation runs: what was asked to be recalculated, how far it is."""

from config.rest.columns import Resource, choice, integer, text, time
from estimates.models import CalculationRun, RunState

RUNS = Resource(
    name="runs",
    noun="run",
    meaning="One request to recalculate: its scope, progress and outcome.",
    rows=CalculationRun.objects.all,
    key="id",
    ordering=("-requested_at", "-id"),
    columns=(
        integer("id", source="pk", example=3),
        text("scope", "all, stale, model:SLUG or accelerator:SLUG", nullable=False, example="all"),
        text("reason", example="first calculation"),
        choice("state", RunState),
        integer("chunks", example=240),
        integer("chunks_done", example=240),
        integer("configurations", example=58000000),
        integer("rows_written", example=910000),
        time("requested_at"),
        time("started_at", nullable=True),
        time("finished_at", nullable=True),
        text("error"),
    ),
    example_query="state=running",
)
