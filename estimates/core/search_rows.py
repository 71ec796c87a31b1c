"""Chosen deployments of a search, evaluated exactly at the load of one replica: figures, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.arrivals import poisson_wait
from estimates.core.cost import usd_per_mtok_output
from estimates.core.demand import NEEDS, Bounds, Candidate, Demand, Found, FrontPoint, PoolFound, Range
from estimates.core.disaggregated import PrefillPool
from estimates.core.efficiency import EfficiencyTable
from estimates.core.explain import binding_limits
from estimates.core.facts import ModelFacts, Speculation, Workload
from estimates.core.figures import widened
from estimates.core.grades import grade_of
from estimates.core.lanes import Lane
from estimates.core.lowering import lower
from estimates.core.novelty import log_bounds, novelty_of
from estimates.core.percentiles import At, prompt_cost, tpot_quantile, ttft_quantile
from estimates.core.points import Evaluated, Point, evaluate_points, missing_rates
from estimates.core.serving import stages_in_flight

Array = NDArray[np.floating]

LITTLE_ROUNDS = 4  # of the load that a stated rate of requests makes; each round lessens the error tenfold


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


def exact(
    model: ModelFacts,
    workload: Workload,
    demand: Demand,
    chosen: Sequence[Chosen],
    efficiency: EfficiencyTable,
    *,
    detailed: bool,
) -> Exact:
    """Evaluate these deployments; under a stated rate their load is the one that Little's law gives.

    N = rate x (TTFT + (OSL - 1) TPOT(N)), from the load that the search tried downwards.
    """
    rows = list(chosen)
    if demand.requests_per_s is not None:
        rows = _at_rate(model, workload, demand.requests_per_s, rows, efficiency)
    points = [one.point(workload) for one in rows]
    return levels_of(
        model, workload, demand, rows, evaluate_points(model, points, efficiency, detailed=detailed)
    )


def levels_of(
    model: ModelFacts, workload: Workload, demand: Demand, rows: list[Chosen], evaluated: Evaluated
) -> Exact:
    """The percentiles of what was evaluated."""
    loop = evaluated.loop
    mean, wait, burst = (_flat(v) for v in (loop.ttft_loaded, loop.wait, loop.burst))
    base = mean - wait - burst
    tpot, part = _flat(loop.tpot), _flat(loop.interference)
    lanes = evaluated.lanes
    stages = stages_in_flight(np.array([one.pp for one in rows], float), lower(model.architecture).layers)
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
        longest[of] = whole / _flat(evaluated.pools.prompts.rate_limit)
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
    chunks = workload.isl * (1 - workload.prefix_share) / _flat(evaluated.times.chunk)
    corrected = evaluated.factors.get("ttft", 1.0)
    service = chunks * _flat(evaluated.times.prefill) / stages * corrected
    ranks = np.array([one.replicas * one.lane.dp for one in rows], float)
    return poisson_wait(rate / ranks, service)


def _at_rate(
    model: ModelFacts, workload: Workload, rate: float, chosen: list[Chosen], efficiency: EfficiencyTable
) -> list[Chosen]:
    most = np.array([one.load for one in chosen])
    each = rate / np.array([one.replicas for one in chosen])
    load = most
    for _ in range(LITTLE_ROUNDS):
        points = [Point(one.lane, one.pp, workload, float(n)) for one, n in zip(chosen, load, strict=True)]
        loop = evaluate_points(model, points, efficiency).loop
        first = _flat(loop.ttft_loaded) - _flat(loop.burst)
        first = np.where(np.isfinite(first), first, 0.0)
        stay = first + (workload.osl - 1) * _flat(loop.tpot)
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


def found_rows(
    model: ModelFacts,
    candidates: Sequence[Candidate],
    workload: Workload,
    demand: Demand,
    bounds: Bounds,
    objective: str,
    efficiency: EfficiencyTable,
    rows: Exact,
) -> list[Found]:
    """Deployments as answers, in the order given."""
    limits = binding_limits(rows.evaluated)
    lacking = missing_rates(lower(model.architecture), rows.evaluated.lanes)
    memory = rows.evaluated.memory
    in_cache = rows.evaluated.cache_per_request * rows.evaluated.in_flight / rows.evaluated.lanes.flat("dp")
    reserved = memory.reserve_fixed + memory.reserve_share * rows.evaluated.weights + memory.workspace
    used = rows.evaluated.weights + reserved + in_cache
    found = []
    for row, one in enumerate(rows.chosen):
        evaluated, lane = rows.evaluated, one.lane
        placed = evaluated.places[row]
        novelty = novelty_of(placed, efficiency.calibration)
        if one.speculation is not None:
            novelty = novelty.at_best_kin()
        grade = grade_of(
            lane, one.pp, evaluated.lanes.terms[row], novelty.tier, chip_measured=novelty.chip_measured
        )
        ttft = _number(rows.ttft["mean"][row])
        tpot = float(rows.tpot["mean"][row])
        log = log_bounds(placed, novelty, efficiency, grade, ttft, tpot, workload.osl)
        if one.speculation is not None:
            log = widened(log, one.speculation)
        rate = _rate(rows, row, workload, demand)
        throughput = _range(rate, -log["throughput"][1], -log["throughput"][0])
        candidate = candidates[one.candidate]
        spare = 0 if demand.is_open else demand.spare
        watts = None if candidate.watts is None else one.machines * candidate.watts
        racks = None if candidate.rack_share is None else one.machines * candidate.rack_share
        usd = None if candidate.usd_per_hour is None else one.machines * candidate.usd_per_hour
        chips = one.machines * candidate.offer.count
        costs = _costs(usd, throughput, workload)
        answer = Found(
            candidate=one.candidate,
            offer=candidate.offer.slug,
            cluster=one.cluster,
            scheme=lane.scheme.slug,
            kv_format=lane.kv_format,
            tp=lane.tp,
            pp=one.pp,
            ep=lane.ep,
            dp=lane.dp,
            software=lane.software,
            prefill=_pool(one),
            replicas=one.replicas,
            spare=spare,
            machines=one.machines,
            chips=chips,
            watts=watts,
            racks=racks,
            usd_per_hour=usd,
            concurrency=one.load,
            requests_per_s=rate / workload.osl,
            tpot=_range(tpot, *log["tpot"]),
            tpot_median_s=float(rows.tpot["median"][row]),
            tpot_p95_s=float(rows.tpot["p95"][row]),
            ttft=None if ttft is None else _range(ttft, *log["ttft"]),
            ttft_unloaded_s=_number(_flat(evaluated.loop.ttft_unloaded)[row]),
            ttft_median_s=_number(rows.ttft["median"][row]),
            ttft_p95_s=_number(rows.ttft["p95"][row]),
            throughput=throughput,
            tok_s_per_user=1 / tpot,
            throughput_per_chip=rate / chips,
            throughput_per_watt=None if watts is None else rate / watts,
            throughput_per_rack=None if racks is None else rate / racks,
            usd_per_mtok_output=costs[0],
            usd_per_mtok_input=costs[1],
            usd_per_mtok_blended=costs[2],
            memory_used_bytes=float(used[row]),
            memory_capacity_bytes=float(memory.capacity[row]),
            binding_limit=limits[row],
            grade=grade,
            tier=novelty.tier,
            missing_facts=tuple(f"peak rate for {name}" for name in lacking[row]),
            score=0.0,
            slack=_slack(
                rows, row, demand, bounds, {"chips": chips, "machines": one.machines} | _known(watts, usd)
            ),
        )
        found.append(_scored(answer, objective, candidate))
    return found


def front_points(
    rows: Exact, candidates: Sequence[Candidate], workload: Workload, demand: Demand
) -> list[FrontPoint]:
    """Deployments as points of a front, in the order given."""
    points = []
    for row, one in enumerate(rows.chosen):
        candidate = candidates[one.candidate]
        rate = _rate(rows, row, workload, demand)
        tpot = float(rows.tpot["mean"][row])
        usd = candidate.usd_per_hour
        points.append(
            FrontPoint(
                candidate=one.candidate,
                offer=candidate.offer.slug,
                scheme=one.lane.scheme.slug,
                tp=one.lane.tp,
                pp=one.pp,
                ep=one.lane.ep,
                dp=one.lane.dp,
                concurrency=one.load,
                replicas=one.replicas,
                machines=one.machines,
                tok_s_per_user=1 / tpot,
                throughput_per_chip=rate / (one.machines * candidate.offer.count),
                usd_per_mtok_output=None
                if usd is None
                else float(usd_per_mtok_output(one.machines * usd, rate)),
                tpot_s=tpot,
                ttft_s=_number(rows.ttft["mean"][row]),
                within=one.within,
            )
        )
    return points


def _pool(one: Chosen) -> PoolFound | None:
    """The prefill workers of all machines that carry the load."""
    pool = one.prefill
    if pool is None:
        return None
    workers = pool.workers * (one.replicas // pool.decode_workers)
    return PoolFound(workers, pool.lane.tp, pool.pp, pool.lane.ep, pool.lane.dp)


def _rate(rows: Exact, row: int, workload: Workload, demand: Demand) -> float:
    """Output tokens/s of the whole deployment under its load."""
    if demand.requests_per_s is not None:
        return demand.requests_per_s * workload.osl
    loop = rows.evaluated.loop
    rate = _number(_flat(loop.throughput)[row])
    each = rate if rate is not None else float(_flat(loop.decode_throughput)[row])
    return each * rows.chosen[row].replicas


def _costs(
    usd: float | None, throughput: Range, workload: Workload
) -> tuple[Range | None, Range | None, Range | None]:
    """USD per million output, input and blended tokens: the whole bill over the tokens of each name."""
    if usd is None:
        return None, None, None
    share = workload.osl / workload.isl, workload.osl / (workload.isl + workload.osl)
    rates = np.array([throughput.value, throughput.high, throughput.low])
    whole = Range(*usd_per_mtok_output(usd, rates).tolist())
    of_input, blended = (Range(whole.value * s, whole.low * s, whole.high * s) for s in share)
    return whole, of_input, blended


def _slack(
    rows: Exact, row: int, demand: Demand, bounds: Bounds, totals: dict[str, float]
) -> dict[str, tuple[float, float]]:
    """Value and limit of every limit asked for whose value is known."""
    kept: dict[str, tuple[float, float]] = {}
    for name, values, limit in (
        ("tpot", rows.tpot[demand.tpot_at], demand.tpot_s),
        ("ttft", rows.ttft[demand.ttft_at], demand.ttft_s),
    ):
        value = _number(values[row])
        if limit is not None and value is not None:
            kept[name] = value, limit
    for name, total in totals.items():
        limit = getattr(bounds, name)
        if limit is not None:
            kept[name] = total, limit
    return kept


def _known(watts: float | None, usd: float | None) -> dict[str, float]:
    return {name: value for name, value in (("watts", watts), ("usd_per_hour", usd)) if value is not None}


def _scored(answer: Found, objective: str, candidate: Candidate) -> Found:
    """The answer with its score: infinite where a fact that the objective needs is unknown.

    That is so of a throughput that leaves prompts out, for want of a rate, beside one that counts them.
    """
    fact = NEEDS.get(objective)
    half = answer.ttft is None and objective != "speed_per_user"
    if half or (fact is not None and getattr(candidate, fact) is None):
        return replace(answer, score=float("inf"))
    figures: dict[str, float | None] = {
        "usd_per_mtok": None if answer.usd_per_mtok_output is None else answer.usd_per_mtok_output.value,
        "speed_per_user": answer.tpot.value,
        "throughput_per_chip": -answer.throughput_per_chip,
        "throughput_per_watt": answer.throughput_per_watt and -answer.throughput_per_watt,
        "throughput_per_rack": answer.throughput_per_rack and -answer.throughput_per_rack,
    }
    value = figures[objective]
    return replace(answer, score=float("inf") if value is None else value)


def _range(value: float, low: float, high: float) -> Range:
    return Range(value, value * float(np.exp(low)), value * float(np.exp(high)))


def _flat(values: Array) -> Array:
    return np.asarray(values, float).reshape(-1)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
