"""Kinds of hardware facts: accelerators (one file each) and systems (a file per vendor or submitter)."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from catalog.importing.checks import review_hardware
from catalog.importing.errors import Problems
from catalog.importing.figure_rows import (
    ConfidenceName,
    FigureRows,
    PartialDate,
    Slug,
    accepted_columns,
    check_figures,
    sync_child_names,
    sync_figures,
)
from catalog.importing.files import DataFile, read_yaml, validated
from catalog.importing.kinds import Counts, Facts, Kind, Load, Record
from catalog.importing.rows import remember, sync_rows
from catalog.models import Accelerator, Link, MemoryTier, System, Vendor

StatusName = Literal["available", "cloud_only", "announced", "discontinued"]
Text100 = Annotated[str, Field(max_length=100)]


class AcceleratorEntry(BaseModel):
    """An accelerator as its file describes it; values stand under `figures`, each with its source."""

    model_config = ConfigDict(extra="forbid", strict=True)

    slug: Annotated[Slug, Field(max_length=120)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    vendor: Slug
    family: Text100 = ""
    generation: Text100 = ""
    kind: Literal["gpu", "tpu", "asic", "wafer", "npu", "soc", "cpu"]
    segment: Literal["datacentre", "workstation", "pc", "edge"]
    form_factor: Annotated[str, Field(max_length=40)] = ""
    status: StatusName
    release_date: PartialDate | None = None
    process_node: Text100 = ""
    memory_type: Annotated[str, Field(max_length=60)] = ""
    memory_is_sram: bool = False
    shares_memory_with_host: bool = False
    confidence: ConfidenceName
    notes: str = ""
    memory_tiers: dict[Literal["cache", "second"], Annotated[str, Field(max_length=60)]] = {}
    links: dict[Literal["scale_up", "host", "scale_out"], Text100] = {}
    figures: FigureRows = {}


class SystemEntry(BaseModel):
    """A server, rack, pod or PC built from one type of accelerator."""

    model_config = ConfigDict(extra="forbid", strict=True)

    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=300)]
    vendor: Slug
    accelerator: Slug
    form: Literal["card", "server", "rack", "pod", "pc"]
    status: StatusName = "available"
    fabric: Annotated[str, Field(max_length=200)] = ""
    host_cpu: Annotated[str, Field(max_length=200)] = ""
    notes: str = ""
    figures: FigureRows


def _parse_accelerator(file: DataFile, problems: Problems) -> Iterable[Record]:
    tree = read_yaml(file, problems)
    if tree is None:
        return
    entry = validated(AcceleratorEntry, tree, file, problems)
    if entry is None:
        return
    place = file.place(tree.line("slug"))
    if file.path.stem != entry.slug:
        problems.add(place, "slug", entry.slug, f"the file's name, {file.path.stem}")
    if file.path.parent.name != entry.vendor:
        line = tree.line("vendor")
        problems.add(file.place(line), "vendor", entry.vendor, f"the folder's name, {file.path.parent.name}")
    check_figures("accelerator", entry.figures, tree, file, problems)
    accepted = {name for name, rows in entry.figures.items() if any(row.accepted for row in rows)}
    for part, rows, suffix in (("memory_tier", entry.memory_tiers, "capacity_gb"), ("link", entry.links, "")):
        section = "memory_tiers" if part == "memory_tier" else "links"
        for key in rows:
            if not any(name.startswith(f"{part}:{key}:{suffix}") for name in accepted):
                what = f"{part}:{key}:{suffix or 'bandwidth_gbs'}"
                problems.add(
                    file.place(tree.line(section, key)), section, key, f"an accepted figure {what} with it"
                )
        for name in accepted:
            kind, _, rest = name.partition(":")
            named = rest.partition(":")[0]
            if kind == part and named not in rows:
                problems.add(
                    file.place(tree.line("figures", name)), name, named, f"an entry in {section} with it"
                )
    yield Record(entry.slug, entry, place, tree)


def _parse_systems(file: DataFile, problems: Problems) -> Iterable[Record]:
    tree = read_yaml(file, problems)
    if tree is None:
        return
    if not isinstance(tree.data, list):
        problems.add(file.place(1), "file", type(tree.data).__name__, "a list of systems")
        return
    for index in range(len(tree.data)):
        entry = validated(SystemEntry, tree, file, problems, index)
        if entry is None:
            continue
        place = file.place(tree.line(index))
        check_figures("system", entry.figures, tree, file, problems, index)
        if not any(row.accepted for row in entry.figures.get("accelerator_count", [])):
            problems.add(place, "figures", "accelerator_count", "an accepted figure accelerator_count")
        yield Record(entry.slug, entry, place, tree, (index,))


def _check_sources(facts: Facts, record: Record, problems: Problems) -> None:
    for name, rows in record.value.figures.items():
        for index, row in enumerate(rows):
            place = record.at("figures", name, index, "source") if row.source else record.place
            facts.require("sources", row.source, place, f"figures.{name}.{index}.source", problems)


def _check_accelerators(facts: Facts, problems: Problems) -> None:
    for record in facts.records("accelerators"):
        facts.require("vendors", record.value.vendor, record.at("vendor"), "vendor", problems)
        _check_sources(facts, record, problems)


def _check_systems(facts: Facts, problems: Problems) -> None:
    for record in facts.records("systems"):
        facts.require("vendors", record.value.vendor, record.at("vendor"), "vendor", problems)
        facts.require(
            "accelerators", record.value.accelerator, record.at("accelerator"), "accelerator", problems
        )
        _check_sources(facts, record, problems)


def _write_accelerators(records: list[Record], load: Load) -> Counts:
    vendors = load.ids(Vendor)
    rows: dict[str, dict[str, Any]] = {}
    initial: dict[str, dict[str, Any]] = {}
    for record in records:
        entry: AcceleratorEntry = record.value
        columns = entry.model_dump(exclude={"slug", "vendor", "figures", "memory_tiers", "links"})
        rows[record.key] = columns | {
            "vendor_id": vendors[entry.vendor],
            "release_date": entry.release_date or "",
        }
        initial[record.key] = accepted_columns("accelerator", entry.figures)
    counts = sync_rows(load, "accelerators", Accelerator, rows, initial=initial)
    ids = load.ids(Accelerator)
    changed = _sync_parts(records, load, "accelerator", Accelerator, ids)
    for field, model, key_field, section in (
        ("memory_type", MemoryTier, "role", "memory_tiers"),
        ("name", Link, "scope", "links"),
    ):
        names = {ids[record.key]: getattr(record.value, section) for record in records}
        before = remember(section, {record.key: getattr(record.value, section) for record in records})
        previous = {ids[key]: value for key, value in before.items() if key in ids}
        changed |= sync_child_names(field, model, key_field, names, previous)
    return _with_changed_parts(counts, changed)


def _write_systems(records: list[Record], load: Load) -> Counts:
    vendors, accelerators = load.ids(Vendor), load.ids(Accelerator)
    rows: dict[str, dict[str, Any]] = {}
    initial: dict[str, dict[str, Any]] = {}
    for record in records:
        entry: SystemEntry = record.value
        columns = entry.model_dump(exclude={"slug", "vendor", "accelerator", "figures"})
        rows[record.key] = columns | {
            "vendor_id": vendors[entry.vendor],
            "accelerator_id": accelerators[entry.accelerator],
        }
        initial[record.key] = accepted_columns("system", entry.figures)
    counts = sync_rows(load, "systems", System, rows, initial=initial)
    return _with_changed_parts(counts, _sync_parts(records, load, "system", System, load.ids(System)))


def _sync_parts(
    records: list[Record], load: Load, subject: str, model: type[Any], ids: dict[str, int]
) -> set[int]:
    wanted = {ids[record.key]: record.value.figures for record in records}
    names = {ids[record.key]: record.key for record in records}
    outcome = sync_figures(load, subject, model, wanted, names)
    load.count(f"figures of {subject}s", outcome.counts)
    return outcome.changed_subjects


def _with_changed_parts(counts: Counts, changed: set[int]) -> Counts:
    """Rows whose columns or child rows followed a figure count as changed, unless they are new."""
    moved = max(0, min(len(changed) - counts.added, counts.unchanged))
    counts.changed += moved
    counts.unchanged -= moved
    return counts


ACCELERATORS = Kind(
    "accelerators",
    ("accelerators/*/*.yaml",),
    _parse_accelerator,
    _write_accelerators,
    after=("vendors", "sources"),
    check=_check_accelerators,
    review=review_hardware,
)
SYSTEMS = Kind(
    "systems",
    ("systems/*.yaml", "systems/mlperf/*.yaml"),
    _parse_systems,
    _write_systems,
    after=("vendors", "sources", "accelerators"),
    check=_check_systems,
)

KINDS = [ACCELERATORS, SYSTEMS]
