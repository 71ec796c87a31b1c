"""History pages of the admin: each change of a row with its diff, who and why; taking one back."""

import json
from typing import Any, Final

import pghistory
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from catalog.history.events import KEPT, UPDATE, change_named, described, histories, history_of, parts_of
from catalog.history.revert import ChangedSinceError, RevertRefusedError, revert_change

PAGE: Final = 25


class RevertForm(forms.Form):
    """Why a change is taken back; with `overwrite` although its fields changed since."""

    change_reason = forms.CharField(
        label="Why", max_length=500, widget=UnfoldAdminTextInputWidget, help_text="shown in the history"
    )
    current = forms.JSONField(required=False, widget=forms.HiddenInput)


class HistoryAdmin:
    """Mixed into the admin of a fact: its history page shows the database's own events."""

    def history_view(
        self: Any, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        history = history_of(self.model)
        if history is None:
            return super().history_view(request, object_id, extra_context)  # type: ignore[misc,no-any-return]
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404(f"There is no {self.model._meta.verbose_name} {object_id}.")
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        conditions = parts_of(history, [obj.pk])
        found = [
            (at, resource, number)
            for resource, condition in conditions.items()
            for number, at in histories()[resource]
            .events._default_manager.filter(condition)
            .values_list("pgh_id", "pgh_created_at")
        ]
        pages = Paginator(sorted(found, reverse=True), PAGE)
        page = pages.get_page(request.GET.get("p"))
        changes = described([(resource, number, at) for at, resource, number in page])
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "subtitle": None,
            "opts": self.model._meta,
            "object": obj,
            "page": page,
            "changes": [
                {**row, "revert": self._revert_address(obj, row) if self._may_revert(request) else None}
                for row in changes
            ],
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/catalog/history.html", context)

    def get_urls(self: Any) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revert_view)
        name = f"{self.model._meta.app_label}_{self.model._meta.model_name}_revert"
        return [path("<path:object_id>/history/<slug:change>/revert/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def _may_revert(self: Any, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("catalog.change_figure"))

    def _revert_address(self: Any, obj: Model, row: dict[str, Any]) -> str | None:
        """Where the change can be taken back; None for what is only appended or follows from other rows."""
        if not histories()[row["resource"]].is_whole or row["resource"] == "offers":
            return None
        if row["action"] == UPDATE and all(field["field"] in KEPT for field in row["diff"]):
            return None
        return self._address("revert", obj.pk, row["id"])  # type: ignore[no-any-return]

    def _address(self: Any, page: str, *arguments: Any) -> str:
        name = f"admin:{self.model._meta.app_label}_{self.model._meta.model_name}_{page}"
        return reverse(name, args=arguments, current_app=self.admin_site.name)

    def revert_view(self: Any, request: HttpRequest, object_id: str, change: str) -> HttpResponse:
        """Ask why, then take the change back; what stands in the way is said on the same page."""
        if not self._may_revert(request):
            raise PermissionDenied
        obj, found = self.get_object(request, object_id), change_named(change)
        history = history_of(self.model)
        if found is None or obj is None or history is None:
            raise Http404(f"There is no change {change} of it.")
        if (
            found.history.resource not in (parts := parts_of(history, [obj.pk]))
            or not (
                found.history.events._default_manager.filter(
                    parts[found.history.resource], pgh_id=found.number
                )
            ).exists()
        ):
            raise Http404(f"There is no change {change} of it.")
        form = RevertForm(request.POST or None)
        since: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            try:
                with pghistory.context(via="admin"):
                    revert_change(
                        change,
                        reason=form.cleaned_data["change_reason"],
                        current=form.cleaned_data["current"] or {},
                    )
            except ChangedSinceError as error:
                since = error.fields
                form.add_error(None, f"{error.detail[0].upper()}{error.detail[1:]}.")
            except RevertRefusedError as error:
                form.add_error(None, f"{error.detail[0].upper()}{error.detail[1:]}.")
            else:
                messages.success(request, f"{change} is taken back, as a new change.")
                there = self.model._default_manager.filter(pk=obj.pk).exists()
                to = self._address("history", obj.pk) if there else self._address("changelist")
                return HttpResponseRedirect(to)
        row = described([(found.history.resource, found.number, None)])[0]
        context = {
            **self.admin_site.each_context(request),
            "title": f"Take {change} back",
            "subtitle": None,
            "opts": self.model._meta,
            "object": obj,
            "change": row,
            "form": form,
            "since": since,
            "since_json": json.dumps(since),
            "history_address": self._address("history", obj.pk),
        }
        request.current_app = self.admin_site.name  # type: ignore[attr-defined]
        status = 409 if form.non_field_errors() else 200
        return TemplateResponse(request, "admin/catalog/revert.html", context, status=status)
