"""The ranked list with nothing kept from earlier requests: every request chooses the prices anew."""

from collections.abc import Callable
from typing import Any

from config.rest.kept import Kept
from estimates.api.estimates import EstimateListView
from estimates.api.ranked import State


class UnkeptState(State):
    """Reads everything."""

    def _of[V](self, kept: Kept[Any, V], key: Any, read: Callable[[], V]) -> V:
        return read()


class UnkeptListView(EstimateListView):
    """Which hardware runs a model, with nothing kept."""

    state_class = UnkeptState
