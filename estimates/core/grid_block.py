"""Evaluate a block of the grid: lanes x workloads x batches, then pipeline depths over the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.choice import BATCHES
from estimates.core.correction import block_factors, lane_identities, loop_rate
from estimates.core.deployments import pipeline_limit, scale_up_reach
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Speculation, Workload
from estimates.core.floor import decode_floor_s
from estimates.core.grid_loops import loops_of
from estimates.core.lanes import Lane, Lanes, build_lanes
from estimates.core.memory import RankMemory, rank_memory, take_rows
from estimates.core.model_columns import ModelColumns, lanes_of
from estimates.core.model_table import ModelTable
from estimates.core.points import missing_rates, replica_capacity
from estimates.core.residuals import Residuals
from estimates.core.serving import Load, Loop, stages_in_flight
from estimates.core.speculation import drafts_of
from estimates.core.stages import USUAL_STAGES, stage_options

Array = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class GridSpec:
    """What the grid spans. `schemes` None: the checkpoint's own, the common and the chip's native formats."""

    schemes: tuple[str, ...] | None = None
    stages: tuple[int, ...] = USUAL_STAGES
    batches: tuple[float, ...] = BATCHES
    kv_format: str | None = None
    software: str | None = None
    most: float | None = None  # requests in flight on a replica at most; None: no such limit
    speculation: Speculation | None = None  # with its acceptance


@dataclass(slots=True)
class Block:
    """Evaluated configurations of some models on some variants: rows are (lane, pipeline stages)."""

    lane_of: NDArray[np.intp]
    pp: NDArray[np.int64]
    chips: NDArray[np.int64]  # of one replica
    span: dict[tuple[int, int], tuple[int, int]]  # (model, variant) -> its rows
    in_flight: Array  # (rows, workloads, batches)
    valid: NDArray[np.bool_]
    tpot: Array
    ttft: Array
    throughput: Array
    room: Array  # (rows, workloads): bytes left for caches less one request; negative is the shortfall
    lanes: Lanes
    memory: RankMemory
    loop: Loop  # parts broadcast to (rows, workloads, batches); all corrected where the block is `whole`
    chunk_extra: Array  # (rows, workloads, batches): seconds a prompt's chunk adds to a decode step
    prompt_service: Array  # (rows, workloads, 1 or batches): seconds a prompt holds a slot of its rank
    ttft_factor: Array  # what measured kin multiply the first token by; 1 where they say nothing


@dataclass(slots=True)
class WorkloadTable:
    isl: Array
    prefix: Array
    osl: Array
    tpot_slo: Array
    ttft_slo: Array
    least: Array  # smallest concurrency that counts
    kept: list[int] = field(default_factory=list)  # positions in the caller's list

    @property
    def full_context(self) -> Array:
        return np.asarray(self.prefix + self.isl + self.osl)


def workload_table(workloads: Sequence[Workload], kept: Sequence[int] | None = None) -> WorkloadTable:
    """Columns of these workloads; `kept` are their positions in the caller's list (None: all of it)."""

    def column(values: list[float]) -> Array:
        return np.array(values, np.float64)

    prefix = column([work.isl * work.prefix_share for work in workloads])
    return WorkloadTable(
        isl=column([work.isl for work in workloads]) - prefix,
        prefix=prefix,
        osl=column([work.osl for work in workloads]),
        tpot_slo=column([np.inf if work.tpot_slo_s is None else work.tpot_slo_s for work in workloads]),
        ttft_slo=column([np.inf if work.ttft_slo_s is None else work.ttft_slo_s for work in workloads]),
        least=column([work.concurrency_min for work in workloads]),
        kept=list(range(len(workloads)) if kept is None else kept),
    )


@dataclass(slots=True)
class Pending:
    """Lanes that make a block: those of each (model, variant) one after the other."""

    served: ModelTable
    lanes: list[Lane] = field(default_factory=list)
    model: list[int] = field(default_factory=list)  # of each lane, its position in the table
    counts: list[tuple[int, ...]] = field(default_factory=list)  # of each lane, the sizes of its offers
    owners: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)  # -> first lane, end

    def add(self, owner: tuple[int, int], lanes: Sequence[Lane], counts: tuple[int, ...]) -> None:
        """Lanes of a (model, variant) whose offers have these numbers of chips."""
        if not lanes:
            return
        start = len(self.lanes)
        self.lanes += lanes
        self.model += [owner[0]] * len(lanes)
        self.counts += [counts] * len(lanes)
        self.owners[owner] = (start, len(self.lanes))

    def models(self, dtype: type[np.floating]) -> ModelColumns:
        """Whose model each lane has."""
        return lanes_of(self.served, self.model, dtype)


def evaluate_block(
    pending: Pending,
    table: WorkloadTable,
    efficiency: EfficiencyTable,
    grid: GridSpec,
    *,
    whole: bool = False,
) -> Block:
    """Every configuration of these lanes under the table's workloads.

    `whole`: the loop's unloaded first token, wait, burst, interference and hops carry the corrections too, as
    those of single points do; the grid needs them only for the rows it keeps.
    """
    asked = pending.lanes
    models = pending.models(np.float32)
    layers = np.broadcast_to(models.flat("layers"), len(asked))
    lanes = build_lanes(asked, efficiency, np.float32)
    drafts = drafts_of(models, asked, [grid.speculation] * len(asked), efficiency, np.float32)
    memory = rank_memory(models, lanes)
    if drafts is not None:
        memory = drafts.held(memory)
    groups = np.array([lane.group for lane in asked])
    limits = np.array(
        [
            pipeline_limit(lane.variant, sizes[-1], lane.group, models.lowered(row))
            for row, (lane, sizes) in enumerate(zip(asked, pending.counts, strict=True))
        ]
    )
    contexts = [float(value) for value in table.full_context]
    options = stage_options(memory, limits, contexts, layers, grid.stages, pending.counts)
    numbers = [len(option) for option in options]
    lane_of = np.repeat(np.arange(len(asked)), numbers)
    pp = np.array([stages for option in options for stages in option], np.int64)

    single = np.float32

    def wide(values: Array) -> Array:
        return values.astype(single).reshape(1, -1, 1)

    batch = np.array(grid.batches, single).reshape(1, 1, -1)
    load = Load(wide(table.isl), wide(table.prefix), wide(table.osl), batch, drafts=drafts)
    rows = lanes.take(lane_of)
    stages = pp.astype(float).reshape(-1, 1, 1)
    held, usable, request = replica_capacity(
        take_rows(memory, lane_of), rows, stages, table.full_context.reshape(1, -1), layers[lane_of]
    )
    share = rows.flat("saturation_share").reshape(-1, 1)
    limit = np.where(held >= 1, np.maximum(1, np.floor(share * held)), 0)[:, :, None]
    slots = rows.flat("dp").reshape(-1, 1, 1) * stages_in_flight(stages, layers[lane_of].reshape(-1, 1, 1))
    in_flight = batch * slots + np.zeros_like(limit)
    # The smallest batch also stands for a pipeline that cache space does not let fill.
    in_flight[:, :, 0] = np.minimum(in_flight[:, :, 0], np.maximum(limit[:, :, 0], 1))
    if grid.most is not None:
        in_flight = np.minimum(in_flight, grid.most)
    chips = groups[lane_of] * pp
    reach = np.array([scale_up_reach(lane.variant) for lane in asked])[lane_of]
    hop_inverse = np.where((chips <= reach).reshape(-1, 1, 1), rows["up_inverse"], rows["out_inverse"])
    known = np.array([not names for names in missing_rates(models, lanes)])[lane_of].reshape(-1, 1, 1)
    loops = loops_of(
        models,
        lanes,
        load,
        lane_of,
        rows,
        stages.astype(single),
        in_flight.astype(single),
        hop_inverse,
        known,
    )
    loop = loops.loop
    first: Array = np.ones((1, 1, 1), single)
    calibration = efficiency.calibration
    if calibration is not None and calibration.residuals is not None:
        residuals = calibration.residuals
        loop, first = _corrected(models, lanes, load, loop, lane_of, pp, table, residuals, whole=whole)
    first_row = [0, *np.cumsum(numbers).tolist()]
    span = {owner: (first_row[start], first_row[end]) for owner, (start, end) in pending.owners.items()}
    throughput = np.where(known, loop.throughput, loop.decode_throughput)
    return Block(
        lane_of=lane_of,
        pp=pp,
        chips=chips,
        span=span,
        in_flight=in_flight,
        valid=in_flight <= limit,
        tpot=loop.tpot,
        ttft=loop.ttft_loaded,
        throughput=throughput,
        room=usable - request,
        lanes=lanes,
        memory=memory,
        loop=loop,
        chunk_extra=loops.chunk_extra,
        prompt_service=loops.prompt_service,
        ttft_factor=first,
    )


def _corrected(
    models: ModelColumns,
    lanes: Lanes,
    load: Load,
    loop: Loop,
    lane_of: NDArray[np.intp],
    pp: NDArray[np.int64],
    table: WorkloadTable,
    residuals: Residuals,
    *,
    whole: bool,
) -> tuple[Loop, Array]:
    """The block's loops with what measured kin say, as `correction.corrected` does for single points, and

    the factor on the first token. Parts that no choice of the grid reads are corrected where `whole`.
    """
    identities = lane_identities(lanes, models, "closed_loop")
    prompt = table.isl + table.prefix
    metrics = ("tpot", "ttft")
    paces, firsts = block_factors(
        lanes, lane_of, pp, load.batch, prompt, table.osl, identities, residuals, metrics
    )
    first: Array = np.ones((1, 1, 1), np.float32) if firsts is None else firsts
    if paces is None and firsts is None:
        return loop, first
    tpot = loop.tpot
    if paces is not None:
        floor = (decode_floor_s(models, lanes, load.batch, load.context, load.verify) / load.accepted)[
            lane_of
        ]
        tpot = np.maximum(tpot * paces, np.minimum(floor, tpot).astype(tpot.dtype))
    ttft = loop.ttft_loaded * first
    found = replace(
        loop,
        tpot=tpot,
        ttft_loaded=ttft,
        throughput=loop.throughput * loop_rate(loop.ttft_loaded, loop.tpot, ttft, tpot, load.osl),
        decode_throughput=loop.decode_throughput * (loop.tpot / tpot),
    )
    if whole:
        ratio = tpot / loop.tpot
        found = replace(
            found,
            ttft_unloaded=np.minimum(loop.ttft_unloaded * np.minimum(first, 1.0), ttft),
            wait=loop.wait * first,
            burst=loop.burst * first,
            interference=loop.interference * ratio,
            hops=loop.hops * ratio,
        )
    return found, first
