"""Deployments of a search as answers: figures with intervals, counts, costs, the room to each limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estimates.core.cost import usd_per_mtok_output
from estimates.core.demand import NEEDS, Candidate, Found, FrontPoint, PoolFound, Range
from estimates.core.explain import binding_limits
from estimates.core.facts import Workload
from estimates.core.figures import widened
from estimates.core.grades import grade_of
from estimates.core.novelty import log_bounds, novelty_of
from estimates.core.points import missing_rates
from estimates.core.search_ask import Ask
from estimates.core.search_exact import Chosen, Exact, flat


def found_rows(ask: Ask, rows: Exact) -> list[Found]:
    """Deployments as answers, in the order given."""
    demand, workload, efficiency = ask.demand, ask.workload, ask.efficiency
    limits = binding_limits(rows.evaluated)
    lacking = missing_rates(rows.evaluated.models, rows.evaluated.lanes)
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
        rate = _rate(ask, rows, row)
        throughput = _range(rate, -log["throughput"][1], -log["throughput"][0])
        candidate = ask.candidates[one.candidate]
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
            ttft_unloaded_s=_number(flat(evaluated.loop.ttft_unloaded)[row]),
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
            slack=_slack(ask, rows, row, {"chips": chips, "machines": one.machines} | _known(watts, usd)),
        )
        found.append(_scored(answer, ask.objective, candidate))
    return found


def front_points(ask: Ask, rows: Exact) -> list[FrontPoint]:
    """Deployments as points of a front, in the order given."""
    points = []
    for row, one in enumerate(rows.chosen):
        candidate = ask.candidates[one.candidate]
        rate = _rate(ask, rows, row)
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


def _rate(ask: Ask, rows: Exact, row: int) -> float:
    """Output tokens/s of the whole deployment under its load."""
    if ask.demand.requests_per_s is not None:
        return ask.demand.requests_per_s * ask.workload.osl
    loop = rows.evaluated.loop
    rate = _number(flat(loop.throughput)[row])
    each = rate if rate is not None else float(flat(loop.decode_throughput)[row])
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


def _slack(ask: Ask, rows: Exact, row: int, totals: dict[str, float]) -> dict[str, tuple[float, float]]:
    """Value and limit of every limit asked for whose value is known."""
    kept: dict[str, tuple[float, float]] = {}
    for name, values, limit in (
        ("tpot", rows.tpot[ask.demand.tpot_at], ask.demand.tpot_s),
        ("ttft", rows.ttft[ask.demand.ttft_at], ask.demand.ttft_s),
    ):
        value = _number(values[row])
        if limit is not None and value is not None:
            kept[name] = value, limit
    for name, total in totals.items():
        limit = getattr(ask.bounds, name)
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


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
