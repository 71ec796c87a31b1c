"""Admin of the estimates: read-only; runs can be asked for, failed calculations tried again, jobs ended."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from unfold.decorators import action, display

from catalog.admin.base import ReadOnlyAdmin
from catalog.admin.hardware import AcceleratorAdmin
from catalog.admin.language_models import LanguageModelAdmin
from catalog.models import Accelerator, LanguageModel
from estimates.jobs import lifecycle
from estimates.jobs.models import Job
from estimates.jobs.progress import progress_of
from estimates.models import Calculation, CalculationRun, CalculationState, Estimate, Movement, WorkTally
from estimates.runs import start_recalculation
from estimates.schedules import admin as schedules_admin  # noqa: F401  registers its pages
from estimates.staleness import parked_calculations, stale_calculations, try_again

STATE_COLOURS = {"calculated": "success", "failed": "danger", "not calculated yet": "warning"}
RUN_COLOURS = {"done": "success", "failed": "danger", "running": "info", "queued": "warning"}
JOB_COLOURS = {**RUN_COLOURS, "cancelled": "warning"}
FIT_COLOURS = {
    "fits": "success",
    "saturated": "warning",
    "does not fit": "danger",
    "cannot be estimated": "info",
}


class Recalculable:
    """Adds the action that has the estimates of the chosen rows made again."""

    scope_kind = ""

    def has_recalculate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("estimates.add_calculationrun"))

    @action(description="Recalculate the estimates of the chosen", permissions=["recalculate"])
    def recalculate(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Request one run for each chosen row; workers make them."""
        slugs = list(queryset.values_list("slug", flat=True))
        reason = f"asked for in the admin by {request.user.get_username()}"
        runs = [start_recalculation(f"{self.scope_kind}:{slug}", reason) for slug in slugs]
        chunks = sum(run.chunks for run in runs)
        self.message_user(  # type: ignore[attr-defined]
            request,
            f"{len(runs)} recalculations requested, {chunks} chunks of work in all. "
            "Their progress is under Calculation runs.",
            messages.SUCCESS,
        )


admin.site.unregister(Accelerator)
admin.site.unregister(LanguageModel)


@admin.register(Accelerator)
class RecalculableAcceleratorAdmin(Recalculable, AcceleratorAdmin):
    actions = ("recalculate",)
    scope_kind = "accelerator"


@admin.register(LanguageModel)
class RecalculableLanguageModelAdmin(Recalculable, LanguageModelAdmin):
    actions = ("recalculate",)
    scope_kind = "model"


class Staleness(admin.SimpleListFilter):
    title = "staleness"
    parameter_name = "stale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "stale"), ("parked", "failed and parked"), ("no", "up to date")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Calculation]) -> QuerySet[Calculation]:
        if self.value() == "yes":
            return queryset.filter(pk__in=stale_calculations().order_by().values("pk"))
        if self.value() == "parked":
            return queryset.filter(pk__in=parked_calculations().order_by().values("pk"))
        if self.value() == "no":
            return queryset.filter(state=CalculationState.DONE).exclude(
                pk__in=stale_calculations().order_by().values("pk")
            )
        return queryset


@admin.register(Calculation)
class CalculationAdmin(ReadOnlyAdmin):
    list_display = (
        "language_model",
        "accelerator",
        "state_label",
        "calculated_at",
        "configurations",
        "method_version",
        "attempts",
        "losses",
        "error",
    )
    list_filter = (Staleness, "state")
    search_fields = ("language_model__slug", "accelerator__slug", "error")
    list_select_related = ("language_model", "accelerator")
    actions = ("try_again",)
    show_full_result_count = False

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def state_label(self, calculation: Calculation) -> str:
        return calculation.get_state_display()

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("estimates.add_calculationrun"))

    @action(description="Try failed calculations again", permissions=["try_again"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Calculation]) -> None:
        """Forget the failed attempts; the sweeper finds the calculations stale."""
        count = try_again(queryset)
        self.message_user(request, f"{count} failed calculations will be tried again.", messages.SUCCESS)


@admin.register(CalculationRun)
class CalculationRunAdmin(ReadOnlyAdmin):
    list_display = (
        "scope",
        "state_label",
        "progress",
        "configurations",
        "rows_written",
        "requested_at",
        "finished_at",
        "reason",
    )
    list_filter = ("state",)
    search_fields = ("scope", "reason")

    @display(description="state", ordering="state", label=RUN_COLOURS)
    def state_label(self, run: CalculationRun) -> str:
        return run.get_state_display()

    @display(description="chunks")
    def progress(self, run: CalculationRun) -> str:
        return f"{run.chunks_done} of {run.chunks}"


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    list_display = (
        "at",
        "model_slug",
        "accelerator_slug",
        "moved",
        "throughput",
        "versions",
        "method_changed",
    )
    date_hierarchy = "at"
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Movement]:
        slugs = {
            "model": LanguageModel.objects.filter(pk=OuterRef("language_model_id")),
            "accelerator": Accelerator.objects.filter(pk=OuterRef("accelerator_id")),
        }
        named = {f"{name}_named": Subquery(rows.values("slug")[:1]) for name, rows in slugs.items()}
        return super().get_queryset(request).annotate(**named)

    @display(description="model", ordering="model_named")
    def model_slug(self, movement: Any) -> str:
        return movement.model_named or "deleted"

    @display(description="accelerator", ordering="accelerator_named")
    def accelerator_slug(self, movement: Any) -> str:
        return movement.accelerator_named or "deleted"

    @display(description="estimates moved")
    def moved(self, movement: Movement) -> str:
        others = [(movement.added, "new"), (movement.removed, "gone")]
        told = "".join(f", {count} {word}" for count, word in others if count)
        return f"{movement.changed} of {movement.rows}{told}"

    @display(description="throughput, after / before")
    def throughput(self, movement: Movement) -> str:
        low, high = movement.throughput_ratio_low, movement.throughput_ratio_high
        if low is None or high is None:
            return "—"
        return f"{low:.3f}" if low == high else f"{low:.3f} to {high:.3f}"

    @display(description="versions of model, accelerator")
    def versions(self, movement: Movement) -> str:
        return (
            f"{movement.from_model_version} → {movement.to_model_version}, "
            f"{movement.from_accelerator_version} → {movement.to_accelerator_version}"
        )

    @display(description="method changed", boolean=True)
    def method_changed(self, movement: Movement) -> bool:
        return movement.from_method != movement.to_method


@admin.register(WorkTally)
class WorkTallyAdmin(ReadOnlyAdmin):
    list_display = (
        "worker",
        "last_at",
        "chunks",
        "calculations",
        "unchanged",
        "failed",
        "retries",
        "configurations",
        "rows_written",
        "seconds",
    )


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "kind",
        "state_label",
        "progress",
        "configurations",
        "rate",
        "time_left",
        "owner",
        "requested_at",
        "finished_at",
        "error",
    )
    list_filter = ("state", "kind")
    search_fields = ("=id", "owner__username", "error")
    list_select_related = ("owner",)
    exclude = ("result",)  # up to megabytes; its address is /api/v1/jobs/ID/result
    actions = ("cancel_jobs",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return super().get_queryset(request).defer("result", "question")

    @display(description="state", ordering="state", label=JOB_COLOURS)
    def state_label(self, job: Job) -> str:
        return job.get_state_display()

    @display(description="parts")
    def progress(self, job: Job) -> str:
        failed = f", {job.parts_failed} failed" if job.parts_failed else ""
        return f"{job.parts_done} of {job.parts}{failed}"

    @display(description="configurations/s")
    def rate(self, job: Job) -> str:
        return rounded(progress_of(*job.timing).configurations_per_s)

    @display(description="seconds left")
    def time_left(self, job: Job) -> str:
        return rounded(progress_of(*job.timing).seconds_left)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("estimates.change_job"))

    @action(description="Cancel the chosen jobs", permissions=["cancel"])
    def cancel_jobs(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        """Drop what has not begun; what runs ends at its next check. Ended jobs stay as they are."""
        active = list(queryset.filter(state__in=lifecycle.ACTIVE).values_list("pk", flat=True))
        for pk in active:
            lifecycle.cancel(pk)
        self.message_user(request, f"{len(active)} jobs cancelled.", messages.SUCCESS)


@admin.register(Estimate)
class EstimateAdmin(ReadOnlyAdmin):
    list_display = (
        "language_model",
        "offer",
        "workload",
        "objective",
        "state_label",
        "weight_format",
        "tp",
        "pp",
        "concurrency",
        "tpot",
        "ttft",
        "throughput",
        "binding_limit",
        "grade",
    )
    list_filter = ("state", "objective", "grade", "binding_limit", "workload")
    search_fields = ("=language_model__slug", "=offer__slug", "=offer__accelerator__slug")
    list_select_related = ("language_model", "offer", "workload")
    show_full_result_count = False

    @display(description="state", ordering="state", label=FIT_COLOURS)
    def state_label(self, estimate: Estimate) -> str:
        return estimate.get_state_display()

    @display(description="TPOT (ms)", ordering="tpot_ms")
    def tpot(self, estimate: Estimate) -> str:
        return rounded(estimate.tpot_ms)

    @display(description="TTFT (ms)", ordering="ttft_ms")
    def ttft(self, estimate: Estimate) -> str:
        return rounded(estimate.ttft_ms)

    @display(description="output tokens/s", ordering="throughput_tok_s")
    def throughput(self, estimate: Estimate) -> str:
        return rounded(estimate.throughput_tok_s)


def rounded(value: float | None) -> str:
    """Three significant digits, or a dash for what is unknown."""
    if value is None:
        return "—"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
