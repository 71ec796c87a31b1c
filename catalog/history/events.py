"""Events of the facts: every history table, and each change: from what to what, by whom, why, when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import pghistory.models
from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import CASCADE, F, ForeignKey, Model, OuterRef, Q, QuerySet, Subquery
from django.utils.text import slugify

from catalog.models import Accelerator, LanguageModel, ModelAlias, PublishedClaim, System, Workload

Row = dict[str, Any]

INSERT, UPDATE, DELETE = "insert", "update", "delete"
ACTIONS = (INSERT, UPDATE, DELETE)
#: Columns that the database keeps by itself; a change of nothing else is none.
KEPT = ("version", "changed_at")
PARENTS: dict[str, type[Model]] = {
    "accelerator_id": Accelerator,
    "system_id": System,
    "language_model_id": LanguageModel,
    "workload_id": Workload,
}
NAMES: dict[type[Model], str] = {LanguageModel: "models", ModelAlias: "aliases", PublishedClaim: "claims"}


@dataclass(frozen=True, slots=True)
class History:
    """The history table of one kind of fact and the columns it follows."""

    resource: str
    events: type[Model]
    columns: tuple[str, ...]
    model: type[Model]

    @property
    def is_whole(self) -> bool:
        """Whether the events hold every column of the row, so that one can be made again from them."""
        return {field.attname for field in self.model._meta.concrete_fields} <= set(self.columns)

    def about(self, slug: str) -> Q:
        """Events of the thing with this slug, and of what belongs to it."""
        condition = Q(slug=slug) if "slug" in self.columns else Q(pk__in=[])
        for column, parent in PARENTS.items():
            if column in self.columns:
                condition |= Q(**{f"{column}__in": parent._default_manager.filter(slug=slug).values("pk")})
        return condition

    def column_to(self, parent: type[Model]) -> str | None:
        """The column by which a row is a part of the parent: it goes when the parent goes."""
        for field in self.model._meta.concrete_fields:
            if not isinstance(field, ForeignKey) or field.remote_field.on_delete is not CASCADE:
                continue
            if field.related_model is parent and field.attname in self.columns:
                return field.attname
        return None


@cache
def histories() -> dict[str, History]:
    """Every history table of the catalogue by the name of its resource."""
    found = {}
    for events in apps.get_app_config("catalog").get_models():
        if not issubclass(events, pghistory.models.Event):
            continue
        tracked: Any = events.pgh_tracked_model
        name = NAMES.get(tracked, slugify(str(tracked._meta.verbose_name_plural)))
        columns = tuple(
            field.attname for field in events._meta.concrete_fields if not field.name.startswith("pgh_")
        )
        found[name] = History(name, events, columns, tracked)
    return dict(sorted(found.items()))


def history_of(model: type[Model]) -> History | None:
    """The history of a model's rows; None where there is none."""
    return next((history for history in histories().values() if history.model is model), None)


def keys_with_slug(history: History, slug: str) -> set[int]:
    """Primary keys of every row that has or had this slug; those deleted long ago too."""
    now = history.model._default_manager.filter(slug=slug).values_list("pk", flat=True)
    once = history.events._default_manager.filter(slug=slug).order_by().values_list("pgh_obj_id", flat=True)
    return {*now, *once.distinct()}


def parts_of(history: History, keys: Iterable[int]) -> dict[str, Q]:
    """By resource: the condition for events of these rows, and of the rows that are parts of them."""
    wanted = list(keys)
    found = {history.resource: Q(pgh_obj_id__in=wanted)}
    for other in histories().values():
        column = other.column_to(history.model)
        if column is not None:
            found[other.resource] = Q(**{f"{column}__in": wanted})
    return found


# ---- One change ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """One event with the row before and after it; `earlier` is None where no event of the row came before."""

    history: History
    number: int
    action: str
    key: int
    at: datetime
    context_id: Any
    context: dict[str, Any]
    row: Row
    earlier: Row | None

    @property
    def id(self) -> str:
        return f"{self.history.resource}-{self.number}"

    @property
    def changed(self) -> list[str]:
        """Columns that an update changed, but for those the database keeps by itself."""
        if self.earlier is None:
            return []
        return [name for name in self.row if self.row[name] != self.earlier[name] and name not in KEPT]


def change_named(name: str) -> Change | None:
    """The change with this id (`accelerators-17`), None where there is none."""
    resource, _, number = name.rpartition("-")
    history = histories().get(resource)
    if history is None or not number.isdecimal() or not number.isascii() or len(number) > 9:
        return None
    return next(iter(read_changes(history, [int(number)])), None)


def read_changes(history: History, numbers: Iterable[int]) -> list[Change]:
    """The events of these numbers, each with the one before it of the same row: two queries."""
    events = history.events._default_manager
    previous = (
        events.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
        .order_by("-pgh_id")
        .values("pgh_id")[:1]
    )
    rows = list(
        events.filter(pgh_id__in=list(numbers))
        .annotate(previous=Subquery(previous), context=F("pgh_context__metadata"))
        .values(
            "pgh_id",
            "pgh_obj_id",
            "pgh_label",
            "pgh_created_at",
            "pgh_context_id",
            "previous",
            "context",
            *history.columns,
        )
    )
    wanted = {row["previous"] for row in rows if row["previous"] is not None}
    earlier = {
        row.pop("pgh_id"): row for row in events.filter(pgh_id__in=wanted).values("pgh_id", *history.columns)
    }
    return [
        Change(
            history=history,
            number=row["pgh_id"],
            action=row["pgh_label"],
            key=row["pgh_obj_id"],
            at=row["pgh_created_at"],
            context_id=row["pgh_context_id"],
            context=row["context"] or {},
            row={name: row[name] for name in history.columns},
            earlier=earlier.get(row["previous"]),
        )
        for row in rows
    ]


def together_with(change: Change, history: History) -> QuerySet[Any]:
    """Events of another (or the same) history made in the same transaction as this change.

    The database stamps each event with the time at which its transaction began.
    """
    same = {"pgh_created_at": change.at, "pgh_context_id": change.context_id}
    return history.events._default_manager.filter(**same).order_by("pgh_id")


# ---- As the API and the admin show them ------------------------------------------------------------------


def described(chosen: Iterable[tuple[str, int, Any]]) -> list[Row]:
    """The chosen events in full, in their order: at most three queries for each kind of row among them."""
    by_resource: dict[str, list[int]] = {}
    order = [(resource, pk) for resource, pk, _ in chosen]
    for resource, pk in order:
        by_resource.setdefault(resource, []).append(pk)
    found: dict[tuple[str, int], Row] = {}
    for resource, pks in by_resource.items():
        changes = read_changes(histories()[resource], pks)
        slugs = _slugs(histories()[resource], [change.row for change in changes])
        for change in changes:
            found[resource, change.number] = shown(change, slugs)
    users = {row["user"] for row in found.values() if row["user"] is not None}
    named = dict(User.objects.filter(pk__in=users).values_list("pk", "username")) if users else {}
    for row in found.values():
        row["user"] = named.get(row["user"])
    return [found[key] for key in order]


def shown(change: Change, slugs: dict[tuple[str, Any], str]) -> Row:
    """A change as the API shows it, the user still as a number."""
    before, after = difference(change)
    row, context = change.row, change.context
    return {
        "id": change.id,
        "at": change.at,
        "resource": change.history.resource,
        "subject": row.get("slug")
        or next((slugs[c, row[c]] for c in PARENTS if (c, row.get(c)) in slugs), None),
        "action": change.action,
        "row": change.key,
        "version": row.get("version"),
        "before": before,
        "after": after,
        "diff": diff(before, after),
        "user": context.get("user"),
        "reason": context.get("reason") or None,
        "request_id": context.get("request_id"),
        "command": context.get("command"),
        "address": context.get("url"),
        "reverts": context.get("reverts"),
    }


def difference(change: Change) -> tuple[Row | None, Row | None]:
    """The changed columns before and after; the whole row of one that came or went."""
    if change.action == INSERT:
        return None, change.row
    if change.action == DELETE:
        return change.row, None
    if change.earlier is None:
        return None, change.row
    names = change.changed or [name for name in change.row if change.row[name] != change.earlier[name]]
    return {name: change.earlier[name] for name in names}, {name: change.row[name] for name in names}


def diff(before: Row | None, after: Row | None) -> list[Row]:
    """What changed from what to what; the empty fields of a row that came or went are left out."""
    fields = {**(before or {}), **(after or {})}
    return [
        {"field": name, "before": (before or {}).get(name), "after": (after or {}).get(name)}
        for name in fields
        if (before and after) or (fields[name] not in (None, "") and name not in KEPT)
    ]


def _slugs(history: History, rows: list[Row]) -> dict[tuple[str, Any], str]:
    """Slugs of the things that rows without one belong to."""
    found: dict[tuple[str, Any], str] = {}
    if "slug" in history.columns:
        return found
    for column, parent in PARENTS.items():
        keys = {row[column] for row in rows if column in history.columns and row[column] is not None}
        if keys:
            slugs = parent._default_manager.filter(pk__in=keys).values_list("pk", "slug")
            found |= {(column, pk): slug for pk, slug in slugs}
    return found
