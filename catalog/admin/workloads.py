"""Admin of workloads: lengths and service levels, each changed with its source or as an assumption."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from catalog import hints
from catalog.admin.sourced import FigureInline, SourcedAdmin
from catalog.models import Workload


@admin.register(Workload)
class WorkloadAdmin(SourcedAdmin):
    list_display = (
        "name",
        "slug",
        "isl",
        "osl",
        "ttft_limit_ms",
        "tpot_limit_ms",
        "percentile",
        "edge_only",
        "position",
    )
    list_filter = ("edge_only",)
    search_fields = ("name", "slug")
    readonly_fields = ("version", "changed_at")
    inlines = (FigureInline,)
    fieldsets = (
        (
            "Workload",
            {
                "fields": (
                    ("name", "slug", "position"),
                    ("isl", "osl", "prefix_share"),
                    ("ttft_limit_ms", "tpot_limit_ms", "percentile"),
                    ("edge_only", "version", "changed_at"),
                    "reason",
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def after_change(self, subject: Workload) -> None:
        hints.work_waiting()
