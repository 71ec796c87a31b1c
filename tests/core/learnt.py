"""Small calibrations written by hand, for the tests of what the core does with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from estimates.core.calibration import Calibration
from estimates.core.efficiency import EfficiencyTable
from estimates.core.identity import METRICS, Identity
from estimates.core.intervals import TIERS, Intervals
from estimates.core.residuals import FEATURES, Component, Points, Residuals, residuals_of
from tests.core.machines import physics

SERVED = Identity(
    serving="closed_loop",
    chip="nvidia-h100-sxm",
    generation="Hopper/gpu",
    vendor="NVIDIA/gpu",
    kind="gpu",
    software="vllm",
    version="",
    architecture="llama",
    family="dense",
    format="fp8",
)
#: Doublings: two of batch and lengths, one of everything else.
LENGTHS = (2.0, 2.0, 2.0) + (1.0,) * (len(FEATURES) - 3)
ORIGIN = (0.0,) * len(FEATURES)

Run = tuple[str, Identity, Sequence[float], float]  # metric, identity, coordinates, weight


def identity(**changes: str) -> Identity:
    """The identity of Llama in FP8 on an H100 under vLLM, with other names."""
    return replace(SERVED, **changes)


def at(**coordinates: float) -> tuple[float, ...]:
    """Coordinates in binary logarithms, zero where none is given."""
    return tuple(coordinates.get(name, 0.0) for name in FEATURES)


def posterior(runs: Sequence[Run], *components: Component) -> Residuals:
    """A posterior of these weighted points under these terms of the prior."""
    return residuals_of(
        Points(
            metrics=[run[0] for run in runs],
            identities=[run[1] for run in runs],
            features=np.array([run[2] for run in runs], float).reshape(-1, len(FEATURES)),
            weights=np.array([run[3] for run in runs], float),
        ),
        components,
    )


def intervals(
    low: float = -1.0,
    high: float = 1.0,
    scales: Mapping[tuple[str, ...], float] | None = None,
    widening: Mapping[str, float] | None = None,
) -> Intervals:
    """The same quantiles for every metric and tier; a scale of 0.1 where none is given."""
    everywhere = {(metric, tier, ""): 0.1 for metric in METRICS for tier in TIERS}
    return Intervals(
        quantiles={(metric, tier): (low, high) for metric in METRICS for tier in TIERS},
        scales=everywhere | dict(scales or {}),
        widening=dict(widening or {}),
        lengths=LENGTHS,
    )


def learnt(
    residuals: Residuals | None = None,
    around: Intervals | None = None,
    multipliers: Mapping[tuple[str, str, str], float] | None = None,
) -> EfficiencyTable:
    """The physics with a calibration of these parts."""
    found = Calibration("by hand", "2026-01-01", multipliers or {}, residuals, around)
    return replace(physics(), calibration=found, cache={})


def offset_of(metric: str, log: float, like: Identity = SERVED) -> tuple[list[Run], Component]:
    """Runs and a term that add `log` to one metric of everything in one serving software."""
    return [(metric, like, ORIGIN, log)], Component("software", ("metric", "software"), 1.0)


def content() -> dict[str, Any]:
    """A whole calibration file of one run."""
    return {
        "made": "2026-01-01",
        "runs": 1,
        "figures": 1,
        "multipliers": [{"family": "kernels", "scope": "any", "name": "", "log": 0.1}],
        "features": list(FEATURES),
        "components": [
            {"name": "software", "fields": ["metric", "software"], "sd": 0.2, "lengths": None},
            {
                "name": "sweep of chip x software",
                "fields": ["metric", "chip", "software"],
                "sd": 0.1,
                "lengths": list(LENGTHS),
            },
        ],
        "intervals": {
            "quantiles": [
                {"metric": metric, "tier": tier, "low": -1.1, "high": 1.3, "rows": 40}
                for metric in METRICS
                for tier in TIERS
            ],
            "scales": [
                {"metric": metric, "tier": tier, "cell": "", "values": [], "scale": 0.1}
                for metric in METRICS
                for tier in TIERS
            ],
            "widening": {"tpot": 1.0},
            "lengths": list(LENGTHS),
        },
        "points": [
            {
                "metric": "tpot",
                "identity": [getattr(SERVED, name) for name in SERVED.__dataclass_fields__],
                "runs": [[*at(batch=4, isl=10, osl=10, tp=3), 2.5]],
            }
        ],
    }
