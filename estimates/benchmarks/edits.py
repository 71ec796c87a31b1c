"""What an edit of an accelerator costs the core: all models on one chip's offers, together and each alone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Offer, Workload
from estimates.core.grid import best_deployments, best_deployments_of

CHIPS = 5  # evenly spread over all by their offers


@dataclass(frozen=True, slots=True)
class Edits:
    """CPU milliseconds a model and chip, and how many times as long models take each in a call of its own."""

    edit_ms_together: float
    edit_ms_alone: float
    together_ratio: float
    edited_chips: int


def measure_edits(
    models: Sequence[ModelFacts],
    offers: Sequence[Offer],
    workloads: Sequence[Workload],
    efficiency: EfficiencyTable,
) -> Edits:
    """Evaluate all models on each of some chips, in one call and in a call each, one after the other."""
    by_chip: dict[str, list[Offer]] = {}
    for offer in offers:
        by_chip.setdefault(offer.chip.slug, []).append(offer)
    ranked = sorted(by_chip.values(), key=len)
    chosen = ranked[:: max(1, len(ranked) // CHIPS)][:CHIPS]
    together, alone = [], []
    for own in chosen:
        began = time.process_time()
        best_deployments_of(models, own, workloads, efficiency)
        between = time.process_time()
        for model in models:
            best_deployments(model, own, workloads, efficiency)
        together.append((between - began) / len(models))
        alone.append((time.process_time() - between) / len(models))
    ratio = fmean(alone) / fmean(together) if fmean(together) > 0 else 0.0
    return Edits(1e3 * fmean(together), 1e3 * fmean(alone), ratio, len(chosen))
