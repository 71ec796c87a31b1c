"""Choose among the configurations of a block: the best of every offer, workload and objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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

NEVER = np.float32(1e30)  # seconds a token of what does not run


def select(
    block: Block,
    variants: Mapping[Variant, list[int]],
    offers: Sequence[Offer],
    table: WorkloadTable,
    builders: Sequence[RowBuilder],
) -> None:
    """Hand the rows of a block's offers to the builders of their models.

    All workloads of an offer are compared at once.
    """
    members = list(variants.values())
    scores = _Scores.of(block, table)
    width = block.tpot.shape[2]
    for (model, variant), (start, end) in block.span.items():
        part, rows = slice(start, end), builders[model]
        rows.configurations += block.valid[part].size
        for index in members[variant]:
            replicas = offers[index].count // block.chips[part]
            fastest, within_most, most, reached, runs = scores.best(part, replicas)
            missed = np.flatnonzero(runs & ~reached)
            nearest = dict(zip(missed.tolist(), scores.nearest(part, replicas, missed), strict=True))
            for position, workload in enumerate(table.kept):
                if not runs[position]:
                    room = np.where(replicas > 0, block.room[part, position], -np.inf)
                    row = start + int(room.argmax())
                    rows.does_not_fit(
                        index, workload, block.lanes.lanes[block.lane_of[row]], int(block.pp[row])
                    )
                    continue
                if reached[position]:
                    reason = ""
                    chosen = [(0, fastest[position]), (1, within_most[position]), (2, most[position])]
                else:
                    reason, closest = nearest[position]
                    chosen = [(0, closest), (2, most[position])]
                for objective, place in chosen:
                    row, size = divmod(int(place), width)
                    row += start
                    rows.choose(
                        index,
                        workload,
                        objective,
                        block.lanes.lanes[block.lane_of[row]],
                        int(block.pp[row]),
                        float(block.in_flight[row, position, size]),
                        reason,
                    )


@dataclass(slots=True)
class _Scores:
    """What the configurations of a block are compared by, (workloads, rows, batches): a workload's together.

    What does not run has no throughput and a TPOT without end, so that an offer's replicas are one factor.
    """

    tpot: Array  # of what runs
    throughput: Array
    tpot_within: Array  # of what keeps the service level with one replica
    throughput_within: Array
    in_flight: Array
    least: Array  # (workloads, 1, 1)
    valid: Mask
    tpot_met: Mask
    ttft_met: Mask

    @classmethod
    def of(cls, block: Block, table: WorkloadTable) -> _Scores:
        tpot, ttft, throughput = map(_by_workload, (block.tpot, block.ttft, block.throughput))
        valid = _by_workload(block.valid)
        tpot_met = tpot <= table.tpot_slo.reshape(-1, 1, 1)
        ttft_met = ~(ttft > table.ttft_slo.reshape(-1, 1, 1))
        within = valid & tpot_met & ttft_met
        # Products and maxima with masks: a choice by element takes ten times as long.
        return cls(
            tpot=np.maximum(tpot, ~valid * NEVER),
            throughput=throughput * valid,
            tpot_within=np.maximum(tpot, ~within * NEVER),
            throughput_within=throughput * within,
            in_flight=_by_workload(block.in_flight),
            least=table.least.reshape(-1, 1, 1),
            valid=valid,
            tpot_met=tpot_met,
            ttft_met=ttft_met,
        )

    def best(
        self, part: slice, replicas: NDArray[np.int64]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], Mask, Mask]:
        """(fastest within the level, highest throughput within it, highest throughput, whether any keeps the

        level, whether any runs), each of every workload.
        """
        scale = replicas.astype(self.throughput.dtype).reshape(-1, 1)
        total = _flat(self.throughput[:, part] * scale)
        within = self.throughput_within[:, part] * scale
        paces = self.tpot_within[:, part] + np.where(scale > 0, 0, np.inf).astype(scale.dtype)
        if (self.least > 1).any():  # every configuration carries one request
            enough = self.in_flight[:, part] * scale >= self.least
            within, paces = np.where(enough, within, 0), np.where(enough, paces, np.inf)
        within = _flat(within)
        most, within_most = total.argmax(1), within.argmax(1)
        workloads = np.arange(len(total))
        reached, runs = within[workloads, within_most] > 0, total[workloads, most] > 0
        return _flat(paces).argmin(1), within_most, most, reached, runs

    def nearest(
        self, part: slice, replicas: NDArray[np.int64], workloads: NDArray[np.intp]
    ) -> list[tuple[str, int]]:
        """(part of the level that nothing keeps, the configuration nearest to it) of these workloads."""
        if not workloads.size:
            return []
        scale = replicas.astype(self.throughput.dtype).reshape(-1, 1)
        total = _flat(self.throughput[workloads, part] * scale)
        places = nearest_to_level(_flat(self.tpot[workloads, part]), np.where(total > 0, total, -1))
        open_ = self.valid[workloads, part] & (scale > 0)
        in_pace, in_time = open_ & self.tpot_met[workloads, part], open_ & self.ttft_met[workloads, part]
        found = (_flat(mask).any(1).tolist() for mask in (in_pace, in_time, in_pace & in_time))
        reasons = [_missed(*flags) for flags in zip(*found, strict=True)]
        return list(zip(reasons, np.asarray(places).tolist(), strict=True))


def _missed(tpot: bool, ttft: bool, both: bool) -> str:
    """Which part of the service level no configuration meets."""
    if tpot and ttft:
        return "concurrency_not_reached" if both else "slo_missed"
    if tpot:
        return "ttft_slo_missed"
    return "tpot_slo_missed" if ttft else "slo_missed"


def _by_workload(values: NDArray[Any]) -> NDArray[Any]:
    """(rows, workloads, batches) as (workloads, rows, batches), so that a workload's lie together."""
    return np.ascontiguousarray(values.transpose(1, 0, 2))


def _flat(values: NDArray[Any]) -> NDArray[Any]:
    """Configurations of each workload in one row."""
    return values.reshape(len(values), -1)
