"""Disaggregated deployments in a search: for the best offers, prompts and decoding on pools of their own.

Both pools lie in one machine of the offer, whose chips they share out; a machine is the unit that a load is
divided over and that a spare one stands in for. Layouts, divisions of the chips and loads are evaluated
together; what keeps every limit and scores best stands beside the offer's aggregated deployment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.choice import BATCHES, Search, asked_layouts
from estimates.core.demand import Candidate, Demand
from estimates.core.deployments import Layout
from estimates.core.facts import Deployment, Pool
from estimates.core.points import evaluate_points
from estimates.core.pools import pool_layouts, splits
from estimates.core.search_ask import Ask
from estimates.core.search_exact import Chosen, Exact, levels_of
from estimates.core.search_scores import whole_up

Array = NDArray[np.floating]

FINALISTS = 8  # offers whose pools are tried
OPEN = Deployment(prefill=Pool())


def pooled(ask: Ask, finalists: Sequence[Chosen]) -> list[Chosen]:
    """The best disaggregated deployment of each of the finalists' offers, where one keeps every limit.

    Finalists are laid out in the format they were found in. A rate of requests that arrive by chance is not
    judged here: the prefill pool's queue is that of a closed population.
    """
    if ask.demand.requests_per_s is not None:
        return []
    options = [option for one in finalists if one.cluster == 1 for option in _options(ask, one)]
    if not options:
        return []
    evaluated = evaluate_points(ask.model, [one.point(ask.workload) for one in options], ask.efficiency)
    levels = levels_of(ask, options, evaluated)
    found = []
    owners = np.array([one.candidate for one in options])
    for number in dict.fromkeys(owners.tolist()):
        rows = np.flatnonzero(owners == number)
        best = _best(ask, ask.candidates[number], levels, rows)
        if best is not None:
            found.append(best)
    return found


def _options(ask: Ask, one: Chosen) -> Iterator[Chosen]:
    """Decode layouts x prefill layouts x divisions of one machine's chips x loads."""
    model, workload = ask.model, ask.workload
    offer = ask.candidates[one.candidate].offer
    asked = replace(OPEN, speculation=one.speculation)
    search = Search(model, offer, workload, asked, one.lane.scheme, one.lane.kv_format, ask.efficiency)
    shallowest: dict[Layout, bool] = {}
    for lane, pp, most in search.staged(asked_layouts(model, offer, OPEN), None, workload.isl + workload.osl):
        own = Layout(lane.tp, lane.dp, lane.ep)
        if most < 1 or own in shallowest:
            continue
        shallowest[own] = True
        allowed = pool_layouts(Pool(), own, asked_layouts(model, offer, Pool()))
        for prefill, depth, held in search.staged(allowed, None, workload.isl):
            if held < 1:
                continue
            for split in splits(offer, OPEN, lane, pp, prefill, depth):
                for load in _loads(ask.demand, split.replicas, most):
                    yield Chosen(
                        one.candidate, 1, lane, pp, load, split.replicas, 1, True, split.pool, one.speculation
                    )
            break


def _loads(demand: Demand, replicas: int, most: float) -> list[float]:
    """Requests of a decode worker: users shared over 1, 2, 3, 4, 6, 8 ... machines, else usual batches."""
    if demand.concurrency is None:
        return [float(batch) for batch in BATCHES if batch <= most] or [1.0]
    machines = (base << power for power in range(12) for base in (1, 3))
    loads = {demand.concurrency / (number * replicas) for number in machines}
    return sorted(load for load in loads if 1 <= load <= most)


def _best(ask: Ask, candidate: Candidate, levels: Exact, rows: NDArray[np.intp]) -> Chosen | None:
    """Of one candidate's options the one that scores best within every limit."""
    demand, bounds = ask.demand, ask.bounds
    options = [levels.chosen[row] for row in rows]
    loop = levels.evaluated.loop
    each = np.array([one.replicas for one in options], float)
    users = np.array([one.load for one in options]) * each  # of a machine
    rate = loop.throughput.reshape(-1)[rows] * each
    machines: Array = np.ones(rows.size)
    tokens = rate
    if demand.concurrency is not None:
        machines = whole_up(demand.concurrency / users)
        tokens = rate * demand.concurrency / users
    needed = machines
    machines = machines + (0 if demand.is_open else demand.spare)
    totals = {"chips": machines * candidate.offer.count, "machines": machines}
    for name in ("watts", "usd_per_hour"):
        if (one := getattr(candidate, name)) is not None:
            totals[name] = machines * one
    held = levels.evaluated.fits[rows] & (rate > 0)
    room = np.minimum(np.floor(levels.evaluated.capacity[rows]), levels.evaluated.limit[rows])
    share = levels.evaluated.lanes.flat("saturation_share")[rows]
    held &= levels.evaluated.in_flight[rows] <= np.maximum(1, np.floor(share * room))
    for name, total in totals.items():
        if (limit := getattr(bounds, name)) is not None:
            held &= total <= limit
    if demand.tpot_s is not None:
        held &= levels.tpot[demand.tpot_at][rows] <= demand.tpot_s
    if demand.ttft_s is not None:
        held &= levels.ttft[demand.ttft_at][rows] <= demand.ttft_s
    if not held.any():
        return None
    score = {
        "speed_per_user": levels.tpot["mean"][rows],
        "usd_per_mtok": totals.get("usd_per_hour", totals["chips"]) / tokens,
        "throughput_per_watt": totals.get("watts", totals["chips"]) / tokens,
        "throughput_per_rack": machines / tokens,
    }.get(ask.objective, totals["chips"] / tokens)
    best = int(np.argmin(np.where(held, score, np.inf)))
    one = options[best]
    count = int(needed[best])
    return Chosen(
        one.candidate,
        1,
        one.lane,
        one.pp,
        one.load if demand.concurrency is None else demand.concurrency / (count * one.replicas),
        one.replicas * count,
        int(machines[best]),
        True,
        one.prefill,
        one.speculation,
    )
