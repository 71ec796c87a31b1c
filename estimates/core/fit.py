"""What fits: the largest context, and for what does not, the smallest change that would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.deployments import resolve_kv, schemes_for
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Offer, Workload
from estimates.core.lanes import build_lanes
from estimates.core.lowering import lower
from estimates.core.memory import take_rows
from estimates.core.model_columns import columns_of
from estimates.core.options import refuse_second_tier
from estimates.core.points import Evaluated, Point, deployed_memory
from estimates.core.second_tier import second_tier_bytes, with_second_tier
from estimates.core.speculation import drafts_of

CHANGE_KINDS: tuple[str, ...] = ("", "context", "format", "chips", "chip", "second_tier")
LARGEST_CONTEXT = 2**24
MOST_CHIPS = 2**16


@dataclass(frozen=True, slots=True)
class SmallestChange:
    """What would make it fit: `kind` context, second_tier, format or chips, the value needed, a sentence."""

    kind: str
    value: str
    detail: str

    def to_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "value": self.value, "detail": self.detail}


def largest_context(evaluated: Evaluated, index: int, max_context: int | None) -> int:
    """Tokens of one request alone on the configuration, at most the model's own context; 0: not one."""
    memory, point = evaluated.memory, evaluated.points[index]
    room = evaluated.usable[index] * point.pp
    limit = max_context or LARGEST_CONTEXT

    def needs(context: int) -> float:
        return float(memory.cache(np.full(1, float(context))).reshape(-1)[index] + memory.logits[index])

    if room <= 0 or needs(1) > room:
        return 0
    if needs(limit) <= room:
        return limit
    low, high = 1, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if needs(middle) <= room else (low, middle)
    return low


def smallest_change(
    model: ModelFacts,
    offer: Offer,
    workload: Workload,
    point: Point,
    evaluated: Evaluated,
    efficiency: EfficiencyTable,
) -> SmallestChange:
    """The least of: a shorter context, the memory behind the first tier, a narrower weight format on the

    same chips, more chips.
    """
    context = largest_context(evaluated, 0, model.architecture.max_context)
    if context >= 16:
        return SmallestChange(
            "context",
            str(context),
            f"a context of {context} tokens instead of {workload.isl + workload.osl:.0f}",
        )
    behind = not point.offload and refuse_second_tier(offer.chip) is None
    if behind and _fits(model, replace(point, offload=True), workload, efficiency):
        held = (second_tier_bytes(offer.chip) or 0.0) / 1e9
        detail = f"what does not fit in the second memory tier, {held:.0f} GB a chip, at its speed"
        return SmallestChange("second_tier", "second_tier", detail)
    present = point.lane.scheme.group("routed_experts").bits + point.lane.scheme.group("attention").bits
    narrower = [
        scheme
        for scheme in schemes_for(model, offer.chip, efficiency)
        if scheme.group("routed_experts").bits + scheme.group("attention").bits < present
    ]
    narrower.sort(key=lambda scheme: -scheme.group("routed_experts").bits - scheme.group("attention").bits)
    for scheme in narrower:
        lane = replace(point.lane, scheme=scheme, kv_format=resolve_kv(None, scheme, offer.chip))
        if _fits(model, replace(point, lane=lane), workload, efficiency):
            return SmallestChange(
                "format", scheme.slug, f"weights in {scheme.slug} instead of {point.lane.scheme.slug}"
            )
    chips = chips_needed(model, point, workload, efficiency)
    if chips is None:
        return SmallestChange("chip", "", "no number of these chips holds it: a chip with more memory")
    return SmallestChange("chips", str(chips), f"{chips} chips instead of {offer.count}")


def _fits(model: ModelFacts, point: Point, workload: Workload, efficiency: EfficiencyTable) -> bool:
    lanes, models = build_lanes([point.lane], efficiency), columns_of(model)
    drafts = drafts_of(models, [point.lane], [point.speculation], efficiency)
    memory = deployed_memory(models, lanes, drafts, [point.offload])
    layers = models.flat("layers")
    need = memory.cache(np.full(1, workload.isl + workload.osl)).reshape(-1)[0] + memory.logits[0]
    return bool(memory.usable(np.full(1, float(point.pp)), layers)[0] >= need / point.pp)


def chips_needed(
    model: ModelFacts, point: Point, workload: Workload, efficiency: EfficiencyTable
) -> int | None:
    """Chips that hold weights and one request in the present format, as pipeline stages of one stage size.

    Memory alone: whether links allow that many is not asked. None where even one layer is too much.
    """
    layers = lower(model.architecture).layers
    most = MOST_CHIPS if point.lane.variant.chip.sram_first else layers
    if not _fits(model, replace(point, pp=most), workload, efficiency):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if _fits(model, replace(point, pp=middle), workload, efficiency):
            high = middle
        else:
            low = middle
    return high * point.lane.group


def smallest_changes(
    evaluated: Evaluated, wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """For every wanted point: kind of the smallest change (index into CHANGE_KINDS) and its value.

    The context that would fit where weights do, else the chips that hold weights and one request. Formats
    are not compared: a search has tried them all and reports the one that came nearest.
    """
    count = len(evaluated.points)
    kinds, values = np.zeros(count, np.int32), np.full(count, np.nan)
    rows = np.flatnonzero(wanted)
    if not rows.size:
        return kinds, values
    memory, models = take_rows(evaluated.memory, rows), evaluated.models.take(rows)
    layers = models.flat("layers")
    longest = [models.architecture(row).max_context or LARGEST_CONTEXT for row in range(rows.size)]
    stages = np.array([float(evaluated.points[row].pp) for row in rows])
    full = np.array([evaluated.points[row].workload.isl + evaluated.points[row].workload.osl for row in rows])
    context = _largest(
        np.ones(rows.size),
        np.array(longest, float),
        lambda tokens: memory.cache(tokens[:, None])[:, 0] + memory.logits <= evaluated.usable[rows] * stages,
    )
    most = np.where(memory.even, float(MOST_CHIPS), layers)

    def holds(number: NDArray[np.float64]) -> NDArray[np.bool_]:
        request = (memory.cache(full[:, None])[:, 0] + memory.logits) / number
        return np.asarray(memory.usable(number, layers) >= request)

    chips = [evaluated.points[row].lane.variant.chip for row in rows]
    deeper = [
        not evaluated.points[row].offload and refuse_second_tier(chip) is None
        for row, chip in zip(rows, chips, strict=True)
    ]
    behind = with_second_tier(memory, evaluated.lanes.take(rows), deeper)
    request = (memory.cache(full[:, None])[:, 0] + memory.logits) / stages
    second = np.array(deeper) & (behind.usable(stages, layers) >= request)
    possible = holds(most)
    needed = _largest(np.ones(rows.size), most, lambda number: ~holds(number)) + 1
    groups = evaluated.lanes.flat("group")[rows]
    more = np.where(second, 5, np.where(possible, 3, 4))
    kinds[rows] = np.where(context >= 16, 1, more)
    values[rows] = np.where(context >= 16, context, np.where(more == 3, needed * groups, np.nan))
    return kinds, values


def _largest(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    holds: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> NDArray[np.float64]:
    """Largest whole number between two bounds at which a condition holds that fails for good somewhere;

    0 where it fails at the lower bound.
    """
    never = ~holds(low)
    low = np.where(holds(high), high, low)
    while (high - low).max(initial=0) > 1:
        middle = np.floor((low + high) / 2)
        good = holds(middle)
        low, high = (
            np.where(good, np.maximum(middle, low), low),
            np.where(good, high, np.maximum(middle, low)),
        )
    return np.where(never, 0, low)
