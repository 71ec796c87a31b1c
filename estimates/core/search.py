"""Search one model over all hardware: the best deployment of each offer that carries a load within limits.

The whole grid of formats x layouts x pipeline depths x loads of a replica is evaluated for every candidate in
blocks, as the catalogue's own grid is. Each configuration is then a deployment: as many replicas as the load
needs and the spare ones, as many machines as hold them, their power and price. What keeps every limit is
scored; the best of each candidate and the points of the Pareto fronts are evaluated once more, exactly, at
the load that one replica then has. Where no single machine holds the model, machines joined by their network
are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from estimates.core.cluster import CLUSTERS
from estimates.core.demand import (
    OBJECTIVES,
    Bounds,
    Candidate,
    Change,
    Demand,
    Excluded,
    Found,
    FrontPoint,
    SearchResult,
)
from estimates.core.deployments import Reason, refuse_chip, refuse_model
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import InvalidFact, ModelFacts, Workload
from estimates.core.fingerprint import METHOD_VERSION
from estimates.core.options import speculation_of
from estimates.core.pareto import front, thinned
from estimates.core.search_ask import Ask
from estimates.core.search_exact import Chosen, exact, kept
from estimates.core.search_exclusions import Nearest, exceeded, out_of_bounds, out_of_memory
from estimates.core.search_grid import Seen, Sweep, Tally, largest_of_chips, loads_of
from estimates.core.search_pools import FINALISTS, pooled
from estimates.core.search_rows import found_rows, front_points

FRONT_POINTS = 48  # of a front at most

__all__ = ["Bounds", "Candidate", "Demand", "SearchResult", "loads_of", "search"]


def search(
    model: ModelFacts,
    candidates: Sequence[Candidate],
    workload: Workload,
    demand: Demand,
    bounds: Bounds,
    objective: str,
    efficiency: EfficiencyTable,
    *,
    need_price: bool = False,
    fronts: bool = True,
) -> SearchResult:
    """Deployments of a model on every candidate, best first, and who is out, by which limit and how far.

    The workload's lengths count; its own service level is not read. `need_price` leaves out candidates
    without a price. Raises InvalidFact for an unknown objective.
    """
    if objective not in OBJECTIVES:
        raise InvalidFact("objective", objective, ", ".join(OBJECTIVES))
    plain = replace(workload, ttft_slo_s=None, tpot_slo_s=None, concurrency_min=1, arrival="closed_loop")
    refusal = None
    if bounds.speculation is not None:
        settled = speculation_of(model, bounds.speculation, efficiency)
        if isinstance(settled, Reason):
            refusal = settled
        else:
            bounds = replace(bounds, speculation=settled)
    ask = Ask(model, candidates, plain, demand, bounds, objective, efficiency)
    out: list[Excluded] = []
    open_ = _open_candidates(ask, need_price, refusal, out)
    sweep = Sweep(ask, fronts, {number: Tally() for number in open_})
    sweep.run(open_, 1)
    alone = [number for number in largest_of_chips(candidates, open_) if not sweep.tallies[number].runs]
    for machines in CLUSTERS:
        if not alone or (bounds.machines is not None and machines > bounds.machines):
            break
        sweep.run(alone, machines)
        alone = [number for number in alone if not sweep.tallies[number].runs]
    found, broken = _exact(ask, sweep.tallies)
    out += _left_out(ask, sweep.tallies, {one.candidate for one in found}, broken)
    edges = _edges(ask, sweep.cloud)
    return SearchResult(
        model=model.slug,
        workload=workload.slug,
        objective=objective,
        found=tuple(found),
        front_speed_throughput=edges[0],
        front_speed_cost=edges[1],
        excluded=tuple(sorted(out, key=lambda one: (one.by or np.inf, one.candidate))),
        configurations=sweep.configurations,
        method_version=METHOD_VERSION,
        efficiency_version=efficiency.version,
    )


def _open_candidates(ask: Ask, need_price: bool, refusal: Reason | None, out: list[Excluded]) -> list[int]:
    """Candidates that can be estimated at all; the others go out by the fact or rule that is in the way."""
    model, bounds = ask.model, ask.bounds
    whole = refuse_model(model) or refusal
    longest = model.architecture.max_context
    tokens = ask.workload.isl + ask.workload.osl
    found = []
    for number, candidate in enumerate(ask.candidates):
        slug = candidate.offer.slug
        reason = whole or refuse_chip(candidate.offer.chip)
        if reason is not None:
            constraint = "missing_fact" if reason.missing_fact else "model"
            out.append(Excluded(number, slug, constraint, None, None, "", reason.detail))
        elif longest is not None and tokens > longest + 1:
            detail = f"{tokens:.0f} tokens exceed the context of {longest} of {model.slug}"
            change = Change("context", longest, f"a context of {longest} tokens")
            out.append(Excluded(number, slug, "context", tokens, longest, "tokens", detail, change))
        elif need_price and candidate.usd_per_hour is None:
            detail = "no price is known on this basis"
            out.append(Excluded(number, slug, "price", None, None, "USD/h", detail))
        elif bounds.watts is not None and candidate.watts is None:
            detail = "its rated power is not published"
            out.append(Excluded(number, slug, "missing_fact", None, bounds.watts, "W", detail))
        elif bounds.usd_per_hour is not None and candidate.usd_per_hour is None:
            detail = "no price is known on this basis"
            out.append(Excluded(number, slug, "price", None, bounds.usd_per_hour, "USD/h", detail))
        else:
            found.append(number)
    return found


def _left_out(
    ask: Ask, tallies: dict[int, Tally], placed: set[int], broken: dict[int, Nearest]
) -> list[Excluded]:
    """Who was evaluated and is not among those placed, and why."""
    out: list[Excluded] = []
    unfit = []
    for number, tally in tallies.items():
        candidate = ask.candidates[number]
        closest = broken.get(number) or tally.nearest
        if number in placed:
            continue
        if closest is not None:
            out.append(out_of_bounds(number, candidate, closest, ask.demand))
        elif tally.best:
            detail = (
                "no division of a machine's chips into pools keeps every limit, or better offers were tried"
            )
            out.append(Excluded(number, candidate.offer.slug, "serving", None, None, "", detail))
        elif tally.unfit is not None:
            unfit.append(tally.unfit)
        else:
            detail = f"no layout of {ask.model.slug} exists on it"
            out.append(Excluded(number, candidate.offer.slug, "layout", None, None, "", detail))
    return out + out_of_memory(ask, unfit)


def _exact(ask: Ask, tallies: dict[int, Tally]) -> tuple[list[Found], dict[int, Nearest]]:
    """The best of each candidate that keeps the service level exactly, best first; and who has none left.

    The search runs in single precision and at loads rounded up: at the edge of a limit its best may break it.
    """
    left = {
        number: [chosen for _, chosen in sorted(tally.best, key=lambda one: one[0])]
        for number, tally in tallies.items()
        if tally.best
    }
    found: list[Found] = []
    broken: dict[int, Nearest] = {}
    taken: dict[int, Chosen] = {}
    while left:
        rows = exact(ask, [chosen[0] for chosen in left.values()], detailed=True)
        good = kept(rows, ask.demand)
        answers = found_rows(ask, rows)
        for answer, one, fine in zip(answers, rows.chosen, good, strict=True):
            if fine:
                found.append(answer)
                taken[answer.candidate] = one
        for number, row in [(n, row) for row, n in enumerate(left) if not good[row]]:
            broken[number] = exceeded(rows, row, ask.demand)
        left = {
            number: chosen[1:]
            for (number, chosen), fine in zip(left.items(), good, strict=True)
            if not fine and len(chosen) > 1
        }
    found.sort(key=_rank)
    if ask.bounds.serving != "aggregated":
        best = [taken[answer.candidate] for answer in found[:FINALISTS]]
        apart = pooled(ask, best)
        if apart:
            rows = exact(ask, apart, detailed=True)
            good = kept(rows, ask.demand)
            answers = found_rows(ask, rows)
            found += [answer for answer, fine in zip(answers, good, strict=True) if fine]
        found = _of_serving(found, ask.bounds)
    return found, {number: closest for number, closest in broken.items() if number not in taken}


def _rank(one: Found) -> tuple[float, float, int]:
    return one.score, -one.throughput_per_chip, one.candidate


def _of_serving(found: list[Found], bounds: Bounds) -> list[Found]:
    """One deployment a candidate: the pooled one where only such are wanted, else the better of both."""
    wanted = [one for one in found if one.prefill is not None or bounds.serving == "either"]
    best: dict[int, Found] = {}
    for one in sorted(wanted, key=_rank):
        best.setdefault(one.candidate, one)
    return sorted(best.values(), key=_rank)


def _edges(ask: Ask, cloud: list[Seen]) -> tuple[tuple[FrontPoint, ...], tuple[FrontPoint, ...]]:
    """Both fronts of all candidates together, from the fronts of each, evaluated exactly.

    Under a stated rate a deployment carries another load than it was tried with, so that one which lay on
    the front may turn out to be beaten: the exact points are judged once more.
    """
    if not cloud:
        return (), ()
    speed, per_chip, cost = (np.array(values) for values in zip(*(seen[1:] for seen in cloud), strict=True))
    chosen = []
    for up in (per_chip, -cost):
        chosen.append(thinned(speed, np.abs(up), front(speed, up), FRONT_POINTS))
    both = np.concatenate(chosen)
    rows = exact(ask, [cloud[place][0] for place in both], detailed=False)
    points = front_points(ask, rows)
    first = len(chosen[0])
    by_chip, by_cost = points[:first], points[first:]
    speeds = [[point.tok_s_per_user for point in each] for each in (by_chip, by_cost)]
    costs = [point.usd_per_mtok_output or np.nan for point in by_cost]
    kept = front(speeds[0], [point.throughput_per_chip for point in by_chip])
    cheapest = front(speeds[1], -np.array(costs))
    return tuple(by_chip[place] for place in kept), tuple(by_cost[place] for place in cheapest)
