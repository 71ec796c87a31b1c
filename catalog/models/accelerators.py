"""Accelerators: one chip, card or SoC, its memory tiers, peak rates per number format and links."""

from django.db import models

from catalog.models.constraints import not_negative, positive
from catalog.models.history import bump_version_but_for_notes, keep_version, touch_accelerator, tracked
from catalog.models.slugs import CatalogueSlugField
from catalog.models.sources import Confidence, FigureKind
from catalog.models.vendors import Vendor


class AcceleratorKind(models.TextChoices):
    GPU = "gpu", "GPU"
    TPU = "tpu", "TPU"
    ASIC = "asic", "ASIC"
    WAFER = "wafer", "wafer-scale"
    NPU = "npu", "NPU"
    SOC = "soc", "SoC"
    CPU = "cpu", "CPU"


class Segment(models.TextChoices):
    """Where the part is used; decides which models and workloads make sense on it."""

    DATACENTRE = "datacentre", "datacentre"
    WORKSTATION = "workstation", "workstation"
    PC = "pc", "PC"
    EDGE = "edge", "edge"


class Status(models.TextChoices):
    AVAILABLE = "available", "available"
    CLOUD_ONLY = "cloud_only", "cloud only"
    ANNOUNCED = "announced", "announced"
    DISCONTINUED = "discontinued", "discontinued"


@tracked
class Accelerator(models.Model):
    """A part as its maker sells it. Main-memory figures stand here, further tiers in `MemoryTier`.

    Every figure column is tied to its accepted `Figure` by its name. Rates are dense.
    """

    slug = CatalogueSlugField(max_length=120, unique=True)
    name = models.CharField(max_length=200)
    vendor = models.ForeignKey(Vendor, models.PROTECT, related_name="accelerators")
    family = models.CharField(max_length=100, blank=True)
    generation = models.CharField(
        max_length=100, blank=True, help_text="micro-architecture; calibration inherits by it"
    )
    kind = models.CharField(max_length=10, choices=AcceleratorKind)
    segment = models.CharField(max_length=20, choices=Segment)
    form_factor = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=20, choices=Status)
    release_date = models.CharField(max_length=10, blank=True, help_text="ISO date, as exact as known")
    process_node = models.CharField(max_length=100, blank=True)

    memory_type = models.CharField(max_length=60, blank=True)
    memory_gb = models.FloatField("memory (GB)", null=True, blank=True, help_text="capacity as printed")
    memory_bytes = models.BigIntegerField(
        "memory (bytes)", null=True, blank=True, help_text="bytes the device reports"
    )
    memory_usable_gb = models.FloatField(
        "usable (GB)", null=True, blank=True, help_text="usable capacity where the maker prints it apart"
    )
    memory_bandwidth_gbs = models.FloatField("bandwidth (GB/s)", null=True, blank=True)
    memory_is_sram = models.BooleanField(
        "main memory is SRAM", default=False, help_text="the main memory is on-chip SRAM"
    )
    shares_memory_with_host = models.BooleanField(
        default=False, help_text="unified memory: the host takes its part"
    )
    tdp_w = models.FloatField("TDP (W)", null=True, blank=True)
    launch_price_usd = models.DecimalField(
        "launch price (USD)", max_digits=12, decimal_places=2, null=True, blank=True
    )
    pcie_generation = models.PositiveSmallIntegerField("PCIe generation", null=True, blank=True)
    confidence = models.CharField(max_length=10, choices=Confidence, default=Confidence.MEDIUM)
    notes = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(auto_now_add=True, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [
            *positive(
                "memory_gb",
                "memory_bytes",
                "memory_usable_gb",
                "memory_bandwidth_gbs",
                "tdp_w",
                "launch_price_usd",
                "pcie_generation",
            ),
        ]
        triggers = [bump_version_but_for_notes(), keep_version()]

    def __str__(self) -> str:
        return self.name


class TierRole(models.TextChoices):
    CACHE = "cache", "on-chip cache"
    SECOND = "second", "memory behind the main one"


@tracked
class MemoryTier(models.Model):
    """A tier besides the main memory: on-chip SRAM of a GPU, or the DRAM behind HBM or SRAM."""

    accelerator = models.ForeignKey(Accelerator, models.CASCADE, related_name="memory_tiers")
    role = models.CharField(max_length=10, choices=TierRole)
    memory_type = models.CharField(max_length=60, blank=True)
    capacity_gb = models.FloatField()
    usable_gb = models.FloatField("usable (GB)", null=True, blank=True)
    bandwidth_gbs = models.FloatField("bandwidth (GB/s)", null=True, blank=True)

    class Meta:
        ordering = ["accelerator", "role"]
        constraints = [
            models.UniqueConstraint(fields=["accelerator", "role"], name="catalog_memorytier_natural_key"),
            *positive("capacity_gb", "usable_gb", "bandwidth_gbs"),
        ]
        triggers = touch_accelerator()

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.capacity_gb:g} GB"


@tracked
class PeakRate(models.Model):
    """Peak dense rate in one number format. Never computed from another format."""

    accelerator = models.ForeignKey(Accelerator, models.CASCADE, related_name="peak_rates")
    number_format = models.CharField(
        max_length=10, help_text="fp64 fp32 tf32 bf16 fp16 fp8 fp6 fp4 int8 int4"
    )
    tera_ops = models.FloatField("TFLOPS or TOPS", help_text="dense, 1e12 a second")
    kind = models.CharField(max_length=20, choices=FigureKind, default=FigureKind.VENDOR_CLAIM)

    class Meta:
        ordering = ["accelerator", "number_format"]
        constraints = [
            models.UniqueConstraint(
                fields=["accelerator", "number_format"], name="catalog_peakrate_natural_key"
            ),
            *positive("tera_ops"),
        ]
        triggers = touch_accelerator()

    def __str__(self) -> str:
        return f"{self.number_format} {self.tera_ops:g} T/s"


class LinkScope(models.TextChoices):
    SCALE_UP = "scale_up", "scale-up fabric"
    HOST = "host", "host bus"
    SCALE_OUT = "scale_out", "scale-out network"


@tracked
class Link(models.Model):
    """All links of one scope of one accelerator together, per direction."""

    accelerator = models.ForeignKey(Accelerator, models.CASCADE, related_name="links")
    scope = models.CharField(max_length=10, choices=LinkScope)
    name = models.CharField(max_length=100, blank=True)
    bandwidth_gbs = models.FloatField(
        "bandwidth (GB/s)", null=True, blank=True, help_text="GB/s per direction"
    )
    latency_us = models.FloatField("latency (us)", null=True, blank=True)
    domain_size = models.PositiveIntegerField(null=True, blank=True, help_text="accelerators in one domain")

    class Meta:
        ordering = ["accelerator", "scope"]
        constraints = [
            models.UniqueConstraint(fields=["accelerator", "scope"], name="catalog_link_natural_key"),
            *positive("bandwidth_gbs", "domain_size"),
            *not_negative("latency_us"),
        ]
        triggers = touch_accelerator()

    def __str__(self) -> str:
        return f"{self.name or self.get_scope_display()}"
