"""Schedules, and the ledger of what they ran: one row for each slot, whichever beat saw it first."""

from datetime import timedelta

import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from catalog.models.history import bump_version, tracked
from catalog.models.slugs import CatalogueSlugField


class ScheduleKind(models.TextChoices):
    """What a schedule does; `estimates.schedules.kinds` has the work behind each."""

    RECALCULATION = "recalculation", "recalculation"
    PRICE_IMPORT = "price_import", "price import"
    FRESHNESS = "freshness_report", "freshness report"
    PRUNING = "pruning", "pruning"


class CatchUp(models.TextChoices):
    """What becomes of slots that passed while nothing ticked."""

    LATEST = "latest", "one run for all that were missed"
    EACH = "each", "every missed slot runs"


@tracked
class Schedule(models.Model):
    """When something is done: a cron expression in a time zone. Slots are instants in UTC.

    Slots count from `counts_from`: the database moves it to the moment at which the expression, the zone or
    `enabled` change, so that what lies before is never caught up with.
    """

    slug = CatalogueSlugField(max_length=100, unique=True)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=ScheduleKind)
    parameters = models.JSONField(default=dict, blank=True, help_text="a JSON object, by kind")
    cron = models.CharField(
        "cron expression", max_length=100, help_text="minute hour day-of-month month day-of-week"
    )
    time_zone = models.CharField(max_length=64, default="UTC", help_text="IANA name, such as Europe/Berlin")
    enabled = models.BooleanField(default=True)
    catch_up = models.CharField(max_length=8, choices=CatchUp, default=CatchUp.LATEST)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="schedules", null=True, blank=True
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now(), editable=False)
    counts_from = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["slug"]
        triggers = [
            bump_version("counts_from"),
            pgtrigger.Trigger(
                name="count_anew",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                condition=pgtrigger.AnyChange("cron", "time_zone", "enabled"),
                func="NEW.counts_from = clock_timestamp(); RETURN NEW;",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.slug

    def clean(self) -> None:
        """Refuse, field by field, what cannot run."""
        from estimates.schedules.definition import faults_of

        faults: dict[str, list[str]] = {}
        for fault in faults_of(self.kind, self.parameters, self.cron, self.time_zone):
            faults.setdefault(fault.field, []).append(str(fault))
        if faults:
            raise ValidationError({name: list(texts) for name, texts in faults.items()})


class ScheduledRunState(models.TextChoices):
    WAITING = "waiting", "waiting"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    COVERED = "covered", "covered by a later run"


class ScheduledRun(models.Model):
    """One slot of a schedule, or one run that somebody asked for (no slot): claimed, worked, told of.

    A worker holds it by `leased_until`; `attempts` is its fence. What the run does in the database is
    committed together with `done`, so that its effect is there exactly once.
    """

    schedule = models.ForeignKey(Schedule, models.CASCADE, related_name="runs")
    slot = models.DateTimeField(null=True, blank=True, help_text="UTC; none: asked for by hand")
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="scheduled_runs", null=True, blank=True
    )
    state = models.CharField(max_length=8, choices=ScheduledRunState, default=ScheduledRunState.WAITING)
    missed = models.PositiveIntegerField(
        default=0, help_text="earlier slots that this run stands for; at least so many where above 5,000"
    )
    covered_by = models.ForeignKey(
        "self", models.SET_NULL, related_name="covers", null=True, blank=True, help_text="for a missed slot"
    )
    requested_at = models.DateTimeField(db_default=Now())
    not_before = models.DateTimeField(null=True, blank=True, help_text="when it is tried again")
    started_at = models.DateTimeField(null=True, blank=True, help_text="the last attempt")
    finished_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=200, blank=True, help_text="host and process that took it last")
    outcome = models.CharField(max_length=500, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    report = models.JSONField(null=True, blank=True)
    log = models.TextField(blank=True)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "slot"], name="estimates_scheduledrun_slot"),
        ]
        indexes = [
            models.Index(
                fields=["slot", "id"],
                condition=Q(state__in=["waiting", "running"]),
                name="estimates_scheduledrun_open",
            )
        ]

    def __str__(self) -> str:
        when = f"{self.slot:%Y-%m-%d %H:%M} UTC" if self.slot else "by hand"
        return f"{self.schedule_id} {when}: {self.state}"

    @property
    def duration(self) -> timedelta | None:
        """From the last attempt's start to the end; None before that."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at
