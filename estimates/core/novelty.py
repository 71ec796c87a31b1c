"""How new a configuration is to the calibration, and the interval that this leaves around its figures.

Times have log bounds around the estimate by metric and tier. A closed loop's throughput has none of its own:
its bounds are those of the cycle TTFT + (OSL - 1) TPOT, as if both erred together. Without a calibration, and
for a metric that it met no run of, the widths are the provisional ones of the grade.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from estimates.core.calibration import Calibration
from estimates.core.correction import Placed
from estimates.core.efficiency import EfficiencyTable
from estimates.core.grades import interval_scales
from estimates.core.identity import METRICS, OWN_THROUGHPUT
from estimates.core.intervals import TIERS, chip_measured, tier_of

Bounds = tuple[float, float]  # logarithms of (lowest, highest) time over the estimated one


@dataclass(frozen=True, slots=True)
class Novelty:
    """Tier by metric, and whether any run of the chip taught the calibration."""

    tiers: Mapping[str, str]
    chip_measured: bool

    @property
    def tier(self) -> str:
        """Of the estimate as a whole: of its time per token, or of its throughput where that is known."""
        return min((self.tiers["tpot"], self.tiers["throughput"]), key=TIERS.index)


NO_NOVELTY = Novelty(dict.fromkeys(METRICS, "none"), chip_measured=False)


def novelty_of(placed: Placed, calibration: Calibration | None, *, queued: bool = False) -> Novelty:
    """What the calibration has seen of a point; `queued`: requests wait for room."""
    if calibration is None or calibration.residuals is None:
        return NO_NOVELTY
    residuals, identity = calibration.residuals, placed.identity
    first = identity.of_first_token(queued=queued)
    tiers = {"tpot": tier_of("tpot", identity, residuals), "ttft": tier_of("ttft", first, residuals)}
    if identity.serving in OWN_THROUGHPUT:
        tiers["throughput"] = tier_of("throughput", identity, residuals)
    else:
        tiers["throughput"] = max(tiers.values(), key=TIERS.index)
    seen = any(chip_measured(metric, identity, residuals) for metric in METRICS)
    return Novelty(tiers, seen)


def log_bounds(
    placed: Placed,
    novelty: Novelty,
    efficiency: EfficiencyTable,
    grade: str,
    ttft_s: float | None,
    tpot_s: float,
    osl: float,
    *,
    queued: bool = False,
) -> dict[str, Bounds]:
    """80% bounds of each metric's time as logarithms over the estimate."""
    calibration = efficiency.calibration
    if calibration is None or calibration.intervals is None:
        return _provisional(efficiency, grade)
    intervals, residuals, identity = calibration.intervals, calibration.residuals, placed.identity
    first = identity.of_first_token(queued=queued)
    found: dict[str, Bounds] = {}
    for metric, named in (("tpot", identity), ("ttft", first), ("throughput", identity)):
        tier = novelty.tiers[metric]
        if metric == "throughput" and identity.serving not in OWN_THROUGHPUT:
            continue
        if not intervals.knows(metric, tier):
            found[metric] = _provisional(efficiency, grade)[metric]
            continue
        low, high = intervals.bounds(metric, tier, named, residuals, placed.features)
        found[metric] = (float(low), float(high))
    if "throughput" not in found:
        decoding = (osl - 1) * tpot_s
        share = 1.0 if ttft_s is None or not np.isfinite(ttft_s) else decoding / (decoding + ttft_s)
        found["throughput"] = (
            _mixed(share, found["tpot"][0], found["ttft"][0]),
            _mixed(share, found["tpot"][1], found["ttft"][1]),
        )
    return found


def _provisional(efficiency: EfficiencyTable, grade: str) -> dict[str, Bounds]:
    return {name: (-width, width) for name, width in interval_scales(efficiency, grade).items()}


def _mixed(share: float, tpot: float, ttft: float) -> float:
    return float(np.log(share * np.exp(tpot) + (1 - share) * np.exp(ttft)))
