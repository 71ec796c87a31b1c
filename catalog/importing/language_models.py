"""Kinds of language models: one file each (counts are computed from the architecture), and their aliases."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from catalog.importing.errors import Problems
from catalog.importing.figure_rows import FigureRow, FigureRows, sync_figures
from catalog.importing.files import DataFile, read_csv, validated_row
from catalog.importing.kinds import Counts, Facts, Kind, Load, Record
from catalog.importing.model_file import ModelFile, PublishedCount, model_columns, read_model_file
from catalog.importing.rows import sync_rows
from catalog.models import LanguageModel, ModelAlias, Source, Vendor

#: Quantities that a model's file gives as figures, by the name under `published`.
PUBLISHED = {"total": "published_parameters", "active": "published_active_parameters"}


class AliasRow(BaseModel):
    """A name as some source prints it, and the model it means."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)]
    model: str
    same_architecture_only: bool = False


def _parse_model(file: DataFile, problems: Problems) -> Iterable[Record]:
    model = read_model_file(file, problems)
    if model is not None:
        yield Record(model.slug, model, file.place(1))


def _check_models(facts: Facts, problems: Problems) -> None:
    seen: dict[str, Record] = {}
    for record in facts.records("models"):
        model: ModelFile = record.value
        if (other := seen.setdefault(model.hf_id, record)) is not record:
            problems.add(record.place, "hf_id", model.hf_id, f"one of its own ({other.place} has it)")
        facts.require("vendors", model.publisher, record.place, "publisher", problems)
        facts.require("sources", model.config.source, record.place, "config.source", problems)
        for name in PUBLISHED:
            count: PublishedCount | None = getattr(model.published, name)
            if count is not None:
                facts.require("sources", count.source, record.place, f"published.{name}.source", problems)


def _write_models(records: list[Record], load: Load) -> Counts:
    vendors = load.ids(Vendor)
    read = dict(Source.objects.values_list("slug", "published_on"))
    rows: dict[str, dict[str, Any]] = {}
    initial: dict[str, dict[str, Any]] = {}
    for record in records:
        columns = model_columns(record.value)
        columns["publisher_id"] = vendors[columns.pop("publisher")]
        columns.pop("slug")
        initial[record.key] = {name: columns.pop(name) for name in PUBLISHED.values()}
        rows[record.key] = columns
    counts = sync_rows(load, "models", LanguageModel, rows, initial=initial)
    ids = load.ids(LanguageModel)
    figures = {ids[record.key]: published_figures(record.value, read) for record in records}
    outcome = sync_figures(
        load, "language_model", LanguageModel, figures, {ids[record.key]: record.key for record in records}
    )
    load.count("figures of models", outcome.counts)
    moved = max(0, min(len(outcome.changed_subjects) - counts.added, counts.unchanged))
    return counts + Counts(changed=moved, unchanged=-moved)


def published_figures(model: ModelFile, dates: dict[str, str]) -> FigureRows:
    """Published counts as figures; dated by their source, or by the model's release where it has no date."""
    figures: FigureRows = {}
    for name, quantity in PUBLISHED.items():
        count: PublishedCount | None = getattr(model.published, name)
        if count is not None:
            date = dates.get(count.source or "", "") or model.release_date or None
            figures[quantity] = [
                FigureRow(
                    accepted=True,
                    value=float(count.value),
                    unit="parameters",
                    kind=count.kind,
                    source=count.source,
                    date=date,
                    confidence=count.confidence,
                    as_printed=count.as_printed,
                    reason=count.reason,
                )
            ]
    return figures


def _parse_aliases(file: DataFile, problems: Problems) -> Iterable[Record]:
    for line, row in read_csv(file, problems):
        alias = validated_row(AliasRow, row, line, file, problems)
        if alias is not None:
            yield Record(alias.name, alias, file.place(line))


def _check_aliases(facts: Facts, problems: Problems) -> None:
    for record in facts.records("model_aliases"):
        facts.require("models", record.value.model, record.place, "model", problems)


def _write_aliases(records: list[Record], load: Load) -> Counts:
    models = load.ids(LanguageModel)
    rows = {
        record.key: {
            "language_model_id": models[record.value.model],
            "same_architecture_only": record.value.same_architecture_only,
        }
        for record in records
    }
    return sync_rows(load, "model_aliases", ModelAlias, rows, key_field="name", delete_missing=True)


KINDS = [
    Kind(
        "models",
        ("models/*.yaml",),
        _parse_model,
        _write_models,
        after=("vendors", "sources"),
        check=_check_models,
    ),
    Kind(
        "model_aliases",
        ("model_aliases.csv",),
        _parse_aliases,
        _write_aliases,
        after=("models",),
        check=_check_aliases,
    ),
]
