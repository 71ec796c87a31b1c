"""Kinds that the others refer to: vendors and sources. One file is a list of entries, each with its slug."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from catalog.importing.errors import Problems
from catalog.importing.figure_rows import PartialDate, Slug
from catalog.importing.files import DataFile, read_yaml, validated
from catalog.importing.kinds import Counts, Kind, Load, Record
from catalog.importing.rows import sync_rows
from catalog.models import Source, Vendor


class VendorEntry(BaseModel):
    """A maker of hardware or a publisher of models."""

    model_config = ConfigDict(extra="forbid", strict=True)

    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=200)]
    website: Annotated[str, Field(max_length=200, pattern=r"^https?://")] | None = None
    makes_hardware: bool = False
    publishes_models: bool = False


class SourceEntry(BaseModel):
    """A document, table or page that figures were read from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+([-_.][a-z0-9]+)*$", max_length=200)]
    title: Annotated[str, Field(min_length=1, max_length=500)]
    url: Annotated[str, Field(max_length=1000)] = ""
    publisher: Annotated[str, Field(max_length=200)] = ""
    published_on: PartialDate | None = None
    read_on: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    licence: Annotated[str, Field(max_length=200)] = ""
    restricted: bool = False
    notes: str = ""


def entries_of[M: BaseModel](schema: type[M]) -> Callable[[DataFile, Problems], Iterable[Record]]:
    """A parser of files that are a list of entries of `schema`, whose natural key is `slug`."""

    def parse(file: DataFile, problems: Problems) -> Iterable[Record]:
        tree = read_yaml(file, problems)
        if tree is None:
            return
        if not isinstance(tree.data, list):
            problems.add(file.place(1), "file", type(tree.data).__name__, "a list of entries")
            return
        for index in range(len(tree.data)):
            entry = validated(schema, tree, file, problems, index)
            if entry is not None:
                yield Record(entry.slug, entry, file.place(tree.line(index)))  # type: ignore[attr-defined]

    return parse


def _write_vendors(records: list[Record], load: Load) -> Counts:
    rows: dict[str, dict[str, Any]] = {}
    for record in records:
        entry: VendorEntry = record.value
        rows[record.key] = {
            "name": entry.name,
            "website": entry.website or "",
            "makes_hardware": entry.makes_hardware,
            "publishes_models": entry.publishes_models,
        }
    return sync_rows(load, "vendors", Vendor, rows)


def _write_sources(records: list[Record], load: Load) -> Counts:
    rows: dict[str, dict[str, Any]] = {}
    for record in records:
        entry: SourceEntry = record.value
        rows[record.key] = {
            "title": entry.title,
            "url": entry.url,
            "publisher": entry.publisher,
            "published_on": entry.published_on or "",
            "read_on": dt.date.fromisoformat(entry.read_on) if entry.read_on else None,
            "licence": entry.licence,
            "restricted": entry.restricted,
            "notes": entry.notes,
        }
    return sync_rows(load, "sources", Source, rows)


def _check_vendors(facts: Any, problems: Problems) -> None:
    seen: dict[str, Record] = {}
    for record in facts.records("vendors"):
        if (other := seen.setdefault(record.value.name, record)) is not record:
            problems.add(record.place, "name", record.value.name, f"a name of its own ({other.place} has it)")


VENDORS = Kind(
    "vendors",
    ("vendors.yaml", "vendors/*.yaml"),
    entries_of(VendorEntry),
    _write_vendors,
    check=_check_vendors,
)
SOURCES = Kind("sources", ("sources.yaml", "sources/*.yaml"), entries_of(SourceEntry), _write_sources)

KINDS = [VENDORS, SOURCES]
