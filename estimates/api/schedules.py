"""Schedules: what runs by the clock, when next; the ledger of what they ran; running one now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.access.models import Scope
from config.access.permissions import MayWrite
from config.rest import pages
from config.rest.columns import (
    Parameter,
    Reference,
    Resource,
    Row,
    Type,
    attached,
    boolean,
    choice,
    integer,
    nested,
    slug,
    text,
    time,
)
from config.rest.faults import Fault, invalid_parameters, not_found
from config.rest.lookups import PARSERS
from config.rest.parameters import read_list, without_parameters
from config.rest.schema import component, list_parameters, row_example, row_schema
from config.rest.views import ApiView, ListView, detail, list_response
from estimates.schedules import ledger, slots
from estimates.schedules.models import CatchUp, Schedule, ScheduledRun, ScheduledRunState, ScheduleKind


def attach_slots(pks: list[int], rows: list[Row], wanted: set[str]) -> None:
    """Add the next slots and the last run to rows of schedules, in two queries."""
    now = ledger.database_now() if "next_slots" in wanted else None
    known = {values[0]: values[1:] for values in _timing(pks)} if now else {}
    last = _last_runs(pks) if "last_run" in wanted else {}
    for pk, row in zip(pks, rows, strict=True):
        if now:
            cron, zone, enabled = known[pk]
            try:
                row["next_slots"] = slots.next_slots(cron, zone, now) if enabled else []
            except slots.InvalidSlots:
                row["next_slots"] = []
        if "last_run" in wanted:
            row["last_run"] = last.get(pk)


def _timing(pks: list[int]) -> Any:
    return Schedule.objects.filter(pk__in=pks).values_list("pk", "cron", "time_zone", "enabled")


def _last_runs(pks: list[int]) -> dict[int, dict[str, Any]]:
    columns = ("schedule", "pk", "state", "slot", "started_at", "finished_at", "outcome")
    runs = ScheduledRun.objects.filter(schedule__in=pks).exclude(state=ScheduledRunState.COVERED)
    found = runs.order_by("schedule", "-pk").distinct("schedule").values_list(*columns)
    names = ("id", *columns[2:])
    return {row[0]: dict(zip(names, row[1:], strict=True)) for row in found}


SCHEDULES = Resource(
    name="schedules",
    noun="schedule",
    meaning="What runs by the clock: a cron expression in a time zone, of a kind, with its parameters.",
    rows=Schedule.objects.all,
    ordering=("slug",),
    columns=(
        slug("slug", example="nightly-recalculation"),
        text("title", nullable=False, example="Nightly recalculation of everything"),
        choice("kind", ScheduleKind, example="recalculation"),
        nested("parameters", "by kind", example={"scope": "all"}),
        text("cron", "minute hour day-of-month month day-of-week", nullable=False, example="17 3 * * *"),
        text("time_zone", "IANA name", nullable=False, example="Europe/Berlin"),
        boolean("enabled"),
        choice("catch_up", CatchUp, "what becomes of missed slots", example="latest"),
        attached("next_slots", "the next five, in UTC; none while it is not enabled", example=[]),
        attached(
            "last_run",
            "id, state, slot, times and outcome of the last run",
            nullable=True,
            example={"id": 17, "state": "done", "outcome": "nothing was past its keeping"},
        ),
        text("owner", source="owner__username", example="planner"),
        integer("version", example=1),
        time("created_at"),
        time("changed_at"),
    ),
    attach=attach_slots,
    example_query="enabled=true",
)


def attach_seconds(pks: list[int], rows: list[Row], wanted: set[str]) -> None:
    """Add how long each run took, in one query."""
    found = {
        run.pk: run.duration
        for run in ScheduledRun.objects.filter(pk__in=pks).only("started_at", "finished_at")
    }
    for pk, row in zip(pks, rows, strict=True):
        took = found[pk]
        row["seconds"] = None if took is None else round(took.total_seconds(), 3)


def since(rows: QuerySet[ScheduledRun], values: list[str]) -> QuerySet[ScheduledRun]:
    """Runs whose slot, or request where they have none, is at or after a time. Raises Problem (400)."""
    parse, rule = PARSERS[Type.TIME]
    try:
        moment = parse(values[0])
    except (ValueError, OverflowError):
        fault = Fault("?since", "invalid", f"since is not {rule}", rule)
        raise invalid_parameters([fault]) from None
    return rows.filter(Q(slot__gte=moment) | Q(slot=None, requested_at__gte=moment))


SCHEDULED_RUNS = Resource(
    name="scheduled-runs",
    noun="scheduled run",
    meaning="One slot of a schedule, or one run asked for by hand: its state, counts, log and report.",
    rows=ScheduledRun.objects.all,
    key="id",
    ordering=("-id",),
    parameters=(Parameter("since", "slot (or request, by hand) at or after this time, ISO 8601", since),),
    columns=(
        integer("id", source="pk", example=17),
        slug(
            "schedule",
            source="schedule__slug",
            reference=Reference("schedule", Schedule),
            example="nightly-pruning",
        ),
        time("slot", "UTC; null: asked for by hand", nullable=True),
        choice("state", ScheduledRunState, example="done"),
        text("outcome", example="deleted 12 jobs"),
        nested("counts", example={"jobs": 12}),
        attached("seconds", "of the last attempt", Type.NUMBER, nullable=True, example=0.21),
        integer("attempts", example=1),
        integer("missed", "earlier slots that this run stands for", example=0),
        integer(
            "covered_by", "id of the run that stands for this slot", source="covered_by_id", nullable=True
        ),
        text("asked_by", source="asked_by__username", example="planner"),
        time("requested_at"),
        time("not_before", "when it is tried again", nullable=True),
        time("started_at", nullable=True),
        time("finished_at", nullable=True),
        text("worker", "host and process", example="atlas-1:4711"),
        text("error"),
        text("log", listed=False, filterable=False, sortable=False, example="+0.1 s  jobs: 12 deleted\n"),
        text("traceback", listed=False, filterable=False, sortable=False),
        nested("report", "tables of a freshness report, faults of an import", listed=False, nullable=True),
    ),
    attach=attach_seconds,
    example_query="state=done",
)

KEY = OpenApiParameter("key", str, OpenApiParameter.PATH, description="slug of the schedule")
RUN_SCHEMA = component("ScheduledRunAsked", row_schema(SCHEDULED_RUNS, with_sections=True))


def find_schedule(key: str) -> Schedule:
    """Raises Problem (404) with near matches."""
    schedule = Schedule.objects.filter(slug=key).first()
    if schedule is None:
        raise not_found("schedule", key, Schedule.objects.values_list("slug", flat=True))
    return schedule


@extend_schema_view(
    get=extend_schema(
        operation_id="list_runs_of_schedule",
        summary="List runs of a schedule",
        description="Example: `GET /api/v1/schedules/nightly-pruning/runs?state=done`",
        tags=["schedules"],
        parameters=[KEY, *list_parameters(SCHEDULED_RUNS)],
        responses={
            (200, "application/json"): {"$ref": "#/components/schemas/ScheduledRunPage"},
            (200, "text/csv"): OpenApiTypes.STR,
        },
        examples=[
            OpenApiExample(
                "One row",
                value={"count": 1, "next": None, "previous": None, "results": [row_example(SCHEDULED_RUNS)]},
                response_only=True,
                media_type="application/json",
                status_codes=["200"],
            )
        ],
    )
)
class RunsOfScheduleView(ListView):
    """The ledger of one schedule, newest first."""

    resource = SCHEDULED_RUNS

    def get(self, request: Request, key: str) -> Response:  # type: ignore[override]
        schedule = find_schedule(key)
        own = replace(SCHEDULED_RUNS, rows=lambda: ScheduledRun.objects.filter(schedule=schedule))
        return list_response(request, pages.run(own, read_list(own, request.query_params)))


@extend_schema_view(
    post=extend_schema(
        operation_id="run_schedule",
        summary="Run a schedule now",
        tags=["schedules"],
        request=None,
        parameters=[KEY],
        responses={(202, "application/json"): RUN_SCHEMA},
        examples=[
            OpenApiExample(
                "Waiting for a worker",
                value=row_example(SCHEDULED_RUNS) | {"state": "waiting", "slot": None, "outcome": None},
                response_only=True,
                status_codes=["202"],
            )
        ],
    )
)
class RunScheduleView(ApiView):
    """Asks the workers for a run outside the slots, whether or not the schedule is enabled: 202, `Location`.

    Needs the scope run_jobs. While one that was asked for still waits, it is the answer to another request.
    """

    permission_classes = [MayWrite]
    write_scope = Scope.RUN_JOBS
    write_permission = "estimates.add_scheduledrun"

    def post(self, request: Request, key: str) -> Response:
        without_parameters(request)
        user: Any = request.user
        run = ledger.run_now(find_schedule(key), user if user.is_authenticated else None)
        body = detail(SCHEDULED_RUNS, str(run.pk))
        return Response(body, status=202, headers={"Location": f"/api/v1/scheduled-runs/{run.pk}"})
