"""Fill what a deployment leaves open: formats, layouts, pipeline depths, loads; and pick the best of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.core.deployments import (
    Layout,
    divides_experts,
    layouts,
    on_chip,
    pipeline_limit,
    resolve_scheme,
    schemes_for,
)
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import Deployment, ModelFacts, Offer, Workload
from estimates.core.formats import WeightScheme
from estimates.core.lanes import Lane, Variant, build_lanes
from estimates.core.lowering import lower
from estimates.core.memory import rank_memory
from estimates.core.points import Evaluated, Point
from estimates.core.stages import stage_options

BATCHES: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256, 384, 512, 1024)


NEAR_FASTEST = 1.03  # TPOTs within this of the lowest pass as equal: far inside the error of any estimate


def nearest_to_level(tpot: NDArray[np.floating], throughput: NDArray[np.floating]) -> int:
    """Where nothing keeps the service level: of the lowest TPOTs the highest throughput.

    Flat arrays; a negative throughput marks what does not run, and at least one must.
    """
    running = throughput >= 0
    lowest = np.where(running, tpot, np.inf).min()
    return int(np.argmax(np.where(running & (tpot <= NEAR_FASTEST * lowest), throughput, -1.0)))


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


def asked_layouts(model: ModelFacts, offer: Offer, deployment: Deployment) -> list[Layout]:
    """Layouts that agree with the fields given."""
    lowered = lower(model.architecture)
    variant = Variant(offer.chip, offer.scale_up, offer.scale_out)
    asked = (deployment.tp, deployment.dp, deployment.ep)
    if deployment.tp is not None and (deployment.dp is not None or deployment.ep is None):
        tp, dp = deployment.tp, deployment.dp or 1
        ep = deployment.ep
        if ep is None:
            ep = tp * dp if dp > 1 and divides_experts(lowered, tp * dp) else 1
        return [Layout(tp, dp, ep)]
    return [
        layout
        for layout in layouts(lowered, variant, offer.count)
        if all(
            want is None or want == have
            for want, have in zip(asked, (layout.tp, layout.dp, layout.ep), strict=True)
        )
    ]


def choices_for(
    model: ModelFacts,
    offer: Offer,
    workload: Workload,
    deployment: Deployment,
    scheme: WeightScheme,
    kv_format: str,
    efficiency: EfficiencyTable,
) -> list[Choice]:
    lowered = lower(model.architecture)
    variant = Variant(offer.chip, offer.scale_up, offer.scale_out)
    found = [
        Lane(
            variant,
            scheme,
            kv_format,
            layout.tp,
            layout.dp,
            layout.ep,
            deployment.software,
            deployment.chunk_tokens,
        )
        for layout in asked_layouts(model, offer, deployment)
        if layout.tp * layout.dp <= offer.count
    ]
    if not found:
        return []
    if deployment.pp is not None:
        options: list[tuple[int, ...]] = [(deployment.pp,)] * len(found)
    else:
        lanes = build_lanes(found, efficiency)
        memory = rank_memory(model.architecture, lanes)
        limits = np.array([pipeline_limit(variant, offer.count, lane.group, lowered) for lane in found])
        options = stage_options(memory, lanes, limits, [workload.isl + workload.osl], lowered.layers)
    choices = []
    for lane, stages in zip(found, options, strict=True):
        for pp in stages:
            most = offer.count // (lane.group * pp)
            if most < 1 or (deployment.replicas or 1) > most:
                continue
            replicas = deployment.replicas or most
            if deployment.concurrency is not None:
                used = min(replicas, deployment.concurrency) if deployment.replicas is None else replicas
                loads = [deployment.concurrency / used]
                replicas = used
            else:
                slots = lane.dp * min(pp, lowered.layers)
                loads = [float(batch * slots) for batch in BATCHES]
                if slots > 1:
                    loads.insert(0, 1.0)
            choices += [Choice(Point(lane, pp, workload, load), replicas) for load in loads]
    return choices


def best_choice(
    choices: list[Choice], evaluated: Evaluated, workload: Workload, deployment: Deployment
) -> int:
    replicas = np.array([choice.replicas for choice in choices], float)
    loop = evaluated.loop
    throughput = replicas * np.where(
        np.isnan(loop.throughput), loop.decode_throughput, loop.throughput
    ).reshape(-1)
    fit = evaluated.capacity >= 1
    asked = np.array([choice.point.concurrency for choice in choices])
    if deployment.concurrency is None:
        share = evaluated.lanes["saturation_share"].reshape(-1)
        fit &= asked <= np.maximum(1, np.floor(share * evaluated.capacity))
    score = np.where(fit, throughput, -1.0)
    within = fit.copy()
    if workload.tpot_slo_s is not None:
        within &= loop.tpot.reshape(-1) <= workload.tpot_slo_s
    if workload.ttft_slo_s is not None:
        within &= ~(loop.ttft_loaded.reshape(-1) > workload.ttft_slo_s)
    if within.any():
        score = np.where(within, throughput, -1.0)
    elif fit.any() and deployment.concurrency is None:
        return nearest_to_level(loop.tpot.reshape(-1), score)
    return int(np.argmax(score))
