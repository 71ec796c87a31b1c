"""Systems: servers, racks and pods built from accelerators."""

from django.db import models

from catalog.models.accelerators import Accelerator, Status
from catalog.models.constraints import not_negative, positive
from catalog.models.history import bump_version, keep_version, tracked
from catalog.models.slugs import CatalogueSlugField
from catalog.models.vendors import Vendor


@tracked
class System(models.Model):
    """A machine: one accelerator type, a count and a fabric. Systems of one shape share one `Offer`."""

    slug = CatalogueSlugField(max_length=160, unique=True)
    name = models.CharField(max_length=300)
    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="systems")
    accelerator = models.ForeignKey(Accelerator, models.PROTECT, related_name="systems")
    accelerator_count = models.PositiveIntegerField()
    form = models.CharField(
        max_length=10,
        choices=[("card", "card"), ("server", "server"), ("rack", "rack"), ("pod", "pod"), ("pc", "PC")],
    )
    status = models.CharField(max_length=20, choices=Status, default=Status.AVAILABLE)
    fabric = models.CharField(max_length=200, blank=True)
    scale_up_gbs = models.FloatField(
        "scale-up (GB/s)", null=True, blank=True, help_text="GB/s per accelerator and direction"
    )
    scale_up_domain = models.PositiveIntegerField(
        "scale-up domain", null=True, blank=True, help_text="accelerators in one scale-up domain"
    )
    scale_out_gbs = models.FloatField(
        "scale-out (GB/s)", null=True, blank=True, help_text="GB/s per accelerator and direction"
    )
    total_memory_gb = models.FloatField(
        "memory (GB)", null=True, blank=True, help_text="accelerator memory as printed"
    )
    host_cpu = models.CharField("host CPU", max_length=200, blank=True)
    host_memory_gb = models.FloatField("host memory (GB)", null=True, blank=True)
    power_kw = models.FloatField("power (kW)", null=True, blank=True)
    offer = models.ForeignKey(
        "catalog.Offer", models.SET_NULL, related_name="systems", null=True, blank=True, editable=False
    )
    notes = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(auto_now_add=True, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [
            *positive("accelerator_count", "scale_up_domain", "scale_up_gbs", "total_memory_gb", "power_kw"),
            *not_negative("scale_out_gbs", "host_memory_gb"),
        ]
        triggers = [bump_version("offer"), keep_version()]

    def __str__(self) -> str:
        return self.name
