"""What every admin page of the catalogue shares: dense lists, and tables that only their importer writes."""

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from catalog.admin.history import HistoryAdmin


class FactAdmin(HistoryAdmin, ModelAdmin):
    """A table whose rows an editor may change, with the history that the database keeps of them."""

    list_per_page = 50
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True
    show_full_result_count = True


class ReadOnlyAdmin(FactAdmin):
    """A table that is written by importers or workers only: append-only facts, measurements, estimates."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
