"""Defining schedules over the API: add, change with If-Match, delete; every fault with what is accepted."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.history.origin import by_api
from config.access.models import Scope
from config.access.permissions import MayWrite
from config.rest.conditional import check_if_match, etag_of
from config.rest.faults import Fault, invalid_body, nearest, not_found
from config.rest.parameters import without_parameters
from config.rest.rendering import dumps
from config.rest.schema import component, described_list, row_example
from config.rest.views import DetailView, ListView, detail, routes
from estimates.api.schedules import KEY, SCHEDULED_RUNS, SCHEDULES, RunScheduleView, RunsOfScheduleView
from estimates.schedules.definition import faults_of
from estimates.schedules.models import CatchUp, Schedule, ScheduleKind

FIELDS: dict[str, dict[str, Any]] = {
    "slug": {"type": "string", "maxLength": 100},
    "title": {"type": "string", "minLength": 1, "maxLength": 200},
    "kind": {"type": "string", "enum": list(ScheduleKind.values)},
    "parameters": {"type": "object", "description": "by kind; docs/schedules.md"},
    "cron": {"type": "string", "description": "minute hour day-of-month month day-of-week"},
    "time_zone": {"type": "string", "description": "IANA name; UTC where left out"},
    "enabled": {"type": "boolean"},
    "catch_up": {"type": "string", "enum": list(CatchUp.values)},
    "change_reason": {"type": "string", "maxLength": 2000},
}
REQUIRED = ("slug", "title", "kind", "cron")
TYPES: dict[str, tuple[type, str]] = {
    "string": (str, "text"),
    "boolean": (bool, "true or false"),
    "object": (dict, "an object"),
}
EXAMPLE = {
    "slug": "morning-report",
    "title": "Report before the week begins",
    "kind": "freshness_report",
    "cron": "30 6 * * MON",
    "time_zone": "Europe/Berlin",
}


def read_body(body: Any, *, adding: bool) -> tuple[dict[str, Any], str]:
    """Fields of a schedule and the reason of the change. Raises Problem (400) with every fault of form."""
    if not isinstance(body, dict):
        raise invalid_body([Fault("", "type", "the body is no JSON object", "an object")])
    faults: list[Fault] = []
    for name, value in body.items():
        pointer = "/" + str(name)[:100].replace("~", "~0").replace("/", "~1")
        rule = FIELDS.get(name)
        if rule is None or (name == "slug" and not adding):
            detail_text = f"a schedule has no field {name[:100]!r} to {'give' if adding else 'change'}"
            faults.append(Fault(pointer, "unknown_field", detail_text, nearest(name, FIELDS) or list(FIELDS)))
            continue
        kind, accepted = TYPES[rule["type"]]
        longest = rule.get("maxLength", 2_000)
        too_long = isinstance(value, str) and (len(value) > longest or "\x00" in value)
        if not isinstance(value, kind) or too_long:
            accepted = f"text of at most {longest} characters" if kind is str else accepted
            faults.append(Fault(pointer, "type", f"{name} is not {accepted}", accepted))
    faults += [
        Fault(f"/{name}", "required", f"{name} is needed", FIELDS[name].get("description", name))
        for name in REQUIRED
        if adding and name not in body
    ]
    if faults:
        raise invalid_body(faults)
    return {name: value for name, value in body.items() if name != "change_reason"}, body.get(
        "change_reason", ""
    )


def store(schedule: Schedule) -> None:
    """Check a whole definition and save it. Raises Problem (400)."""
    faults = [
        Fault("/" + "/".join([fault.field, *map(str, fault.path)]), "invalid", str(fault), fault.accepted)
        for fault in faults_of(schedule.kind, schedule.parameters, schedule.cron, schedule.time_zone)
    ]
    if not faults:
        try:
            schedule.full_clean()
        except ValidationError as error:
            faults = [
                Fault(f"/{name}", "invalid", " ".join(texts), FIELDS.get(name, {}).get("enum", texts))
                for name, texts in error.message_dict.items()
            ]
    if faults:
        raise invalid_body(faults)
    schedule.save()


class ScheduleEditing:
    """Reading as everywhere; writing needs the scope admin."""

    permission_classes: Any = [MayWrite]
    write_scope = Scope.ADMIN
    write_permission = "estimates.change_schedule"


BODY = component(
    "ScheduleBody",
    {"type": "object", "properties": FIELDS, "required": REQUIRED, "additionalProperties": False},
)
ROW = {"$ref": "#/components/schemas/ScheduleDetail"}
CHANGE = component(
    "ScheduleChange",
    {
        "type": "object",
        "properties": {name: rule for name, rule in FIELDS.items() if name != "slug"},
        "additionalProperties": False,
    },
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="ETag of the version read; 428, 412."
)


@extend_schema_view(
    post=extend_schema(
        operation_id="add_schedule",
        summary="Add a schedule",
        tags=["schedules"],
        parameters=[],
        request={"application/json": BODY},
        responses={(201, "application/json"): ROW},
        examples=[
            OpenApiExample("A weekly report", value=EXAMPLE, request_only=True),
            OpenApiExample(
                "Added", value=row_example(SCHEDULES) | EXAMPLE, response_only=True, status_codes=["201"]
            ),
        ],
    )
)
class ScheduleListView(ScheduleEditing, ListView):
    """What runs by the clock. `POST` adds a schedule (scope admin): 201, its address in `Location`."""

    resource = SCHEDULES

    def post(self, request: Request) -> Response:
        without_parameters(request)
        given, reason = read_body(request.data, adding=True)
        with by_api(request, reason), transaction.atomic():
            schedule = Schedule(owner=request.user if request.user.is_authenticated else None, **given)
            store(schedule)
        address = f"/api/v1/schedules/{schedule.slug}"
        return Response(detail(SCHEDULES, schedule.slug), status=201, headers={"Location": address})


@extend_schema_view(
    patch=extend_schema(
        operation_id="change_schedule",
        summary="Change a schedule",
        tags=["schedules"],
        parameters=[KEY, IF_MATCH],
        request={"application/json": CHANGE},
        responses={(200, "application/json"): ROW},
        examples=[
            OpenApiExample("Another time", value={"cron": "0 7 * * MON"}, request_only=True),
            OpenApiExample("Changed", value=row_example(SCHEDULES), response_only=True, status_codes=["200"]),
        ],
    ),
    delete=extend_schema(
        operation_id="delete_schedule",
        summary="Delete a schedule and its runs",
        tags=["schedules"],
        parameters=[KEY, IF_MATCH],
        responses={204: None},
    ),
)
class ScheduleDetailView(ScheduleEditing, DetailView):
    """One schedule. `PATCH` changes it, `DELETE` takes it away with its runs (scope admin, If-Match)."""

    resource = SCHEDULES

    def patch(self, request: Request, key: str) -> Response:
        without_parameters(request)
        given, reason = read_body(request.data, adding=False)
        with by_api(request, reason), transaction.atomic():
            schedule = self._locked(request, key)
            for name, value in given.items():
                setattr(schedule, name, value)
            store(schedule)
            answer = detail(SCHEDULES, key)
        return Response(answer)

    def delete(self, request: Request, key: str) -> Response:
        without_parameters(request)
        with by_api(request), transaction.atomic():
            self._locked(request, key).delete()
        return Response(status=204)

    @staticmethod
    def _locked(request: Request, key: str) -> Schedule:
        """The schedule, if the client knows its version. Raises Problem: 404, 428, 412."""
        schedule = Schedule.objects.select_for_update().filter(slug=key).first()
        if schedule is None:
            raise not_found("schedule", key, Schedule.objects.values_list("slug", flat=True))
        current = dumps(detail(SCHEDULES, key))
        check_if_match(request, schedule.version, etag_of(current, schedule.version))
        return schedule


_listed: Any = described_list(ScheduleListView, SCHEDULES)
URLS: list[URLPattern] = [
    path("schedules", _listed.as_view(), name="schedules-list"),
    *routes(SCHEDULES, ScheduleDetailView)[1:],
    *routes(SCHEDULED_RUNS),
    path("schedules/<key:key>/runs", RunsOfScheduleView.as_view(), name="schedules-runs"),
    path("schedules/<key:key>/run", RunScheduleView.as_view(), name="schedules-run"),
]
