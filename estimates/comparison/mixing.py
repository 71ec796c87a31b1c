"""Configurations between two sides: some groups of facts from the one, the rest from the other.

Deployments are those that were chosen, so that the two ends of a comparison are the two answers themselves;
nothing is chosen anew in between. Such a configuration need not exist, fit or be offered: it says what a
difference does, not what could be bought.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isclose
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimates.comparison.causes import Cause, Part, chosen, load_of, load_per_chip, option_names
from estimates.comparison.sides import Side
from estimates.core.deployments import Reason, on_chip, resolve_scheme, stage_variant
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Chip, Deployment, ModelFacts
from estimates.core.formats import UnknownFormat, WeightScheme
from estimates.core.options import settle
from estimates.core.points import Point, evaluate_points
from estimates.from_catalog import Datasheet, chip_of, offer_of

#: Results of every mix, arrays of shape (mixes,): seconds, tokens/s of the whole offer; `overfull` is 1
#: where the memory or the software does not hold the load.
Results = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Mix:
    """One configuration; None as the point where its links do not exist."""

    model: ModelFacts
    table: EfficiencyTable
    point: Point | None
    replicas: int
    chips: int


class Mixer:
    """Makes the mixes of two running sides. What they look up in the tables is let go with it."""

    def __init__(self, before: Side, after: Side) -> None:
        self.before, self.after = before, after
        tables = {id(side.table): replace(side.table, cache={}) for side in (before, after)}
        self._tables = tables
        self._chips: dict[Any, tuple[Datasheet, Chip]] = {}

    def mix(self, causes: Sequence[Cause]) -> Mix:
        """The configuration with these causes taken from after. Raises InvalidFact."""
        parts: set[Part] = set()
        names: set[str] = set()
        for cause in causes:
            parts |= cause.parts
            names |= cause.quantities

        def of(part: Part) -> Side:
            return self.after if part in parts else self.before

        sheet, chip = self._chip(of("chip"), frozenset(names))
        layout = chosen(of("layout"))
        shape = replace(of("shape").shape, count=of("layout").shape.count)
        model, units = of("model").model, _units_of(of("chip"))
        settled = settle(model, offer_of(shape, sheet, chip), units, of("table").table)
        if isinstance(settled, Reason):
            return self.hole(causes)
        offer, chip = settled.offer, settled.offer.chip
        scheme = self._scheme(of("model"), of("format"), chip)
        software = chosen(of("software")).point
        base = layout.point

        def lane_of(lane: Any) -> Any:
            return replace(
                lane,
                variant=stage_variant(offer, lane.group),
                scheme=scheme,
                kv_format=chosen(of("format")).point.lane.kv_format,
                software=software.lane.software,
                prompt_chip=settled.prompt_chip,
            )

        lane = lane_of(base.lane)
        linked = lane.variant.scale_up is not None and lane.variant.scale_up.bytes_per_s
        table = self._tables[id(of("table").table)]
        if lane.group > 1 and not linked and not chip.sram_first:
            return Mix(model, table, None, layout.replicas, shape.count)
        pool = base.prefill
        options = chosen(of("options")).point
        point = replace(
            base,
            lane=lane,
            workload=of("workload").workload,
            concurrency=self._load(of("load"), of("layout")) / layout.replicas,
            prefill=None if pool is None else replace(pool, lane=lane_of(pool.lane)),
            version=software.version,
            **{name: getattr(options, name) for name in option_names(self.before)},
        )
        return Mix(model, table, point, layout.replicas, shape.count)

    def _load(self, load: Side, layout: Side) -> float:
        """Requests in flight: as many where both sides have as many, else as many on each chip."""
        if isclose(load_of(self.before), load_of(self.after)):
            return load_of(load)
        return load_per_chip(load) * layout.shape.count

    def hole(self, causes: Iterable[Cause]) -> Mix:
        """The place of a mix whose facts contradict each other."""
        parts = {part for cause in causes for part in cause.parts}
        side = self.after if "layout" in parts else self.before
        return Mix(side.model, side.table, None, 1, side.shape.count)

    def _chip(self, own: Side, names: frozenset[str]) -> tuple[Datasheet, Chip]:
        key = (own is self.after, names)
        if key not in self._chips:
            old, new = self.before.sheet.quantities, self.after.sheet.quantities
            taken = {name: value for name, value in old.items() if name not in names}
            taken |= {name: new[name] for name in names if name in new}
            sheet = replace(own.sheet, quantities=taken)
            built = chip_of(sheet)
            stated = own.offer.chip  # with the engines that the question states
            self._chips[key] = (sheet, replace(stated, tiers=built.tiers, rates=built.rates))
        return self._chips[key]

    def _scheme(self, model: Side, formats: Side, chip: Chip) -> WeightScheme:
        """The format's scheme; that of the same name for the model, where another model's is asked."""
        scheme = chosen(formats).point.lane.scheme
        if model is formats or model.model == formats.model:
            return scheme
        try:
            return on_chip(resolve_scheme(scheme.slug, model.model), chip)
        except UnknownFormat:
            return scheme


def evaluate_mixes(mixes: Sequence[Mix]) -> Results:
    """Every mix through the core, those of one model and method in one call; NaN where one does not exist."""
    found: Results = {
        name: np.full(len(mixes), np.nan) for name in ("tpot", "ttft", "ttft_all", "throughput")
    }
    found["overfull"] = np.zeros(len(mixes))
    groups: dict[tuple[int, int], list[int]] = {}
    for row, mix in enumerate(mixes):
        if mix.point is not None:
            groups.setdefault((id(mix.model), id(mix.table)), []).append(row)
    for rows in groups.values():
        first = mixes[rows[0]]
        points = [point for row in rows if (point := mixes[row].point) is not None]
        evaluated = evaluate_points(first.model, points, first.table)
        loop = evaluated.loop
        asked = np.array([point.concurrency for point in points])
        found["overfull"][rows] = ~evaluated.fits | (asked > evaluated.limit * (1 + 1e-9))
        replicas = np.array([mixes[row].replicas for row in rows], float)
        for name, values in (
            ("tpot", loop.tpot),
            ("ttft", loop.ttft_loaded),
            ("ttft_all", loop.ttft_saturated),
            ("throughput", loop.throughput),
        ):
            found[name][rows] = np.broadcast_to(values.reshape(-1), len(rows))
        found["throughput"][rows] *= replicas
    return found


def _units_of(side: Side) -> Deployment:
    """The engines of the chip that a side serves with."""
    asked = side.deployment
    return Deployment(decode_unit=asked.decode_unit, prefill_unit=asked.prefill_unit)
