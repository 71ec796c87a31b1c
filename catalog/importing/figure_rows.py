"""Figures in data files: their form, their checks, and bringing the database in line with them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from django.db import models
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from catalog.figures import SOURCELESS_KINDS, column_value
from catalog.importing.errors import Problems
from catalog.importing.files import DataFile, Located
from catalog.importing.kinds import Counts, Load
from catalog.importing.rows import BATCH
from catalog.models import Figure, Link, MemoryTier, PeakRate, Source
from catalog.models.sources import FigureOrigin
from catalog.quantities import QUANTITIES, Quantity

#: An ISO date as exact as known: a year, a month or a day.
PartialDate = Annotated[
    str, StringConstraints(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")
]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+([-_.][a-z0-9]+)*$", max_length=160)]
ConfidenceName = Literal["high", "medium", "low"]


class FigureRow(BaseModel):
    """One value of one quantity as one source has it. The accepted one is used; the others are kept."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    accepted: bool = False
    value: float
    unit: Annotated[str, Field(max_length=30)] = ""
    kind: Literal["vendor_claim", "measured", "third_party", "derived", "assumed"]
    source: str | None = None
    date: PartialDate | None = None
    confidence: ConfidenceName
    as_printed: Annotated[str, Field(max_length=200)] = ""
    sparsity: Literal["", "dense", "sparse", "unknown"] = ""
    reason: str = ""


FigureRows = dict[str, list[FigureRow]]


def check_figures(
    subject: str, figures: FigureRows, tree: Located, file: DataFile, problems: Problems, *path: Any
) -> None:
    """Quantities that exist, values within bounds, units as the catalogue keeps them, one accepted each."""
    known = QUANTITIES[subject]
    for name, rows in figures.items():
        at = (*path, "figures", name)
        about = known.get(name)
        if about is None:
            problems.add(
                file.place(tree.line(*at)), "figures", name, "one of the quantities " + ", ".join(known)
            )
            continue
        if sum(row.accepted for row in rows) > 1:
            problems.add(
                file.place(tree.line(*at)), f"figures.{name}", "accepted twice", "one accepted figure at most"
            )
        for index, row in enumerate(rows):
            where = (*at, index)
            field = f"figures.{name}.{index}"
            if (accepted := about.fault(row.value)) is not None:
                problems.add(
                    file.place(tree.line(*where, "value")),
                    f"{field}.value",
                    tree_value(tree, where),
                    accepted,
                )
            if row.unit != about.unit:
                problems.add(
                    file.place(tree.line(*where, "unit")), f"{field}.unit", row.unit, about.unit or "no unit"
                )
            if row.date is None:
                problems.add(
                    file.place(tree.line(*where)),
                    f"{field}.date",
                    None,
                    "a year, month or day (ISO, as text)",
                )
            if row.source is None and row.kind not in SOURCELESS_KINDS:
                problems.add(
                    file.place(tree.line(*where)),
                    f"{field}.source",
                    None,
                    "a source, or kind assumed or derived without one",
                )


def tree_value(tree: Located, path: tuple[Any, ...]) -> Any:
    """The value of a figure as the file prints it."""
    node = tree.data
    for step in path:
        node = node[step]
    return node.get("value")


def accepted_columns(subject: str, figures: FigureRows) -> dict[str, Any]:
    """Columns of the subject's own row that the accepted figures fill."""
    columns = {}
    for name, rows in figures.items():
        about = QUANTITIES[subject][name]
        for row in rows:
            if row.accepted and about.child is None:
                columns[about.column] = column_value(about, row.value)
    return columns


@dataclass(slots=True)
class FigureSync:
    """Outcome of `sync_figures`: counts of figures, and the subjects whose columns or child rows changed."""

    counts: Counts
    changed_subjects: set[int]


def sync_figures(
    load: Load,
    subject: str,
    model: type[models.Model],
    wanted: Mapping[int, FigureRows],
    names: Mapping[int, str],
) -> FigureSync:
    """Bring the figures of the given subjects (by primary key) in line with the files, and columns with them.

    Only figures of the files' own origin are changed or deleted. A quantity whose accepted figure an editor
    put in keeps it: the file's value is stored beside it as a rival, and noted, unless `load.overwrite`.
    """
    counts = Counts()
    sources = load.ids(Source)
    standing: dict[tuple[int, str], Figure] = {}
    old: dict[tuple[int, str, int | None], list[Figure]] = defaultdict(list)
    for figure in Figure.objects.filter(**{f"{subject}_id__in": list(wanted)}).order_by("pk"):
        owner = getattr(figure, f"{subject}_id")
        if figure.origin == FigureOrigin.FILE:
            old[owner, figure.quantity, figure.source_id].append(figure)
        elif figure.accepted:
            standing[owner, figure.quantity] = figure

    accepted: dict[tuple[int, str], tuple[float, str]] = {
        at: (figure.value, figure.kind) for at, figure in standing.items() if figure.value is not None
    }
    inserts, updates, released = [], [], []
    touched: set[tuple[int, str]] = set()
    for owner, figures in wanted.items():
        for quantity, rows in figures.items():
            at = (owner, quantity)
            touched.add(at)
            editors = standing.get(at)
            for row in rows:
                source_id = sources[row.source] if row.source else None
                takes = row.accepted
                if takes and editors is not None:
                    if load.overwrite:
                        released.append(editors)
                        load.note(f"{names[owner]}: {quantity}: the editor's {editors.value:g} was replaced")
                    else:
                        takes = False
                        counts.kept += 1
                        load.note(
                            f"{names[owner]}: {quantity}: the editor's {editors.value:g} stays; "
                            f"the file has {row.value:g}"
                        )
                if takes:
                    accepted[at] = (row.value, row.kind)
                columns = {
                    "value": row.value,
                    "unit": row.unit,
                    "as_printed": row.as_printed,
                    "sparsity": row.sparsity,
                    "kind": row.kind,
                    "confidence": row.confidence,
                    "observed_on": row.date or "",
                    "reason": row.reason,
                    "accepted": takes,
                }
                twins = old[owner, quantity, source_id]
                if not twins:
                    inserts.append(
                        Figure(
                            **{f"{subject}_id": owner},
                            quantity=quantity,
                            source_id=source_id,
                            origin=FigureOrigin.FILE,
                            **columns,
                        )
                    )
                    continue
                figure = twins.pop(0)
                if all(getattr(figure, name) == value for name, value in columns.items()):
                    counts.unchanged += 1
                    continue
                if figure.accepted and not takes:
                    released.append(figure)
                for name, value in columns.items():
                    setattr(figure, name, value)
                updates.append(figure)

    gone = [figure for twins in old.values() for figure in twins]
    touched |= {(getattr(figure, f"{subject}_id"), figure.quantity) for figure in gone}
    Figure.objects.filter(pk__in=[figure.pk for figure in gone]).delete()
    Figure.objects.filter(pk__in=[figure.pk for figure in released]).update(accepted=False)
    if updates:
        fields = [
            "value",
            "unit",
            "as_printed",
            "sparsity",
            "kind",
            "confidence",
            "observed_on",
            "reason",
            "accepted",
        ]
        Figure.objects.bulk_update(updates, fields, batch_size=BATCH)
    Figure.objects.bulk_create(inserts, batch_size=BATCH)
    counts.added, counts.changed, counts.removed = len(inserts), len(updates), len(gone)
    changed = _project_columns(subject, model, touched, accepted)
    if subject == "accelerator":
        changed |= _project_children(touched, accepted)
    return FigureSync(counts, changed)


def _project_columns(
    subject: str,
    model: type[models.Model],
    touched: Iterable[tuple[int, str]],
    accepted: Mapping[tuple[int, str], tuple[float, str]],
) -> set[int]:
    """Write accepted values into the subjects' own columns; primary keys of the rows that differed."""
    known = QUANTITIES[subject]
    wanted: dict[int, dict[str, Any]] = defaultdict(dict)
    for owner, quantity in touched:
        about = known[quantity]
        if about.child is None:
            found = accepted.get((owner, quantity))
            wanted[owner][about.column] = column_value(about, found[0]) if found else None
    changed: dict[tuple[str, ...], list[models.Model]] = defaultdict(list)
    for row in model._default_manager.filter(pk__in=list(wanted)):
        fields = [name for name, value in wanted[row.pk].items() if getattr(row, name) != value]
        for name in fields:
            setattr(row, name, wanted[row.pk][name])
        if fields:
            changed[tuple(sorted(fields))].append(row)
    for names, rows in changed.items():
        model._default_manager.bulk_update(rows, names, batch_size=BATCH)
    return {row.pk for rows in changed.values() for row in rows}


_CHILDREN: dict[str, tuple[Any, str]] = {
    "peak_rates": (PeakRate, "number_format"),
    "memory_tiers": (MemoryTier, "role"),
    "links": (Link, "scope"),
}


def _project_children(
    touched: Iterable[tuple[int, str]], accepted: Mapping[tuple[int, str], tuple[float, str]]
) -> set[int]:
    """Write accepted values into rates, tiers and links; accelerators whose child rows changed."""
    known = QUANTITIES["accelerator"]
    by_child: dict[str, dict[tuple[int, str], list[Quantity]]] = {related: {} for related in _CHILDREN}
    for owner, quantity in touched:
        child = known[quantity].child
        if child is not None:
            related, _, key = child
            by_child[related].setdefault((owner, key), []).append(known[quantity])
    changed: set[int] = set()
    for related, (model, key_field) in _CHILDREN.items():
        cells = by_child[related]
        current = {
            (row.accelerator_id, getattr(row, key_field)): row
            for row in model._default_manager.filter(accelerator_id__in={owner for owner, _ in cells})
        }
        inserts, updates, removals = [], [], []
        fields: set[str] = set()
        for at, quantities in cells.items():
            columns: dict[str, Any] = {}
            for about in quantities:
                found = accepted.get((at[0], about.name))
                columns[about.column] = column_value(about, found[0]) if found else None
                if related == "peak_rates" and found:
                    columns["kind"] = found[1]
            row = current.get(at)
            empty = all(value is None for value in columns.values())
            if (related == "peak_rates" and empty) or columns.get("capacity_gb", 0) is None:
                if row is not None:
                    removals.append(row)
            elif row is None:
                if not empty:
                    inserts.append(model(accelerator_id=at[0], **{key_field: at[1]}, **columns))
            elif any(getattr(row, name) != value for name, value in columns.items()):
                for name, value in columns.items():
                    setattr(row, name, value)
                fields |= set(columns)
                updates.append(row)
        model._default_manager.filter(pk__in=[row.pk for row in removals]).delete()
        model._default_manager.bulk_create(inserts, batch_size=BATCH)
        if updates:
            model._default_manager.bulk_update(updates, sorted(fields), batch_size=BATCH)
        changed |= {row.accelerator_id for row in (*inserts, *updates, *removals)}
    return changed


def sync_child_names(
    field: str,
    model: type[MemoryTier] | type[Link],
    key_field: str,
    names: Mapping[int, Mapping[str, str]],
    previous: Mapping[int, Mapping[str, str] | None],
) -> set[int]:
    """Set the name of links or the memory type of tiers where the file's name is new or has changed."""
    wanted = {
        (owner, key): name
        for owner, by_key in names.items()
        for key, name in by_key.items()
        if (previous.get(owner) or {}).get(key) != name
    }
    rows: list[Any] = []
    for row in model._default_manager.filter(accelerator_id__in={owner for owner, _ in wanted}):
        name = wanted.get((row.accelerator_id, getattr(row, key_field)))
        if name is not None and getattr(row, field) != name:
            setattr(row, field, name)
            rows.append(row)
    if rows:
        model._default_manager.bulk_update(rows, [field], batch_size=BATCH)
    return {row.accelerator_id for row in rows}
