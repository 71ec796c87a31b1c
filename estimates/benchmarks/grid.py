"""Speed and memory of the core's grid: configurations a second of one process, peak resident memory.

What is timed is what a stored row needs, from facts to finished columns: look-up of efficiencies, every
configuration of the grid, the choice of the best, and for each row kept its exact evaluation with the
breakdown by operation and limit, its grade and its interval. Nothing is warmed up and nothing is stored.
"""

from __future__ import annotations

import platform
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import ModelFacts, Offer, Workload
from estimates.core.grid import best_deployments


@dataclass(frozen=True, slots=True)
class OneModel:
    """What one model took."""

    model: str
    rows: int
    configurations: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the benchmark. `seconds` is CPU time of the process, `wall_seconds` what a clock shows."""

    configs_per_s: float
    peak_mb: float  # resident memory of the process at its largest, 1e6 bytes
    configurations: int
    rows: int
    seconds: float
    wall_seconds: float
    models: int
    offers: int
    workloads: int
    processes: int
    threads: int
    cpu: str
    python: str
    numpy: str
    by_model: tuple[OneModel, ...]


def measure(
    models: Sequence[ModelFacts],
    offers: Sequence[Offer],
    workloads: Sequence[Workload],
    efficiency: EfficiencyTable,
) -> Measured:
    """Evaluate the grid of every model once, in this process and on one thread.

    The rate is per second of CPU time, so that other work on the machine does not count against it.
    """
    by_model: list[OneModel] = []
    wall = time.perf_counter()
    for model in models:
        started = time.process_time()
        result = best_deployments(model, offers, workloads, efficiency)
        seconds = time.process_time() - started
        by_model.append(OneModel(model.slug, len(result), result.configurations, seconds))
    wall = time.perf_counter() - wall
    configurations = sum(one.configurations for one in by_model)
    seconds = sum(one.seconds for one in by_model)
    return Measured(
        configs_per_s=configurations / seconds if seconds > 0 else 0.0,
        peak_mb=peak_megabytes(),
        configurations=configurations,
        rows=sum(one.rows for one in by_model),
        seconds=seconds,
        wall_seconds=wall,
        models=len(models),
        offers=len(offers),
        workloads=len(workloads),
        processes=1,
        threads=1,
        cpu=cpu_name(),
        python=platform.python_version(),
        numpy=np.__version__,
        by_model=tuple(by_model),
    )


def peak_megabytes() -> float:
    """Largest resident set of this process so far: the system reports kB, on macOS bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def cpu_name() -> str:
    """What the system calls its processor."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()
