"""Admin of sources, figures, measurements and published claims."""

from typing import Any

import pghistory
from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from pydantic import ValidationError
from unfold.admin import TabularInline
from unfold.decorators import action, display

from catalog import hints
from catalog.admin.base import FactAdmin, ReadOnlyAdmin
from catalog.claim_parameters import ClaimParameters
from catalog.figures import FigureError, choose_figure, subject_of
from catalog.models import Figure, MeasuredValue, MeasurementRun, PublishedClaim, Source
from catalog.offers import refresh_offers


@admin.register(Source)
class SourceAdmin(FactAdmin):
    list_display = ("title", "publisher", "published_on", "read_on", "licence", "restricted", "figure_count")
    list_filter = ("restricted",)
    search_fields = ("title", "slug", "url", "publisher")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        return super().get_queryset(request).annotate(figure_total=Count("figures"))

    @display(description="figures", ordering="figure_total")
    def figure_count(self, source: Any) -> int:
        return int(source.figure_total)


class Disputed(admin.SimpleListFilter):
    """Figures that stand against an accepted one: the queue of conflicts."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("accepted", "accepted"), ("rival", "rivals"), ("unsourced", "without a source")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Figure]) -> QuerySet[Figure]:
        match self.value():
            case "accepted":
                return queryset.filter(accepted=True)
            case "rival":
                return queryset.filter(accepted=False)
            case "unsourced":
                return queryset.filter(source=None)
        return queryset


@admin.register(Figure)
class FigureAdmin(ReadOnlyAdmin):
    """Every figure. A conflict is resolved by accepting the better one; its value then fills the column."""

    list_display = (
        "subject",
        "quantity",
        "value",
        "unit",
        "kind",
        "confidence",
        "source",
        "accepted",
        "observed_on",
    )
    list_filter = (Disputed, "kind", "confidence", "origin")
    search_fields = (
        "quantity",
        "accelerator__name",
        "accelerator__slug",
        "system__name",
        "language_model__name",
    )
    list_select_related = ("accelerator", "system", "language_model", "workload", "source")
    actions = ("accept",)
    show_full_result_count = False

    @display(description="of")
    def subject(self, figure: Figure) -> str:
        return str(subject_of(figure))

    def has_accept_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("catalog.change_figure")

    @action(description="Accept: use this value instead of the one in use", permissions=["accept"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Figure]) -> None:
        """Make each chosen rival the accepted figure; all or none."""
        chosen = list(queryset.filter(accepted=False))
        try:
            with transaction.atomic(), pghistory.context(via="admin", reason="conflict resolved"):
                for figure in chosen:
                    choose_figure(figure, reason="chosen over its rivals in the admin")
                refresh_offers()
                hints.work_waiting()
        except FigureError as error:
            self.message_user(request, f"Nothing was changed: {error}", messages.ERROR)
            return
        skipped = queryset.count() - len(chosen)
        note = f"; {skipped} accepted already" if skipped > 0 else ""
        self.message_user(request, f"{len(chosen)} figures accepted{note}.", messages.SUCCESS)


class MeasuredValueInline(TabularInline):
    model = MeasuredValue
    fields = ("metric", "value")
    readonly_fields = fields
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(MeasurementRun)
class MeasurementRunAdmin(ReadOnlyAdmin):
    list_display = (
        "run_id",
        "accelerator_as_printed",
        "accelerator_count",
        "model_as_printed",
        "weight_format",
        "framework",
        "scenario",
        "isl",
        "osl",
        "concurrency",
        "source_date",
    )
    list_filter = ("scenario", "serving", "weight_format", ("source", admin.RelatedOnlyFieldListFilter))
    search_fields = ("run_id", "model_as_printed", "accelerator_as_printed", "framework")
    inlines = (MeasuredValueInline,)
    show_full_result_count = False


class PublishedClaimForm(forms.ModelForm):
    """Refuses parameters that nothing could answer, with the place and what is accepted."""

    class Meta:
        model = PublishedClaim
        fields = forms.ALL_FIELDS

    def clean_parameters(self) -> Any:
        given = self.cleaned_data["parameters"] or {}
        try:
            ClaimParameters.model_validate(given)
        except ValidationError as error:
            raise forms.ValidationError(
                [
                    f"{'.'.join(map(str, fault['loc'])) or 'parameters'}: {fault['msg']}"
                    for fault in error.errors(include_url=False)
                ]
            ) from None
        return given


@admin.register(PublishedClaim)
class PublishedClaimAdmin(FactAdmin):
    form = PublishedClaimForm
    list_display = ("subject", "quantity", "relation", "value", "unit", "kind", "source_date")
    list_filter = ("kind", "quantity", "relation")
    search_fields = ("subject", "quantity", "conditions")
    autocomplete_fields = ("source", "accelerator", "system", "language_model")
