"""The whole grid of a model at once: every offer, workload, format, layout, pipeline depth and batch size.

Factored: a step's operations are evaluated on their distinct shapes (chip with links x format x layout x
tokens), shared by all offers of a variant, all pipeline depths and, where the context does not matter, all
workloads. The best deployment per offer, workload and objective is then evaluated once more, exactly and in
detail, through the same functions as a single estimate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from estimates.core.deployments import (
    hop_link_is_up,
    layouts,
    pipeline_limit,
    refuse_chip,
    refuse_model,
    resolve_kv,
    schemes_for,
    stage_limit,
)
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Offer, Workload
from estimates.core.grid_result import GridResult, RowBuilder
from estimates.core.lanes import Lane, Lanes, Variant, build_lanes
from estimates.core.memory import RankMemory, rank_memory, take_rows
from estimates.core.operations import Lowered, lower
from estimates.core.points import missing_rates, replica_capacity
from estimates.core.serving import Load, Loop, StepTimes, closed_loop, stages_in_flight, step_times
from estimates.core.stages import USUAL_STAGES, stage_options

Array = NDArray[np.floating]

BATCHES: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 384, 512, 1024)
CHUNK_ELEMENTS = 40_000  # lanes x workloads x batches evaluated together: stays in the cache of a core


@dataclass(frozen=True, slots=True)
class GridSpec:
    """What the grid spans. `schemes` None: the checkpoint's own, the common and the chip's native formats."""

    schemes: tuple[str, ...] | None = None
    stages: tuple[int, ...] = USUAL_STAGES
    batches: tuple[int, ...] = BATCHES
    kv_format: str | None = None
    software: str | None = None


@dataclass(slots=True)
class _Block:
    """Evaluated configurations of some variants: rows are (lane, pipeline stages)."""

    lane_of: NDArray[np.intp]
    pp: NDArray[np.int64]
    chips: NDArray[np.int64]  # of one replica
    span: dict[int, tuple[int, int]]  # variant index -> its rows
    in_flight: Array  # (rows, workloads, batches)
    valid: NDArray[np.bool_]
    tpot: Array
    ttft: Array
    throughput: Array
    room: Array  # (rows, workloads): bytes left for caches less one request; negative is the shortfall
    lanes: Lanes
    memory: RankMemory


@dataclass(slots=True)
class _Workloads:
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


def best_deployments(
    model: ModelFacts,
    offers: Sequence[Offer],
    workloads: Sequence[Workload],
    efficiency: EfficiencyTable,
    grid: GridSpec | None = None,
) -> GridResult:
    """Best deployments of a model on every offer under every workload.

    One row per (offer, workload, objective): fastest within the service level, highest throughput within it,
    highest throughput regardless. Where nothing meets the level the last stands alone with the reason; where
    nothing fits, or a fact is missing, one row says so.
    """
    grid = grid or GridSpec()
    rows = RowBuilder(model, offers, workloads, efficiency)
    refusal = refuse_model(model)
    if refusal is not None:
        rows.refuse_all(refusal)
        return rows.result(0)
    lowered = lower(model.architecture)
    table = _workload_table(model, workloads, rows)
    variants = _variants(offers, rows, len(table.kept))
    configurations = 0
    if table.kept:
        for block in _blocks(model, lowered, variants, offers, table, efficiency, grid):
            configurations += block.valid.size
            _select(block, variants, offers, table, rows)
    return rows.result(configurations)


def _workload_table(model: ModelFacts, workloads: Sequence[Workload], rows: RowBuilder) -> _Workloads:
    longest = model.architecture.max_context
    kept = [
        index for index, work in enumerate(workloads) if longest is None or work.isl + work.osl <= longest
    ]
    rows.refuse_workloads([index for index in range(len(workloads)) if index not in set(kept)])
    chosen = [workloads[index] for index in kept]

    def column(values: list[float]) -> Array:
        return np.array(values, np.float64)

    prefix = column([work.isl * work.prefix_share for work in chosen])
    return _Workloads(
        isl=column([work.isl for work in chosen]) - prefix,
        prefix=prefix,
        osl=column([work.osl for work in chosen]),
        tpot_slo=column([np.inf if work.tpot_slo_s is None else work.tpot_slo_s for work in chosen]),
        ttft_slo=column([np.inf if work.ttft_slo_s is None else work.ttft_slo_s for work in chosen]),
        least=column([work.concurrency_min for work in chosen]),
        kept=kept,
    )


def _variants(offers: Sequence[Offer], rows: RowBuilder, workloads: int) -> dict[Variant, list[int]]:
    """Offers that can be evaluated, by chip and links; the others are refused by the missing fact."""
    variants: dict[Variant, list[int]] = {}
    for index, offer in enumerate(offers):
        refusal = refuse_chip(offer.chip)
        if refusal is not None:
            rows.refuse_offer(index, refusal)
        elif workloads:
            variants.setdefault(Variant(offer.chip, offer.scale_up, offer.scale_out), []).append(index)
    return variants


def _lanes_of(
    model: ModelFacts, lowered: Lowered, variant: Variant, count: int, grid: GridSpec, known: dict[int, list]
) -> list[Lane]:
    limit = stage_limit(variant, count)
    if limit not in known:
        known[limit] = list(layouts(lowered, variant, count))
    return [
        Lane(
            variant,
            scheme,
            resolve_kv(grid.kv_format, scheme, variant.chip),
            layout.tp,
            layout.dp,
            layout.ep,
            grid.software,
        )
        for scheme in schemes_for(model, variant.chip, grid.schemes)
        for layout in known[limit]
    ]


def _blocks(
    model: ModelFacts,
    lowered: Lowered,
    variants: dict[Variant, list[int]],
    offers: Sequence[Offer],
    table: _Workloads,
    efficiency: EfficiencyTable,
    grid: GridSpec,
) -> Iterator[_Block]:
    """Evaluate variants in blocks of about CHUNK_ELEMENTS array elements."""
    per_lane = len(table.kept) * len(grid.batches)
    pending: list[Lane] = []
    owners: list[int] = []
    counts: list[int] = []
    known: dict[int, list] = {}
    for number, (variant, members) in enumerate(variants.items()):
        count = max(offers[index].count for index in members)
        found = _lanes_of(model, lowered, variant, count, grid, known)
        if pending and (len(pending) + len(found)) * per_lane > CHUNK_ELEMENTS:
            yield _evaluate(model, lowered, pending, owners, counts, table, efficiency, grid)
            pending, owners, counts = [], [], []
        pending += found
        owners += [number] * len(found)
        counts += [count] * len(found)
    if pending:
        yield _evaluate(model, lowered, pending, owners, counts, table, efficiency, grid)


def _evaluate(
    model: ModelFacts,
    lowered: Lowered,
    pending: list[Lane],
    owners: list[int],
    counts: list[int],
    table: _Workloads,
    efficiency: EfficiencyTable,
    grid: GridSpec,
) -> _Block:
    lanes = build_lanes(pending, efficiency, np.float32)
    memory = rank_memory(model.architecture, lanes)
    groups = np.array([lane.group for lane in pending])
    limits = np.array(
        [
            pipeline_limit(lane.variant, count, lane.group, lowered)
            for lane, count in zip(pending, counts, strict=True)
        ]
    )
    contexts = [float(value) for value in table.full_context]
    options = stage_options(memory, lanes, limits, contexts, lowered.layers, grid.stages)
    lane_of = np.repeat(np.arange(len(pending)), [len(option) for option in options])
    pp = np.array([stages for option in options for stages in option], np.int64)

    single = np.float32

    def wide(values: Array) -> Array:
        return values.astype(single).reshape(1, -1, 1)

    batch = np.array(grid.batches, single).reshape(1, 1, -1)
    load = Load(wide(table.isl), wide(table.prefix), wide(table.osl), batch)
    times = step_times(lowered, lanes, load)
    rows = lanes.take(lane_of)
    stages = pp.astype(float).reshape(-1, 1, 1)
    held, usable, request = replica_capacity(
        take_rows(memory, lane_of), rows, stages, table.full_context.reshape(1, -1), lowered.layers
    )
    share = rows.flat("saturation_share").reshape(-1, 1)
    limit = np.where(held >= 1, np.maximum(1, np.floor(share * held)), 0)[:, :, None]
    slots = rows.flat("dp").reshape(-1, 1, 1) * stages_in_flight(stages, lowered.layers)
    in_flight = batch * slots + np.zeros_like(limit)
    # The smallest batch also stands for a pipeline that cache space does not let fill.
    in_flight[:, :, 0] = np.minimum(in_flight[:, :, 0], np.maximum(limit[:, :, 0], 1))
    hop_up = np.array(
        [hop_link_is_up(pending[i].variant, groups[i], int(n)) for i, n in zip(lane_of, pp, strict=True)]
    ).reshape(-1, 1, 1)
    hop_inverse = np.where(hop_up, rows["up_inverse"], rows["out_inverse"])
    known = np.array([not names for names in missing_rates(lowered, lanes)])[lane_of].reshape(-1, 1, 1)
    loop: Loop = closed_loop(
        lowered,
        rows,
        load,
        _times_rows(times, lane_of),
        stages.astype(single),
        in_flight.astype(single),
        hop_inverse,
        known,
    )
    owner_rows = np.array(owners)[lane_of]
    span = {}
    for owner in dict.fromkeys(owners):
        where = np.flatnonzero(owner_rows == owner)
        span[owner] = (int(where[0]), int(where[-1]) + 1)
    throughput = np.where(known, loop.throughput, loop.decode_throughput)
    return _Block(
        lane_of=lane_of,
        pp=pp,
        chips=groups[lane_of] * pp,
        span=span,
        in_flight=in_flight,
        valid=in_flight <= limit,
        tpot=loop.tpot,
        ttft=loop.ttft_loaded,
        throughput=throughput,
        room=usable - request,
        lanes=lanes,
        memory=memory,
    )


def _times_rows(times: StepTimes, rows: NDArray[np.intp]) -> StepTimes:
    return StepTimes(
        decode=times.decode[rows],
        decode_half=times.decode_half[rows],
        chunk_extra=times.chunk_extra[rows],
        prefill=times.prefill[rows],
        chunk=times.chunk[rows],
        decode_ledger=times.decode_ledger,
        chunk_ledger=times.chunk_ledger,
    )


def _select(
    block: _Block,
    variants: dict[Variant, list[int]],
    offers: Sequence[Offer],
    table: _Workloads,
    rows: RowBuilder,
) -> None:
    """Pick the best configuration per offer, workload and objective."""
    members = list(variants.values())
    tpot_met = block.tpot <= table.tpot_slo.reshape(1, -1, 1)
    ttft_met = ~(block.ttft > table.ttft_slo.reshape(1, -1, 1))
    for owner, (start, end) in block.span.items():
        part = slice(start, end)
        chips = block.chips[part]
        valid, tpot_ok, ttft_ok = block.valid[part], tpot_met[part], ttft_met[part]
        throughput, tpot, in_flight = block.throughput[part], block.tpot[part], block.in_flight[part]
        for index in members[owner]:
            replicas = offers[index].count // chips
            open_ = valid & (replicas > 0).reshape(-1, 1, 1)
            total = np.where(open_, throughput * replicas.reshape(-1, 1, 1), -1)
            enough = in_flight * replicas.reshape(-1, 1, 1) >= table.least.reshape(1, -1, 1)
            met = open_ & tpot_ok & ttft_ok & enough
            score_met = np.where(met, total, -1)
            speed = np.where(met, -tpot, -np.inf)
            for position, workload in enumerate(table.kept):
                flat = total[:, position].reshape(-1)
                best = int(np.argmax(flat))
                if flat[best] < 0:
                    room = np.where(replicas > 0, block.room[part][:, position], -np.inf)
                    row = start + int(np.argmax(room))
                    rows.does_not_fit(
                        index, workload, block.lanes.lanes[block.lane_of[row]], int(block.pp[row])
                    )
                    continue
                width = total.shape[2]
                chosen: list[tuple[int, int]] = []
                if met[:, position].any():
                    chosen += [
                        (0, int(np.argmax(speed[:, position].reshape(-1)))),
                        (1, int(np.argmax(score_met[:, position].reshape(-1)))),
                    ]
                    missed = ""
                else:
                    missed = _missed(open_[:, position], tpot_ok[:, position], ttft_ok[:, position])
                chosen.append((2, best))
                for objective, place in chosen:
                    row = start + place // width
                    rows.choose(
                        index,
                        workload,
                        objective,
                        block.lanes.lanes[block.lane_of[row]],
                        int(block.pp[row]),
                        float(block.in_flight[row, position, place % width]),
                        missed,
                    )


def _missed(open_: NDArray[np.bool_], tpot_ok: NDArray[np.bool_], ttft_ok: NDArray[np.bool_]) -> str:
    """Which part of the service level no configuration meets."""
    tpot, ttft = bool((open_ & tpot_ok).any()), bool((open_ & ttft_ok).any())
    if tpot and ttft:
        return "concurrency_not_reached" if bool((open_ & tpot_ok & ttft_ok).any()) else "slo_missed"
    if tpot:
        return "ttft_slo_missed"
    return "tpot_slo_missed" if ttft else "slo_missed"
