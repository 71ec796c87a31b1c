"""Choose among the configurations of a block: the best of every offer, workload and objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimates.core.choice import nearest_to_level
from estimates.core.facts import Offer
from estimates.core.grid_block import Block, WorkloadTable
from estimates.core.grid_rows import RowBuilder
from estimates.core.lanes import Variant

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]


def select(
    block: Block,
    variants: Mapping[Variant, list[int]],
    offers: Sequence[Offer],
    table: WorkloadTable,
    rows: RowBuilder,
) -> None:
    """Hand the rows of a block's offers to the builder. All workloads of an offer are compared at once."""
    members = list(variants.values())
    tpot, ttft, throughput = map(_by_workload, (block.tpot, block.ttft, block.throughput))
    in_flight, valid = _by_workload(block.in_flight), _by_workload(block.valid)
    tpot_met = tpot <= table.tpot_slo.reshape(-1, 1, 1)
    ttft_met = ~(ttft > table.ttft_slo.reshape(-1, 1, 1))
    crowded = bool((table.least > 1).any())  # every configuration carries one request
    for owner, (start, end) in block.span.items():
        part = (slice(None), slice(start, end))
        for index in members[owner]:
            replicas = offers[index].count // block.chips[start:end]
            scale = replicas.astype(throughput.dtype).reshape(-1, 1)
            open_ = valid[part] & (replicas > 0).reshape(-1, 1)
            within = open_ & tpot_met[part] & ttft_met[part]
            met = within
            if crowded:
                met = within & (in_flight[part] * scale >= table.least.reshape(-1, 1, 1))
            total = _flat(np.where(open_, throughput[part] * scale, -1))
            paces, met = _flat(tpot[part]), _flat(met)
            most = total.argmax(1)
            fastest = np.where(met, -paces, -np.inf).argmax(1)
            within_most = np.where(met, total, -1).argmax(1)
            reached = met.any(1)
            runs = total[np.arange(len(total)), most] >= 0
            nearest = np.zeros(len(total), np.intp)
            missed = np.flatnonzero(runs & ~reached)
            if missed.size:
                nearest[missed] = nearest_to_level(paces[missed], total[missed])
            reasons = _missed(_flat(open_), _flat(tpot_met[part]), _flat(ttft_met[part]), missed)
            for position, workload in enumerate(table.kept):
                if not runs[position]:
                    room = np.where(replicas > 0, block.room[start:end, position], -np.inf)
                    row = start + int(room.argmax())
                    rows.does_not_fit(
                        index, workload, block.lanes.lanes[block.lane_of[row]], int(block.pp[row])
                    )
                    continue
                if reached[position]:
                    chosen = [(0, fastest[position]), (1, within_most[position]), (2, most[position])]
                else:
                    chosen = [(0, nearest[position]), (2, most[position])]
                for objective, place in chosen:
                    row, size = divmod(int(place), tpot.shape[2])
                    row += start
                    rows.choose(
                        index,
                        workload,
                        objective,
                        block.lanes.lanes[block.lane_of[row]],
                        int(block.pp[row]),
                        float(block.in_flight[row, position, size]),
                        reasons.get(position, ""),
                    )


def _by_workload(values: NDArray[Any]) -> NDArray[Any]:
    """(rows, workloads, batches) as (workloads, rows, batches), so that a workload's lie together."""
    return np.ascontiguousarray(values.transpose(1, 0, 2))


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    """Configurations of each workload in one row."""
    return values.reshape(len(values), -1)


def _missed(open_: Mask, tpot_met: Mask, ttft_met: Mask, positions: NDArray[np.intp]) -> dict[int, str]:
    """Which part of the service level no configuration of these workloads meets."""
    found = {}
    for position in positions.tolist():
        runs = open_[position]
        in_pace, in_time = runs & tpot_met[position], runs & ttft_met[position]
        tpot, ttft = bool(in_pace.any()), bool(in_time.any())
        if tpot and ttft:
            both = bool((in_pace & in_time).any())
            found[position] = "concurrency_not_reached" if both else "slo_missed"
        elif tpot:
            found[position] = "ttft_slo_missed"
        else:
            found[position] = "tpot_slo_missed" if ttft else "slo_missed"
    return found
