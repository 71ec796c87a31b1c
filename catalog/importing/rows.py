"""Writes rows in bulk: only what changed, never over what an editor changed in the database since."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import models

from catalog.importing.kinds import Counts, Load
from catalog.models import LoadedRow

BATCH = 1000
Columns = Mapping[str, Any]


def sync_rows(
    load: Load,
    kind: str,
    model: type[models.Model],
    rows: Mapping[str, Columns],
    *,
    key_field: str = "slug",
    initial: Mapping[str, Columns] | None = None,
    delete_missing: bool = False,
) -> Counts:
    """Insert and update `rows` (columns by natural key; foreign keys as `vendor_id`).

    Three-way merge per column between the file now, the file at the last load and the database: a column
    that only the file changed is written, one that an editor changed stays and is noted (unless
    `load.overwrite`). `initial` gives further columns for rows that are inserted. A row that the files no
    longer hold stays and is noted; with `delete_missing` it is deleted when no editor touched it.
    """
    counts = Counts()
    current = {getattr(row, key_field): row for row in model._default_manager.all()}
    before = remember(kind, {key: _plain(columns) for key, columns in rows.items()})
    inserts: list[models.Model] = []
    updates: dict[tuple[str, ...], list[models.Model]] = defaultdict(list)
    for key, columns in rows.items():
        row = current.get(key)
        if row is None:
            inserts.append(model(**{key_field: key}, **columns, **(initial or {}).get(key, {})))
            continue
        fields, kept = _merge(load, f"{kind} {key}", row, columns, before.get(key))
        counts.kept += kept
        if fields:
            updates[fields].append(row)
        else:
            counts.unchanged += 1
    model._default_manager.bulk_create(inserts, batch_size=BATCH)
    for fields, changed in updates.items():
        model._default_manager.bulk_update(changed, fields, batch_size=BATCH)
        counts.changed += len(changed)
    counts.added = len(inserts)
    _missing(load, kind, model, key_field, rows, current, before, counts, delete_missing)
    load.forget(model)
    return counts


def remember(kind: str, values: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Store what the files say now (JSON values by key); return what they said at the last load."""
    before = dict(LoadedRow.objects.filter(kind=kind).values_list("key", "values"))
    new = [
        LoadedRow(kind=kind, key=key, values=now)
        for key, now in values.items()
        if before.get(key) != dict(now)
    ]
    LoadedRow.objects.bulk_create(
        new, batch_size=BATCH, update_conflicts=True, unique_fields=["kind", "key"], update_fields=["values"]
    )
    return before


def _merge(
    load: Load, label: str, row: models.Model, columns: Columns, base: Mapping[str, Any] | None
) -> tuple[tuple[str, ...], int]:
    """Set on `row` what the file changed; the names set and the number of an editor's columns that stay."""
    fields, kept = [], 0
    for name, wanted in columns.items():
        ours, theirs = _json(wanted), _json(getattr(row, name))
        if ours == theirs:
            continue
        edited = base is None or name not in base or theirs != base[name]
        if edited and not load.overwrite:
            kept += 1
            load.note(f"{label}: {name} was edited to {theirs!r} and stays; the file has {ours!r}")
            continue
        setattr(row, name, wanted)
        fields.append(name.removesuffix("_id") if name.endswith("_id") else name)
    return tuple(fields), kept


def _missing(
    load: Load,
    kind: str,
    model: type[models.Model],
    key_field: str,
    rows: Mapping[str, Columns],
    current: Mapping[str, models.Model],
    before: Mapping[str, Mapping[str, Any]],
    counts: Counts,
    delete: bool,
) -> None:
    """Rows that the files held at the last load and hold no more."""
    gone = [key for key in before if key not in rows]
    for key in gone:
        row = current.get(key)
        if row is None:
            continue
        untouched = all(_json(getattr(row, name)) == value for name, value in before[key].items())
        if delete and untouched:
            model._default_manager.filter(**{key_field: key}).delete()
            counts.removed += 1
        else:
            load.note(f"{kind} {key}: no longer in the files; the row stays")
    if delete:
        LoadedRow.objects.filter(kind=kind, key__in=gone).delete()


def _plain(columns: Columns) -> dict[str, Any]:
    return {name: _json(value) for name, value in columns.items()}


def _json(value: Any) -> Any:
    """A value as JSON keeps it, so that the three sides compare equal."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_json(item) for item in value]
    return value
