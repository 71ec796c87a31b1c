"""Changes: from what to what, by whom, why and in which request; read from the history tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pghistory.models
from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import CharField, F, Model, OuterRef, Q, QuerySet, Subquery, Value
from django.utils.text import slugify
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.models import Accelerator, LanguageModel, PublishedClaim, System, Workload
from config.rest.columns import Parameter, Resource, Row, Type, attached
from config.rest.faults import Fault, invalid_parameters
from config.rest.lookups import PARSERS
from config.rest.pages import Page
from config.rest.parameters import read_list
from config.rest.views import ListView, list_response

ACTIONS = ("insert", "update", "delete")
#: Columns that the database keeps by itself; a change of nothing else is none.
KEPT = ("version", "changed_at")
PARENTS: dict[str, type[Model]] = {
    "accelerator_id": Accelerator,
    "system_id": System,
    "language_model_id": LanguageModel,
    "workload_id": Workload,
}
NAMES = {LanguageModel: "models", PublishedClaim: "claims"}


@dataclass(frozen=True, slots=True)
class History:
    """The history table of one kind of fact and the columns it follows."""

    resource: str
    events: type[Model]
    columns: tuple[str, ...]

    def about(self, slug: str) -> Q:
        """Events of the thing with this slug, and of what belongs to it."""
        condition = Q(slug=slug) if "slug" in self.columns else Q(pk__in=[])
        for column, parent in PARENTS.items():
            if column in self.columns:
                condition |= Q(**{f"{column}__in": parent._default_manager.filter(slug=slug).values("pk")})
        return condition


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
        found[name] = History(name, events, columns)
    return dict(sorted(found.items()))


CHANGES = Resource(
    name="changes",
    noun="change",
    meaning="One change of one row of the facts: before and after, who, why, which request. Newest first.",
    rows=lambda: next(iter(histories().values())).events._default_manager.all(),
    key="id",
    ordering=(),
    has_detail=False,
    parameters=(
        Parameter("resource", "kind of row, such as accelerators, figures or peak-rates", repeatable=True),
        Parameter("subject", "slug of the thing; what belongs to it is included"),
        Parameter("action", "insert, update or delete", words=ACTIONS, repeatable=True),
        Parameter("user", "name of the user"),
        Parameter("request_id", "X-Request-ID of the request"),
        Parameter("since", "at or after this time, ISO 8601"),
        Parameter("until", "before this time, ISO 8601"),
    ),
    columns=(
        attached("id", "resource and number", Type.TEXT, example="accelerators-17"),
        attached("at", "when", Type.TIME),
        attached("resource", "kind of row", Type.TEXT, example="accelerators"),
        attached("subject", "slug of the thing, or of what it belongs to", Type.TEXT, nullable=True),
        attached("action", "insert, update or delete", Type.TEXT, example="update"),
        attached(
            "before", "changed columns as they were", nullable=True, example={"memory_bandwidth_gbs": 3350}
        ),
        attached(
            "after", "changed columns as they are", nullable=True, example={"memory_bandwidth_gbs": 4020}
        ),
        attached("user", "who", Type.TEXT, nullable=True, example="editor"),
        attached("reason", "why", Type.TEXT, nullable=True, example="New revision of the datasheet"),
        attached("request_id", "in which request", Type.TEXT, nullable=True),
        attached("address", "at which address of the service", Type.TEXT, nullable=True),
    ),
    example_query="subject=nvidia-h100-sxm&action=update&limit=5",
)


class ChangeListView(ListView):
    """The history of the facts, newest first."""

    resource = CHANGES

    def get(self, request: Request) -> Response:
        query = read_list(CHANGES, request.query_params)
        events = selected(query.parameters)
        end = query.offset + query.limit
        chosen = list(events.order_by("-pgh_created_at", "resource", "-pgh_id")[query.offset : end])
        count = events.count()
        rows = described(chosen)
        names = [column.name for column in query.shown]
        page = Page(
            names,
            [{name: row[name] for name in names} for row in rows],
            count,
            {"offset": end} if end < count else None,
            {"offset": max(0, query.offset - query.limit)} if query.offset else None,
        )
        return list_response(request, page)


def selected(given: dict[str, list[str]]) -> QuerySet[Any, Any]:
    """Name, id and time of the events that the parameters leave, of all history tables together."""
    known = histories()
    faults = [
        Fault("?resource", "choice", f"resource={name[:60]!r} has no history", list(known))
        for name in given.get("resource", [])
        if name not in known
    ]
    conditions = Q()
    for name, lookup in (("since", "gte"), ("until", "lt")):
        if name in given:
            parse, accepted = PARSERS[Type.TIME]
            try:
                conditions &= Q(**{f"pgh_created_at__{lookup}": parse(given[name][0])})
            except (ValueError, OverflowError):
                faults.append(Fault(f"?{name}", "invalid", f"{name} is not {accepted}", accepted))
    if faults:
        raise invalid_parameters(faults)
    if "action" in given:
        conditions &= Q(pgh_label__in=given["action"])
    if "request_id" in given:
        conditions &= Q(pgh_context__metadata__request_id=given["request_id"][0])
    if "user" in given:
        owner = User.objects.filter(username=given["user"][0]).values_list("pk", flat=True).first()
        conditions &= Q(pgh_context__metadata__user=owner if owner is not None else -1)
    wanted = [known[name] for name in dict.fromkeys(given.get("resource", known))]
    parts = [
        history.events._default_manager.filter(
            conditions & history.about(given["subject"][0]) if "subject" in given else conditions
        )
        .order_by()
        .annotate(resource=Value(history.resource, output_field=CharField()))
        .values_list("resource", "pgh_id", "pgh_created_at")
        for history in wanted
    ]
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def described(chosen: Iterable[tuple[str, int, Any]]) -> list[Row]:
    """The chosen events in full, in their order: at most three queries for each kind of row among them."""
    by_resource: dict[str, list[int]] = {}
    order = [(resource, pk) for resource, pk, _ in chosen]
    for resource, pk in order:
        by_resource.setdefault(resource, []).append(pk)
    found: dict[tuple[str, int], Row] = {}
    for resource, pks in by_resource.items():
        for row in _rows(histories()[resource], pks):
            found[resource, row["number"]] = row
    users = {row["user"] for row in found.values() if row["user"] is not None}
    named = dict(User.objects.filter(pk__in=users).values_list("pk", "username")) if users else {}
    for row in found.values():
        row["user"] = named.get(row["user"])
    return [found[key] for key in order]


def _rows(history: History, pks: list[int]) -> Iterable[Row]:
    events = history.events._default_manager
    previous = (
        events.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
        .order_by("-pgh_id")
        .values("pgh_id")[:1]
    )
    rows = list(
        events.filter(pgh_id__in=pks)
        .annotate(previous=Subquery(previous), context=F("pgh_context__metadata"))
        .values("pgh_id", "pgh_label", "pgh_created_at", "previous", "context", *history.columns)
    )
    wanted = {row["previous"] for row in rows if row["previous"] is not None}
    earlier = {
        row["pgh_id"]: row for row in events.filter(pgh_id__in=wanted).values("pgh_id", *history.columns)
    }
    slugs = _slugs(history, rows)
    for row in rows:
        context = row["context"] or {}
        now = {name: row[name] for name in history.columns}
        before, after = _difference(row["pgh_label"], earlier.get(row["previous"]), now)
        yield {
            "number": row["pgh_id"],
            "id": f"{history.resource}-{row['pgh_id']}",
            "at": row["pgh_created_at"],
            "resource": history.resource,
            "subject": row.get("slug")
            or next((slugs[c, row[c]] for c in PARENTS if (c, row.get(c)) in slugs), None),
            "action": row["pgh_label"],
            "before": before,
            "after": after,
            "user": context.get("user"),
            "reason": context.get("reason") or None,
            "request_id": context.get("request_id"),
            "address": context.get("url"),
        }


def _difference(label: str, earlier: Row | None, now: Row) -> tuple[Row | None, Row | None]:
    if label == "insert":
        return None, now
    if label == "delete":
        return now, None
    if earlier is None:
        return None, now
    changed = [name for name in now if now[name] != earlier[name]]
    meant = [name for name in changed if name not in KEPT] or changed
    return {name: earlier[name] for name in meant}, {name: now[name] for name in meant}


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
