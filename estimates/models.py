"""Cached estimates in Postgres: what was calculated, from which versions of facts, and by which runs."""

from django.db import models

from catalog.models import Accelerator, LanguageModel, Offer, Workload
from estimates.claims.models import ClaimAnswer as ClaimAnswer  # Django finds models through this module
from estimates.comparison.models import Method as Method  # answers of earlier methods
from estimates.comparison.models import SupersededEstimate as SupersededEstimate
from estimates.convergence.models import Movement as Movement  # what recalculations moved, what workers did
from estimates.convergence.models import WorkTally as WorkTally
from estimates.jobs.models import Job as Job  # Django finds the models of jobs through this module
from estimates.jobs.models import JobPart as JobPart
from estimates.schedules.models import Schedule as Schedule  # what runs by the clock, and its ledger
from estimates.schedules.models import ScheduledRun as ScheduledRun


class Float4Field(models.FloatField):
    """Single precision: an estimate has no more digits than that, and there are a million rows."""

    def db_type(self, connection: object) -> str:
        return "real"


class RunState(models.TextChoices):
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    DONE = "done", "done"
    FAILED = "failed", "failed"


class CalculationRun(models.Model):
    """One request to recalculate: its scope, progress and outcome."""

    scope = models.CharField(max_length=300, help_text="all, model:SLUG, accelerator:SLUG or stale")
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=RunState, default=RunState.QUEUED)
    chunks = models.PositiveIntegerField(default=0)
    chunks_done = models.PositiveIntegerField(default=0)
    configurations = models.BigIntegerField(default=0)
    rows_written = models.BigIntegerField(default=0)
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-requested_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.scope} {self.state}"


class CalculationState(models.TextChoices):
    NEVER = "never", "not calculated yet"
    DONE = "done", "calculated"
    FAILED = "failed", "failed"


class Calculation(models.Model):
    """One model on all offers of one accelerator: the unit of staleness and of recalculation.

    The versions are those of the facts that were read. A calculation is stale when any of them differs from
    what the database holds now, or when the method has changed; nobody has to remember to say so.

    A worker holds it by `claimed_until`. A lease that runs out is counted in `losses`: whatever ends its
    workers ends up alone in a chunk, and after some losses parked.
    """

    language_model = models.ForeignKey(LanguageModel, models.CASCADE, related_name="calculations")
    accelerator = models.ForeignKey(Accelerator, models.CASCADE, related_name="calculations")
    state = models.CharField(max_length=8, choices=CalculationState, default=CalculationState.NEVER)
    model_version = models.PositiveIntegerField(default=0)
    accelerator_version = models.PositiveIntegerField(default=0)
    workloads_digest = models.CharField(max_length=32, blank=True)
    method_version = models.CharField(max_length=40, blank=True)
    input_digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the core's inputs")
    configurations = models.BigIntegerField(default=0)
    calculated_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    traceback = models.TextField(blank=True, db_default="", help_text="of the last failure")
    claimed_until = models.DateTimeField(null=True, blank=True, help_text="the lease of the worker at it")
    claimed_by = models.CharField(max_length=100, blank=True, db_default="", help_text="the worker at it")
    losses = models.SmallIntegerField(
        db_default=0, help_text="workers lost while they were at it, since the last result"
    )
    run = models.ForeignKey(
        CalculationRun,
        models.SET_NULL,
        related_name="pending",
        null=True,
        blank=True,
        db_index=False,
        help_text="the run that still waits for this calculation",
    )

    class Meta:
        ordering = ["language_model", "accelerator"]
        constraints = [
            models.UniqueConstraint(
                fields=["language_model", "accelerator"], name="estimates_calculation_natural_key"
            )
        ]
        indexes = [
            # What is stale is looked up by these: versions that differ, another method, never made or failed.
            models.Index(fields=["accelerator", "accelerator_version"], name="estimates_calculation_chip"),
            models.Index(fields=["language_model", "model_version"], name="estimates_calculation_model"),
            models.Index(fields=["method_version", "workloads_digest"], name="estimates_calculation_method"),
            models.Index(
                fields=["state"],
                condition=~models.Q(state=CalculationState.DONE),
                name="estimates_calculation_not_done",
            ),
            models.Index(
                fields=["run", "language_model"],
                condition=models.Q(run__isnull=False),
                name="estimates_calculation_pending",
            ),
        ]

    def __str__(self) -> str:
        return f"model {self.language_model_id} on accelerator {self.accelerator_id}: {self.state}"


class Objective(models.IntegerChoices):
    """Which of the three kept answers a row is."""

    FASTEST = 1, "fastest within the service level, or nearest to it"
    THROUGHPUT_WITHIN = 2, "highest throughput within the service level"
    THROUGHPUT = 3, "highest throughput regardless of the service level"


class State(models.IntegerChoices):
    OK = 1, "fits"
    SATURATED = 2, "saturated"
    DOES_NOT_FIT = 3, "does not fit"
    REFUSED = 4, "cannot be estimated"


class Limit(models.IntegerChoices):
    """What binds the time of a step."""

    CAPACITY = 1, "capacity"
    BANDWIDTH = 2, "bandwidth"
    COMPUTE = 3, "compute"
    INTERCONNECT = 4, "interconnect"
    OVERHEAD = 5, "overhead"


class Tier(models.IntegerChoices):
    """How new a configuration is to the calibration: which of the intervals it has."""

    MEASURED = 1, "measured"
    KIN = 2, "kin"
    NONE = 3, "none"


class Estimate(models.Model):
    """The best deployment of a model on an offer under a workload and objective. Written by workers only."""

    calculation = models.ForeignKey(Calculation, models.CASCADE, related_name="estimates", db_index=False)
    language_model = models.ForeignKey(
        LanguageModel, models.CASCADE, related_name="estimates", db_index=False
    )
    offer = models.ForeignKey(Offer, models.CASCADE, related_name="estimates", db_index=False)
    workload = models.ForeignKey(Workload, models.CASCADE, related_name="estimates", db_index=False)
    objective = models.PositiveSmallIntegerField(choices=Objective)
    state = models.PositiveSmallIntegerField(choices=State)
    reason = models.CharField(max_length=200, blank=True, help_text="why it does not fit or is refused")
    weight_format = models.CharField(max_length=20, blank=True)
    kv_format = models.CharField(max_length=10, blank=True)
    tp = models.PositiveSmallIntegerField(null=True)
    pp = models.PositiveSmallIntegerField(null=True)
    ep = models.PositiveSmallIntegerField(null=True)
    dp = models.PositiveSmallIntegerField(null=True, help_text="attention data parallel")
    replicas = models.PositiveIntegerField(null=True)
    concurrency = models.PositiveIntegerField(null=True, help_text="requests in flight on the whole offer")
    tpot_ms = Float4Field(null=True)
    tpot_low_ms = Float4Field(null=True)
    tpot_high_ms = Float4Field(null=True)
    ttft_ms = Float4Field(null=True, help_text="loaded mean")
    ttft_low_ms = Float4Field(null=True)
    ttft_high_ms = Float4Field(null=True)
    ttft_unloaded_ms = Float4Field(null=True)
    throughput_tok_s = Float4Field(null=True, help_text="output tokens a second of the whole offer")
    throughput_low_tok_s = Float4Field(null=True)
    throughput_high_tok_s = Float4Field(null=True)
    tok_s_per_user = Float4Field(null=True)
    memory_used_gb = Float4Field(null=True, help_text="a chip")
    memory_usable_gb = Float4Field(null=True, help_text="a chip")
    shortfall_gb = Float4Field(null=True, help_text="a chip, when it does not fit")
    binding_limit = models.PositiveSmallIntegerField(choices=Limit, null=True)
    grade = models.CharField(
        max_length=1, blank=True, help_text="A measured, B this chip, C kin, D datasheet"
    )
    tier = models.PositiveSmallIntegerField(
        choices=Tier, null=True, help_text="what the calibration has seen: the group, kin of it, or neither"
    )
    meets_service_level = models.BooleanField(default=False)

    class Meta:
        ordering = ["language_model", "workload", "objective", "offer"]
        constraints = [
            models.UniqueConstraint(
                fields=["language_model", "workload", "objective", "offer"],
                name="estimates_estimate_natural_key",
            )
        ]
        indexes = [models.Index(fields=["calculation"]), models.Index(fields=["offer"])]

    def __str__(self) -> str:
        return f"{self.language_model_id} on offer {self.offer_id}, {self.get_objective_display()}"
