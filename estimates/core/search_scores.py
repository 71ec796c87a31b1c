"""What each configuration of a candidate needs for the load, whether it keeps the limits, and its score.

Arrays of shape (rows, batches): rows are (lane, pipeline stages) of one offer, batches loads of a replica.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.core.arrivals import poisson_wait
from estimates.core.cost import usd_per_mtok_output
from estimates.core.demand import Bounds, Candidate, Demand
from estimates.core.grid_block import Block
from estimates.core.percentiles import prompt_cost, tpot_quantile, ttft_quantile
from estimates.core.serving import stages_in_flight

Array = NDArray[np.floating]
Mask = NDArray[np.bool_]

WHOLE = 1e-6  # a quotient this near to a whole number is that number


@dataclass(slots=True)
class Scored:
    """One candidate's configurations; masks say which limits each keeps."""

    start: int  # of the candidate's rows in the block
    cluster: int
    running: Mask  # fits, and the offer has chips enough for a replica
    in_flight: Array  # requests of a replica at its load
    requests_per_s: Array  # that a replica answers at its load
    per_unit: Array  # replicas on one machine, or on machines joined together
    tpot: Array  # at the quantile asked for
    ttft: Array
    tpot_ok: Mask
    ttft_ok: Mask
    replicas: Array  # that the load needs
    machines: Array  # spare included
    throughput: Array  # output tokens/s of the whole deployment under the load
    totals: dict[str, Array]  # bound -> value of the whole deployment; NaN where a fact is missing
    bounds_ok: dict[str, Mask]
    speed: Array  # tokens/s and user
    per_chip: Array
    usd_per_mtok: Array | None

    @property
    def within_bounds(self) -> Mask:
        kept = self.running
        for mask in self.bounds_ok.values():
            kept = kept & mask
        return kept

    @property
    def within(self) -> Mask:
        """Keeps every limit."""
        return self.within_bounds & self.tpot_ok & self.ttft_ok


def whole_up(values: Array) -> Array:
    """Rounded up, but for what is a whole number within the precision of the search."""
    return np.asarray(np.ceil(values * (1 - WHOLE)))


def scored(
    block: Block,
    span: tuple[int, int],
    candidate: Candidate,
    cluster: int,
    demand: Demand,
    bounds: Bounds,
    osl: float,
    layers: int,
    admitted: Array,
) -> Scored:
    """Judge the rows `span` of a block of one workload as deployments on a candidate.

    `cluster` machines stand together as one offer of the block; price, power and rack share are of one.
    `admitted`, shape (lanes,): requests that the software lets a replica run.
    """
    part = slice(*span)
    loop = block.loop
    count = candidate.offer.count
    per_unit = np.floor(cluster * count / block.chips[part].astype(float)).reshape(-1, 1)
    in_flight = block.in_flight[part][:, 0].astype(float)
    rate = block.throughput[part][:, 0].astype(float)  # of a replica
    seats = admitted[block.lane_of[part]].reshape(-1, 1)
    running = block.valid[part][:, 0] & (per_unit > 0) & (rate > 0) & (in_flight <= seats)
    rate = np.where(running, rate, np.nan)
    if demand.concurrency is not None:
        replicas = whole_up(demand.concurrency / in_flight)
        throughput = rate * (demand.concurrency / in_flight)
    elif demand.requests_per_s is not None:
        replicas = whole_up(demand.requests_per_s * osl / rate)
        throughput = np.where(running, demand.requests_per_s * osl, np.nan)
    else:
        replicas = per_unit + 0.0 * in_flight
        throughput = rate * replicas
    spare = 0 if demand.is_open else demand.spare
    machines = whole_up((replicas + spare) / np.maximum(per_unit, 1)) * cluster
    chips = machines * count
    unknown = np.full_like(machines, np.nan)

    def total(each: float | None) -> Array:
        return unknown if each is None else machines * each

    totals = {
        "chips": chips,
        "machines": machines,
        "watts": total(candidate.watts),
        "usd_per_hour": total(candidate.usd_per_hour),
    }
    kept = {
        name: values <= limit * (1 + WHOLE)
        for name, values in totals.items()
        if (limit := getattr(bounds, name)) is not None
    }
    tpot, ttft = _at(block, part, demand, replicas, osl, layers)
    cost = None
    if candidate.usd_per_hour is not None:
        cost = usd_per_mtok_output(totals["usd_per_hour"], throughput)
    return Scored(
        start=span[0],
        cluster=cluster,
        running=running,
        in_flight=in_flight,
        requests_per_s=rate / osl,
        per_unit=per_unit,
        tpot=tpot,
        ttft=ttft,
        tpot_ok=running & (tpot <= (np.inf if demand.tpot_s is None else demand.tpot_s)),
        # A first token that cannot be estimated, for want of a published rate, breaks no limit.
        ttft_ok=running & ~(ttft > (np.inf if demand.ttft_s is None else demand.ttft_s)),
        replicas=replicas,
        machines=machines,
        throughput=throughput,
        totals=totals,
        bounds_ok=kept,
        speed=1 / loop.tpot[part][:, 0],
        per_chip=throughput / chips,
        usd_per_mtok=cost,
    )


def _at(
    block: Block, part: slice, demand: Demand, replicas: Array, osl: float, layers: int
) -> tuple[Array, Array]:
    """TPOT and TTFT at the quantiles asked for. Users who arrive by chance meet no first wave."""
    loop = block.loop

    def flat(values: Array) -> Array:
        return np.broadcast_to(values, loop.tpot.shape)[part][:, 0].astype(float)

    wait, burst, mean = flat(loop.wait), flat(loop.burst), flat(loop.ttft_loaded)
    service = mean - wait - burst
    if demand.requests_per_s is None:
        ttft = ttft_quantile(service, wait, burst, demand.ttft_at)
    else:
        factor = np.broadcast_to(block.ttft_factor, loop.tpot.shape)[part][:, 0]
        dp = block.lanes.flat("dp")[block.lane_of[part]].reshape(-1, 1)
        own = flat(block.prompt_service) * factor
        wait, busy = poisson_wait(demand.requests_per_s / replicas / dp, own)
        ttft = ttft_quantile(service, wait, 0.0, demand.ttft_at, busy=busy)
    tpot, disturbed = flat(loop.tpot), flat(loop.interference)
    if demand.tpot_at != "mean":
        rows = block.lane_of[part]
        slots = block.lanes.flat("dp")[rows] * stages_in_flight(block.pp[part].astype(float), layers)
        others = np.maximum(block.in_flight[part][:, 0] - 1, 0) / slots[:, None]
        met = block.lanes.flat("interference_share")[rows][:, None] * others
        tpot = tpot_quantile(tpot, disturbed, prompt_cost(disturbed, met, osl), osl, demand.tpot_at)
    return tpot, ttft


def score(judged: Scored, objective: str, candidate: Candidate) -> Array:
    """Smaller is better. Where the objective's fact is unknown, chips a token, so that one is chosen all the

    same; such candidates rank behind those that are known.
    """
    chips_per_token = 1 / judged.per_chip
    if objective == "speed_per_user":
        # Of loads that are as fast as each other the one that takes fewer chips.
        return np.asarray(1 / judged.speed * (1 + WHOLE * np.log1p(chips_per_token)))
    if objective == "usd_per_mtok" and judged.usd_per_mtok is not None:
        return judged.usd_per_mtok
    if objective == "throughput_per_watt" and candidate.watts is not None:
        return np.asarray(judged.totals["watts"] / judged.throughput)
    if objective == "throughput_per_rack" and candidate.rack_share is not None:
        return np.asarray(judged.machines * candidate.rack_share / judged.throughput)
    return np.asarray(chips_per_token)
