"""Whether estimates put systems in the order that was measured: Kendall's tau by throughput per chip.

Groups, systems and views are those of `places`. Pairs of systems measured within the noise of one
another have no order that could be told: they are counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from estimates.measured.agreement import NOISE, Agreement, agreement, rounded
from estimates.measured.places import CHIP, Group, Place, Predicted, System, View, group_of, views
from estimates.measured.runs import Run

LEAST_SYSTEMS: Final = 3
#: A group whose order agrees less than this is explained pair by pair.
LOW_TAU: Final = 0.5


@dataclass(frozen=True, slots=True)
class Ranked:
    """One group in one view: its systems, the best measured first, and how far each order agrees."""

    group: Group
    view: View
    places: tuple[Place, ...]
    orders: Mapping[str, Agreement]

    @property
    def low_orders(self) -> dict[str, Agreement]:
        """The orders that agree less than LOW_TAU."""
        known = {name: one for name, one in self.orders.items() if one.tau is not None}
        return {name: one for name, one in known.items() if (one.tau or 0) < LOW_TAU}

    def in_short(self) -> dict[str, Any]:
        """What is compared, and of its low orders what each swaps."""
        view = {"view": self.view.kind, "at": self.view.at, "by": self.view.by}
        orders = {name: one.as_json() for name, one in self.low_orders.items()}
        return self.group._asdict() | view | {"orders": orders}

    @property
    def sources(self) -> tuple[str, ...]:
        """Publications that the measured order mixes."""
        return tuple(sorted({run.source for place in self.places for run in place.runs if run.source}))

    def as_json(self) -> dict[str, Any]:
        return self.group._asdict() | {
            "view": self.view.kind,
            "at": self.view.at,
            "by": self.view.by,
            "sources": list(self.sources),
            "systems": [place.as_json() for place in self.places],
            "orders": {name: one.as_json() for name, one in self.orders.items()},
        }


@dataclass(frozen=True, slots=True)
class Mean:
    """All groups of a view, weighted by their pairs; those of every load together."""

    view: str
    order: str
    groups: int
    pairs: int
    noise_pairs: int
    tau_b: float | None
    tau: float | None

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Ranking:
    """Every group in every view."""

    groups: tuple[Ranked, ...]

    @property
    def means(self) -> list[Mean]:
        views = dict.fromkeys(one.view.pooled for one in sorted(self.groups, key=_place_of_view))
        orders = dict.fromkeys(name for one in self.groups for name in one.orders)
        found = (mean_of(self.groups, view, order) for view in views for order in orders)
        return [one for one in found if one.groups]

    def summary(self) -> dict[str, Any]:
        """The means, and of every group where an order has a tau below LOW_TAU what it swaps."""
        low = [one.in_short() for one in self.groups if one.low_orders]
        return {
            "noise": NOISE,
            "means": [one.as_json() for one in self.means],
            "low_tau": LOW_TAU,
            "low_groups": low,
        }

    def as_json(self) -> dict[str, Any]:
        return {
            "noise": NOISE,
            "means": [one.as_json() for one in self.means],
            "groups": [one.as_json() for one in self.groups],
        }


def _place_of_view(one: Ranked) -> tuple[bool, str, float]:
    return one.view.by == CHIP, one.view.kind, one.view.at or 0.0


def mean_of(groups: Iterable[Ranked], view: str, order: str) -> Mean:
    """The mean over the groups of a view that have this order; of every load together."""
    found = [one.orders[order] for one in groups if one.view.pooled == view and order in one.orders]
    return Mean(
        view=view,
        order=order,
        groups=len(found),
        pairs=sum(one.pairs for one in found),
        noise_pairs=sum(one.noise_pairs for one in found),
        tau_b=_weighted([(one.tau_b, one.pairs) for one in found]),
        tau=_weighted([(one.tau, one.pairs - one.noise_pairs) for one in found]),
    )


def _weighted(values: Iterable[tuple[float | None, int]]) -> float | None:
    known = [(value, weight) for value, weight in values if value is not None and weight]
    total = sum(weight for _, weight in known)
    return rounded(sum(value * weight for value, weight in known) / total) if total else None


#: An order from elsewhere: throughput per chip of the systems of a group in a view.
type Ordered = Callable[[Group, View, Sequence[Place]], Mapping[System, float]]


def ranking_of(
    runs: Iterable[Run],
    predicted: Predicted,
    models: Mapping[str, str],
    *,
    impossible: Collection[str] = (),
    others: Mapping[str, Ordered] | None = None,
) -> Ranking:
    """Put the systems of every group in order, measured and by each of `predicted` and `others`.

    `models` names the architecture of a model as printed; runs of others, those with a flag that sets them
    apart and the `impossible` ones, by id, stay out.
    """
    grouped: dict[Group, list[Run]] = {}
    for run in runs:
        group = group_of(run, models)
        if group is not None and run.run_id not in impossible:
            grouped.setdefault(group, []).append(run)
    found = []
    for group, members in sorted(grouped.items(), key=lambda item: str(item[0])):
        for view, places in views(group, members, predicted):
            if len(places) >= LEAST_SYSTEMS:
                found.append(ranked(group, view, places, others or {}))
    return Ranking(tuple(one for one in found if one.orders))


def ranked(group: Group, view: View, places: Sequence[Place], others: Mapping[str, Ordered]) -> Ranked:
    """The agreement of each order with the measured one, on the systems that the order has."""
    places = sorted(places, key=lambda place: (-place.measured, str(place.system)))
    for name, order in others.items():
        values = order(group, view, places)
        places = [
            replace(place, predicted={**place.predicted, name: values[place.system]})
            if place.system in values
            else place
            for place in places
        ]
    orders = {}
    for name in dict.fromkeys(name for place in places for name in place.predicted):
        known = [place for place in places if name in place.predicted]
        if len(known) >= LEAST_SYSTEMS:
            orders[name] = agreement(
                [str(place.system) for place in known],
                [place.measured for place in known],
                [place.predicted[name] for place in known],
            )
    return Ranked(group, view, tuple(places), orders)
