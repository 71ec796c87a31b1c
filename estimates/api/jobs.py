"""Jobs: large questions that workers share; their progress, result, and how to cancel them."""

from typing import Any

from django.http import HttpRequest
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from config.access.models import Scope
from config.access.permissions import MayWrite
from config.rest.columns import Resource, Row, Type, attached, choice, integer, nested, text, time
from config.rest.faults import Fault, Problem, invalid_parameters, not_found
from config.rest.parameters import FORMATS, clean, without_parameters
from config.rest.rendering import CsvRenderer, JsonRenderer, Table
from config.rest.schema import component, row_example, row_schema
from config.rest.views import ApiView
from estimates.jobs import lifecycle
from estimates.jobs.models import Job, JobKind, JobState
from estimates.jobs.progress import progress_of
from estimates.search.table import COLUMNS, flat

RETRY_SECONDS = 2


def attach_progress(pks: list[int], rows: list[Row], wanted: set[str]) -> None:
    """Add share, rate, time left and the address of the result to rows of jobs, in one query."""
    columns = ("pk", "parts", "parts_done", "configurations", "started_at", "finished_at", "state")
    found = {values[0]: values[1:] for values in Job.objects.filter(pk__in=pks).values_list(*columns)}
    for pk, row in zip(pks, rows, strict=True):
        *figures, state = found[pk]
        progress = progress_of(*figures)
        row["progress"] = progress.share
        row["seconds"] = progress.seconds
        row["configurations_per_s"] = progress.configurations_per_s
        row["seconds_left"] = progress.seconds_left
        ended = state in (JobState.DONE, JobState.CANCELLED)
        row["result"] = f"/api/v1/jobs/{pk}/result" if ended else None


JOBS = Resource(
    name="jobs",
    noun="job",
    meaning="A question too large to answer at once: its state, how far the workers are, its result.",
    rows=Job.objects.all,
    key="id",
    ordering=("-requested_at", "-id"),
    columns=(
        integer("id", source="pk", example=12),
        choice("kind", JobKind, example="search"),
        choice("state", JobState, example="running"),
        attached("progress", "share of the parts that have ended", Type.NUMBER, example=0.25),
        integer("parts", example=301),
        integer("parts_done", "ended, those that failed included", example=75),
        integer("parts_failed", "after three attempts; their errors stand in the result", example=0),
        integer("configurations", "evaluated so far", example=2_500_000),
        attached("configurations_per_s", "", Type.NUMBER, example=150_000),
        attached("seconds", "since the first part began, to the end", Type.NUMBER, example=16.7),
        attached("seconds_left", "at the pace so far", Type.NUMBER, example=50.3),
        attached("result", "address of the result, once there is one", Type.TEXT),
        text("owner", source="owner__username", example="planner"),
        time("requested_at"),
        time("started_at", nullable=True),
        time("finished_at", nullable=True),
        text("error", nullable=False, example=""),
        nested("question", "as asked", listed=False, example={"model": "all", "workload": "chat"}),
    ),
    attach=attach_progress,
    example_query="state=running",
)
JOB_SCHEMA = component("AcceptedJob", row_schema(JOBS, with_sections=True))
JOB_EXAMPLE = row_example(JOBS)


def job_body(job: Job) -> dict[str, Any]:
    """One job as its detail shows it."""
    from config.rest.views import detail

    return detail(JOBS, str(job.pk))


def find_job(key: str) -> Job:
    """Raises Problem (404)."""
    job = Job.objects.filter(pk=int(key)).first() if key.isdecimal() and len(key) < 19 else None
    if job is None:
        raise not_found("job", key)
    return job


KEY = OpenApiParameter("key", int, OpenApiParameter.PATH, description="id of the job")
RESULT_EXAMPLE = {"objective": "usd_per_mtok", "results": [], "parts": [], "complete": True}


@extend_schema_view(
    get=extend_schema(
        operation_id="get_job_result",
        summary="The result of a job",
        tags=["jobs"],
        parameters=[
            KEY,
            OpenApiParameter("format", str, enum=FORMATS, description="CSV has the ranked rows."),
        ],
        responses={
            (200, "application/json"): {"$ref": "#/components/schemas/SearchAnswer"},
            (200, "text/csv"): OpenApiTypes.STR,
        },
        examples=[
            OpenApiExample(
                "A search",
                value=RESULT_EXAMPLE,
                response_only=True,
                media_type="application/json",
                status_codes=["200"],
            )
        ],
    )
)
class JobResultView(ApiView):
    """What a job has found: of one that was cancelled, of the parts made until then (`complete` is false).

    409 while there is none.
    """

    renderer_classes: Any = [JsonRenderer, CsvRenderer]

    def get(self, request: Request, key: str) -> Response:
        faults: list[Fault] = []
        clean(request.query_params, ["format"], faults)
        if faults:
            raise invalid_parameters(faults)
        job = find_job(key)
        if job.result is None:
            raise unavailable(job)
        return Response(Table(job.result, COLUMNS, [flat(row) for row in job.result["results"]]))


def unavailable(job: Job) -> Problem:
    """409: why there is no result, and when to ask again where there will be one."""
    if job.state in lifecycle.ACTIVE:
        detail = f"The job is {job.state}: {job.parts_done} of {job.parts} parts have ended."
        return Problem(409, "not-finished", detail, headers={"Retry-After": str(RETRY_SECONDS)})
    if job.state == JobState.FAILED:
        return Problem(409, "job-failed", f"The job has failed: {job.error}")
    return Problem(409, "job-cancelled", "The job was cancelled before any part of it was made.")


@extend_schema_view(
    post=extend_schema(
        operation_id="cancel_job",
        summary="Cancel a job",
        tags=["jobs"],
        request=None,
        parameters=[KEY],
        responses={(200, "application/json"): JOB_SCHEMA},
        examples=[
            OpenApiExample(
                "Cancelled",
                value=JOB_EXAMPLE | {"state": "cancelled"},
                response_only=True,
                status_codes=["200"],
            )
        ],
    )
)
class JobCancelView(ApiView):
    """Drop what has not begun and stop the rest at its next check; what is made becomes the result.

    Needs the scope run_jobs, and the job must be the caller's own unless the scope is admin. A job that has
    ended stays as it is.
    """

    permission_classes = [MayWrite]
    write_scope = Scope.RUN_JOBS
    write_permission = "estimates.change_job"

    def post(self, request: Request, key: str) -> Response:
        without_parameters(request)
        job = find_job(key)
        if not may_cancel(request, job):
            raise Problem(403, "permission-denied", "The job is somebody else's.")
        return Response(job_body(lifecycle.cancel(job.pk)))


def may_cancel(request: Request | HttpRequest, job: Job) -> bool:
    """Whoever asked for it may, and who may do everything."""
    token: Any = getattr(request, "auth", None)
    if token is not None and token.allows(Scope.ADMIN):
        return True
    user: Any = request.user
    return bool(user.is_superuser) or (job.owner_id is not None and job.owner_id == user.pk)
