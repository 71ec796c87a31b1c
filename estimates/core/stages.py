"""How many pipeline stages a configuration is tried with: 1, 2, 4, and what capacity demands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from estimates.core.memory import RankMemory

Array = NDArray[np.floating]

USUAL_STAGES: tuple[int, ...] = (1, 2, 4)
WIDER_STAGES: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def fits(memory: RankMemory, stages: Array, context: float, layer_count: Array | float) -> NDArray[np.bool_]:
    """Whether each lane holds weights and one request of `context` tokens on `stages` stages."""
    request = (memory.cache(np.full(1, context)).reshape(-1) + memory.logits) / stages
    return np.asarray(memory.usable(stages, layer_count) >= request)


def needed_stages(
    memory: RankMemory, limits: Array, context: float, layer_count: Array | float
) -> NDArray[np.int64]:
    """Fewest stages on which one request fits, 0 where none up to the limit does.

    SRAM-first machines spread a layer over several chips, so any count is a candidate for them; elsewhere
    the usual stage counts are.
    """
    count = len(memory.even)
    found = np.zeros(count, np.int64)
    sram = memory.even
    for stages in WIDER_STAGES:
        open_ = (found == 0) & ~sram & (stages <= limits)
        if open_.any():
            found[open_ & fits(memory, np.full(count, float(stages)), context, layer_count)] = stages
    if sram.any():
        low, high = np.ones(count), np.maximum(limits, 1.0)
        possible = sram & fits(memory, high, context, layer_count)
        while (np.ceil(high) - np.floor(low))[possible].max(initial=0) > 1:
            middle = np.floor((low + high) / 2)
            enough = fits(memory, middle, context, layer_count)
            high = np.where(enough, middle, high)
            low = np.where(enough, low, middle)
        one = fits(memory, np.ones(count), context, layer_count)
        found = np.where(possible, np.where(one, 1, high.astype(np.int64)), found)
    return found


def stage_options(
    memory: RankMemory,
    limits: Array,
    contexts: Sequence[float],
    layer_count: Array | float,
    usual: Sequence[int] = USUAL_STAGES,
    counts: Sequence[tuple[int, ...]] | None = None,
) -> list[tuple[int, ...]]:
    """Stage counts to try for each lane: the usual ones, and what the shortest and longest context need.

    The usual ones stay where they do not fit, because they carry the shortfall of the smaller offers. On
    SRAM-first machines more chips than needed hold more requests: twice and four times as many are tried,
    and all chips of every offer (`counts` of each lane's variant).
    """
    shortest = needed_stages(memory, limits, min(contexts), layer_count)
    longest = needed_stages(memory, limits, max(contexts), layer_count)
    options = []
    known: dict[tuple[object, ...], tuple[int, ...]] = {}
    holding = zip(limits.tolist(), shortest.tolist(), longest.tolist(), strict=True)
    for row, (limit, short, long) in enumerate(holding):
        sram = bool(memory.even[row])
        owned = counts[row] if counts and sram else ()
        needed = tuple([n for n in (short, long) if n])
        key = (limit, sram, needed, owned)
        if key not in known:
            known[key] = _options(int(limit), needed, owned, usual, sram=sram)
        options.append(known[key])
    return options


def _options(
    limit: int, needed: Sequence[int], counts: Sequence[int], usual: Sequence[int], *, sram: bool
) -> tuple[int, ...]:
    """Stage counts up to a limit, of which `needed` hold the shortest and the longest context."""
    if sram:
        chosen = {min(limit, n * factor) for n in needed for factor in (1, 2, 4)} | {limit, *counts}
    else:
        chosen = {n for n in usual if n <= limit} | set(needed) | {1}
        if not needed:
            chosen.add(max(n for n in WIDER_STAGES if n <= limit))
    return tuple(sorted(chosen))
