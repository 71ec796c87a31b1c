"""Workloads: what is asked of a model, in tokens and service levels."""

from django.db import models

from catalog.models.constraints import positive, share
from catalog.models.history import bump_version, keep_version, tracked
from catalog.models.slugs import CatalogueSlugField


@tracked
class Workload(models.Model):
    """Input and output length, and the service levels that make an answer useful."""

    slug = CatalogueSlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    isl = models.PositiveIntegerField("input tokens")
    osl = models.PositiveIntegerField("output tokens")
    ttft_limit_ms = models.FloatField("TTFT limit (ms)", null=True, blank=True)
    tpot_limit_ms = models.FloatField("TPOT limit (ms)", null=True, blank=True)
    percentile = models.PositiveSmallIntegerField(default=50)
    prefix_share = models.FloatField(default=0.0, help_text="share of the input already cached")
    edge_only = models.BooleanField(default=False, help_text="meant for PC and edge parts")
    reason = models.TextField(help_text="why these lengths and limits")
    position = models.PositiveSmallIntegerField(default=0, help_text="most used first")
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(auto_now_add=True, editable=False)

    class Meta:
        ordering = ["position", "slug"]
        constraints = [
            *positive("isl", "osl", "ttft_limit_ms", "tpot_limit_ms"),
            *share("prefix_share"),
            models.CheckConstraint(
                condition=models.Q(percentile__gte=1, percentile__lte=99),
                name="catalog_workload_percentile_range",
            ),
        ]
        triggers = [bump_version(), keep_version()]

    def __str__(self) -> str:
        return self.name
