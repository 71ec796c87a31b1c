"""Weights and caches that the first memory tier does not hold: kept in the tier behind, read from there.

The first tier keeps the software's reserve, its workspace and what drafts. What is over of weights and of the
caches in use lies behind: routed experts first (of which a step reads the touched ones alone), then the other
matrices of the layers, then embedding and head, then caches. A product whose weights lie partly behind reads
each part at the bandwidth of its own tier, at the same share of it, one after the other: nothing is fetched
ahead of its use, nothing is kept from step to step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimates.core.facts import Chip
from estimates.core.lanes import Lanes
from estimates.core.memory import RankMemory

Array = NDArray[np.floating]

#: Tensor groups of a step's products by the order in which they are moved.
_MOVED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("experts", ("routed_experts",)),
    ("layers", ("attention", "dense_ffn", "shared_experts", "router")),
    ("ends", ("head",)),
)


def second_tier_bytes(chip: Chip) -> float | None:
    """Capacity behind the first tier; None where there is none or it is not known."""
    return chip.tiers[1].addressable_bytes if len(chip.tiers) > 1 else None


def with_second_tier(memory: RankMemory, lanes: Lanes, offloads: Sequence[bool]) -> RankMemory:
    """The ranks' memory with the second tier of the lanes that use it, filled to the same share."""
    if not any(offloads):
        return memory
    behind = [
        (second_tier_bytes(lane.variant.chip) or 0.0) if offload else 0.0
        for lane, offload in zip(lanes.lanes, offloads, strict=True)
    ]
    return replace(memory, second=np.array(behind) * lanes.flat("usable_share"))


@dataclass(slots=True)
class Spill:
    """Bytes of the fullest rank in the second tier, shape (points,), and shares of what they are of."""

    experts: Array
    layers: Array
    ends: Array
    cache: Array
    shares: dict[str, Array]

    @property
    def weights(self) -> Array:
        return np.asarray(self.experts + self.layers + self.ends)

    @property
    def whole(self) -> Array:
        return np.asarray(self.weights + self.cache)


def spill(
    memory: RankMemory, pp: Array, layer_count: Array | float, cache: Array, offloads: Sequence[bool]
) -> Spill | None:
    """What of weights and of `cache` bytes on a rank has to lie behind; None where no point may.

    Arrays of shape (points,).
    """
    if not any(offloads):
        return None
    weights = memory.stage_weights(pp, layer_count)
    stage = np.where(memory.even, 1 / pp, np.ceil(layer_count / pp) / layer_count)
    experts = np.minimum(memory.split["routed_experts"] * stage, weights)
    layers = np.minimum(memory.layers * stage, weights) - experts
    ends = weights - experts - layers
    kept = memory.workspace + memory.reserve_fixed + memory.reserve_share * weights + memory.drafting(pp)
    over = np.maximum(kept + weights + cache - memory.budget, 0) * np.asarray(offloads)
    moved, shares = [], {}
    for name, held in (("experts", experts), ("layers", layers), ("ends", ends), ("cache", cache)):
        part = np.minimum(over, held)
        over = over - part
        moved.append(part)
        shares[name] = part / np.maximum(held, 1.0)
    return Spill(moved[0], moved[1], moved[2], moved[3], shares)


def read_behind(lanes: Lanes, found: Spill) -> Lanes:
    """Lanes whose weights and cache are as slow to read as where they lie.

    The bytes of a part that lies behind count first over second bandwidth times.
    """
    ratio = []
    inverse = lanes.flat("inverse_bandwidth")
    for lane, own in zip(lanes.lanes, inverse, strict=True):
        tiers = lane.variant.chip.tiers
        behind = tiers[1].bandwidth if len(tiers) > 1 else None
        ratio.append(1.0 if behind is None else max(1.0, 1 / (own * behind)))
    extra = np.array(ratio) - 1
    columns = dict(lanes.columns)

    def slower(column: str, part: str) -> None:
        columns[column] = columns[column] * (1 + found.shares[part] * extra).reshape(-1, 1, 1)

    for part, groups in _MOVED:
        for group in groups:
            slower(f"{group}.weight_bytes", part)
    slower("kv_bytes", "cache")
    return replace(lanes, columns=columns)
