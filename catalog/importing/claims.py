"""Reads `claims.yaml`: published statements that the service can be held against."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.claim_parameters import ClaimParameters, Number, named
from catalog.importing.errors import Problems
from catalog.importing.files import DataFile, read_yaml, validated
from catalog.importing.kinds import Counts, Facts, Kind, Load, Record
from catalog.importing.rows import sync_rows
from catalog.importing.token_prices import PARTIAL_DATE
from catalog.models import Accelerator, LanguageModel, PublishedClaim, Source, System


class ClaimEntry(BaseModel):
    """One claim. `ask` marks an open question, which has no number of its own."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$", max_length=160)
    subject: str = Field(min_length=1, max_length=300)
    quantity: str = Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)
    value: Number | None = None
    unit: str = Field(default="", max_length=20)
    relation: Literal["eq", "le", "ge", "ask"]
    conditions: str = ""
    kind: str = Field(max_length=30)
    source: str
    further_sources: list[str] = []
    source_date: str = Field(default="", pattern=rf"^$|{PARTIAL_DATE}")
    accelerator: str = ""
    system: str = ""
    language_model: str = ""
    parameters: ClaimParameters = ClaimParameters()
    notes: str = ""


def parse(file: DataFile, problems: Problems) -> Iterator[Record]:
    tree = read_yaml(file, problems)
    if tree is None:
        return
    if not isinstance(tree.data, list):
        problems.add(file.place(1), "file", type(tree.data).__name__, "a list of claims")
        return
    for index in range(len(tree.data)):
        entry = validated(ClaimEntry, tree, file, problems, index)
        if entry is None:
            continue
        place = file.place(tree.line(index))
        if (entry.value is None) != (entry.relation == "ask"):
            problems.add(place, "value", entry.value, "a number, or none with relation: ask")
        yield Record(entry.slug, entry, place)


def check(facts: Facts, problems: Problems) -> None:
    for record in facts.records("claims"):
        entry: ClaimEntry = record.value
        for source in (entry.source, *entry.further_sources):
            facts.require("sources", source, record.place, "source", problems)
        facts.require("accelerators", entry.accelerator, record.place, "accelerator", problems)
        facts.require("systems", entry.system, record.place, "system", problems)
        facts.require("models", entry.language_model, record.place, "language_model", problems)
        for kind, key in (("accelerators", "accelerator"), ("models", "model")):
            for slug in named(entry.parameters, key):
                facts.require(kind, slug, record.place, "parameters", problems)


def parameters_as_json(parameters: ClaimParameters) -> dict[str, Any]:
    return parameters.model_dump(mode="json", exclude_unset=True)


def write(records: list[Record], load: Load) -> Counts:
    sources, accelerators = load.ids(Source), load.ids(Accelerator)
    systems, models = load.ids(System), load.ids(LanguageModel)
    entries: dict[str, ClaimEntry] = {record.key: record.value for record in records}
    counts = sync_rows(
        load,
        "claims",
        PublishedClaim,
        {
            slug: {
                "subject": entry.subject,
                "quantity": entry.quantity,
                "value": entry.value,
                "unit": entry.unit,
                "relation": entry.relation,
                "conditions": entry.conditions,
                "kind": entry.kind,
                "source_id": sources[entry.source],
                "source_date": entry.source_date,
                "accelerator_id": accelerators.get(entry.accelerator),
                "system_id": systems.get(entry.system),
                "language_model_id": models.get(entry.language_model),
                "parameters": parameters_as_json(entry.parameters),
                "notes": entry.notes,
            }
            for slug, entry in entries.items()
        },
    )
    add_further_sources(entries, load)
    return counts


def add_further_sources(entries: Mapping[str, ClaimEntry], load: Load) -> None:
    """Tie each claim to the sources it names besides the first; those that an editor added stay."""
    claims, sources = load.ids(PublishedClaim), load.ids(Source)
    through = PublishedClaim.further_sources.through
    through._default_manager.bulk_create(
        [
            through(publishedclaim_id=claims[slug], source_id=sources[source])
            for slug, entry in entries.items()
            for source in entry.further_sources
        ],
        ignore_conflicts=True,
    )


KINDS = [
    Kind(
        "claims",
        ("claims.yaml",),
        parse,
        write,
        after=("sources", "accelerators", "systems", "models"),
        check=check,
    )
]
