"""Forms that take a new value only with its source, and make it the accepted figure of its quantity."""

from typing import Any

import pghistory
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from catalog import hints
from catalog.admin.base import FactAdmin
from catalog.figures import SOURCELESS_KINDS, Subject, accept_figure, quantities_of
from catalog.models import Figure, Source
from catalog.models.sources import Confidence, FigureKind
from catalog.offers import refresh_offers
from catalog.sources import find_or_add_source
from config.deadlocks import again_after_deadlock

PROVENANCE_FIELDS = (
    "figure_kind",
    "figure_source",
    "new_source_title",
    "new_source_url",
    "figure_confidence",
    "change_reason",
)


def kind_needs_source(data: Any) -> str | None:
    """The kind given with changed figures, checked: raises ValidationError naming what is missing."""
    kind = data.get("figure_kind")
    if not kind:
        raise ValidationError(
            "A changed figure needs its kind and its source: fill in “Source of the change”."
        )
    sourced = data.get("figure_source") or (data.get("new_source_title") and data.get("new_source_url"))
    if kind not in SOURCELESS_KINDS and not sourced:
        raise ValidationError(
            "A figure of this kind needs a source: choose one, or give the title and address of a new one. "
            "Only assumed and derived figures may stand without."
        )
    return str(kind)


class SourcedForm(forms.ModelForm):
    """A subject with figures in its columns. Where one of them changes, the change must say its source."""

    figure_kind = forms.ChoiceField(
        label="Kind",
        required=False,
        choices=[("", "—"), *FigureKind.choices],
        widget=UnfoldAdminSelectWidget,
        help_text="how the new value is known; needed when a figure changes",
    )
    figure_source = forms.ModelChoiceField(
        Source.objects.all(), label="Source", required=False, widget=UnfoldAdminSelect2Widget
    )
    new_source_title = forms.CharField(
        label="or a new source: title", required=False, max_length=500, widget=UnfoldAdminTextInputWidget
    )
    new_source_url = forms.URLField(
        label="its address",
        required=False,
        max_length=1000,
        assume_scheme="https",
        widget=UnfoldAdminTextInputWidget,
    )
    figure_confidence = forms.ChoiceField(
        label="Confidence",
        required=False,
        initial=Confidence.MEDIUM,
        choices=Confidence.choices,
        widget=UnfoldAdminSelectWidget,
    )
    change_reason = forms.CharField(
        label="Why",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="shown in the history",
    )

    def changed_figures(self) -> list[str]:
        """Names of the columns that hold figures and whose value the form changes."""
        known = quantities_of(self._meta.model)
        return [name for name in self.changed_data if name in known]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        changed = self.changed_figures()
        known = quantities_of(self._meta.model)
        for name in changed:
            value = cleaned.get(name)
            if name in self.errors:
                continue
            if value is None:
                if getattr(self.instance, name, None) is not None or self.initial.get(name) is not None:
                    self.add_error(name, "A figure is replaced by a better one, not emptied.")
            elif (accepted := known[name].fault(float(value))) is not None:
                self.add_error(name, f"Accepted: {accepted}.")
        if changed:
            try:
                kind_needs_source(cleaned)
            except ValidationError as error:
                self.add_error(None, error)  # at the head of the page, wherever the fields are
        return cleaned


class SourcedFormSet(forms.BaseInlineFormSet):
    """Child rows that hold figures: a changed one needs the source that the parent's form states."""

    def clean(self) -> None:
        super().clean()
        if any(form.has_changed() for form in self.forms):
            kind_needs_source(self.data)


class SourcedInline(TabularInline):
    """Child rows that hold figures; `quantity` names the quantity of a row's column."""

    formset = SourcedFormSet
    extra = 0
    can_delete = False
    quantity_prefix = ""
    key_field = ""
    figure_columns: tuple[str, ...] = ()

    @classmethod
    def quantity(cls, row: models.Model, column: str) -> str:
        name = f"{cls.quantity_prefix}:{getattr(row, cls.key_field)}"
        return name if len(cls.figure_columns) == 1 else f"{name}:{column}"


class FigureInline(TabularInline):
    """Every figure of a subject with its source, accepted ones first; rivals are kept."""

    model = Figure
    fields = (
        "quantity",
        "value",
        "unit",
        "kind",
        "confidence",
        "source",
        "observed_on",
        "accepted",
        "reason",
    )
    readonly_fields = fields
    extra = 0
    can_delete = False
    show_change_link = True
    tab = True
    verbose_name_plural = "Figures and their sources"

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Figure]:
        return super().get_queryset(request).select_related("source")


class SourcedAdmin(FactAdmin):
    """A subject with figures: a changed figure is accepted with its source, in the request's transaction."""

    form = SourcedForm
    provenance_fieldset = (
        "Source of the change",
        {"fields": PROVENANCE_FIELDS, "description": "Needed whenever a figure on this page changes."},
    )

    @again_after_deadlock
    def changeform_view(self, *arguments: Any, **named: Any) -> Any:
        """A change may meet another that derives the offers anew; whichever Postgres ends is made again."""
        return super().changeform_view(*arguments, **named)

    def _accept(self, form: Any, subject: Subject, changes: dict[str, Any]) -> None:
        given = form.cleaned_data
        source = given.get("figure_source")
        if source is None and given.get("new_source_title") and given.get("new_source_url"):
            source = find_or_add_source(title=given["new_source_title"], url=given["new_source_url"])
        for quantity, value in changes.items():
            accept_figure(
                subject,
                quantity,
                float(value),
                kind=given["figure_kind"],
                source=source,
                reason=given.get("change_reason", ""),
                confidence=given.get("figure_confidence") or Confidence.MEDIUM,
            )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        reason = form.cleaned_data.get("change_reason")
        if reason:
            pghistory.context(reason=reason)
        pghistory.context(via="admin")
        if change:
            # What was changed here and nothing else: a version or a figure that somebody else has raised
            # since the row was read is not written back.
            columns = [field.name for field in obj._meta.concrete_fields if field.name in form.changed_data]
            if columns:
                obj.save(update_fields=columns)
        else:
            super().save_model(request, obj, form, change)
        self._accept(
            form,
            obj,
            {n: form.cleaned_data[n] for n in form.changed_figures() if form.cleaned_data[n] is not None},
        )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        inline = next(
            (
                kind
                for kind in self.inlines
                if issubclass(kind, SourcedInline) and kind.model is formset.model
            ),
            None,
        )
        super().save_formset(request, form, formset, change)
        if inline is None:
            return
        for row_form in formset.forms:
            if not row_form.has_changed():
                continue
            row = row_form.instance
            changed = [name for name in inline.figure_columns if name in row_form.changed_data]
            values = {inline.quantity(row, name): getattr(row, name) for name in changed}
            self._accept(
                form, form.instance, {name: value for name, value in values.items() if value is not None}
            )

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.changed_data or any(formset.has_changed() for formset in formsets):
            self.after_change(form.instance)

    def after_change(self, subject: Any) -> None:
        """Let the estimates that depend on it follow."""
        refresh_offers()
        hints.work_waiting()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_fieldsets(request, obj), self.provenance_fieldset)
