"""Saturation: throughput, TPOT and TTFT of one deployment against the requests that clients keep in flight.

A closed loop is what a benchmark runs: a client sends its next request when it is answered. All loads are
evaluated at once. Beyond the room for requests the rate stands and TTFT is the wait for a place, which is
given apart; the state says so. The curve against a request rate is `open_loop`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts
from estimates.core.figures import widened
from estimates.core.grades import grade_of
from estimates.core.lowering import lower
from estimates.core.novelty import log_bounds, novelty_of
from estimates.core.percentiles import PERCENTILES, At, prompt_cost, tpot_quantile, ttft_quantile
from estimates.core.points import Evaluated, Point, evaluate_points
from estimates.core.scenarios import chance_full
from estimates.core.serving import stages_in_flight

Array = NDArray[np.floating]

NEAR_CHANCE = 0.1  # chance that some wait for room, from which a load is near saturation
NEAR_FULL = 0.01  # of the rate of a prefill pool, from which it is the pool that clients wait for
BEYOND = 2.0  # times the admitted requests, at which the usual curve ends
STATES = ("ok", "near", "saturated")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A point of a closed loop's workload on `replicas` copies (with a prefill pool: decode workers)."""

    model: ModelFacts
    point: Point
    replicas: int
    efficiency: EfficiencyTable

    def evaluate(self, loads: Sequence[float] | Array) -> Evaluated:
        """Replicas at these closed populations each."""
        points = [replace(self.point, concurrency=float(load)) for load in loads]
        return evaluate_points(self.model, points, self.efficiency)


@dataclass(slots=True)
class Curve:
    """Figures of the whole deployment at each load, arrays of shape (loads,); NaN where none can be said.

    `bounds` are the 80% intervals as logarithms of (lowest, highest) time over the estimate, by metric.
    """

    load: Array  # what was asked for: clients, or requests/s
    concurrency: Array  # requests running, waiting for room excluded in an open loop
    requests_per_s: Array  # answered
    throughput: Array  # output tokens/s
    tpot: dict[At, Array]
    ttft: dict[At, Array]
    ttft_unloaded: Array
    first_wave: Array  # part of the mean TTFT: clients that start together; none in an open loop
    waiting: Array  # part of the mean TTFT: queues
    utilisation: Array  # share of the machine's time that prompts take
    state: tuple[str, ...]
    bounds: dict[str, tuple[Array, Array]]
    ttft_saturated: Array | None = None  # mean with the wait for room, of a closed population
    grades: tuple[str, ...] = field(default=())
    tiers: tuple[str, ...] = field(default=())


def room_of(evaluated: Evaluated) -> Array:
    """Requests a replica runs before the wait for a place sets TTFT, shape (points,)."""
    share = evaluated.lanes.flat("saturation_share")
    return np.minimum(evaluated.limit, np.maximum(1.0, np.floor(share * evaluated.capacity)))


def usual_loads(deployed: Deployed, points: int) -> Array:
    """Whole numbers of clients from 1 to beyond saturation, evenly in the logarithm, with its point."""
    seen = deployed.evaluate([1.0])
    room = float(room_of(seen)[0]) * deployed.replicas
    top = max(BEYOND * float(seen.limit[0]) * deployed.replicas, 4.0)
    spread = np.geomspace(1.0, top, max(points - 1, 2))
    return np.unique(np.append(np.rint(spread), room)).astype(float)


def closed_curve(deployed: Deployed, loads: Sequence[float] | Array) -> Curve:
    """The closed loop with these many clients of the whole deployment, in ascending order.

    Fewer clients than replicas use as many replicas as there are clients. Below the room the figures are
    those of a single question. Throughput is held to what fewer clients reach, and beyond the requests that
    run at once to the rate there: the corrections of single points may cross by a per cent.
    """
    asked = np.asarray(loads, float)
    pooled = deployed.point.prefill is not None
    used = np.full(asked.shape, float(deployed.replicas))
    if not pooled:
        used = np.minimum(used, np.maximum(asked, 1.0))
    each = asked / used
    evaluated = deployed.evaluate(each)
    loop = evaluated.loop
    limit, room = evaluated.limit, room_of(evaluated)
    held = evaluated.in_flight if pooled else each
    saturated = held > room
    throughput = flat(loop.throughput) * used
    known = np.isfinite(throughput)
    reached = np.maximum.accumulate(np.where(known, throughput, -np.inf))
    beyond = each > limit
    if evaluated.pools is not None:
        pace = flat(evaluated.pools.prompts.rate_limit) * deployed.point.workload.osl
        saturated = saturated | (reached > pace * (1 - NEAR_FULL))
        reached = np.minimum(reached, pace)
    elif beyond.any():
        full = deployed.evaluate([float(limit[0])])
        most = float(flat(full.loop.throughput)[0]) * deployed.replicas
        reached = np.where(beyond, np.maximum(most, reached[~beyond].max(initial=-np.inf)), reached)
    throughput = np.where(known, reached, np.nan)
    wait, burst = flat(loop.wait), flat(loop.burst)
    service = flat(loop.ttft_loaded) - wait - burst
    longest = longest_wait(evaluated)
    ttft = {at: ttft_quantile(service, wait, burst, at, longest=longest) for at in PERCENTILES}
    bounds, grades, tiers = bounds_of(deployed, evaluated)
    running = np.flatnonzero(~saturated)
    if running.size:
        # How long clients wait for room says nothing of the rate: a full deployment's is that at saturation.
        low, high = (np.where(saturated, side[running[-1]], side) for side in bounds["throughput"])
        bounds["throughput"] = (low, high)
    return Curve(
        load=asked,
        concurrency=asked,
        requests_per_s=throughput / deployed.point.workload.osl,
        throughput=throughput,
        tpot=tpots(deployed, evaluated),
        ttft={at: np.where(saturated, np.nan, values) for at, values in ttft.items()},
        ttft_unloaded=flat(loop.ttft_unloaded),
        first_wave=np.where(saturated, np.nan, burst),
        waiting=np.where(saturated, np.nan, wait),
        utilisation=flat(loop.prefill_share),
        state=states(saturated, room_chance(evaluated, held) >= NEAR_CHANCE),
        bounds=bounds,
        ttft_saturated=np.where(saturated, flat(loop.ttft_saturated), np.nan),
        grades=grades,
        tiers=tiers,
    )


def states(saturated: NDArray[np.bool_], near: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(
        "saturated" if full else "near" if close else "ok"
        for full, close in zip(saturated, near, strict=True)
    )


def room_chance(evaluated: Evaluated, asked: Array) -> Array:
    """Chance that some of `asked` requests a replica wait for room, its limit being an estimate."""
    budget = np.maximum(evaluated.usable + evaluated.weights, 1.0)
    return np.asarray(chance_full(asked, evaluated.limit, evaluated.usable / budget))


def tpots(deployed: Deployed, evaluated: Evaluated) -> dict[At, Array]:
    """TPOT at each percentile: whole prompts of others, met by chance (`percentiles.tpot_quantile`).

    A request meets interference_share x (in flight - 1) / (ranks x stages) prompts in its life, so that is
    how many make up its interference.
    """
    loop, lanes, osl = evaluated.loop, evaluated.lanes, deployed.point.workload.osl
    layers = lower(deployed.model.architecture).layers
    slots = lanes.flat("dp") * stages_in_flight(np.array(float(deployed.point.pp)), layers)
    met = lanes.flat("interference_share") * np.maximum(evaluated.in_flight - 1, 0) / slots
    part = flat(loop.interference)
    cost = prompt_cost(part, met, osl)
    return {at: tpot_quantile(flat(loop.tpot), part, cost, osl, at) for at in PERCENTILES}


def longest_wait(evaluated: Evaluated) -> Array:
    """The prompts of all in the system, which no request waits longer for in a prefill pool."""
    longest = np.full(len(evaluated.points), np.inf)
    if evaluated.pools is not None:
        rates = evaluated.pools.prompts.rate_limit.reshape(-1)
        for row, rate in zip(evaluated.pools.rows, rates, strict=True):
            point = evaluated.points[int(row)]
            if point.prefill is not None:
                longest[row] = point.concurrency * point.prefill.decode_workers / rate
    return longest


def bounds_of(
    deployed: Deployed, evaluated: Evaluated, *, first: Array | None = None
) -> tuple[dict[str, tuple[Array, Array]], tuple[str, ...], tuple[str, ...]]:
    """80% log bounds of times by metric, grades and tiers, of every point.

    `first` is the mean TTFT where it is not the closed loop's: its share of a request's life weighs the
    bounds of a rate.
    """
    loop, table = evaluated.loop, deployed.efficiency
    if first is None:
        first = flat(loop.ttft_saturated)
    tpot = flat(loop.tpot)
    rows, grades, tiers = [], [], []
    for index, (point, placed) in enumerate(zip(evaluated.points, evaluated.places, strict=True)):
        queued = bool(evaluated.queued[index])
        novelty = novelty_of(placed, table.calibration, queued=queued)
        terms = evaluated.lanes.terms[index]
        grade = grade_of(point.lane, point.pp, terms, novelty.tier, chip_measured=novelty.chip_measured)
        osl = point.workload.osl
        ends = log_bounds(
            placed, novelty, table, grade, float(first[index]), float(tpot[index]), osl, queued=queued
        )
        rows.append(ends if point.speculation is None else widened(ends, point.speculation))
        grades.append(grade)
        tiers.append(novelty.tier)
    found = {
        metric: (np.array([row[metric][0] for row in rows]), np.array([row[metric][1] for row in rows]))
        for metric in ("tpot", "ttft", "throughput")
    }
    return found, tuple(grades), tuple(tiers)


def flat(values: Array) -> Array:
    return np.asarray(values, float).reshape(-1)
