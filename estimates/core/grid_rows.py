"""Rows of a grid's answer: collected as choices, the distinct ones evaluated exactly together at the end."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from estimates.core.correction import Placed
from estimates.core.deployments import REASON_CODES, Reason
from estimates.core.efficiency import EfficiencyTable
from estimates.core.explain import binding_limits
from estimates.core.facts import ModelFacts, Offer, Workload
from estimates.core.fingerprint import METHOD_VERSION
from estimates.core.fit import smallest_changes
from estimates.core.grades import GRADES, grade_of
from estimates.core.grid_result import BINDING, CODES, NUMBERS, SIZES, GridResult
from estimates.core.intervals import TIERS
from estimates.core.lanes import Lane
from estimates.core.lowering import lower
from estimates.core.novelty import Novelty, all_log_bounds, all_novelties
from estimates.core.points import Evaluated, Point, evaluate_points, missing_rates


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
        self.chosen: list[_Row] = []
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

    def result(self, configurations: int) -> GridResult:
        rows = sorted(self.chosen, key=itemgetter(0, 1, 2))
        count = len(rows)
        columns: dict[str, NDArray] = {name: np.zeros(count, np.int32) for name in (*CODES, *SIZES)}
        columns |= {name: np.full(count, np.nan) for name in NUMBERS}
        self._fill_codes(rows, columns)
        distinct: list[Point] = []
        position: dict[tuple[int, int, int, float], int] = {}
        source: list[int] = []
        for row in rows:
            if row.lane is None:
                continue
            place = position.setdefault(row.key, len(distinct))
            if place == len(distinct):
                distinct.append(Point(row.lane, row.pp, self.workloads[row.workload], row.concurrency))
            source.append(place)
        schemes = tuple(dict.fromkeys(point.lane.scheme.slug for point in distinct)) or ("",)
        formats = tuple(dict.fromkeys(point.lane.kv_format for point in distinct)) or ("",)
        facts = ["", *dict.fromkeys(row.missing_fact for row in rows if row.missing_fact)]
        if distinct:
            evaluated = evaluate_points(self.model, distinct, self.efficiency, detailed=True)
            placed = [number for number, row in enumerate(rows) if row.lane is not None]
            self._fill_points(placed, source, evaluated, columns, schemes, formats, facts)
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
            configurations=configurations,
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
        placed: list[int],
        sources: list[int],
        evaluated: Evaluated,
        columns: dict[str, NDArray],
        schemes: tuple[str, ...],
        formats: tuple[str, ...],
        facts: list[str],
    ) -> None:
        at = np.array(placed, np.intp)
        source = np.array(sources, np.intp)
        points = evaluated.points

        def put(name: str, values: NDArray) -> None:
            columns[name][at] = np.asarray(values).reshape(-1)[source]

        for name in ("tp", "ep", "dp"):
            put(name, np.array([getattr(point.lane, name) for point in points]))
        put("pp", np.array([point.pp for point in points]))
        put("scheme", np.array([schemes.index(point.lane.scheme.slug) for point in points]))
        put("kv_format", np.array([formats.index(point.lane.kv_format) for point in points]))
        calibration = self.efficiency.calibration
        places = evaluated.places
        novelties = all_novelties(places, calibration)
        tiers = {id(novelty): novelty.tier for novelty in novelties}
        grades = [
            grade_of(point.lane, point.pp, terms, tiers[id(novelty)], chip_measured=novelty.chip_measured)
            for point, terms, novelty in zip(points, evaluated.lanes.terms, novelties, strict=True)
        ]
        grade_code = {grade: number for number, grade in enumerate(GRADES, start=1)}
        tier_code = {tier: number for number, tier in enumerate(TIERS, start=1)}
        put("grade", np.array([grade_code[grade] for grade in grades]))
        put("tier", np.array([tier_code[tiers[id(novelty)]] for novelty in novelties]))
        put("memory_capacity_bytes", evaluated.memory.capacity)
        memory = evaluated.memory
        in_cache = evaluated.cache_per_request * evaluated.in_flight / evaluated.lanes.flat("dp")
        reserved = memory.reserve_fixed + memory.reserve_share * evaluated.weights + memory.workspace
        fits = evaluated.capacity >= 1
        cached = np.where(fits, in_cache, evaluated.cache_per_request)
        put("memory_used_bytes", evaluated.weights + reserved + cached)
        short = np.where(fits, np.nan, evaluated.cache_per_request - evaluated.usable)
        put("shortfall_bytes", short)
        self._fill_changes(evaluated, fits, put)
        replicas = columns["replicas"][at]
        running = columns["state"][at] == 0
        self._fill_speeds(evaluated, places, novelties, grades, put)
        for name in (
            "concurrency",
            "throughput_output_tok_s",
            "throughput_low",
            "throughput_high",
            "decode_tok_s",
        ):
            columns[name][at] *= replicas
        capacity = np.minimum(np.floor(evaluated.capacity), 2**31 - 1)
        columns["max_concurrency"][at] = np.minimum(capacity[source] * replicas, 2**31 - 1)
        limits = binding_limits(evaluated)
        put("binding_limit", np.array([BINDING.index(limit) for limit in limits]))
        stopped = at[~running]
        columns["binding_limit"][stopped] = BINDING.index("capacity")
        for name in NUMBERS[: NUMBERS.index("memory_used_bytes")]:
            columns[name][stopped] = np.nan
        self._fill_missing_rates(at, source, evaluated, columns, facts)

    def _fill_missing_rates(
        self,
        at: NDArray,
        source: NDArray,
        evaluated: Evaluated,
        columns: dict[str, NDArray],
        facts: list[str],
    ) -> None:
        """Running rows whose time to first token is unknown carry the rate that is missing."""
        lacking = missing_rates(lower(self.model.architecture), evaluated.lanes)
        decode_only = np.array([bool(names) for names in lacking])[source] & (columns["state"][at] == 0)
        for number, point in zip(at[decode_only].tolist(), source[decode_only].tolist(), strict=True):
            if lacking[point]:
                fact = f"{lacking[point][0]}_rate"
                if fact not in facts:
                    facts.append(fact)
                columns["missing_fact"][number] = facts.index(fact)
                columns["reason"][number] = REASON_CODES.index("missing_rate")

    def _fill_changes(self, evaluated: Evaluated, fits: NDArray, put) -> None:  # type: ignore[no-untyped-def]
        kinds, values = smallest_changes(lower(self.model.architecture), self.model, evaluated, ~fits)
        put("change_kind", kinds)
        put("change_value", values)

    def _fill_speeds(  # type: ignore[no-untyped-def]
        self, evaluated: Evaluated, places: list[Placed], novelties: list[Novelty], grades: list[str], put
    ) -> None:
        loop = evaluated.loop
        put("concurrency", evaluated.in_flight)
        put("batch", evaluated.in_flight)
        put("running_batch", loop.running)
        put("tok_s_per_user", 1 / loop.tpot)
        put("ttft_unloaded_s", loop.ttft_unloaded)
        put("prefill_share", loop.prefill_share)
        put("decode_tok_s", loop.decode_throughput)
        tpot, ttft = loop.tpot.reshape(-1), loop.ttft_loaded.reshape(-1)
        osl = np.array([point.workload.osl for point in evaluated.points], float)
        bounds = all_log_bounds(places, novelties, self.efficiency, grades, ttft, tpot, osl)
        for metric, name, low, high, values in (
            ("tpot", "tpot_s", "tpot_low_s", "tpot_high_s", tpot),
            ("ttft", "ttft_s", "ttft_low_s", "ttft_high_s", ttft),
        ):
            put(name, values)
            put(low, values * np.exp(bounds[metric][0]))
            put(high, values * np.exp(bounds[metric][1]))
        rate = loop.throughput.reshape(-1)
        put("throughput_output_tok_s", rate)
        put("throughput_low", rate * np.exp(-bounds["throughput"][1]))
        put("throughput_high", rate * np.exp(-bounds["throughput"][0]))
