"""Changes: from what to what, by whom, why and in which request: all of them, of one thing, and one alone."""

from dataclasses import replace
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import CharField, Q, QuerySet, Value
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.history.events import (
    ACTIONS,
    History,
    change_named,
    described,
    histories,
    keys_with_slug,
    parts_of,
)
from config.rest.columns import Parameter, Resource, Type, attached
from config.rest.faults import Fault, invalid_parameters, not_found
from config.rest.lookups import PARSERS
from config.rest.pages import Page
from config.rest.parameters import DETAIL_PARAMETERS, ListQuery, clean, named, read_list
from config.rest.schema import described_detail, list_parameters, row_example
from config.rest.views import ApiView, ListView, list_response

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
        attached("row", "number of the row in its table", Type.INTEGER, example=12),
        attached("version", "of the row after it, where rows have one", Type.INTEGER, nullable=True),
        attached(
            "before", "changed columns as they were", nullable=True, example={"memory_bandwidth_gbs": 3350}
        ),
        attached(
            "after", "changed columns as they are", nullable=True, example={"memory_bandwidth_gbs": 4020}
        ),
        attached(
            "diff",
            "field by field",
            example=[{"field": "memory_bandwidth_gbs", "before": 3350, "after": 4020}],
        ),
        attached("user", "who", Type.TEXT, nullable=True, example="editor"),
        attached("reason", "why", Type.TEXT, nullable=True, example="New revision of the datasheet"),
        attached("request_id", "in which request", Type.TEXT, nullable=True),
        attached("command", "by which command, where no request was", Type.TEXT, nullable=True),
        attached("address", "at which address of the service", Type.TEXT, nullable=True),
        attached("reverts", "id of the change that it takes back", Type.TEXT, nullable=True),
    ),
    example_query="subject=nvidia-h100-sxm&action=update&limit=5",
)


class ChangeListView(ListView):
    """The history of the facts, newest first."""

    resource = CHANGES

    def get(self, request: Request) -> Response:
        query = read_list(CHANGES, request.query_params)
        return list_response(request, page_of(query, selected(query.parameters)))


def page_of(query: ListQuery, events: QuerySet[Any, Any]) -> Page:
    """The page that the query asks for, newest first."""
    end = query.offset + query.limit
    chosen = list(events.order_by("-pgh_created_at", "resource", "-pgh_id")[query.offset : end])
    count = events.count()
    rows = described(chosen)
    names = [column.name for column in query.shown]
    return Page(
        names,
        [{name: row[name] for name in names} for row in rows],
        count,
        {"offset": end} if end < count else None,
        {"offset": max(0, query.offset - query.limit)} if query.offset else None,
    )


def change_or_404(key: str) -> Any:
    """The change with this id; raises Problem (404)."""
    change = change_named(key)
    if change is None:
        raise not_found("change", key)
    return change


class ChangeDetailView(ApiView):
    """One change: before and after field by field, who, why, in which request."""

    def get(self, request: Request, key: str) -> Response:
        faults: list[Fault] = []
        names = [column.name for column in CHANGES.columns]
        values = clean(request.query_params, DETAIL_PARAMETERS, faults)
        wanted = named(values, "fields", names, faults)
        omitted = named(values, "omit", names, faults) or []
        if faults:
            raise invalid_parameters(faults)
        change = change_or_404(key)
        row = described([(change.history.resource, change.number, None)])[0]
        return Response({name: row[name] for name in wanted or names if name not in omitted})


described_detail(ChangeDetailView, CHANGES)


def selected(given: dict[str, list[str]], within: dict[str, Q] | None = None) -> QuerySet[Any, Any]:
    """Name, id and time of the events that the parameters leave, of all history tables together.

    `within` restricts to some tables, each with a condition of its own.
    """
    known = {name: history for name, history in histories().items() if within is None or name in within}
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

    def about(history: History) -> Q:
        if within is not None:
            return within[history.resource]
        return history.about(given["subject"][0]) if "subject" in given else Q()

    parts = [
        history.events._default_manager.filter(conditions & about(history))
        .order_by()
        .annotate(resource=Value(history.resource, output_field=CharField()))
        .values_list("resource", "pgh_id", "pgh_created_at")
        for history in (known[name] for name in dict.fromkeys(given.get("resource", known)))
    ]
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


# ---- Of one thing ----------------------------------------------------------------------------------------

#: Parameters that choose the thing, which the address does here.
OF_ONE: Final = replace(
    CHANGES,
    name="history",
    parameters=tuple(parameter for parameter in CHANGES.parameters if parameter.name != "subject"),
)


class HistoryView(ListView):
    """The changes of one thing and of what is part of it, newest first."""

    resource = OF_ONE
    of: str
    noun: str

    def get(self, request: Request, key: str = "") -> Response:
        query = read_list(OF_ONE, request.query_params)
        history = histories()[self.of]
        keys = keys_with_slug(history, key)
        if not keys:
            raise not_found(self.noun, key, history.model._default_manager.values_list("slug", flat=True))
        within = parts_of(history, keys)
        return list_response(request, page_of(query, selected(query.parameters, within)))


def history_view(of: str, noun: str) -> Any:
    """The view of `/{of}/{slug}/history`, described."""
    made = type(f"{noun.title().replace(' ', '')}HistoryView", (HistoryView,), {"of": of, "noun": noun})
    made.__doc__ = HistoryView.__doc__
    example = {"count": 1, "next": None, "previous": None, "results": [row_example(CHANGES)]}
    decorate = extend_schema_view(
        get=extend_schema(
            operation_id=f"history_of_{noun.replace(' ', '_')}",
            summary=f"History of one {noun}",
            description=f"Every change of the {noun} and of its parts, newest first; of a deleted one too.",
            tags=[of],
            parameters=[
                OpenApiParameter("key", str, OpenApiParameter.PATH, description=f"slug of the {noun}"),
                *list_parameters(OF_ONE),
            ],
            responses={(200, "application/json"): {"$ref": "#/components/schemas/ChangePage"}},
            examples=[OpenApiExample("Changes", value=example, response_only=True, status_codes=["200"])],
        )
    )
    return decorate(made)
