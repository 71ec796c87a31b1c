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
    statement = (
        "UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() "
        "WHERE id IN ({rows}); RETURN NULL;"
    )
    return [
        pgtrigger.Trigger(
            name="touch_accelerator_insert",
            operation=pgtrigger.Insert,
            when=pgtrigger.After,
            level=pgtrigger.Statement,
            referencing=pgtrigger.Referencing(new="new_rows"),
            func=statement.format(rows="SELECT accelerator_id FROM new_rows"),
        ),
        pgtrigger.Trigger(
            name="touch_accelerator_update",
            operation=pgtrigger.Update,
            when=pgtrigger.After,
            level=pgtrigger.Statement,
            referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),
            func=statement.format(
                rows="SELECT n.accelerator_id FROM new_rows n JOIN old_rows o USING (id) "
                "WHERE n IS DISTINCT FROM o UNION "
                "SELECT o.accelerator_id FROM new_rows n JOIN old_rows o USING (id) "
                "WHERE n IS DISTINCT FROM o"
            ),
        ),
        pgtrigger.Trigger(
            name="touch_accelerator_delete",
            operation=pgtrigger.Delete,
            when=pgtrigger.After,
            level=pgtrigger.Statement,
            referencing=pgtrigger.Referencing(old="old_rows"),
            func=statement.format(rows="SELECT accelerator_id FROM old_rows"),
        ),
    ]


def touch_accelerator_by_figures() -> list[pgtrigger.Trigger]:
    """An accepted figure that comes, goes or changes kind changes its accelerator: the grade rests on it."""
    touch = (
        "UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() "
        "WHERE id IN ({rows}); RETURN NULL;"
    )
    standing = "SELECT accelerator_id FROM {rows} WHERE accepted AND accelerator_id IS NOT NULL"
    return [
        pgtrigger.Trigger(
            name="touch_accelerator_insert",
            operation=pgtrigger.Insert,
            when=pgtrigger.After,
            level=pgtrigger.Statement,
            referencing=pgtrigger.Referencing(new="new_rows"),
            func=touch.format(rows=standing.format(rows="new_rows")),
        ),
        pgtrigger.Trigger(
            name="touch_accelerator_update",
            operation=pgtrigger.Update,
            when=pgtrigger.After,
            level=pgtrigger.Statement,
            referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),
            func=touch.format(
                rows="SELECT n.accelerator_id FROM new_rows n JOIN old_rows o USING (id) "
                "WHERE n.accelerator_id IS NOT NULL AND (n.accepted OR o.accepted) "
                "AND (n.accepted, n.kind) IS DISTINCT FROM (o.accepted, o.kind)"
            ),
        ),
        pgtrigger.Trigger(
            name="touch_accelerator_delete",
            operation=pgtrigger.Delete,
            when=pgtrigger.After,
            level=pgtrigger.Statement,
            referencing=pgtrigger.Referencing(old="old_rows"),
            func=touch.format(rows=standing.format(rows="old_rows")),
        ),
    ]


def append_only() -> pgtrigger.Trigger:
    """Refuse updates and deletes: what was observed stays as it was observed."""
    return pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
