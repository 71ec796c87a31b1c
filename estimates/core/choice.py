"""Fill what a deployment leaves open: formats, layouts, pipeline depths, loads; and pick the best of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.core.deployments import (
    Layout,
    holds_experts,
    layouts,
    on_chip,
    pipeline_limit,
    reaches,
    resolve_scheme,
    schemes_for,
    stage_variant,
)
from estimates.core.disaggregated import PrefillPool
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Chip, Deployment, ModelFacts, Offer, Pool, Workload
from estimates.core.formats import WeightScheme
from estimates.core.lanes import Lane, Variant, build_lanes
from estimates.core.lowering import lower
from estimates.core.memory import take_rows
from estimates.core.model_columns import columns_of
from estimates.core.points import Evaluated, Point, deployed_memory, replica_capacity
from estimates.core.pools import pool_layouts, splits
from estimates.core.scenarios import sequence_limit
from estimates.core.speculation import drafts_of
from estimates.core.stages import stage_options

BATCHES: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 384, 512, 1024)


ALL_BUT = 0.99  # of the highest throughput of pools: as good as it
NEAR_FASTEST = 1.03  # TPOTs within this of the lowest pass as equal: far inside the error of any estimate


def nearest_to_level(
    tpot: NDArray[np.floating], throughput: NDArray[np.floating]
) -> np.intp | NDArray[np.intp]:
    """Where nothing keeps the service level: of the lowest TPOTs the highest throughput.

    Positions along the last axis; a negative throughput marks what does not run, and at least one must.
    """
    running = throughput >= 0
    lowest = np.where(running, tpot, np.inf).min(-1, keepdims=True)
    near = running & (tpot <= NEAR_FASTEST * lowest)
    return np.argmax(np.where(near, throughput, -1.0), axis=-1)


@dataclass(frozen=True, slots=True)
class Choice:
    """A point on one replica and how many replicas the offer runs."""

    point: Point
    replicas: int


def schemes_to_try(
    model: ModelFacts, offer: Offer, deployment: Deployment, efficiency: EfficiencyTable
) -> list[WeightScheme]:
    if deployment.weights is not None:
        return [on_chip(resolve_scheme(deployment.weights, model), offer.chip)]
    own = on_chip(resolve_scheme(None, model), offer.chip)
    others = [scheme for scheme in schemes_for(model, offer.chip, efficiency) if scheme != own]
    return [own, *sorted(others, key=lambda s: -s.group("routed_experts").bits - s.group("attention").bits)]


def asked_layouts(model: ModelFacts, offer: Offer, asked: Deployment | Pool) -> list[Layout]:
    """Layouts that agree with the fields given."""
    lowered = lower(model.architecture)
    variant = Variant(offer.chip, offer.scale_up, offer.scale_out)
    given = (asked.tp, asked.dp, asked.ep)
    if asked.tp is not None and (asked.dp is not None or asked.ep is None):
        tp, dp = asked.tp, asked.dp or 1
        ep = asked.ep
        if ep is None:
            ep = tp * dp if dp > 1 and holds_experts(lowered, tp * dp) else 1
        return [Layout(tp, dp, ep)]
    found = [
        layout
        for layout in layouts(lowered, variant, offer.count)
        if all(
            want is None or want == have
            for want, have in zip(given, (layout.tp, layout.dp, layout.ep), strict=True)
        )
    ]
    return found or [one for one in stated_layouts(asked) if reaches(offer, one.tp * one.dp)]


def stated_layouts(asked: Deployment | Pool) -> list[Layout]:
    """What stated sizes leave open, filled by what they imply: for what no search tries.

    Fewer expert ranks than chips shard each expert inside; more than tensor ranks share attention out by data
    parallelism.
    """
    tp, dp, ep = asked.tp, asked.dp, asked.ep
    if ep is None:
        return []
    if tp is None:
        tp = max(1, ep // (dp or ep)) if ep % (dp or ep) == 0 else 1
    if dp is None:
        dp = ep // tp if ep > tp and ep % tp == 0 else 1
    return [Layout(tp, dp, ep)] if (tp * dp) % ep == 0 else []


@dataclass(frozen=True, slots=True)
class Search:
    """What a search of layouts needs, for one weight scheme and cache format."""

    model: ModelFacts
    offer: Offer
    workload: Workload
    deployment: Deployment
    scheme: WeightScheme
    kv_format: str
    efficiency: EfficiencyTable
    prompt_chip: Chip | None = None  # the engine that computes prompts, where it is another one

    def lane(self, layout: Layout) -> Lane:
        offer, asked = self.offer, self.deployment
        variant = stage_variant(offer, layout.tp * layout.dp)
        return Lane(
            variant,
            self.scheme,
            self.kv_format,
            layout.tp,
            layout.dp,
            layout.ep,
            self.efficiency.software_of(offer.chip, asked.software),
            asked.chunk_tokens,
            self.prompt_chip,
        )

    def staged(self, found: Sequence[Layout], pp: int | None, tokens: float) -> list[tuple[Lane, int, float]]:
        """(lane, pipeline stages, requests of `tokens` that a replica admits) of every layout and depth."""
        lanes = [self.lane(layout) for layout in found if layout.tp * layout.dp <= self.offer.count]
        if not lanes:
            return []
        lowered, models = lower(self.model.architecture), columns_of(self.model)
        built = build_lanes(lanes, self.efficiency)
        asked = self.deployment
        drafts = drafts_of(models, lanes, [asked.speculation] * len(lanes), self.efficiency)
        offloads = [asked.offload is not None] * len(lanes)
        memory = deployed_memory(models, built, drafts, offloads)
        if pp is not None:
            options: list[tuple[int, ...]] = [(pp,)] * len(lanes)
        else:
            count = self.offer.count
            limits = np.array([pipeline_limit(lane.variant, count, lane.group, lowered) for lane in lanes])
            options = stage_options(memory, limits, [tokens], lowered.layers)
        rows = np.repeat(np.arange(len(lanes)), [len(option) for option in options])
        depth = np.array([stages for option in options for stages in option])
        context = np.full((rows.size, 1), tokens)
        taken = built.take(rows)
        stages = depth.astype(float).reshape(-1, 1, 1)
        common = self.workload.isl * self.workload.prefix_share * self.workload.prefix_shared
        held, _, _ = replica_capacity(take_rows(memory, rows), taken, stages, context, lowered.layers, common)
        share = 1.0 if self.workload.arrival != "closed_loop" else taken.flat("saturation_share")
        whole = np.where(held[:, 0] >= 1, np.maximum(1, np.floor(share * held[:, 0])), 0)
        admitted = np.minimum(whole, sequence_limit(taken, self.efficiency))
        return [(lanes[row], int(n), float(most)) for row, n, most in zip(rows, depth, admitted, strict=True)]

    def loads(self, lane: Lane, pp: int, most: float) -> list[float]:
        """Requests a replica is tried with where that is open: the usual batches, and the most it admits."""
        slots = lane.dp * min(pp, lower(self.model.architecture).layers)
        usual = [float(batch * slots) for batch in BATCHES]
        if slots > 1:
            usual.insert(0, 1.0)
        limited = [load for load in usual if load <= most] or [1.0]
        top = min(most, max(usual))
        return limited if top <= limited[-1] else [*limited, top]


def has_open_load(workload: Workload, asked: Deployment) -> bool:
    """Whether the number of requests in flight is the estimator's to choose."""
    return asked.concurrency is None or workload.arrival == "saturating"


def choices_for(search: Search) -> list[Choice]:
    """Every layout, depth, load and division of chips that agrees with what was asked."""
    asked, offer, work = search.deployment, search.offer, search.workload
    found = asked_layouts(search.model, offer, asked)
    staged = search.staged(found, asked.pp, work.isl + work.osl)
    choices = []
    for lane, pp, most in staged:
        for replicas, pool in _replicas(search, lane, pp):
            if not has_open_load(work, asked):
                loads = [(asked.concurrency or 1) / replicas]
            elif asked.concurrency is not None:  # saturating, with a limit on what runs at once
                loads = search.loads(lane, pp, max(1.0, min(most, asked.concurrency / replicas)))
            else:
                loads = search.loads(lane, pp, most)
            version = asked.software_version
            spec, offload = asked.speculation, asked.offload is not None
            choices += [
                Choice(Point(lane, pp, work, load, pool, version, spec, offload), replicas) for load in loads
            ]
    return choices


def _replicas(search: Search, lane: Lane, pp: int) -> Iterator[tuple[int, PrefillPool | None]]:
    """Replicas of a lane and the prefill pool beside them."""
    asked, offer = search.deployment, search.offer
    if asked.prefill is None:
        most = offer.count // (lane.group * pp)
        if most < 1 or (asked.replicas or 1) > most:
            return
        replicas = asked.replicas or most
        if asked.concurrency is not None and asked.replicas is None:
            replicas = min(replicas, asked.concurrency)
        yield replicas, None
        return
    pool = asked.prefill
    own = Layout(lane.tp, lane.dp, lane.ep)
    candidates = pool_layouts(pool, own, asked_layouts(search.model, offer, pool))
    for prefill, depth, held in search.staged(candidates, pool.pp, search.workload.isl):
        if held >= 1 or pool.pp is not None:
            for split in splits(offer, asked, lane, pp, prefill, depth):
                yield split.replicas, split.pool


def best_choice(
    choices: list[Choice], evaluated: Evaluated, workload: Workload, deployment: Deployment
) -> int:
    replicas = np.array([choice.replicas for choice in choices], float)
    loop = evaluated.loop
    open_load = has_open_load(workload, deployment)
    throughput = replicas * np.where(
        np.isnan(loop.throughput), loop.decode_throughput, loop.throughput
    ).reshape(-1)
    fit = evaluated.fits
    asked = np.array([choice.point.concurrency for choice in choices])
    if open_load:
        share = np.where(workload.arrival != "closed_loop", 1.0, evaluated.lanes.flat("saturation_share"))
        room = np.minimum(np.maximum(1, np.floor(share * evaluated.capacity)), evaluated.limit)
        held = np.where([choice.point.prefill is not None for choice in choices], evaluated.in_flight, asked)
        fit &= held <= room
    score = np.where(fit, throughput, -1.0)
    within = fit.copy()
    if workload.tpot_slo_s is not None:
        within &= loop.tpot.reshape(-1) <= workload.tpot_slo_s
    if workload.ttft_slo_s is not None:
        within &= ~(loop.ttft_loaded.reshape(-1) > workload.ttft_slo_s)
    if within.any():
        score = np.where(within, throughput, -1.0)
    elif fit.any() and open_load:
        return int(nearest_to_level(loop.tpot.reshape(-1), score))
    if deployment.prefill is not None and open_load:
        # Beyond the slower pool's limit more clients only wait: the first load that all but reaches it.
        score = np.where(score >= ALL_BUT * score.max(), -loop.e2e.reshape(-1), -np.inf)
    return int(np.argmax(score))
