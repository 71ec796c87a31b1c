"""The events that the database keeps of a kind of fact, read for the accounting."""

from collections import defaultdict
from functools import cache
from typing import Any

import pghistory.models
from django.apps import apps


@cache
def history_of(table: str) -> Any:
    """The event model of a table by the lower-case name of its model; None where it keeps no history."""
    for events in apps.get_app_config("catalog").get_models():
        if issubclass(events, pghistory.models.Event):
            tracked: Any = events.pgh_tracked_model
            if tracked._meta.model_name == table:
                return events
    return None


def events_of(model: type[Any]) -> dict[int, list[Any]]:
    """Events by the row they are of, in the order in which they were written."""
    events = history_of(str(model._meta.model_name))
    found: dict[int, list[Any]] = defaultdict(list)
    if events is not None:
        for event in events._default_manager.select_related("pgh_context").order_by("pgh_id"):
            found[event.pgh_obj_id].append(event)
    return found


def value_of(row: Any, column: str) -> Any:
    """A column's value of a row or of an event; `intermediate` stands inside a model's architecture."""
    if column == "intermediate":
        return row.architecture["layers"][0]["feed_forwards"][0]["intermediate"]
    return getattr(row, column)
