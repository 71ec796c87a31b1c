"""Versions and history that the database itself keeps, so that bulk updates and raw SQL count too."""

import pghistory
import pgtrigger
from django.db import models


def tracked[M: models.Model](model: type[M]) -> type[M]:
    """Keep every insert, update and delete of the model as an event.

    Statement level, so that a bulk write of thousands of rows costs one insert into the event table. The
    trackers are made anew for each model: pghistory writes the model's fields into them.
    """
    return pghistory.track(
        pghistory.InsertEvent(level=pghistory.Statement),
        pghistory.UpdateEvent(level=pghistory.Statement),
        pghistory.DeleteEvent(level=pghistory.Statement),
    )(model)


def bump_version(*unversioned: str) -> pgtrigger.Trigger:
    """Raise `version` and stamp `changed_at` when an update changes a column that is not `unversioned`."""
    return pgtrigger.Trigger(
        name="bump_version",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        condition=pgtrigger.AnyChange(exclude=["version", "changed_at", *unversioned]),
        func="NEW.version = OLD.version + 1; NEW.changed_at = clock_timestamp(); RETURN NEW;",
    )


def touch_accelerator() -> list[pgtrigger.Trigger]:
    """A change to a child row (rate, tier, link, offer) is a change to its accelerator."""
    return _touching(
        inserted="SELECT accelerator_id FROM new_rows",
        updated="SELECT n.accelerator_id FROM new_rows n JOIN old_rows o USING (id) "
        "WHERE n IS DISTINCT FROM o UNION "
        "SELECT o.accelerator_id FROM new_rows n JOIN old_rows o USING (id) "
        "WHERE n IS DISTINCT FROM o",
        deleted="SELECT accelerator_id FROM old_rows",
    )


def touch_accelerator_by_figures() -> list[pgtrigger.Trigger]:
    """An accepted figure that comes, goes or changes kind changes its accelerator: the grade rests on it."""
    return _touching(
        inserted="SELECT accelerator_id FROM new_rows WHERE accepted AND accelerator_id IS NOT NULL",
        updated="SELECT n.accelerator_id FROM new_rows n JOIN old_rows o USING (id) "
        "WHERE n.accelerator_id IS NOT NULL AND (n.accepted OR o.accepted) "
        "AND (n.accepted, n.kind) IS DISTINCT FROM (o.accepted, o.kind)",
        deleted="SELECT accelerator_id FROM old_rows WHERE accepted AND accelerator_id IS NOT NULL",
    )


def _touching(*, inserted: str, updated: str, deleted: str) -> list[pgtrigger.Trigger]:
    """Statement triggers that raise the version of the accelerators each query over changed rows names."""
    operations: list[tuple[str, pgtrigger.Operation, dict[str, str], str]] = [
        ("insert", pgtrigger.Insert, {"new": "new_rows"}, inserted),
        ("update", pgtrigger.Update, {"old": "old_rows", "new": "new_rows"}, updated),
        ("delete", pgtrigger.Delete, {"old": "old_rows"}, deleted),
    ]
    return [
        pgtrigger.Trigger(
            name=f"touch_accelerator_{name}",
            operation=operation,
            when=pgtrigger.After,
            level=pgtrigger.Statement,
            referencing=pgtrigger.Referencing(**tables),
            func="UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() "
            f"WHERE id IN ({rows}); RETURN NULL;",
        )
        for name, operation, tables, rows in operations
    ]


def append_only() -> pgtrigger.Trigger:
    """Refuse updates and deletes: what was observed stays as it was observed."""
    return pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
