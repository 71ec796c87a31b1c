"""Disaggregated deployments: which prefill pools exist beside a decode layout, why an asked one does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from estimates.core.deployments import Layout, Reason, validate
from estimates.core.disaggregated import PrefillPool
from estimates.core.facts import Deployment, ModelFacts, Offer, Pool, Workload
from estimates.core.lanes import Lane

SPLITS = 6  # divisions of the chips between the pools that a search tries


def refuse_pool(
    model: ModelFacts, offer: Offer, workload: Workload, deployment: Deployment, *, padded: bool = False
) -> Reason | None:
    """The first rule an explicit prefill pool breaks, None when it breaks none or there is none."""
    pool = deployment.prefill
    if pool is None:
        return None
    if workload.arrival == "static":
        detail = "a static batch is computed by the workers that decode it: no prefill pool"
        return Reason("static_prefill_pool", detail, "prefill", None, ("arrival closed_loop", "no prefill"))
    alone = Deployment(tp=pool.tp, pp=pool.pp, ep=pool.ep, dp=pool.dp, replicas=pool.workers)
    reason = validate(model, offer, alone, padded=padded)
    if reason is not None:
        return replace(reason, field=_field(reason.field), detail=f"prefill pool: {reason.detail}")
    decode = chips(deployment, deployment.replicas)
    least = decode + chips(alone, pool.workers)
    if least > offer.count:
        detail = f"both pools together ask for {least} chips of an offer of {offer.count}"
        return Reason("too_many_chips", detail, "count", None, (f"at least {least} chips",))
    return unlinked(offer, least)


def unlinked(offer: Offer, chips: int) -> Reason | None:
    """Why pools of so many chips together cannot hand over caches: no link between them is known."""
    if offer.chip.sram_first or chips <= offer.domain:
        return None
    out = offer.scale_out is not None and offer.scale_out.bytes_per_s is not None
    if not out:
        up = offer.scale_up is not None and offer.scale_up.bytes_per_s is not None
        link, fact = ("scale_out", "scale_out_bandwidth") if up else ("scale_up", "scale_up_bandwidth")
        detail = f"the link over which the pools of {offer.slug} hand over the cache is not known"
        return Reason("missing_link", detail, link, fact)
    return None


def _field(name: str | None) -> str | None:
    return "prefill.workers" if name == "count" else f"prefill.{name}" if name else name


def chips(sizes: Deployment, workers: int | None) -> int:
    """Fewest chips that the sizes given leave possible."""
    return (sizes.tp or 1) * (sizes.dp or 1) * (sizes.pp or 1) * (workers or 1)


@dataclass(frozen=True, slots=True)
class Split:
    """A prefill pool and the decode workers beside it."""

    pool: PrefillPool
    replicas: int


def pool_layouts(pool: Pool, own: Layout, allowed: list[Layout]) -> list[Layout]:
    """Layouts of a prefill worker. Where none of its sizes is given: that of the decode worker, and tensor

    parallelism alone over as many chips.
    """
    if pool.tp is None and pool.dp is None and pool.ep is None:
        plain = Layout(own.tp * own.dp, 1, 1)
        return [own, plain] if plain != own and plain in allowed else [own]
    return allowed


def splits(
    offer: Offer, deployment: Deployment, lane: Lane, pp: int, prefill: Lane, prefill_pp: int
) -> Iterator[Split]:
    """Divisions of the offer between decode workers of `lane` and prefill workers; as stated where stated."""
    pool = deployment.prefill
    if pool is None:
        return
    one, other = lane.group * pp, prefill.group * prefill_pp
    if deployment.replicas is not None:
        decode = [deployment.replicas]
    elif pool.workers is not None:
        decode = [(offer.count - pool.workers * other) // one]
    else:
        most = (offer.count - other) // one
        decode = sorted({round(n) for n in np.linspace(1, most, SPLITS)}) if most >= 1 else []
    for replicas in decode:
        left = (offer.count - replicas * one) // other
        workers = pool.workers if pool.workers is not None else left
        if replicas < 1 or workers < 1 or workers > left:
            continue
        if deployment.concurrency is not None and deployment.replicas is None:
            replicas = min(replicas, deployment.concurrency)
        if unlinked(offer, replicas * one + workers * other) is not None:
            continue
        yield Split(PrefillPool(prefill, prefill_pp, workers, replicas), replicas)
