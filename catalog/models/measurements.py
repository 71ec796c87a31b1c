"""Published measurements: runs and the values they report. They calibrate the method and judge it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from catalog.models.accelerators import Accelerator
from catalog.models.constraints import positive
from catalog.models.history import append_only, tracked_in_short
from catalog.models.language_models import LanguageModel
from catalog.models.sources import Source


@tracked_in_short("id", "run_id", "accelerator", "language_model")
class MeasurementRun(models.Model):
    """One run as published: hardware, model, deployment, lengths and load. Append-only."""

    run_id = models.CharField(max_length=300, unique=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="runs")
    source_date = models.CharField(max_length=10, blank=True)
    accelerator = models.ForeignKey(Accelerator, models.PROTECT, related_name="runs", null=True, blank=True)
    accelerator_as_printed = models.CharField(max_length=200)
    accelerator_count = models.PositiveIntegerField(null=True, blank=True)
    system_as_printed = models.CharField(max_length=300, blank=True)
    language_model = models.ForeignKey(
        LanguageModel, models.PROTECT, related_name="runs", null=True, blank=True
    )
    model_as_printed = models.CharField(max_length=200)
    weight_format = models.CharField(max_length=40, blank=True)
    kv_format = models.CharField(max_length=20, blank=True)
    framework = models.CharField(max_length=100, blank=True)
    framework_version = models.CharField(max_length=100, blank=True)
    serving = models.CharField(max_length=20)
    workers = models.PositiveIntegerField(null=True, blank=True)
    tp = models.PositiveIntegerField(null=True, blank=True)
    pp = models.PositiveIntegerField(null=True, blank=True)
    ep = models.PositiveIntegerField(null=True, blank=True)
    dp = models.PositiveIntegerField(null=True, blank=True)
    moe_tp = models.PositiveIntegerField(null=True, blank=True)
    prefill_workers = models.PositiveIntegerField(null=True, blank=True)
    prefill_tp = models.PositiveIntegerField(null=True, blank=True)
    prefill_pp = models.PositiveIntegerField(null=True, blank=True)
    prefill_ep = models.PositiveIntegerField(null=True, blank=True)
    prefill_dp = models.PositiveIntegerField(null=True, blank=True)
    isl = models.FloatField(null=True, blank=True)
    osl = models.FloatField(null=True, blank=True)
    concurrency = models.FloatField(null=True, blank=True)
    scenario = models.CharField(max_length=40)
    flags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["run_id"]
        constraints = positive("accelerator_count", "concurrency")
        triggers = [append_only()]

    def __str__(self) -> str:
        return self.run_id


@tracked_in_short("id", "run", "metric")
class MeasuredValue(models.Model):
    """One metric of one run. Append-only."""

    run = models.ForeignKey(MeasurementRun, models.CASCADE, related_name="values")
    metric = models.CharField(max_length=40)
    value = models.FloatField()

    class Meta:
        ordering = ["run", "metric"]
        constraints = [
            models.UniqueConstraint(fields=["run", "metric"], name="catalog_measuredvalue_natural_key"),
            *positive("value"),
        ]
        triggers = [append_only()]

    def __str__(self) -> str:
        return f"{self.metric} {self.value:g}"
