"""Models as columns: what the operations of each lane's model measure, so that many models share one call.

Operations that are alike share a slot, which knows the lanes whose model has one. A model alone has columns
of one element, which broadcast against any lanes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimates.core.architecture import Architecture
from estimates.core.facts import ModelFacts
from estimates.core.model_table import Cached, ModelTable, table_of
from estimates.core.operations import CacheRead, Experts, Gemm, IndexRead, Lowered, StateUpdate
from estimates.core.roofline import Rows

Array = NDArray[np.floating]


@dataclass(eq=False, slots=True)
class Slot[Operation]:
    """Like operations of some lanes: one whose sizes are columns (rows, 1, 1), and how often it runs."""

    operation: Operation
    count: Array
    rows: Rows | None  # the lanes that have one; None: all of them

    @property
    def at(self) -> NDArray[np.intp] | slice:
        """Where its rows lie among the lanes."""
        return slice(None) if self.rows is None else self.rows.at

    def of(self, values: Array) -> Array:
        """What is the slot's of values that have a row for each lane, or one for all."""
        return values if self.rows is None else self.rows.of(values)


@dataclass(eq=False, slots=True)
class ModelColumns:
    """The models of lanes: numbers as columns (lanes, 1, 1), operations as slots.

    `which` says whose model each lane has; None: all have the table's only one, in columns (1, 1, 1).
    """

    table: ModelTable
    which: NDArray[np.intp] | None
    dtype: type[np.floating] = np.float64
    _known: dict[str, Any] = field(init=False, default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> Array:
        """A number of the whole model."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._column(self.table.numbers[name], self.which)
        return np.asarray(found)

    def flat(self, name: str) -> Array:
        """The same in float64, of shape (lanes,) or (1,)."""
        values = self.table.numbers[name]
        return values if self.which is None else values[self.which]

    @property
    def gemms(self) -> tuple[Slot[Gemm], ...]:
        return self._slots("gemms")

    @property
    def heads(self) -> tuple[Slot[Gemm], ...]:
        return self._slots("heads")

    @property
    def experts(self) -> tuple[Slot[Experts], ...]:
        return self._slots("experts")

    @property
    def reads(self) -> tuple[Slot[CacheRead], ...]:
        return self._slots("reads")

    @property
    def indexes(self) -> tuple[Slot[IndexRead], ...]:
        return self._slots("indexes")

    @property
    def states(self) -> tuple[Slot[StateUpdate], ...]:
        return self._slots("states")

    @property
    def cached(self) -> tuple[Slot[Cached], ...]:
        return self._slots("cached")

    def distinct(self, kinds: NDArray[np.intp]) -> tuple[list[int], NDArray[np.intp]]:
        """(a lane of each model and kind, position of each lane's among these); kinds as of `Lanes`."""
        keys = kinds if self.which is None else self.which * (kinds.max(initial=0) + 1) + kinds
        _, first, place = np.unique(keys, return_index=True, return_inverse=True)
        return first.tolist(), place

    def number(self, lane: int) -> int:
        """Position of a lane's model in the table."""
        return 0 if self.which is None else int(self.which[lane])

    def lowered(self, lane: int) -> Lowered:
        return self.table.models[self.number(lane)]

    def architecture(self, lane: int) -> Architecture:
        return self.table.architectures[self.number(lane)]

    def take(self, rows: NDArray[np.intp] | slice) -> ModelColumns:
        """The models of these lanes, repeated as often as asked."""
        return self if self.which is None else ModelColumns(self.table, self.which[rows], self.dtype)

    def as_type(self, dtype: type[np.floating]) -> ModelColumns:
        return self if dtype == self.dtype else ModelColumns(self.table, self.which, dtype)

    def _column(self, values: Array, at: NDArray[np.intp] | None) -> Array:
        return (values if at is None else values[at]).astype(self.dtype).reshape(-1, 1, 1)

    def _slots(self, kind: str) -> tuple[Slot[Any], ...]:
        found = self._known.get(kind)
        if found is None:
            found = self._known[kind] = tuple(self._made(kind))
        return found  # type: ignore[no-any-return]

    def _made(self, kind: str) -> Iterable[Slot[Any]]:
        for alike in self.table.alike[kind]:
            at, rows = None, None
            if self.which is not None:
                place = np.full(len(self.table.models), -1)
                place[alike.members] = np.arange(alike.members.size)
                at = place[self.which]
                held = np.flatnonzero(at >= 0)
                if not held.size:
                    continue
                if held.size < at.size:
                    at, rows = at[held], Rows(held, len(self.which))
            sizes = {name: self._column(values, at) for name, values in alike.sizes.items()}
            yield Slot(replace(alike.example, **sizes), self._column(alike.counts, at), rows)


def lanes_of(table: ModelTable, which: Sequence[int], dtype: type[np.floating] = np.float64) -> ModelColumns:
    """The columns of lanes whose models lie at these positions of a table."""
    alone_in_it = len(table.models) == 1
    return ModelColumns(table, None if alone_in_it else np.array(which, np.intp), dtype)


def alone(architecture: Architecture, dtype: type[np.floating] = np.float64) -> ModelColumns:
    """The columns of lanes that all run one model."""
    return ModelColumns(table_of([architecture]), None, dtype)


def columns_of(
    models: ModelFacts | Sequence[ModelFacts], dtype: type[np.floating] = np.float64
) -> ModelColumns:
    """The columns of lanes that run one model, or of as many lanes as models are given."""
    if isinstance(models, ModelFacts):
        return alone(models.architecture, dtype)
    distinct = {id(model): model for model in models}
    number = {key: place for place, key in enumerate(distinct)}
    table = table_of([model.architecture for model in distinct.values()])
    return lanes_of(table, [number[id(model)] for model in models], dtype)
