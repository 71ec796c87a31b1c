"""Admin of schedules: edited with their next slots in sight, run now, and the ledger of what they did."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from catalog.admin.base import FactAdmin, ReadOnlyAdmin
from estimates.schedules import kinds, ledger, slots
from estimates.schedules.models import Schedule, ScheduledRun

RUN_COLOURS = {
    "done": "success",
    "failed": "danger",
    "running": "info",
    "waiting": "warning",
    "covered by a later run": "info",
}
SHOWN_RUNS = 10


def table(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> SafeString:
    """A plain table; every cell is escaped unless it is safe already."""
    head = format_html_join("", '<th class="px-2 py-1 text-left">{}</th>', ((name,) for name in columns))
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        (
            (format_html_join("", '<td class="px-2 py-1">{}</td>', ((shown(cell),) for cell in row)),)
            for row in rows
        ),
    )
    return format_html(
        '<table class="text-sm"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, body
    )


def shown(cell: Any) -> Any:
    """A cell for people: a dash for what is unknown, yes and no, instants to the second in UTC."""
    match cell:
        case None | "":
            return "—"
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return f"{cell:%Y-%m-%d %H:%M:%S}"
        case int():
            return f"{cell:,}"
    return cell


@admin.register(Schedule)
class ScheduleAdmin(FactAdmin):
    list_display = (
        "title",
        "kind",
        "cron",
        "time_zone",
        "enabled",
        "next_slot",
        "last_run",
        "catch_up",
        "owner",
        "changed_at",
    )
    list_filter = ("kind", "enabled", "catch_up")
    search_fields = ("slug", "title")
    list_select_related = ("owner",)
    prepopulated_fields = {"slug": ("title",)}
    autocomplete_fields = ("owner",)
    fieldsets = (
        (None, {"fields": ("title", "slug", "kind", "parameters", "accepted_parameters")}),
        ("When", {"fields": ("cron", "time_zone", "enabled", "catch_up", "next_slots")}),
        ("Runs", {"fields": ("last_runs",)}),
        ("Kept", {"fields": ("owner", "version", "created_at", "changed_at", "counts_from")}),
    )
    readonly_fields = (
        "accepted_parameters",
        "next_slots",
        "last_runs",
        "version",
        "created_at",
        "changed_at",
        "counts_from",
    )
    actions = ("run_now",)
    actions_submit_line = ("save_and_run",)

    def save_model(self, request: HttpRequest, obj: Schedule, form: ModelForm, change: bool) -> None:
        if not change and obj.owner is None:
            obj.owner = request.user  # type: ignore[assignment]
        super().save_model(request, obj, form, change)

    @display(description="what the parameters may be")
    def accepted_parameters(self, schedule: Schedule) -> SafeString:
        rows = ((kind, kinds.described_parameters(kind)) for kind in kinds.PARAMETERS)
        return table(("kind", "parameters"), rows)

    @display(description="next five slots")
    def next_slots(self, schedule: Schedule) -> SafeString | str:
        if schedule.pk is None:
            return "shown once it is saved"
        try:
            found = slots.next_slots(schedule.cron, schedule.time_zone, ledger.database_now())
            zone = slots.zone_named(schedule.time_zone)
        except slots.InvalidSlots as error:
            return f"none: {error}"
        note = "" if schedule.enabled else "Not enabled: none of them will run."
        rows = ((f"{slot.astimezone(zone):%a %Y-%m-%d %H:%M %Z}", f"{slot:%Y-%m-%d %H:%M}") for slot in found)
        return format_html("{}{}", table((schedule.time_zone, "UTC"), rows), note)

    @display(description="next slot (UTC)")
    def next_slot(self, schedule: Schedule) -> str:
        if not schedule.enabled:
            return "—"
        try:
            found = slots.next_slots(schedule.cron, schedule.time_zone, ledger.database_now(), 1)
        except slots.InvalidSlots:
            return "none: the expression or the zone is not accepted"
        return f"{found[0]:%Y-%m-%d %H:%M}" if found else "—"

    @display(description="last runs")
    def last_runs(self, schedule: Schedule) -> SafeString | str:
        if schedule.pk is None:
            return "—"
        runs = schedule.runs.select_related("asked_by").defer("report", "log", "traceback")[:SHOWN_RUNS]
        columns = ("run", "slot (UTC)", "state", "began", "seconds", "attempts", "outcome")
        return table(columns, (self._row(run) for run in runs))

    @staticmethod
    def _row(run: ScheduledRun) -> tuple[Any, ...]:
        address = reverse("admin:estimates_scheduledrun_change", args=[run.pk])
        link = format_html('<a class="text-primary-600" href="{}">{}</a>', address, run.pk)
        by_hand = f"by hand, {run.asked_by.get_username()}" if run.asked_by else "by hand"
        return (
            link,
            run.slot or by_hand,
            run.get_state_display(),
            run.started_at,
            seconds_of(run),
            run.attempts,
            run.outcome or run.error,
        )

    @display(description="last run")
    def last_run(self, schedule: Schedule) -> str:
        run = schedule.runs.exclude(state="covered").only("state", "outcome", "error").first()
        return "—" if run is None else f"{run.get_state_display()}: {(run.outcome or run.error)[:80]}"

    def has_run_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("estimates.add_scheduledrun"))

    @action(description="Run now", permissions=["run"])
    def run_now(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """One run of each chosen schedule, whether or not it is enabled."""
        for schedule in queryset:
            self._ask(request, schedule)

    @action(description="Save and run now", permissions=["run"])
    def save_and_run(self, request: HttpRequest, obj: Schedule) -> None:
        self._ask(request, obj)

    def _ask(self, request: HttpRequest, schedule: Schedule) -> None:
        run = ledger.run_now(schedule, request.user)  # type: ignore[arg-type]
        address = reverse("admin:estimates_scheduledrun_change", args=[run.pk])
        told = format_html('{} runs now: <a href="{}">run {}</a>.', schedule.title, address, run.pk)
        self.message_user(request, told, messages.SUCCESS)


def seconds_of(run: ScheduledRun) -> str | None:
    """How long the last attempt took."""
    return None if run.duration is None else f"{run.duration.total_seconds():.2f}"


@admin.register(ScheduledRun)
class ScheduledRunAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "schedule",
        "slot",
        "state_label",
        "started_at",
        "seconds",
        "attempts",
        "missed",
        "outcome",
    )
    list_filter = ("state", "schedule", "schedule__kind")
    search_fields = ("=id", "schedule__slug", "outcome", "error")
    list_select_related = ("schedule",)
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("schedule", "slot", "asked_by", "state", "outcome", "missed", "covered_by")}),
        ("Report", {"fields": ("counted", "reported")}),
        ("Course", {"fields": ("requested_at", "not_before", "started_at", "finished_at", "seconds")}),
        ("Worker", {"fields": ("attempts", "worker", "leased_until", "lines", "error", "where")}),
    )
    readonly_fields = ("counted", "reported", "seconds", "lines", "where")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ScheduledRun]:
        found = super().get_queryset(request)
        match = request.resolver_match
        listed = match is not None and str(match.url_name).endswith("_changelist")
        return found.defer("report", "log", "traceback") if listed else found

    @display(description="state", ordering="state", label=RUN_COLOURS)
    def state_label(self, run: ScheduledRun) -> str:
        return run.get_state_display()

    @display(description="seconds")
    def seconds(self, run: ScheduledRun) -> str | None:
        return seconds_of(run)

    @display(description="counts")
    def counted(self, run: ScheduledRun) -> SafeString | str:
        return table(("what", "count"), run.counts.items()) if run.counts else "—"

    @display(description="report")
    def reported(self, run: ScheduledRun) -> SafeString | str:
        """The tables of a report; what else it says, by name."""
        if not isinstance(run.report, dict):
            return "—"
        tables = run.report.get("tables", [])
        rest = [(name, str(value)) for name, value in run.report.items() if name not in ("tables", "counts")]
        shown_tables = format_html_join(
            "",
            '<h3 class="font-semibold mt-4">{}</h3>{}',
            ((one["title"], table(one["columns"], one["rows"])) for one in tables),
        )
        return format_html("{}{}", table(("", ""), rest), shown_tables)

    @display(description="log")
    def lines(self, run: ScheduledRun) -> SafeString | str:
        return format_html('<pre class="text-xs whitespace-pre-wrap">{}</pre>', run.log) if run.log else "—"

    @display(description="traceback")
    def where(self, run: ScheduledRun) -> SafeString | str:
        if not run.traceback:
            return "—"
        return format_html('<pre class="text-xs whitespace-pre-wrap">{}</pre>', run.traceback)
