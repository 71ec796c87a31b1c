"""Evaluate configurations: fit, steps and closed loop of many points at once, each with its own load.

The grid evaluates lanes x workloads x batches through the same functions; here every point has one workload
and one batch, and can be asked for detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.core.deployments import hop_link_is_up
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Workload
from estimates.core.formats import FORMATS
from estimates.core.lanes import GEMM_GROUPS, Lane, Lanes, build_lanes
from estimates.core.lowering import lower
from estimates.core.memory import RankMemory, rank_memory
from estimates.core.operations import Lowered
from estimates.core.serving import Load, Loop, StepTimes, closed_loop, stages_in_flight, step_times

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Point:
    """One configuration under one load: `concurrency` requests on one replica of `pp` stages."""

    lane: Lane
    pp: int
    workload: Workload
    concurrency: float


@dataclass(slots=True)
class Evaluated:
    """Results of points, arrays of shape (points,)."""

    points: tuple[Point, ...]
    lanes: Lanes
    memory: RankMemory
    batch: Array  # asked for, per rank and slot
    in_flight: Array  # running on a replica: the concurrency, at most what the cache holds
    capacity: Array  # requests whose cache a replica holds (may be below 1)
    usable: Array  # bytes of the fullest rank left for caches
    weights: Array  # bytes of weights of the fullest rank
    cache_per_request: Array  # bytes a request takes on one rank of one stage
    times: StepTimes
    loop: Loop
    rates_known: NDArray[np.bool_]


def missing_rates(model: Lowered, lanes: Lanes) -> list[tuple[str, ...]]:
    """Per lane the rates an operation of the model would compute with and the chip does not have."""
    groups = {gemm.group for gemm, _ in model.gemms} | ({"head"} if model.has_head else set())
    if model.experts:
        groups.add("routed_experts")
    result: list[tuple[str, ...]] = []
    known: dict[tuple[int, int], tuple[str, ...]] = {}
    for lane, term in zip(lanes.lanes, lanes.terms, strict=True):
        key = (id(term), id(lane.scheme))
        if key in known:
            result.append(known[key])
            continue
        lacking = {group for group, compute in term.computes if compute is None}
        names = [
            "bf16" if group == "router" else FORMATS[getattr(lane.scheme, group)].compute[0]
            for group in GEMM_GROUPS
            if group in lacking and group in groups
        ]
        attention = ["bf16"] if "bf16" in term.missing_rates and (model.reads or names) else []
        known[key] = tuple(dict.fromkeys(names + attention))
        result.append(known[key])
    return result


def replica_capacity(
    memory: RankMemory, lanes: Lanes, pp: Array, context: Array, layer_count: int
) -> tuple[Array, Array, Array]:
    """(requests a replica can hold, bytes left for caches on a rank, bytes a request takes on a rank).

    A request's cache lies on every stage, on one of the dp ranks of each. Shapes (lanes, ...) broadcast.
    """
    shape = (-1,) + (1,) * (np.ndim(context) - 1)
    usable = memory.usable(pp.reshape(-1), layer_count).reshape(shape)
    per_request = (memory.cache(context) + memory.logits.reshape(shape)) / pp.reshape(shape)
    dp = lanes["dp"].astype(float).reshape(shape)
    held = np.where(usable > 0, dp * usable / np.maximum(per_request, 1e-9), 0.0)
    return held, usable, per_request


def evaluate_points(
    model: ModelFacts,
    points: Sequence[Point],
    table: EfficiencyTable,
    *,
    detailed: bool = False,
    bandwidth_scale: float = 1.0,
    compute_scale: float = 1.0,
    capacity_scale: float = 1.0,
) -> Evaluated:
    """Fit and steady state of every point. The scales multiply each chip's figures (for elasticities)."""
    lowered = lower(model.architecture)
    lanes = build_lanes(
        [point.lane for point in points],
        table,
        bandwidth_scale=bandwidth_scale,
        compute_scale=compute_scale,
    )
    memory = rank_memory(model.architecture, lanes, capacity_scale=capacity_scale)

    def column(values: list[float]) -> Array:
        return np.array(values, float).reshape(-1, 1, 1)

    pp = column([point.pp for point in points])
    prefix = column([point.workload.isl * point.workload.prefix_share for point in points])
    isl = column([point.workload.isl for point in points]) - prefix
    osl = column([point.workload.osl for point in points])
    asked = column([point.concurrency for point in points])
    full_context = (prefix + isl + osl).reshape(-1, 1)
    held, usable, per_request = replica_capacity(memory, lanes, pp, full_context, lowered.layers)
    capacity = held.reshape(-1, 1, 1)
    in_flight = np.maximum(1.0, np.minimum(asked, np.floor(capacity)))
    slots = lanes["dp"] * stages_in_flight(pp, lowered.layers)
    batch = np.maximum(1.0, in_flight / slots)
    load = Load(isl=isl, prefix=prefix, osl=osl, batch=batch)
    times = step_times(lowered, lanes, load, detailed=detailed)
    hop_up = column([float(hop_link_is_up(p.lane.variant, p.lane.group, p.pp)) for p in points])
    hop_inverse = np.where(hop_up > 0, lanes["up_inverse"], lanes["out_inverse"])
    known = np.array([not missing for missing in missing_rates(lowered, lanes)]).reshape(-1, 1, 1)
    loop = closed_loop(lowered, lanes, load, times, pp, in_flight, hop_inverse, known)
    return Evaluated(
        points=tuple(points),
        lanes=lanes,
        memory=memory,
        batch=batch.reshape(-1),
        in_flight=in_flight.reshape(-1),
        capacity=capacity.reshape(-1),
        usable=usable.reshape(-1),
        weights=memory.stage_weights(pp.reshape(-1), lowered.layers),
        cache_per_request=per_request.reshape(-1),
        times=times,
        loop=loop,
        rates_known=known.reshape(-1),
    )
