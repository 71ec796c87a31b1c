"""Versions and history that the database itself keeps, so that bulk updates and raw SQL count too."""

from collections.abc import Callable

import pghistory
import pgtrigger
from django.db import models


def tracked[M: models.Model](model: type[M]) -> type[M]:
    """Keep every insert, update and delete of the model as an event.

    Statement level, so that a bulk write of thousands of rows costs one insert into the event table. The
    trackers are made anew for each model: pghistory writes the model's fields into them.
    """
    return pghistory.track(*_every_change())(model)


def tracked_in_short[M: models.Model](*fields: str) -> Callable[[type[M]], type[M]]:
    """Keep every row of an append-only table as an event of the few columns that name it.

    The row itself stays as it was written, so that the event need only say who wrote it, when, why and in
    which request. An update is an import's, which mends what a printed name refers to.
    """

    def of(model: type[M]) -> type[M]:
        name = f"{model._meta.object_name}Event"
        return pghistory.track(*_every_change(), fields=list(fields), model_name=name)(model)

    return of


def _every_change() -> tuple[pghistory.RowEvent, ...]:
    return (
        pghistory.InsertEvent(level=pghistory.Statement),
        pghistory.UpdateEvent(level=pghistory.Statement),
        pghistory.DeleteEvent(level=pghistory.Statement),
    )


def bump_version(*unversioned: str) -> pgtrigger.Trigger:
    """Raise `version` and stamp `changed_at` when an update changes a column that is not `unversioned`."""
    return pgtrigger.Trigger(
        name="bump_version",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        condition=pgtrigger.AnyChange(exclude=["version", "changed_at", *unversioned]),
        func="NEW.version = OLD.version + 1; NEW.changed_at = clock_timestamp(); RETURN NEW;",
    )


def bump_version_but_for_notes() -> pgtrigger.Trigger:
    """As `bump_version`; a change of nothing but `notes` is stamped and raises no version.

    Estimates are made anew for a raised version, and none of them reads the notes.
    """
    kept = "'{version,changed_at,notes}'::text[]"
    return pgtrigger.Trigger(
        name="bump_version",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        condition=pgtrigger.AnyChange(exclude=["version", "changed_at"]),
        func="IF NEW.notes IS NOT DISTINCT FROM OLD.notes "
        f"OR to_jsonb(NEW) - {kept} IS DISTINCT FROM to_jsonb(OLD) - {kept} "
        "THEN NEW.version = OLD.version + 1; END IF; "
        "NEW.changed_at = clock_timestamp(); RETURN NEW;",
    )


def keep_version() -> pgtrigger.Trigger:
    """Let no write take a version back: one that holds an old row in hand and saves all of it, or raw SQL.

    A version given twice would let a calculation from older facts pass for one from newer. After
    `bump_version`, for triggers fire in the order of their names.
    """
    return pgtrigger.Trigger(
        name="keep_version",
        operation=pgtrigger.Update,
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__version__lt=pgtrigger.F("old__version")),
        func="NEW.version = OLD.version; NEW.changed_at = OLD.changed_at; RETURN NEW;",
    )


def touch_accelerators_of_vendor() -> pgtrigger.Trigger:
    """The slug of a vendor is read with each of its accelerators: calibration inherits by it."""
    return pgtrigger.Trigger(
        name="touch_accelerators",
        operation=pgtrigger.Update,
        when=pgtrigger.After,
        level=pgtrigger.Statement,
        referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),
        func="UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() "
        "WHERE vendor_id IN (SELECT id FROM new_rows EXCEPT SELECT n.id FROM new_rows n "
        "JOIN old_rows o ON n.id = o.id AND n.slug = o.slug); RETURN NULL;",
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
    """An accepted figure that comes, goes, or changes kind, quantity or subject changes its accelerators:

    the grade rests on them.
    """
    return _touching(
        inserted="SELECT accelerator_id FROM new_rows WHERE accepted AND accelerator_id IS NOT NULL",
        updated="SELECT unnest(ARRAY[n.accelerator_id, o.accelerator_id]) "
        "FROM new_rows n JOIN old_rows o USING (id) WHERE (n.accepted OR o.accepted) "
        "AND (n.accelerator_id, n.quantity, n.accepted, n.kind) "
        "IS DISTINCT FROM (o.accelerator_id, o.quantity, o.accepted, o.kind)",
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
