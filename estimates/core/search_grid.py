"""The grid of a search: every candidate's configurations in blocks, judged as deployments, the best noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from estimates.core.choice import BATCHES
from estimates.core.cluster import joined
from estimates.core.demand import Candidate, Demand
from estimates.core.grid import blocks_of, variants_of
from estimates.core.grid_block import Block, GridSpec, workload_table
from estimates.core.lowering import lower
from estimates.core.pareto import front
from estimates.core.scenarios import sequence_limit
from estimates.core.search_ask import Ask
from estimates.core.search_exact import Chosen
from estimates.core.search_exclusions import Nearest, Unfit, nearest
from estimates.core.search_scores import Scored, score, scored

Array = NDArray[np.floating]

KEPT = 4  # of a candidate's best: where the exact evaluation breaks a limit the next is taken

#: A deployment, its tokens/s and user, output tokens/s a chip, USD per million output tokens (NaN: no price).
type Seen = tuple[Chosen, float, float, float]


@dataclass(slots=True)
class Tally:
    """What the blocks have shown of one candidate so far."""

    best: list[tuple[float, Chosen]] = field(default_factory=list)
    nearest: Nearest | None = None  # of a candidate that runs the model and keeps not every limit
    unfit: Unfit | None = None  # the configuration that came nearest to holding the model

    @property
    def runs(self) -> bool:
        """Whether some configuration holds the model."""
        return bool(self.best) or self.nearest is not None


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
class Sweep:
    """One search's evaluation of candidates, as machines alone or joined, and what it has shown."""

    ask: Ask
    fronts: bool
    tallies: dict[int, Tally]
    cloud: list[Seen] = field(default_factory=list)
    configurations: int = 0

    def run(self, numbers: Sequence[int], cluster: int) -> None:
        """Evaluate these candidates as so many machines each and note what they show."""
        ask = self.ask
        known = [(number, joined(ask.candidates[number].offer, cluster)) for number in numbers]
        kept = [(number, offer) for number, offer in known if offer is not None]
        if not kept:
            return
        offers = [offer for _, offer in kept]
        table = workload_table([ask.workload])
        grid = GridSpec(
            schemes=ask.bounds.formats,
            batches=loads_of(ask.demand),
            kv_format=ask.bounds.kv_format,
            software=ask.bounds.software,
            most=ask.demand.concurrency,
            speculation=ask.bounds.speculation,
        )
        variants = variants_of(offers, range(len(offers)))
        members = list(variants.values())
        for block in blocks_of([ask.model], variants, offers, table, ask.efficiency, grid, whole=True):
            self.configurations += block.valid.size
            admitted = sequence_limit(block.lanes, ask.efficiency)
            for (_, variant), span in block.span.items():
                for position in members[variant]:
                    number = kept[position][0]
                    self._note(block, span, number, cluster, admitted)

    def _note(self, block: Block, span: tuple[int, int], number: int, cluster: int, admitted: Array) -> None:
        """What one candidate's rows of a block show."""
        ask, tally = self.ask, self.tallies[number]
        candidate, layers = ask.candidates[number], lower(ask.model.architecture).layers
        judged = scored(
            block, span, candidate, cluster, ask.demand, ask.bounds, ask.workload.osl, layers, admitted
        )
        if not judged.running.any():
            self._note_unfit(block, judged, number, cluster)
            return
        within = judged.within
        if within.any():
            scores = np.where(within, score(judged, ask.objective, candidate), np.inf).reshape(-1)
            best = np.argsort(scores, kind="stable")[:KEPT]
            for place in best[np.isfinite(scores[best])]:
                tally.best.append((float(scores[place]), self._chosen(block, judged, number, int(place))))
        else:
            tally.nearest = nearest(judged, ask.demand, ask.bounds)
        if self.fronts:
            self._note_fronts(block, judged, number)

    def _note_fronts(self, block: Block, judged: Scored, number: int) -> None:
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
            self.cloud.append((chosen, float(speed[place]), float(per_chip[place]), float(cost[place])))

    def _chosen(self, block: Block, judged: Scored, number: int, place: int) -> Chosen:
        row, column = divmod(place, judged.running.shape[1])
        whole = judged.start + row
        replicas = int(judged.replicas[row, column])
        load = float(block.in_flight[whole, 0, column])
        if self.ask.demand.concurrency is not None:
            load = self.ask.demand.concurrency / replicas
        return Chosen(
            number,
            judged.cluster,
            block.lanes.lanes[block.lane_of[whole]],
            int(block.pp[whole]),
            load,
            replicas,
            int(judged.machines[row, column]),
            bool(judged.tpot_ok[row, column]),
            speculation=self.ask.bounds.speculation,
        )

    def _note_unfit(self, block: Block, judged: Scored, number: int, cluster: int) -> None:
        """The configuration nearest to holding the model, of a candidate that holds it in none."""
        tally = self.tallies[number]
        rows = slice(judged.start, judged.start + len(judged.running))
        placed = block.chips[rows] <= self.ask.candidates[number].offer.count * cluster
        room = np.where(placed, block.room[rows, 0], -np.inf)
        if room.size and np.isfinite(room.max()) and tally.unfit is None:
            row = judged.start + int(np.argmax(room))
            tally.unfit = Unfit(number, block.lanes.lanes[block.lane_of[row]], int(block.pp[row]), cluster)
