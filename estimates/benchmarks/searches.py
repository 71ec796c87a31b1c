"""Latency of a search: one model over all hardware, its facts already read."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from estimates.core.demand import Bounds, Candidate, Demand
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Workload
from estimates.core.search import search

#: Sixteen users in flight, the first token within two seconds, twenty tokens a second: an ordinary question.
DEMAND = Demand(concurrency=16, ttft_s=2.0, tpot_s=0.05)


@dataclass(frozen=True, slots=True)
class Searched:
    """Times of the searches, each of a model of its own, in ms of CPU time of this process."""

    search_p50_ms: float
    search_p95_ms: float
    search_max_ms: float
    searches: int
    search_candidates: int


def measure_searches(
    models: Sequence[ModelFacts],
    candidates: Sequence[Candidate],
    workload: Workload,
    efficiency: EfficiencyTable,
) -> Searched:
    """Search each model once, after one search that meets hardware and coefficients for the first time."""
    times: list[float] = []
    for model in (models[0], *models):
        started = time.process_time()
        search(model, candidates, workload, DEMAND, Bounds(), "usd_per_mtok", efficiency)
        times.append(1e3 * (time.process_time() - started))
    times = times[1:]
    return Searched(
        search_p50_ms=float(np.percentile(times, 50)),
        search_p95_ms=float(np.percentile(times, 95)),
        search_max_ms=max(times),
        searches=len(times),
        search_candidates=len(candidates),
    )
