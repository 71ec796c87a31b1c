"""Rows of a grid's answer: collected as choices, the distinct ones evaluated exactly together at the end."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from estimates.core.deployments import REASON_CODES, Reason
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Offer, Workload
from estimates.core.fingerprint import METHOD_VERSION
from estimates.core.grid_figures import MOST, PointFigures
from estimates.core.grid_result import BINDING, CODES, NUMBERS, SIZES, GridResult
from estimates.core.lanes import Lane
from estimates.core.points import Point


class _Row(NamedTuple):
    """A row of the answer; without a lane it was refused. Tuples, for a catalogue makes many."""

    offer: int
    workload: int
    objective: int
    state: int
    reason: str = ""
    slo_reason: str = ""
    missing_fact: str = ""
    replicas: int = 0
    lane: Lane | None = None
    pp: int = 0
    concurrency: float = 0.0

    @property
    def key(self) -> tuple[int, int, int, float]:
        """Equal points of one search share their lane object: identity spares hashing facts."""
        return id(self.lane), self.pp, self.workload, self.concurrency


class RowBuilder:
    """Collects a row per answer and evaluates the distinct chosen points together."""

    def __init__(
        self,
        model: ModelFacts,
        offers: Sequence[Offer],
        workloads: Sequence[Workload],
        efficiency: EfficiencyTable,
    ) -> None:
        self.model = model
        self.offers = tuple(offers)
        self.workloads = tuple(workloads)
        self.efficiency = efficiency
        self.configurations = 0
        self.chosen: list[_Row] = []
        self._position: dict[tuple[int, int, int, float], int] = {}
        self.refused_workloads: set[int] = set()

    def refuse_all(self, reason: Reason) -> None:
        for offer in range(len(self.offers)):
            self.refuse_offer(offer, reason)

    def refuse_offer(self, offer: int, reason: Reason) -> None:
        for workload in range(len(self.workloads)):
            if workload not in self.refused_workloads:
                self.chosen.append(
                    _Row(offer, workload, 2, 2, reason.code, missing_fact=reason.missing_fact or "")
                )

    def refuse_workloads(self, workloads: Sequence[int]) -> None:
        """Workloads longer than the model's context."""
        self.refused_workloads.update(workloads)
        for offer in range(len(self.offers)):
            for workload in workloads:
                self.chosen.append(_Row(offer, workload, 2, 2, "context_too_long"))

    def does_not_fit(self, offer: int, workload: int, lane: Lane, pp: int) -> None:
        facts = self.offers[offer]
        unlinked = facts.count > 1 and not lane.variant.chip.sram_first
        unlinked = unlinked and (facts.scale_up is None or facts.scale_up.bytes_per_s is None)
        replicas = max(1, facts.count // (lane.group * pp))
        reason, fact = ("missing_link", "scale_up_bandwidth") if unlinked else ("does_not_fit", "")
        self.chosen.append(_Row(offer, workload, 2, 1, reason, "", fact, replicas, lane, pp, 1.0))

    def choose(
        self, offer: int, workload: int, objective: int, lane: Lane, pp: int, in_flight: float, missed: str
    ) -> None:
        replicas = self.offers[offer].count // (lane.group * pp)
        self.chosen.append(_Row(offer, workload, objective, 0, "", missed, "", replicas, lane, pp, in_flight))

    def points(self) -> list[Point]:
        """The distinct points among the chosen rows, in the order of the answer."""
        self.chosen.sort(key=itemgetter(0, 1, 2))
        found: dict[tuple[int, int, int, float], Point] = {}
        for row in self.chosen:
            if row.lane is not None and row.key not in found:
                found[row.key] = Point(row.lane, row.pp, self.workloads[row.workload], row.concurrency)
        self._position = {key: number for number, key in enumerate(found)}
        return list(found.values())

    def result(self, points: Sequence[Point], start: int, figures: PointFigures) -> GridResult:
        """The answer, of `points` whose figures lie from `start` on."""
        rows = self.chosen
        count = len(rows)
        columns: dict[str, NDArray] = {name: np.zeros(count, np.int32) for name in (*CODES, *SIZES)}
        columns |= {name: np.full(count, np.nan) for name in NUMBERS}
        self._fill_codes(rows, columns)
        schemes = tuple(dict.fromkeys(point.lane.scheme.slug for point in points)) or ("",)
        formats = tuple(dict.fromkeys(point.lane.kv_format for point in points)) or ("",)
        facts = ["", *dict.fromkeys(row.missing_fact for row in rows if row.missing_fact)]
        if points:
            placed = [number for number, row in enumerate(rows) if row.lane is not None]
            source = [self._position[rows[number].key] for number in placed]
            at, own = np.array(placed, np.intp), np.array(source, np.intp)
            for name, codes in (
                ("scheme", [schemes.index(point.lane.scheme.slug) for point in points]),
                ("kv_format", [formats.index(point.lane.kv_format) for point in points]),
            ):
                columns[name][at] = np.array(codes)[own]
            self._fill_points(at, start + own, figures, columns, facts)
        for number, row in enumerate(rows):
            if row.missing_fact:
                columns["missing_fact"][number] = facts.index(row.missing_fact)
        return GridResult(
            columns=columns,
            offers=tuple(offer.slug for offer in self.offers),
            workloads=tuple(workload.slug for workload in self.workloads),
            schemes=schemes,
            kv_formats=formats,
            missing_facts=tuple(facts),
            configurations=self.configurations,
            method_version=METHOD_VERSION,
            efficiency_version=self.efficiency.version,
        )

    def _fill_codes(self, rows: list[_Row], columns: dict[str, NDArray]) -> None:
        if not rows:
            return
        values = dict(zip(_Row._fields, zip(*rows, strict=True), strict=True))
        for name in ("offer", "workload", "objective", "state", "replicas"):
            columns[name][:] = values[name]
        code_of = {code: number for number, code in enumerate(REASON_CODES)}
        for name in ("reason", "slo_reason"):
            columns[name][:] = [code_of[code] for code in values[name]]

    def _fill_points(
        self,
        at: NDArray[np.intp],
        source: NDArray[np.intp],
        figures: PointFigures,
        columns: dict[str, NDArray],
        facts: list[str],
    ) -> None:
        """Put the figures of points into these rows; what a replica does counts as often as there are."""
        for name, values in figures.columns.items():
            columns[name][at] = values[source]
        replicas, running = columns["replicas"][at], columns["state"][at] == 0
        for name in (
            "concurrency",
            "throughput_output_tok_s",
            "throughput_low",
            "throughput_high",
            "decode_tok_s",
        ):
            columns[name][at] *= replicas
        columns["max_concurrency"][at] = np.minimum(figures.capacity[source] * replicas, MOST)
        stopped = at[~running]
        columns["binding_limit"][stopped] = BINDING.index("capacity")
        for name in NUMBERS[: NUMBERS.index("memory_used_bytes")]:
            columns[name][stopped] = np.nan
        self._fill_missing_rates(at[running], source[running], figures, columns, facts)

    def _fill_missing_rates(
        self,
        at: NDArray[np.intp],
        source: NDArray[np.intp],
        figures: PointFigures,
        columns: dict[str, NDArray],
        facts: list[str],
    ) -> None:
        """Running rows whose time to first token is unknown carry the rate that is missing."""
        for number, point in zip(at.tolist(), source.tolist(), strict=True):
            if figures.lacking[point]:
                fact = f"{figures.lacking[point][0]}_rate"
                if fact not in facts:
                    facts.append(fact)
                columns["missing_fact"][number] = facts.index(fact)
                columns["reason"][number] = REASON_CODES.index("missing_rate")


def results(builders: Sequence[RowBuilder], efficiency: EfficiencyTable) -> list[GridResult]:
    """The answer of each builder; the points that all have chosen are evaluated together, in detail."""
    chosen = [builder.points() for builder in builders]
    points = [point for each in chosen for point in each]
    models = [builder.model for builder, each in zip(builders, chosen, strict=True) for _ in each]
    figures = PointFigures.of(models, points, efficiency)
    starts = np.cumsum([0, *(len(each) for each in chosen)]).tolist()
    return [
        builder.result(each, start, figures)
        for builder, each, start in zip(builders, chosen, starts[:-1], strict=True)
    ]
