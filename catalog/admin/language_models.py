"""Admin of language models: published figures are edited with their source, computed ones are shown."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeNumericFilter
from unfold.decorators import display

from catalog import hints
from catalog.admin.base import FactAdmin
from catalog.admin.sourced import FigureInline, SourcedAdmin
from catalog.models import LanguageModel, ModelAlias

COMPUTED = (
    "parameters_total",
    "parameters_active",
    "parameters_active_without_embedding",
    "parameters_mtp",
    "kv_growing_elements",
    "kv_window_elements",
    "kv_fixed_bytes",
    "indexer_elements",
)


class AliasInline(TabularInline):
    model = ModelAlias
    extra = 0
    tab = True


@admin.register(LanguageModel)
class LanguageModelAdmin(SourcedAdmin):
    list_display = (
        "name",
        "publisher",
        "role",
        "attention_kind",
        "total_billions",
        "active_billions",
        "native_format",
        "max_context",
        "confidence",
    )
    list_filter = (
        "role",
        "native_format",
        "kind",
        "confidence",
        ("publisher", admin.RelatedOnlyFieldListFilter),
        ("parameters_total", RangeNumericFilter),
    )
    search_fields = ("name", "slug", "hf_id", "family", "aliases__name")
    list_select_related = ("publisher",)
    autocomplete_fields = ("publisher",)
    readonly_fields = (*COMPUTED, "architecture", "quantisation", "version", "changed_at")
    inlines = (AliasInline, FigureInline)
    fieldsets = (
        (
            "Identity",
            {
                "fields": (
                    ("name", "slug", "hf_id"),
                    ("publisher", "family", "role"),
                    ("licence", "release_date", "kind", "confidence"),
                    ("attention_kind", "native_format", "max_context"),
                    ("version", "changed_at"),
                    "notes",
                )
            },
        ),
        ("Published", {"fields": (("published_parameters", "published_active_parameters"),)}),
        ("Computed from the architecture", {"fields": (COMPUTED[:4], COMPUTED[4:])}),
        ("Architecture", {"fields": ("architecture", "quantisation"), "classes": ("collapse",)}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a model comes from its configuration file: manage.py import_model

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "slug", "hf_id") if obj else self.readonly_fields

    @display(description="parameters (1e9)", ordering="parameters_total")
    def total_billions(self, model: LanguageModel) -> str:
        return f"{model.parameters_total / 1e9:,.2f}"

    @display(description="active (1e9)", ordering="parameters_active")
    def active_billions(self, model: LanguageModel) -> str:
        return f"{model.parameters_active / 1e9:,.2f}"

    def after_change(self, subject: LanguageModel) -> None:
        hints.model_changed(subject.pk)


@admin.register(ModelAlias)
class ModelAliasAdmin(FactAdmin):
    list_display = ("name", "language_model", "same_architecture_only")
    list_filter = ("same_architecture_only",)
    search_fields = ("name", "language_model__name", "language_model__slug")
    list_select_related = ("language_model",)
    autocomplete_fields = ("language_model",)
