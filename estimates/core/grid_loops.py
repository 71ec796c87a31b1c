"""Steps and loops of a block of the grid, a slice of lanes after the other.

Look-ups are worth making for many lanes at once, arithmetic is not: arrays of a slice stay in the cache of a
core and in memory that the process already holds, which makes an operation several times as fast.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.lanes import Lanes
from estimates.core.model_columns import ModelColumns
from estimates.core.serving import Load, Loop, StepTimes, closed_loop, stages_in_flight, step_times

Array = NDArray[np.floating]

SLICE_ELEMENTS = 20_000  # lanes x workloads x batches


@dataclass(slots=True)
class Loops:
    """Loops of all rows, arrays (rows, workloads, batches)."""

    loop: Loop
    chunk_extra: Array  # seconds a prompt's chunk adds to a decode step
    prompt_service: Array  # (rows, workloads, 1): seconds a prompt takes of a replica


def loops_of(
    models: ModelColumns,
    lanes: Lanes,
    load: Load,
    lane_of: NDArray[np.intp],
    rows: Lanes,
    stages: Array,
    in_flight: Array,
    hop_inverse: Array,
    rates_known: NDArray[np.bool_],
) -> Loops:
    """Steady states of rows (lane, pipeline stages); `rows` are the lanes repeated by ascending `lane_of`.

    The other arrays are (rows, 1 or workloads, 1 or batches).
    """
    dtype = load.batch.dtype
    parts = {entry.name: np.empty(in_flight.shape, dtype) for entry in fields(Loop)}
    chunk_extra = np.empty(in_flight.shape, dtype)
    service = np.empty((*in_flight.shape[:2], 1), dtype)
    together = max(1, SLICE_ELEMENTS // (in_flight.shape[1] * in_flight.shape[2]))
    for start in range(0, len(lanes), together):
        end = min(start + together, len(lanes))
        part = slice(*np.searchsorted(lane_of, [start, end]))
        where = lane_of[part] - start
        sliced = _part(load, slice(start, end))
        times = _rows(
            step_times(models.take(slice(start, end)), lanes.part(slice(start, end)), sliced), where
        )
        row_load = sliced if sliced.drafts is None else replace(sliced, drafts=sliced.drafts.take(where))
        own = models.take(lane_of[part])
        loop = closed_loop(
            own,
            rows.part(part),
            row_load,
            times,
            stages[part],
            in_flight[part],
            hop_inverse[part],
            rates_known[part],
        )
        for name, values in parts.items():
            values[part] = getattr(loop, name)
        chunk_extra[part] = times.chunk_extra
        pieces = stages_in_flight(stages[part], own["layers"])
        service[part] = load.isl / times.chunk * times.prefill / pieces
    return Loops(Loop(**parts), chunk_extra, service)


def _part(load: Load, lanes: slice) -> Load:
    """The load of these lanes: what is drafted differs from lane to lane, nothing else does."""
    if load.drafts is None:
        return load
    return replace(load, drafts=load.drafts.take(np.arange(lanes.start, lanes.stop)))


def _rows(times: StepTimes, rows: NDArray[np.intp]) -> StepTimes:
    """The steps of these lanes, repeated as often as asked."""
    repeated = {
        name: getattr(times, name)[rows]
        for name in ("decode", "decode_half", "chunk_extra", "prefill", "chunk")
    }
    accepted = times.accepted if isinstance(times.accepted, int) else times.accepted[rows]
    return replace(times, **repeated, accepted=accepted)
