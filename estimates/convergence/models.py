"""What recalculations leave behind: which estimates they moved, and a tally of what each worker did."""

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models

#: Upper bounds of the classes that durations of chunks are counted in; one more class has no bound.
DURATION_BOUNDS_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Movement(models.Model):
    """What making one calculation again did to its estimates: from which versions to which, and how far.

    Written by the statement that replaces the estimates, only where one of them came out otherwise. Keys are
    plain numbers: the movement outlives the rows it is about until it is pruned.
    """

    calculation_id = models.BigIntegerField()
    language_model_id = models.BigIntegerField()
    accelerator_id = models.BigIntegerField()
    at = models.DateTimeField()
    from_model_version = models.PositiveIntegerField()
    to_model_version = models.PositiveIntegerField()
    from_accelerator_version = models.PositiveIntegerField()
    to_accelerator_version = models.PositiveIntegerField()
    from_method = models.CharField(max_length=40)
    to_method = models.CharField(max_length=40)
    workloads_changed = models.BooleanField(help_text="the definitions of workloads differed too")
    rows = models.PositiveIntegerField(help_text="estimates of the calculation afterwards")
    changed = models.PositiveIntegerField(help_text="estimates whose figures moved")
    added = models.PositiveIntegerField()
    removed = models.PositiveIntegerField()
    state_changes = models.PositiveIntegerField(help_text="among the changed: now fits, no longer fits, ...")
    throughput_ratio_low = models.FloatField(null=True, help_text="least of after over before")
    throughput_ratio_median = models.FloatField(null=True)
    throughput_ratio_high = models.FloatField(null=True)
    tpot_ratio_median = models.FloatField(null=True)
    farthest = models.JSONField(
        default=list, help_text="the estimates that moved farthest: offer, workload, objective, before, after"
    )

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["accelerator_id", "to_accelerator_version"], name="estimates_movement_chip"),
            models.Index(fields=["language_model_id", "to_model_version"], name="estimates_movement_model"),
            models.Index(fields=["at"], name="estimates_movement_at"),
        ]

    def __str__(self) -> str:
        return f"calculation {self.calculation_id}: {self.changed} of {self.rows} moved"


class WorkTally(models.Model):
    """What one worker process has done since it was first seen; raised in the transaction of each chunk."""

    worker = models.CharField(max_length=100, unique=True, help_text="host and number of the process")
    chunks = models.BigIntegerField(default=0)
    calculations = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0, help_text="only took over new versions of the facts")
    failed = models.BigIntegerField(default=0)
    configurations = models.BigIntegerField(default=0)
    rows_written = models.BigIntegerField(default=0)
    retries = models.BigIntegerField(default=0, help_text="chunks begun again after a database error")
    seconds = models.FloatField(default=0.0)
    durations = ArrayField(
        models.BigIntegerField(),
        size=len(DURATION_BOUNDS_SECONDS) + 1,
        help_text="chunks by class of duration",
    )
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["worker"]
        verbose_name_plural = "work tallies"

    def __str__(self) -> str:
        return f"{self.worker}: {self.calculations} calculations"
