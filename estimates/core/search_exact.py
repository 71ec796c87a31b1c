"""Chosen deployments of a search, evaluated exactly at the load of one replica, with percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.arrivals import poisson_wait
from estimates.core.demand import Demand
from estimates.core.disaggregated import PrefillPool
from estimates.core.facts import Speculation, Workload
from estimates.core.lanes import Lane
from estimates.core.lowering import lower
from estimates.core.percentiles import At, prompt_cost, tpot_quantile, ttft_quantile
from estimates.core.points import Evaluated, Point, evaluate_points
from estimates.core.search_ask import Ask
from estimates.core.serving import stages_in_flight

Array = NDArray[np.floating]

LITTLE_ROUNDS = 4  # of the load that a stated rate of requests makes; each round lessens the error tenfold


def flat(values: Array) -> Array:
    """Results of points as one row of numbers."""
    return np.asarray(values, float).reshape(-1)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A configuration as a deployment on a candidate; `load` is the requests in flight on one replica."""

    candidate: int
    cluster: int
    lane: Lane
    pp: int
    load: float
    replicas: int
    machines: int
    within: bool  # the limit on the time per output token too
    prefill: PrefillPool | None = None  # of one machine
    speculation: Speculation | None = None  # with its acceptance

    def point(self, workload: Workload) -> Point:
        return Point(self.lane, self.pp, workload, self.load, self.prefill, speculation=self.speculation)


@dataclass(slots=True)
class Exact:
    """Chosen deployments and what one exact evaluation says of them; arrays of shape (rows,)."""

    chosen: list[Chosen]
    evaluated: Evaluated
    tpot: dict[At, Array]
    ttft: dict[At, Array]


def exact(ask: Ask, chosen: Sequence[Chosen], *, detailed: bool) -> Exact:
    """Evaluate these deployments; under a stated rate their load is the one that Little's law gives.

    N = rate x (TTFT + (OSL - 1) TPOT(N)), from the load that the search tried downwards.
    """
    rows = list(chosen)
    if ask.demand.requests_per_s is not None:
        rows = _at_rate(ask, ask.demand.requests_per_s, rows)
    points = [one.point(ask.workload) for one in rows]
    return levels_of(ask, rows, evaluate_points(ask.model, points, ask.efficiency, detailed=detailed))


def levels_of(ask: Ask, rows: list[Chosen], evaluated: Evaluated) -> Exact:
    """The percentiles of what was evaluated."""
    workload, demand = ask.workload, ask.demand
    loop = evaluated.loop
    mean, wait, burst = (flat(v) for v in (loop.ttft_loaded, loop.wait, loop.burst))
    base = mean - wait - burst
    tpot, part = flat(loop.tpot), flat(loop.interference)
    lanes = evaluated.lanes
    stages = stages_in_flight(np.array([one.pp for one in rows], float), lower(ask.model.architecture).layers)
    busy: Array = np.ones(len(rows))
    if demand.requests_per_s is not None:
        wait, busy = _chance_wait(workload, demand.requests_per_s, rows, evaluated, stages)
        burst = np.zeros_like(burst)
    others = np.maximum(evaluated.in_flight - 1, 0) / (lanes.flat("dp") * stages)
    prompt = prompt_cost(part, lanes.flat("interference_share") * others, workload.osl)
    longest = np.full(len(rows), np.inf)
    if evaluated.pools is not None:
        of = evaluated.pools.rows
        workers = np.array([one.prefill.decode_workers for one in rows if one.prefill is not None], float)
        whole = np.array([rows[row].load for row in of]) * workers
        longest[of] = whole / flat(evaluated.pools.prompts.rate_limit)
    levels: tuple[At, ...] = ("mean", "median", "p95")
    return Exact(
        rows,
        evaluated,
        {at: tpot_quantile(tpot, part, prompt, workload.osl, at) for at in levels},
        {at: ttft_quantile(base, wait, burst, at, busy=busy, longest=longest) for at in levels},
    )


def _chance_wait(
    workload: Workload, rate: float, rows: list[Chosen], evaluated: Evaluated, stages: Array
) -> tuple[Array, Array]:
    """Mean wait and chance to wait of prompts that arrive by chance, split evenly over replicas and ranks."""
    chunks = workload.isl * (1 - workload.prefix_share) / flat(evaluated.times.chunk)
    corrected = evaluated.factors.get("ttft", 1.0)
    service = chunks * flat(evaluated.times.prefill) / stages * corrected
    ranks = np.array([one.replicas * one.lane.dp for one in rows], float)
    return poisson_wait(rate / ranks, service)


def _at_rate(ask: Ask, rate: float, chosen: list[Chosen]) -> list[Chosen]:
    """The deployments at the load that the rate makes of each."""
    most = np.array([one.load for one in chosen])
    each = rate / np.array([one.replicas for one in chosen])
    load = most
    for _ in range(LITTLE_ROUNDS):
        points = [
            replace(one, load=float(n)).point(ask.workload) for one, n in zip(chosen, load, strict=True)
        ]
        loop = evaluate_points(ask.model, points, ask.efficiency).loop
        first = flat(loop.ttft_loaded) - flat(loop.burst)
        first = np.where(np.isfinite(first), first, 0.0)
        stay = first + (ask.workload.osl - 1) * flat(loop.tpot)
        load = np.minimum(each * stay, most)
    return [replace(one, load=float(n)) for one, n in zip(chosen, load, strict=True)]


def kept(rows: Exact, demand: Demand) -> NDArray[np.bool_]:
    """Which deployments keep the service level exactly, and hold their load."""
    held = rows.evaluated.capacity >= np.array([one.load for one in rows.chosen]) * (1 - 1e-9)
    if demand.tpot_s is not None:
        held &= rows.tpot[demand.tpot_at] <= demand.tpot_s
    if demand.ttft_s is not None:
        held &= ~(rows.ttft[demand.ttft_at] > demand.ttft_s)
    return np.asarray(held)
