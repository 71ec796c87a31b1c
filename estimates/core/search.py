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
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.choice import BATCHES
from estimates.core.cluster import CLUSTERS, joined
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
from estimates.core.grid import blocks_of, variants_of
from estimates.core.grid_block import Block, GridSpec, workload_table
from estimates.core.lowering import lower
from estimates.core.options import speculation_of
from estimates.core.pareto import front, thinned
from estimates.core.scenarios import sequence_limit
from estimates.core.search_exclusions import Nearest, Unfit, exceeded, nearest, out_of_bounds, out_of_memory
from estimates.core.search_pools import FINALISTS, pooled
from estimates.core.search_rows import Chosen, exact, found_rows, front_points, kept
from estimates.core.search_scores import Scored, score, scored

Array = NDArray[np.floating]

KEPT = 4  # of a candidate's best: where the exact evaluation breaks a limit the next is taken
FRONT_POINTS = 48  # of a front at most

#: A deployment, its tokens/s and user, output tokens/s a chip, USD per million output tokens (NaN: no price).
type Seen = tuple[Chosen, float, float, float]


@dataclass(slots=True)
class _Tally:
    """What the blocks have shown of one candidate so far."""

    best: list[tuple[float, Chosen]] = field(default_factory=list)
    nearest: Nearest | None = None
    unfit: Unfit | None = None  # the configuration that came nearest to holding the model


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
    asked = replace(workload, ttft_slo_s=None, tpot_slo_s=None, concurrency_min=1, arrival="closed_loop")
    out: list[Excluded] = []
    settled = None
    if bounds.speculation is not None:
        settled = speculation_of(model, bounds.speculation, efficiency)
        if not isinstance(settled, Reason):
            bounds = replace(bounds, speculation=settled)
    open_ = _open_candidates(
        model, candidates, asked, bounds, need_price, settled if isinstance(settled, Reason) else None, out
    )
    tallies = {number: _Tally() for number in open_}
    cloud: list[Seen] = []
    configurations = 0
    span = _Span(model, candidates, asked, demand, bounds, objective, efficiency, fronts)
    configurations += span.run(open_, 1, tallies, cloud)
    alone = [
        number
        for number in largest_of_chips(candidates, open_)
        if not tallies[number].best and tallies[number].nearest is None
    ]
    for machines in CLUSTERS:
        if not alone or (bounds.machines is not None and machines > bounds.machines):
            break
        configurations += span.run(alone, machines, tallies, cloud)
        alone = [number for number in alone if tallies[number].nearest is None]
    found, broken = _exact(model, candidates, asked, demand, bounds, objective, efficiency, tallies)
    unfit = []
    placed = {one.candidate for one in found}
    for number in open_:
        tally = tallies[number]
        if number in placed:
            continue
        if tally.best and number not in broken:
            detail = (
                "no division of one machine's chips into pools keeps every limit, or better offers were tried"
            )
            out.append(Excluded(number, candidates[number].offer.slug, "serving", None, None, "", detail))
            continue
        if tally.best or tally.nearest is not None:
            closest = broken.get(number) or tally.nearest
            assert closest is not None
            out.append(out_of_bounds(number, candidates[number], closest, demand))
        elif tally.unfit is not None:
            unfit.append(tally.unfit)
        else:
            detail = f"no layout of {model.slug} exists on it"
            slug = candidates[number].offer.slug
            out.append(Excluded(number, slug, "layout", None, None, "", detail))
    out += out_of_memory(model, candidates, unfit, asked, bounds, efficiency)
    edges = _edges(model, candidates, asked, demand, cloud, efficiency)
    return SearchResult(
        model=model.slug,
        workload=workload.slug,
        objective=objective,
        found=tuple(found),
        front_speed_throughput=edges[0],
        front_speed_cost=edges[1],
        excluded=tuple(sorted(out, key=lambda one: (one.by or np.inf, one.candidate))),
        configurations=configurations,
        method_version=METHOD_VERSION,
        efficiency_version=efficiency.version,
    )


def _open_candidates(
    model: ModelFacts,
    candidates: Sequence[Candidate],
    workload: Workload,
    bounds: Bounds,
    need_price: bool,
    refusal: Reason | None,
    out: list[Excluded],
) -> list[int]:
    """Candidates that can be estimated at all; the others go out by the fact or rule that is in the way."""
    whole = refuse_model(model) or refusal
    longest = model.architecture.max_context
    tokens = workload.isl + workload.osl
    found = []
    for number, candidate in enumerate(candidates):
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


def largest_of_chips(candidates: Sequence[Candidate], numbers: Sequence[int]) -> list[int]:
    """Of the offers of each chip the largest: smaller machines of it are not joined where a larger stands."""
    most: dict[str, int] = {}
    for number in numbers:
        offer = candidates[number].offer
        most[offer.chip.slug] = max(most.get(offer.chip.slug, 0), offer.count)
    return [n for n in numbers if candidates[n].offer.count == most[candidates[n].offer.chip.slug]]


def loads_of(demand: Demand) -> tuple[float, ...]:
    """Requests a rank and slot that a search tries: shares of the users asked for, else the usual batches.

    U users over n = 1, 2, 3, 4, 6, 8, 12 ... slots in all are U / n each, so that the load of a replica comes
    out exactly; between 1 and the largest usual batch.
    """
    users = demand.concurrency
    if users is None:
        return tuple(float(batch) for batch in BATCHES)
    shares = sorted({users / (base << power) for base in (1, 3) for power in range(22)})
    kept = {share for share in shares if 1 < share <= BATCHES[-1]}
    return (1.0, *sorted(kept))


@dataclass(slots=True)
class _Span:
    """One search's evaluation of candidates as machines alone or joined."""

    model: ModelFacts
    candidates: Sequence[Candidate]
    workload: Workload
    demand: Demand
    bounds: Bounds
    objective: str
    efficiency: EfficiencyTable
    fronts: bool

    def run(
        self,
        numbers: Sequence[int],
        cluster: int,
        tallies: dict[int, _Tally],
        cloud: list[Seen],
    ) -> int:
        """Evaluate these candidates, note what they show; returns the configurations evaluated."""
        known = [(number, joined(self.candidates[number].offer, cluster)) for number in numbers]
        kept = [(number, offer) for number, offer in known if offer is not None]
        if not kept:
            return 0
        offers = [offer for _, offer in kept]
        lowered = lower(self.model.architecture)
        table = workload_table([self.workload])
        grid = GridSpec(
            schemes=self.bounds.formats,
            batches=loads_of(self.demand),
            kv_format=self.bounds.kv_format,
            software=self.bounds.software,
            most=self.demand.concurrency,
            speculation=self.bounds.speculation,
        )
        variants = variants_of(offers, range(len(offers)))
        members = list(variants.values())
        configurations = 0
        for block in blocks_of(
            self.model, lowered, variants, offers, table, self.efficiency, grid, whole=True
        ):
            configurations += block.valid.size
            admitted = sequence_limit(block.lanes, self.efficiency)
            for owner, span in block.span.items():
                for position in members[owner]:
                    number = kept[position][0]
                    self._note(block, span, number, cluster, admitted, tallies[number], cloud)
        return configurations

    def _note(
        self,
        block: Block,
        span: tuple[int, int],
        number: int,
        cluster: int,
        admitted: Array,
        tally: _Tally,
        cloud: list[Seen],
    ) -> None:
        """What one candidate's rows of a block show."""
        candidate = self.candidates[number]
        layers = lower(self.model.architecture).layers
        judged = scored(
            block, span, candidate, cluster, self.demand, self.bounds, self.workload.osl, layers, admitted
        )
        if not judged.running.any():
            self._note_unfit(block, judged, number, cluster, tally)
            return
        within = judged.within
        if within.any():
            scores = np.where(within, score(judged, self.objective, candidate), np.inf).reshape(-1)
            best = np.argsort(scores, kind="stable")[:KEPT]
            for place in best[np.isfinite(scores[best])]:
                tally.best.append((float(scores[place]), self._chosen(block, judged, number, int(place))))
        else:
            tally.nearest = nearest(judged, self.demand, self.bounds)
        if self.fronts:
            self._fronts(block, judged, number, cloud)

    def _fronts(self, block: Block, judged: Scored, number: int, cloud: list[Seen]) -> None:
        """Note the candidate's own fronts; limits on the time per output token are a line across them."""
        shown = judged.within_bounds & judged.ttft_ok
        if not shown.any():
            return
        speed = np.where(shown, judged.speed, np.nan).reshape(-1)
        per_chip = judged.per_chip.reshape(-1)
        cost = np.full(speed.size, np.nan) if judged.usd_per_mtok is None else judged.usd_per_mtok.reshape(-1)
        places = {*front(speed, per_chip).tolist(), *front(speed, -cost).tolist()}
        for place in places:
            chosen = self._chosen(block, judged, number, place)
            cloud.append((chosen, float(speed[place]), float(per_chip[place]), float(cost[place])))

    def _chosen(self, block: Block, judged: Scored, number: int, place: int) -> Chosen:
        row, column = divmod(place, judged.running.shape[1])
        whole = judged.start + row
        replicas = int(judged.replicas[row, column])
        load = float(block.in_flight[whole, 0, column])
        if self.demand.concurrency is not None:
            load = self.demand.concurrency / replicas
        return Chosen(
            number,
            judged.cluster,
            block.lanes.lanes[block.lane_of[whole]],
            int(block.pp[whole]),
            load,
            replicas,
            int(judged.machines[row, column]),
            bool(judged.tpot_ok[row, column]),
            speculation=self.bounds.speculation,
        )

    def _note_unfit(self, block: Block, judged: Scored, number: int, cluster: int, tally: _Tally) -> None:
        """The configuration nearest to holding the model, of a candidate that holds it in none."""
        rows = slice(judged.start, judged.start + len(judged.running))
        placed = block.chips[rows] <= self.candidates[number].offer.count * cluster
        room = np.where(placed, block.room[rows, 0], -np.inf)
        if room.size and np.isfinite(room.max()) and tally.unfit is None:
            row = judged.start + int(np.argmax(room))
            tally.unfit = Unfit(number, block.lanes.lanes[block.lane_of[row]], int(block.pp[row]), cluster)


def _exact(
    model: ModelFacts,
    candidates: Sequence[Candidate],
    workload: Workload,
    demand: Demand,
    bounds: Bounds,
    objective: str,
    efficiency: EfficiencyTable,
    tallies: dict[int, _Tally],
) -> tuple[list[Found], dict[int, Nearest]]:
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
        rows = exact(
            model, workload, demand, [chosen[0] for chosen in left.values()], efficiency, detailed=True
        )
        good = kept(rows, demand)
        answers = found_rows(model, candidates, workload, demand, bounds, objective, efficiency, rows)
        for answer, one, fine in zip(answers, rows.chosen, good, strict=True):
            if fine:
                found.append(answer)
                taken[answer.candidate] = one
        for number, row in [(n, row) for row, n in enumerate(left) if not good[row]]:
            broken[number] = exceeded(rows, row, demand)
        left = {
            number: chosen[1:]
            for (number, chosen), fine in zip(left.items(), good, strict=True)
            if not fine and len(chosen) > 1
        }
    found.sort(key=_rank)
    if bounds.serving != "aggregated":
        best = [taken[answer.candidate] for answer in found[:FINALISTS]]
        apart = pooled(model, candidates, workload, demand, bounds, objective, efficiency, best)
        if apart:
            rows = exact(model, workload, demand, apart, efficiency, detailed=True)
            good = kept(rows, demand)
            answers = found_rows(model, candidates, workload, demand, bounds, objective, efficiency, rows)
            found += [answer for answer, fine in zip(answers, good, strict=True) if fine]
        found = _of_serving(found, bounds)
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


def _edges(
    model: ModelFacts,
    candidates: Sequence[Candidate],
    workload: Workload,
    demand: Demand,
    cloud: list[Seen],
    efficiency: EfficiencyTable,
) -> tuple[tuple[FrontPoint, ...], tuple[FrontPoint, ...]]:
    """Both fronts of all candidates together, from the fronts of each, evaluated exactly."""
    if not cloud:
        return (), ()
    speed, per_chip, cost = (np.array(values) for values in zip(*(seen[1:] for seen in cloud), strict=True))
    chosen = []
    for up in (per_chip, -cost):
        chosen.append(thinned(speed, np.abs(up), front(speed, up), FRONT_POINTS))
    both = np.concatenate(chosen)
    rows = exact(model, workload, demand, [cloud[place][0] for place in both], efficiency, detailed=False)
    points = front_points(rows, candidates, workload, demand)
    first = len(chosen[0])
    return tuple(points[:first]), tuple(points[first:])


__all__ = ["Bounds", "Candidate", "Demand", "SearchResult", "loads_of", "search"]
