"""Admin of vendors, accelerators and systems: enter a datasheet, see every figure with its rivals."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeNumericFilter
from unfold.decorators import display

from catalog import hints
from catalog.admin.base import FactAdmin
from catalog.admin.sourced import FigureInline, SourcedAdmin, SourcedInline
from catalog.models import Accelerator, Link, MemoryTier, PeakRate, System, Vendor
from catalog.offers import refresh_offers

STATUS_COLOURS = {
    "available": "success",
    "cloud only": "info",
    "announced": "warning",
    "discontinued": "danger",
}
CONFIDENCE_COLOURS = {"high": "success", "medium": "info", "low": "warning"}


@admin.register(Vendor)
class VendorAdmin(FactAdmin):
    list_display = ("name", "slug", "makes_hardware", "publishes_models", "accelerator_count", "model_count")
    list_filter = ("makes_hardware", "publishes_models")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Vendor]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                accelerator_total=Count("accelerators", distinct=True),
                model_total=Count("language_models", distinct=True),
            )
        )

    @display(description="accelerators", ordering="accelerator_total")
    def accelerator_count(self, vendor: Any) -> int:
        return int(vendor.accelerator_total)

    @display(description="models", ordering="model_total")
    def model_count(self, vendor: Any) -> int:
        return int(vendor.model_total)


class PeakRateInline(SourcedInline):
    model = PeakRate
    fields = ("number_format", "tera_ops")
    verbose_name_plural = "Peak dense rates"
    quantity_prefix, key_field, figure_columns = "peak_rate", "number_format", ("tera_ops",)


class MemoryTierInline(SourcedInline):
    model = MemoryTier
    fields = ("role", "memory_type", "capacity_gb", "usable_gb", "bandwidth_gbs")
    verbose_name_plural = "Further memory tiers"
    quantity_prefix, key_field = "memory_tier", "role"
    figure_columns = ("capacity_gb", "usable_gb", "bandwidth_gbs")


class LinkInline(SourcedInline):
    model = Link
    fields = ("scope", "name", "bandwidth_gbs", "latency_us", "domain_size")
    verbose_name_plural = "Links, per direction"
    quantity_prefix, key_field = "link", "scope"
    figure_columns = ("bandwidth_gbs", "latency_us", "domain_size")


@admin.register(Accelerator)
class AcceleratorAdmin(SourcedAdmin):
    list_display = (
        "name",
        "vendor",
        "kind",
        "segment",
        "status_label",
        "memory_gb",
        "memory_bandwidth_gbs",
        "tdp_w",
        "confidence_label",
        "rival_count",
    )
    list_filter = (
        "kind",
        "segment",
        "status",
        "confidence",
        ("vendor", admin.RelatedOnlyFieldListFilter),
        ("memory_gb", RangeNumericFilter),
        ("memory_bandwidth_gbs", RangeNumericFilter),
    )
    search_fields = ("name", "slug", "family", "generation", "vendor__name")
    list_select_related = ("vendor",)
    autocomplete_fields = ("vendor",)
    readonly_fields = ("version", "changed_at")
    inlines = (PeakRateInline, MemoryTierInline, LinkInline, FigureInline)
    fieldsets = (
        (
            "Identity",
            {
                "fields": (
                    ("name", "slug"),
                    ("vendor", "family", "generation"),
                    ("kind", "segment", "form_factor"),
                    ("status", "release_date", "process_node"),
                    ("confidence", "version", "changed_at"),
                    "notes",
                )
            },
        ),
        (
            "Main memory",
            {
                "fields": (
                    ("memory_type", "memory_gb", "memory_bandwidth_gbs"),
                    ("memory_bytes", "memory_usable_gb"),
                    ("memory_is_sram", "shares_memory_with_host"),
                )
            },
        ),
        ("Power, price, bus", {"fields": (("tdp_w", "launch_price_usd", "pcie_generation"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Accelerator]:
        return (
            super().get_queryset(request).annotate(rivals=Count("figures", filter=Q(figures__accepted=False)))
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    @display(description="status", ordering="status", label=STATUS_COLOURS)
    def status_label(self, accelerator: Accelerator) -> str:
        return accelerator.get_status_display()

    @display(description="confidence", ordering="confidence", label=CONFIDENCE_COLOURS)
    def confidence_label(self, accelerator: Accelerator) -> str:
        return accelerator.get_confidence_display()

    @display(description="rival figures", ordering="rivals")
    def rival_count(self, accelerator: Any) -> int:
        return int(accelerator.rivals)

    def after_change(self, subject: Accelerator) -> None:
        refresh_offers()
        hints.accelerator_changed(subject.pk)


@admin.register(System)
class SystemAdmin(SourcedAdmin):
    list_display = (
        "name",
        "vendor",
        "accelerator",
        "accelerator_count",
        "form",
        "scale_up_gbs",
        "total_memory_gb",
        "power_kw",
        "status",
    )
    list_filter = (
        "form",
        "status",
        ("vendor", admin.RelatedOnlyFieldListFilter),
        ("accelerator_count", RangeNumericFilter),
    )
    search_fields = ("name", "slug", "vendor__name", "accelerator__name", "accelerator__slug")
    list_select_related = ("vendor", "accelerator")
    autocomplete_fields = ("vendor", "accelerator")
    readonly_fields = ("offer", "version", "changed_at")
    inlines = (FigureInline,)
    fieldsets = (
        (
            "Identity",
            {
                "fields": (
                    ("name", "slug"),
                    ("vendor", "form", "status"),
                    ("accelerator", "accelerator_count", "offer"),
                    ("version", "changed_at"),
                    "notes",
                )
            },
        ),
        (
            "Fabric, per accelerator and direction",
            {"fields": (("fabric", "scale_up_gbs", "scale_up_domain", "scale_out_gbs"),)},
        ),
        ("Machine", {"fields": (("total_memory_gb", "power_kw"), ("host_cpu", "host_memory_gb"))}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def after_change(self, subject: System) -> None:
        refresh_offers()
        hints.accelerator_changed(subject.accelerator_id)
