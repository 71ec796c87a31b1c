"""Why a result is what it is: memory and time splits, the binding limit, elasticities, formulas with numbers.

Elasticities are relative changes of a result per relative change of a hardware figure, found by evaluating
the same deployment again with the figure raised: an elasticity of TPOT to bandwidth of -0.7 says that 10%
more bandwidth takes about 7% off.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from estimates.core.acceptance import accepted_range
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Offer
from estimates.core.fit import largest_context
from estimates.core.formulas import assumptions, formulas
from estimates.core.memory import SPLIT
from estimates.core.points import Evaluated, Point, evaluate_points
from estimates.core.roofline import LIMITS, Ledger

STEP = 0.05  # relative change for elasticities
HARDWARE: tuple[str, ...] = ("memory_capacity", "memory_bandwidth", "compute")


@dataclass(frozen=True, slots=True)
class Explanation:
    memory: dict[str, float]
    max_context: int
    assumptions: tuple[str, ...]
    second_tier: dict[str, float] = field(default_factory=dict)
    speculation: dict[str, object] = field(default_factory=dict)
    time_by_operation: dict[str, float] = field(default_factory=dict)
    time_by_limit: dict[str, float] = field(default_factory=dict)
    ttft_by_operation: dict[str, float] = field(default_factory=dict)
    ttft_by_limit: dict[str, float] = field(default_factory=dict)
    binding_limit: str | None = None
    elasticities: dict[str, dict[str, float | None]] = field(default_factory=dict)
    most_helpful: str | None = None
    formulas: tuple[str, ...] = ()


def _first(array: np.ndarray) -> float:
    return float(np.asarray(array).reshape(-1)[0])


def explain(
    model: ModelFacts,
    offer: Offer,
    point: Point,
    replicas: int,
    evaluated: Evaluated,
    efficiency: EfficiencyTable,
    *,
    whole: bool = True,
) -> Explanation:
    """Explain a single evaluated point (evaluated with `detailed`); not `whole`: times and memory alone."""
    memory = memory_split(evaluated, 0)
    context = largest_context(evaluated, 0, model.architecture.max_context)
    assumed = assumptions(offer, point, evaluated, model.architecture)
    if not evaluated.fits[0]:
        return Explanation(memory, context, assumed, second_tier_split(evaluated, 0))
    by_operation, by_limit = tpot_split(evaluated, 0)
    ttft_operation, ttft_limit = ttft_split(evaluated)
    elasticities = _elasticities(model, point, evaluated, efficiency) if whole else {}
    return Explanation(
        memory=memory,
        max_context=context,
        assumptions=assumed,
        second_tier=second_tier_split(evaluated, 0),
        speculation=speculation_split(evaluated, 0),
        time_by_operation=by_operation,
        time_by_limit=by_limit,
        ttft_by_operation=ttft_operation,
        ttft_by_limit=ttft_limit,
        binding_limit=max(by_limit, key=lambda limit: by_limit[limit]),
        elasticities=elasticities,
        most_helpful=_most_helpful(elasticities) if elasticities else None,
        formulas=formulas(point, replicas, evaluated) if whole else (),
    )


def memory_split(evaluated: Evaluated, index: int) -> dict[str, float]:
    """Bytes on the fullest chip; they add up to its capacity."""
    memory, point = evaluated.memory, evaluated.points[index]
    weights = float(evaluated.weights[index])
    cache = float(evaluated.cache_per_request[index] * evaluated.in_flight[index] / point.lane.dp)
    work = point.workload
    if work.prefix_shared:
        cache += float(memory.growing[index]) * work.isl * work.prefix_share / point.pp
    reserve = float(memory.reserve_fixed[index] + memory.reserve_share[index] * weights)
    workspace = float(memory.workspace[index])
    capacity, budget = float(memory.capacity[index]), float(memory.budget[index])
    split = {f"weights_{name}": float(memory.split[name][index]) for name in SPLIT}
    layered = sum(split[f"weights_{name}"] for name in SPLIT if name not in ("embedding", "head"))
    if point.pp > 1 and memory.even[index]:
        split = {name: held / point.pp for name, held in split.items()}
    elif point.pp > 1 and layered > 0:  # the share of a stage; ends as the fullest stage holds them
        ends = max(split["weights_embedding"], split["weights_head"])
        scale = (weights - min(ends, weights)) / layered
        larger = (
            "weights_embedding" if split["weights_embedding"] >= split["weights_head"] else "weights_head"
        )
        for name in list(split):
            split[name] *= scale
        split["weights_embedding"] = split["weights_head"] = 0.0
        split[larger] = weights - sum(split.values())
    beside = float(memory.drafting(np.full(len(evaluated.points), float(point.pp)))[index])
    if beside:
        split["weights_draft"] = beside
    if evaluated.spill is not None:  # what lies in the first tier alone
        weights -= float(evaluated.spill.weights[index])
        cache -= float(evaluated.spill.cache[index])
    split |= {
        "weights": weights,
        "cache": cache,
        "workspace": workspace,
        "reserve": reserve,
        "outside_usable_share": capacity - budget,
        "free": budget - weights - beside - cache - workspace - reserve,
        "capacity": capacity,
    }
    return split


def second_tier_split(evaluated: Evaluated, index: int) -> dict[str, float]:
    """Bytes of the fullest chip that lie behind its first tier, and the bandwidth they are read at."""
    found, tiers = evaluated.spill, evaluated.points[index].lane.variant.chip.tiers
    if found is None or not evaluated.points[index].offload or len(tiers) < 2:
        return {}
    return {
        "routed_experts": float(found.experts[index]),
        "layers": float(found.layers[index]),
        "embedding_and_head": float(found.ends[index]),
        "weights": float(found.weights[index]),
        "cache": float(found.cache[index]),
        "capacity": tiers[1].addressable_bytes or 0.0,
        "bandwidth": tiers[1].bandwidth or 0.0,
    }


def speculation_split(evaluated: Evaluated, index: int) -> dict[str, object]:
    """What a step of one point drafts, verifies and yields, in seconds and tokens, by the physics."""
    spec, drafts = evaluated.points[index].speculation, evaluated.drafts
    if spec is None or drafts is None:
        return {}
    accepted = float(drafts.accepted.reshape(-1)[index])
    step = float(np.broadcast_to(evaluated.times.decode.reshape(-1), len(evaluated.points))[index]) * accepted
    drafting = evaluated.times.decode_ledger.operations.get("drafting", np.zeros(1))
    draft = float(np.broadcast_to(drafting.reshape(-1), len(evaluated.points))[index])
    return {
        "method": spec.method,
        "draft_model": spec.draft_model.slug if spec.draft_model is not None else None,
        "draft_tokens": spec.draft_tokens,
        "acceptance": spec.acceptance,
        "acceptance_range": list(accepted_range(spec)),
        "acceptance_source": spec.acceptance_source or "as stated",
        "tokens_per_step": accepted,
        "step_s": step,
        "draft_s": draft,
        "verify_s": step - draft,
    }


def tpot_parts(evaluated: Evaluated) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """One TPOT of every point by operation and by limit, arrays of shape (points,): the decode step,

    other requests' prompts, hops between stages.
    """
    times, loop = evaluated.times, evaluated.loop
    count = len(evaluated.points)
    tpot, interference, hops = (
        np.broadcast_to(np.asarray(part).reshape(-1), count)
        for part in (loop.tpot, loop.interference, loop.hops)
    )
    operations, limits = _scaled(times.decode_ledger, tpot - interference - hops)
    _, prompt_limits = _scaled(times.chunk_ledger, interference)
    operations["prompts of other requests"] = interference
    operations["hops between stages"] = hops
    for limit in LIMITS:
        limits[limit] = limits[limit] + prompt_limits[limit]
    limits["interconnect"] = limits["interconnect"] + hops
    return operations, limits


def tpot_split(evaluated: Evaluated, index: int) -> tuple[dict[str, float], dict[str, float]]:
    """One TPOT of one point by operation and by limit."""
    operations, limits = tpot_parts(evaluated)
    return (
        {name: float(seconds[index]) for name, seconds in operations.items() if seconds[index] > 0},
        {name: float(seconds[index]) for name, seconds in limits.items()},
    )


def binding_limits(evaluated: Evaluated) -> list[str]:
    """The limit with the largest part of each point's TPOT."""
    _, limits = tpot_parts(evaluated)
    largest = np.argmax(np.stack([limits[name] for name in LIMITS]), axis=0)
    return [LIMITS[position] for position in largest]


def _scaled(ledger: Ledger, total: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A ledger's parts, scaled so that they add up to `total`."""

    def flat(array: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.asarray(array).reshape(-1), total.shape)

    operations = {name: flat(seconds) for name, seconds in ledger.operations.items()}
    limits = {
        name: flat(ledger.limits[name]) if name in ledger.limits else np.zeros_like(total) for name in LIMITS
    }
    scale = total / np.maximum(sum(operations.values()), 1e-30)
    return (
        {name: seconds * scale for name, seconds in operations.items()},
        {name: seconds * scale for name, seconds in limits.items()},
    )


def ttft_split(evaluated: Evaluated) -> tuple[dict[str, float], dict[str, float]]:
    """The unloaded time to first token by operation and by limit; empty where a rate is missing."""
    unloaded = _first(evaluated.loop.ttft_unloaded)
    if not np.isfinite(unloaded):
        return {}, {}
    ledger = evaluated.times.chunk_ledger
    rest: np.ndarray = np.zeros(1)
    pools = evaluated.pools
    if pools is not None:
        ledger, rest = pools.prompts.ledger, pools.prompts.transfer.reshape(-1)
    operations, limits = _scaled(ledger, np.full(len(evaluated.points), unloaded) - rest)
    if pools is not None:
        operations["handing over the cache"] = rest
        limits["interconnect"] = limits["interconnect"] + rest
    return (
        {name: float(seconds[0]) for name, seconds in operations.items() if seconds[0] > 0},
        {name: float(seconds[0]) for name, seconds in limits.items()},
    )


def _elasticities(
    model: ModelFacts, point: Point, evaluated: Evaluated, efficiency: EfficiencyTable
) -> dict[str, dict[str, float | None]]:
    factor = 1 + STEP
    changed = {
        "memory_capacity": evaluate_points(model, [point], efficiency, capacity_scale=factor),
        "memory_bandwidth": evaluate_points(model, [point], efficiency, bandwidth_scale=factor),
        "compute": evaluate_points(model, [point], efficiency, compute_scale=factor),
    }

    def elasticity(before: float, after: float) -> float | None:
        if not (np.isfinite(before) and np.isfinite(after) and before > 0 and after > 0):
            return None
        return float(np.log(after / before) / np.log(factor))

    result: dict[str, dict[str, float | None]] = {}
    for hardware, other in changed.items():
        result[hardware] = {
            "tpot": elasticity(_first(evaluated.loop.tpot), _first(other.loop.tpot)),
            "ttft": elasticity(_first(evaluated.loop.ttft_loaded), _first(other.loop.ttft_loaded)),
            "throughput": elasticity(_first(evaluated.loop.throughput), _first(other.loop.throughput))
            if np.isfinite(_first(evaluated.loop.throughput))
            else elasticity(_first(evaluated.loop.decode_throughput), _first(other.loop.decode_throughput)),
            "max_concurrency": elasticity(_first(evaluated.capacity), _first(other.capacity)),
        }
    return result


def _most_helpful(elasticities: dict[str, dict[str, float | None]]) -> str:
    """The hardware figure that raises throughput most; speed of a user's tokens decides a tie."""

    def gain(name: str) -> tuple[float, float]:
        entry = elasticities[name]
        return round(entry["throughput"] or 0.0, 3), -(entry["tpot"] or 0.0)

    return max(HARDWARE, key=gain)
