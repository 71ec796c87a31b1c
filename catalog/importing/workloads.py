"""Reads `workloads.yaml`: lengths and service levels, each a figure with its reason."""

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from catalog.importing.errors import Problems
from catalog.importing.figure_rows import FigureRows, Slug, accepted_columns, check_figures, sync_figures
from catalog.importing.files import DataFile, read_yaml, validated
from catalog.importing.kinds import Counts, Facts, Kind, Load, Record
from catalog.importing.rows import sync_rows
from catalog.models import Workload

REQUIRED: Final = ("isl", "osl")


class WorkloadEntry(BaseModel):
    """One workload; `isl` and `osl` need an accepted figure, a limit that is absent does not bind."""

    model_config = ConfigDict(extra="forbid")

    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=120)]
    position: Annotated[int, Field(ge=0, le=1000)]
    percentile: Annotated[int, Field(ge=1, le=99)] = 50
    edge_only: bool = False
    reason: Annotated[str, Field(min_length=1)]
    figures: FigureRows


def parse(file: DataFile, problems: Problems) -> Iterator[Record]:
    tree = read_yaml(file, problems)
    if tree is None:
        return
    if not isinstance(tree.data, list):
        problems.add(file.place(1), "file", type(tree.data).__name__, "a list of workloads")
        return
    for index in range(len(tree.data)):
        entry = validated(WorkloadEntry, tree, file, problems, index)
        if entry is None:
            continue
        place = file.place(tree.line(index))
        check_figures("workload", entry.figures, tree, file, problems, index)
        for quantity in REQUIRED:
            if not any(row.accepted for row in entry.figures.get(quantity, ())):
                problems.add(place, f"figures.{quantity}", None, "one accepted figure")
        yield Record(entry.slug, entry, place)


def check(facts: Facts, problems: Problems) -> None:
    for record in facts.records("workloads"):
        for quantity, rows in record.value.figures.items():
            for row in rows:
                facts.require("sources", row.source, record.place, f"figures.{quantity}.source", problems)


def write(records: list[Record], load: Load) -> Counts:
    """Rows with their own columns, then figures, which fill the lengths and limits."""
    entries: dict[str, WorkloadEntry] = {record.key: record.value for record in records}
    counts = sync_rows(
        load,
        "workloads",
        Workload,
        {
            slug: {
                "name": entry.name,
                "position": entry.position,
                "percentile": entry.percentile,
                "edge_only": entry.edge_only,
                "reason": entry.reason,
            }
            for slug, entry in entries.items()
        },
        initial={slug: accepted_columns("workload", entry.figures) for slug, entry in entries.items()},
    )
    ids = load.ids(Workload)
    figures = sync_figures(
        load,
        "workload",
        Workload,
        {ids[slug]: entry.figures for slug, entry in entries.items()},
        {ids[slug]: f"workload {slug}" for slug in entries},
    )
    if not counts.added:
        counts.changed = max(counts.changed, len(figures.changed_subjects))
        counts.unchanged = len(entries) - counts.changed
    return counts


KINDS = [Kind("workloads", ("workloads.yaml",), parse, write, after=("sources",), check=check)]
