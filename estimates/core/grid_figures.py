"""Figures of a grid's chosen points, as columns: the exact evaluation, its intervals, grades and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.core.correction import Placed
from estimates.core.efficiency import EfficiencyTable
from estimates.core.explain import binding_limits
from estimates.core.facts import ModelFacts
from estimates.core.fit import smallest_changes
from estimates.core.grades import GRADES, grade_of
from estimates.core.grid_result import BINDING
from estimates.core.intervals import TIERS
from estimates.core.novelty import Novelty, all_log_bounds, all_novelties
from estimates.core.points import Evaluated, Point, evaluate_points, missing_rates

MOST = 2**31 - 1  # what a column of sizes holds


@dataclass(slots=True)
class PointFigures:
    """Arrays of shape (points,): columns of the answer of one replica, by their names there."""

    columns: Mapping[str, NDArray]
    capacity: NDArray  # whole requests that a replica holds
    lacking: Sequence[
        tuple[str, ...]
    ]  # rates that a point's operations would need and the chip does not have

    @classmethod
    def of(
        cls, models: Sequence[ModelFacts], points: Sequence[Point], efficiency: EfficiencyTable
    ) -> PointFigures:
        """Of points and the model of each."""
        if not points:
            return cls({}, np.zeros(0), ())
        evaluated = evaluate_points(models, points, efficiency, detailed=True)
        novelties = all_novelties(evaluated.places, efficiency.calibration)
        grades = _grades(evaluated, novelties)
        columns = {
            name: np.array([getattr(point.lane, name) for point in points]) for name in ("tp", "ep", "dp")
        }
        columns |= {
            "pp": np.array([point.pp for point in points]),
            "grade": np.array([1 + GRADES.index(grade) for grade in grades]),
            "tier": np.array([1 + TIERS.index(novelty.tier) for novelty in novelties]),
            "binding_limit": np.array([BINDING.index(limit) for limit in binding_limits(evaluated)]),
            **_memory(evaluated),
            **_speeds(evaluated, evaluated.places, novelties, grades, efficiency),
        }
        return cls(
            {name: np.asarray(values).reshape(-1) for name, values in columns.items()},
            np.minimum(np.floor(evaluated.capacity), MOST),
            missing_rates(evaluated.models, evaluated.lanes),
        )


def _grades(evaluated: Evaluated, novelties: Sequence[Novelty]) -> list[str]:
    tiers = {id(novelty): novelty.tier for novelty in novelties}
    return [
        grade_of(point.lane, point.pp, terms, tiers[id(novelty)], chip_measured=novelty.chip_measured)
        for point, terms, novelty in zip(evaluated.points, evaluated.lanes.terms, novelties, strict=True)
    ]


def _memory(evaluated: Evaluated) -> dict[str, NDArray]:
    """Bytes of the fullest chip; what is short of one request, and what would mend it."""
    memory = evaluated.memory
    in_cache = evaluated.cache_per_request * evaluated.in_flight / evaluated.lanes.flat("dp")
    reserved = memory.reserve_fixed + memory.reserve_share * evaluated.weights + memory.workspace
    fits = evaluated.capacity >= 1
    cached = np.where(fits, in_cache, evaluated.cache_per_request)
    kinds, values = smallest_changes(evaluated, ~fits)
    return {
        "memory_capacity_bytes": memory.capacity,
        "memory_used_bytes": evaluated.weights + reserved + cached,
        "shortfall_bytes": np.where(fits, np.nan, evaluated.cache_per_request - evaluated.usable),
        "change_kind": kinds,
        "change_value": values,
    }


def _speeds(
    evaluated: Evaluated,
    places: Sequence[Placed],
    novelties: Sequence[Novelty],
    grades: Sequence[str],
    efficiency: EfficiencyTable,
) -> dict[str, NDArray]:
    """Times and rates of one replica with their intervals."""
    loop = evaluated.loop
    tpot, ttft, rate = (values.reshape(-1) for values in (loop.tpot, loop.ttft_loaded, loop.throughput))
    osl = np.array([point.workload.osl for point in evaluated.points], float)
    bounds = all_log_bounds(places, novelties, efficiency, grades, ttft, tpot, osl)
    return {
        "concurrency": evaluated.in_flight,
        "batch": evaluated.in_flight,
        "running_batch": loop.running,
        "tok_s_per_user": 1 / loop.tpot,
        "ttft_unloaded_s": loop.ttft_unloaded,
        "prefill_share": loop.prefill_share,
        "decode_tok_s": loop.decode_throughput,
        "tpot_s": tpot,
        "tpot_low_s": tpot * np.exp(bounds["tpot"][0]),
        "tpot_high_s": tpot * np.exp(bounds["tpot"][1]),
        "ttft_s": ttft,
        "ttft_low_s": ttft * np.exp(bounds["ttft"][0]),
        "ttft_high_s": ttft * np.exp(bounds["ttft"][1]),
        "throughput_output_tok_s": rate,
        "throughput_low": rate * np.exp(-bounds["throughput"][1]),
        "throughput_high": rate * np.exp(-bounds["throughput"][0]),
    }
