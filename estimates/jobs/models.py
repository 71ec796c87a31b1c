"""Jobs in Postgres: a question too large to answer at once, its parts, their claims, the merged result."""

from datetime import datetime

from django.conf import settings
from django.db import models


class JobState(models.TextChoices):
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class JobKind(models.TextChoices):
    """What a job's question is, and so what splits, makes and merges it."""

    SEARCH = "search", "search"


class Job(models.Model):
    """One question put to the workers: its progress, and its result once every part has ended."""

    kind = models.CharField(max_length=20, choices=JobKind)
    question = models.JSONField(help_text="as asked")
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    parts = models.PositiveIntegerField(default=0)
    parts_done = models.PositiveIntegerField(default=0, help_text="ended, those that failed included")
    parts_failed = models.PositiveIntegerField(default=0)
    configurations = models.BigIntegerField(default=0, help_text="evaluated by the parts that ended")
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, related_name="jobs", null=True, blank=True
    )
    token = models.ForeignKey(
        "access.AccessToken",
        models.SET_NULL,
        related_name="jobs",
        null=True,
        blank=True,
        help_text="with which it was asked for; none: on the command line or by a person's session",
    )
    idempotency_key = models.CharField(max_length=200, blank=True)
    question_digest = models.CharField(max_length=64, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "idempotency_key"],
                condition=~models.Q(idempotency_key=""),
                name="estimates_job_idempotency_key",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}: {self.state}"

    @property
    def timing(self) -> tuple[int, int, int, datetime | None, datetime | None]:
        """What progress is told from."""
        return self.parts, self.parts_done, self.configurations, self.started_at, self.finished_at


class PartState(models.TextChoices):
    WAITING = "waiting", "waiting"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class JobPart(models.Model):
    """A piece of a job that one worker makes at a time.

    A worker holds it by `leased_until`; `attempts` is its fence: what it stores counts only while nobody
    else has taken the part since.
    """

    job = models.ForeignKey(Job, models.CASCADE, related_name="pieces")
    position = models.PositiveIntegerField()
    question = models.JSONField()
    state = models.CharField(max_length=10, choices=PartState, default=PartState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=200, blank=True, help_text="host and process that took it last")
    configurations = models.BigIntegerField(default=0)
    result = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["job", "position"]
        constraints = [
            models.UniqueConstraint(fields=["job", "position"], name="estimates_jobpart_natural_key")
        ]
        indexes = [
            models.Index(
                fields=["job", "position"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="estimates_jobpart_open",
            )
        ]

    def __str__(self) -> str:
        return f"part {self.position} of job {self.job_id}: {self.state}"
