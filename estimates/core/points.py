"""Evaluate configurations: fit, steps and serving of many points at once, each with its own load.

The grid evaluates lanes x workloads x batches through the same functions; here every point has one workload
and one batch, and can be asked for detail. Closed loops, static batches and disaggregated pools mix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from estimates.core.chip_terms import GEMM_GROUPS, ChipTerms
from estimates.core.correction import Placed, coordinates_of, serving_of
from estimates.core.correction import corrected as apply_residuals
from estimates.core.deployments import hop_link_is_up, on_chip
from estimates.core.disaggregated import (
    PrefillPool,
    Prompts,
    pooled_loop,
    population,
    prompt_pool,
    rank_cache_bytes,
    transfer_time,
)
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Speculation, Workload
from estimates.core.floor import decode_floor_s
from estimates.core.formats import FORMATS, WeightScheme
from estimates.core.identity import Identity, identity_of
from estimates.core.lanes import Lane, Lanes, build_lanes
from estimates.core.memory import RankMemory, rank_memory, take_rows
from estimates.core.model_columns import ModelColumns, columns_of
from estimates.core.operations import Lowered
from estimates.core.scenarios import (
    Served,
    chance_full,
    merged,
    placed,
    sequence_limit,
    served_loop,
    static_batch,
)
from estimates.core.second_tier import Spill, read_behind, spill, with_second_tier
from estimates.core.serving import Load, StepTimes, closed_loop, stages_in_flight, step_times
from estimates.core.speculation import Drafts, drafts_of

Array = NDArray[np.floating]

QUEUED = 1 + 1e-9  # a mean with the wait for room beyond this many loaded means is a queue


@dataclass(frozen=True, slots=True)
class Point:
    """One configuration under one load: `concurrency` requests on one replica of `pp` stages.

    With `prefill` the replica is a decode worker, and `concurrency` its share of all requests in the system.
    """

    lane: Lane
    pp: int
    workload: Workload
    concurrency: float
    prefill: PrefillPool | None = None
    version: str | None = None  # of the serving software, where it is stated
    speculation: Speculation | None = None  # with its acceptance
    offload: bool = False  # what the first memory tier does not hold lies in the second


@dataclass(slots=True)
class Pools:
    """The prefill side of the points that have one; arrays of shape (rows,)."""

    rows: NDArray[np.intp]  # positions among the points
    lanes: Lanes
    memory: RankMemory
    prompts: Prompts
    capacity: Array  # prompts whose cache a worker holds
    usable: Array  # bytes of the fullest rank left for caches
    weights: Array
    cache_per_prompt: Array  # bytes on one rank of one stage


@dataclass(slots=True)
class Evaluated:
    """Results of points, arrays of shape (points,)."""

    points: tuple[Point, ...]
    models: ModelColumns
    lanes: Lanes
    memory: RankMemory
    batch: Array  # decoding, per rank and slot
    in_flight: Array  # running on a replica: the concurrency, at most what the cache holds
    capacity: Array  # requests whose cache a replica holds (may be below 1)
    limit: Array  # requests a replica admits: whole ones of the capacity, at most the software's limit
    usable: Array  # bytes of the fullest rank left for caches
    weights: Array  # bytes of weights of the fullest rank
    cache_per_request: Array  # bytes a request takes on one rank of one stage
    times: StepTimes
    loop: Served
    rates_known: NDArray[np.bool_]
    queued: NDArray[np.bool_]  # requests wait for cache space or a place in the batch
    waves: Array  # batches one after the other in a static run, else 1
    pools: Pools | None = None
    drafts: Drafts | None = None
    spill: Spill | None = None  # what lies in the second memory tier
    places: list[Placed] = field(default_factory=list)  # of each point; none where nothing is corrected
    factors: dict[str, Array] = field(default_factory=dict)  # metric -> time after over before correction

    @property
    def fits(self) -> NDArray[np.bool_]:
        """Whether weights and one request fit; with a prefill pool, its weights and one prompt as well."""
        fits = self.capacity >= 1
        if self.pools is not None:
            fits = fits.copy()
            fits[self.pools.rows] &= self.pools.capacity >= 1
        return np.asarray(fits)


def missing_rates(models: ModelColumns, lanes: Lanes) -> list[tuple[str, ...]]:
    """Per lane the rates an operation of its model would compute with and the chip does not have."""
    first, place = models.distinct(lanes.kinds)
    found = [_lacking(models.lowered(row), lanes.lanes[row].scheme, lanes.terms[row]) for row in first]
    return [found[number] for number in place.tolist()]


def _lacking(model: Lowered, scheme: WeightScheme, term: ChipTerms) -> tuple[str, ...]:
    lacking = {group for group, compute in term.computes if compute is None}
    if not lacking and "bf16" not in term.missing_rates:
        return ()
    groups = {gemm.group for gemm, _ in model.gemms} | ({"head"} if model.has_head else set())
    if model.experts:
        groups.add("routed_experts")
    names = [
        "bf16" if group == "router" else FORMATS[getattr(scheme, group)].compute[0]
        for group in GEMM_GROUPS
        if group in lacking and group in groups
    ]
    attention = ["bf16"] if "bf16" in term.missing_rates and (model.reads or names) else []
    return tuple(dict.fromkeys(names + attention))


def replica_capacity(
    memory: RankMemory,
    lanes: Lanes,
    pp: Array,
    context: Array,
    layer_count: Array | float,
    common: Array | float = 0.0,
) -> tuple[Array, Array, Array]:
    """(requests a replica can hold, bytes left for caches on a rank, bytes a request takes on a rank).

    A request's cache lies on every stage, on one of the dp ranks of each. Of `common` prompt tokens a rank
    holds what grows with the context once. Shapes (lanes, ...) broadcast.
    """
    shape = (-1,) + (1,) * (np.ndim(context) - 1)
    usable = memory.usable(pp.reshape(-1), layer_count).reshape(shape)
    per_request = (memory.cache(context) + memory.logits.reshape(shape)) / pp.reshape(shape)
    if np.any(common):
        once = memory.growing.reshape(shape) * common / pp.reshape(shape)
        usable, per_request = usable - once, per_request - once
    dp = lanes["dp"].astype(float).reshape(shape)
    held = np.where(usable > 0, dp * usable / np.maximum(per_request, 1e-9), 0.0)
    return held, usable, per_request


def evaluate_points(
    model: ModelFacts | Sequence[ModelFacts],
    points: Sequence[Point],
    table: EfficiencyTable,
    *,
    detailed: bool = False,
    bandwidth_scale: float = 1.0,
    compute_scale: float = 1.0,
    capacity_scale: float = 1.0,
    corrected: bool = True,
) -> Evaluated:
    """Fit and serving of every point, of one model or of as many as points.

    The scales multiply each chip's figures (for elasticities).
    Without `corrected` the residuals of measured kin are left out: the physics with its multipliers.
    """
    models = columns_of(model)
    layers = models.flat("layers")
    scaled = partial(lanes_on_engines, bandwidth_scale=bandwidth_scale, compute_scale=compute_scale)
    lanes = scaled([point.lane for point in points], table)
    offloads = [point.offload for point in points]
    drafts = drafts_of(
        models,
        [point.lane for point in points],
        [point.speculation for point in points],
        table,
        bandwidth_scale=bandwidth_scale,
        compute_scale=compute_scale,
    )
    memory = deployed_memory(models, lanes, drafts, offloads, capacity_scale=capacity_scale)
    pp = _column([point.pp for point in points])
    prefix = _column([point.workload.isl * point.workload.prefix_share for point in points])
    isl = _column([point.workload.isl for point in points]) - prefix
    osl = _column([point.workload.osl for point in points])
    asked = _column([point.concurrency for point in points])
    static = np.array([point.workload.arrival == "static" for point in points]).reshape(-1, 1, 1)
    pooled = np.flatnonzero([point.prefill is not None for point in points])
    full_context = (prefix + isl + osl).reshape(-1, 1)
    common = prefix * _column([float(point.workload.prefix_shared) for point in points])
    held, usable, per_request = replica_capacity(
        memory, lanes, pp, full_context, layers, common.reshape(-1, 1)
    )
    capacity = held.reshape(-1, 1, 1)
    admitted = _shaped(sequence_limit(lanes, table))
    limit = np.maximum(1.0, np.minimum(np.floor(capacity), admitted))
    waves = np.where(static, np.ceil(asked / limit), 1.0)
    in_flight = np.maximum(1.0, np.where(static, asked / waves, np.minimum(asked, limit)))
    hop_up = _column([float(hop_link_is_up(p.lane.variant, p.lane.group, p.pp)) for p in points])
    hop_inverse = np.where(hop_up > 0, lanes["up_inverse"], lanes["out_inverse"])
    known = np.array([not missing for missing in missing_rates(models, lanes.for_prompts)])
    known = known.reshape(-1, 1, 1)
    cached = (per_request.reshape(-1, 1, 1) * in_flight / lanes["dp"]).reshape(-1)
    cached = cached + (_shaped(memory.growing) * common / pp).reshape(-1)
    behind = spill(memory, pp.reshape(-1), layers, cached, offloads)
    if behind is not None:
        lanes = read_behind(lanes, behind)
    slots = lanes["dp"] * stages_in_flight(pp, models["layers"])
    pools = split = None
    if pooled.size:
        load = Load(isl[pooled], prefix[pooled], osl[pooled], np.ones((pooled.size, 1, 1)))
        load.drafts = None if drafts is None else drafts.take(pooled)
        rows = lanes.take(pooled)
        chosen = [points[int(row)] for row in pooled]
        pools = _pools(
            models.take(pooled),
            chosen,
            pooled,
            load,
            rows,
            take_rows(memory, pooled),
            scaled([point.prefill.lane for point in chosen if point.prefill is not None], table),
            capacity_scale,
            detailed,
        )
        workers = _column([float(p.prefill.decode_workers) for p in chosen if p.prefill is not None])
        split = population(
            models.take(pooled),
            rows,
            load,
            pp[pooled],
            asked[pooled],
            limit[pooled],
            workers,
            hop_inverse[pooled],
            pools.prompts,
        )
        in_flight[pooled] = split.decoding
    batch = np.maximum(1.0, in_flight / slots)
    together = np.where(static, np.maximum(1.0, in_flight / lanes["dp"]), 1.0)
    load = Load(isl=isl, prefix=prefix, osl=osl, batch=batch, together=together, drafts=drafts)
    times = step_times(models, lanes, load, detailed=detailed)
    budget = usable + memory.stage_weights(pp.reshape(-1), layers).reshape(usable.shape)
    room_share = _shaped(usable / np.maximum(budget, 1.0))
    steady = closed_loop(models, lanes, load, times, pp, in_flight, hop_inverse, known)
    full = np.where(asked > admitted, 1.0, chance_full(asked, limit, room_share))
    loop = served_loop(steady, load, asked, full)
    if static.any():
        other = static_batch(models, lanes, load, times, pp, in_flight, waves, hop_inverse, known)
        loop = merged(loop, other, static)
    if pools is not None and split is not None:
        bubble = 1 + np.where(pp > 1, lanes["pipeline_bubble"], 0)
        tpot = times.decode * bubble + loop.hops
        part = load.take(pooled)
        served = pooled_loop(
            part,
            asked[pooled],
            workers,
            pools.prompts,
            split,
            tpot[pooled],
            loop.hops[pooled],
            batch[pooled],
            full[pooled],
        )
        loop = placed(loop, served, pooled)
    queued = np.asarray(loop.ttft_saturated > loop.ttft_loaded * QUEUED).reshape(-1)
    factors: dict[str, Array] = {}
    places = all_places(points, models) if corrected else []
    if corrected and table.calibration is not None and table.calibration.residuals is not None:
        floor = decode_floor_s(models, lanes, loop.running, load.context, load.verify) / load.accepted
        physics = loop
        loop = apply_residuals(loop, places, queued, floor, osl, table.calibration.residuals)
        if pools is not None:
            loop = within_pool(loop, pools.rows, workers, pools.prompts, osl)
        factors = {
            "tpot": (loop.tpot / physics.tpot).reshape(-1),
            "ttft": (loop.ttft_saturated / physics.ttft_saturated).reshape(-1),
            "throughput": (physics.throughput / loop.throughput).reshape(-1),
        }
    return Evaluated(
        points=tuple(points),
        models=models,
        lanes=lanes,
        memory=memory,
        batch=batch.reshape(-1),
        in_flight=in_flight.reshape(-1),
        capacity=capacity.reshape(-1),
        limit=limit.reshape(-1),
        usable=usable.reshape(-1),
        weights=memory.stage_weights(pp.reshape(-1), layers),
        cache_per_request=per_request.reshape(-1),
        times=times,
        loop=loop,
        rates_known=known.reshape(-1),
        queued=queued,
        waves=waves.reshape(-1),
        pools=pools,
        drafts=drafts,
        spill=behind,
        factors=factors,
        places=places,
    )


def lanes_on_engines(
    lanes: Sequence[Lane],
    table: EfficiencyTable,
    *,
    bandwidth_scale: float = 1.0,
    compute_scale: float = 1.0,
) -> Lanes:
    """The columns of lanes, with those of the engine that computes prompts where that is another one.

    Prompts then run in steps of their own.
    """
    built = build_lanes(lanes, table, bandwidth_scale=bandwidth_scale, compute_scale=compute_scale)
    apart = np.array([lane.prompt_chip is not None for lane in lanes])
    if not apart.any():
        return built
    other = [_for_prompts(lane) for lane in lanes]
    built.prompts = build_lanes(other, table, bandwidth_scale=bandwidth_scale, compute_scale=compute_scale)
    built.columns["mixes_prefill"] = np.where(apart.reshape(-1, 1, 1), 0, built["mixes_prefill"])
    return built


def _for_prompts(lane: Lane) -> Lane:
    if lane.prompt_chip is None:
        return lane
    chip = lane.prompt_chip
    variant = replace(lane.variant, chip=chip)
    return replace(lane, variant=variant, scheme=on_chip(lane.scheme, chip), prompt_chip=None)


def within_pool(loop: Served, rows: NDArray[np.intp], workers: Array, prompts: Prompts, osl: Array) -> Served:
    """No more answers than the prefill pool computes prompts, whatever corrected times would allow.

    `workers` decode workers share the pool; throughputs are of one.
    """
    most: Array = np.full(loop.throughput.shape, np.inf)
    most[rows] = prompts.rate_limit / workers * osl[rows]
    share = np.where(loop.throughput > most, most / loop.throughput, 1.0)
    return replace(
        loop,
        throughput=loop.throughput * share,
        throughput_total=loop.throughput_total * share,
        prefill_tok_s=loop.prefill_tok_s * share,
    )


def deployed_memory(
    models: ModelColumns,
    lanes: Lanes,
    drafts: Drafts | None,
    offloads: Sequence[bool],
    *,
    capacity_scale: float = 1.0,
) -> RankMemory:
    """The ranks' memory with what drafts, and with the second tier where it is used."""
    memory = rank_memory(models, lanes, capacity_scale=capacity_scale)
    if drafts is not None:
        memory = drafts.held(memory)
    return with_second_tier(memory, lanes, offloads)


def place(point: Point, model: ModelFacts) -> Placed:
    """The point as measurements are compared: its identity and coordinates."""
    return all_places([point], columns_of(model))[0]


def all_places(points: Sequence[Point], models: ModelColumns) -> list[Placed]:
    """The same of many points; equal chips, software, formats and servings share an identity."""
    known: dict[tuple[object, ...], Identity] = {}
    servings: dict[tuple[int, bool], str] = {}
    identities: list[Identity] = []
    coordinates: list[tuple[float, ...]] = []
    for row, point in enumerate(points):
        lane, work, pooled = point.lane, point.workload, point.prefill is not None
        serving = servings.get((id(work), pooled))
        if serving is None:
            serving = servings[id(work), pooled] = serving_of(work, pooled=pooled)
        chip, scheme = lane.variant.chip, lane.scheme
        key = (models.number(row), id(chip), lane.software, id(scheme), serving, point.version)
        identity = known.get(key)
        if identity is None:
            identity = known[key] = identity_of(
                chip, lane.software, scheme.slug, models.architecture(row), serving, point.version
            )
        identities.append(identity)
        layers = models.lowered(row).layers
        coordinates.append(coordinates_of(lane, point.pp, work, point.concurrency, layers))
    features = np.log2(coordinates)
    return [Placed(*each) for each in zip(identities, features, strict=True)]


def _column(values: Sequence[float]) -> Array:
    return np.array(values, float).reshape(-1, 1, 1)


def _shaped(values: Array) -> Array:
    return values.reshape(-1, 1, 1)


def _pools(
    models: ModelColumns,
    points: Sequence[Point],
    rows: NDArray[np.intp],
    load: Load,
    decode_lanes: Lanes,
    decode_memory: RankMemory,
    lanes: Lanes,
    capacity_scale: float,
    detailed: bool,
) -> Pools:
    """Fit and times of the prefill pools of these points, at positions `rows` of the caller's."""
    pools = [point.prefill for point in points if point.prefill is not None]
    memory = rank_memory(models, lanes, capacity_scale=capacity_scale)
    pp = _column([pool.pp for pool in pools])
    prompt = load.prefix + load.isl
    held, usable, per_prompt = replica_capacity(
        memory, lanes, pp, prompt.reshape(-1, 1), models.flat("layers")
    )
    transfer = transfer_time(
        pools,
        [(point.lane, point.pp) for point in points],
        decode_lanes,
        rank_cache_bytes(decode_memory, prompt, _column([point.pp for point in points])),
        rank_cache_bytes(memory, prompt, pp),
    )
    known = np.array([not missing for missing in missing_rates(models, lanes)]).reshape(-1, 1, 1)
    return Pools(
        rows=rows,
        lanes=lanes,
        memory=memory,
        prompts=prompt_pool(models, lanes, load, pools, transfer, known, detailed=detailed),
        capacity=held.reshape(-1),
        usable=usable.reshape(-1),
        weights=memory.stage_weights(pp.reshape(-1), models.flat("layers")),
        cache_per_prompt=per_prompt.reshape(-1),
    )
