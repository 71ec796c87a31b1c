"""A search's question with what it is answered from: passed whole through the parts of the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from estimates.core.demand import Bounds, Candidate, Demand
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Workload


@dataclass(frozen=True, slots=True)
class Ask:
    """One model under one workload and load on all candidates; the bounds' speculation has its acceptance."""

    model: ModelFacts
    candidates: Sequence[Candidate]
    workload: Workload
    demand: Demand
    bounds: Bounds
    objective: str
    efficiency: EfficiencyTable
