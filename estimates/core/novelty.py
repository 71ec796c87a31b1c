"""How new a configuration is to the calibration, and the interval that this leaves around its figures.

Times have log bounds around the estimate by metric and tier. A closed loop's throughput has none of its own:
its bounds are those of the cycle TTFT + (OSL - 1) TPOT, as if both erred together. Without a calibration, and
for a metric that it met no run of, the widths are the provisional ones of the grade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.core.calibration import Calibration
from estimates.core.correction import Placed
from estimates.core.efficiency import EfficiencyTable
from estimates.core.grades import interval_scales
from estimates.core.identity import METRICS, OWN_THROUGHPUT
from estimates.core.intervals import TIERS, chip_measured, tier_of
from estimates.core.residuals import numbered

Array = NDArray[np.floating]
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

    def at_best_kin(self) -> Novelty:
        """The same of a configuration that runs otherwise than the measured ones."""
        tiers = {name: max(tier, "kin", key=TIERS.index) for name, tier in self.tiers.items()}
        return Novelty(tiers, self.chip_measured)


NO_NOVELTY = Novelty(dict.fromkeys(METRICS, "none"), chip_measured=False)


def all_novelties(placed: Sequence[Placed], calibration: Calibration | None) -> list[Novelty]:
    """Of many points whose requests do not wait for room; those of one identity share theirs."""
    number, distinct = numbered([place.identity for place in placed])
    first = dict(zip(number[::-1].tolist(), placed[::-1], strict=True))
    found = [novelty_of(first[place], calibration) for place in range(len(distinct))]
    return [found[place] for place in number.tolist()]


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
    first = np.array([np.nan if ttft_s is None else ttft_s])
    numbers = (first, np.array([tpot_s]), np.array([osl], float))
    found = all_log_bounds([placed], [novelty], efficiency, [grade], *numbers, queued=queued)
    return {metric: (float(low[0]), float(high[0])) for metric, (low, high) in found.items()}


def all_log_bounds(
    placed: Sequence[Placed],
    novelties: Sequence[Novelty],
    efficiency: EfficiencyTable,
    grades: Sequence[str],
    ttft_s: Array,
    tpot_s: Array,
    osl: Array,
    *,
    queued: bool = False,
) -> dict[str, tuple[Array, Array]]:
    """The same of many points, arrays (points,); `ttft_s` NaN where it is not known. Points of one identity

    share scale, quantiles and lean.
    """
    calibration = efficiency.calibration
    found = _provisional(efficiency, grades)
    if calibration is None or calibration.intervals is None:
        return found
    intervals, residuals = calibration.intervals, calibration.residuals
    number, distinct = numbered([place.identity for place in placed])
    novelty = dict(zip(number.tolist(), novelties, strict=True))
    features = np.stack([place.features for place in placed])
    served = np.array([identity.serving in OWN_THROUGHPUT for identity in distinct])[number]
    for metric in METRICS:
        named = [one.of_first_token(queued=queued) if metric == "ttft" else one for one in distinct]
        tiers = [novelty[place].tiers[metric] for place in range(len(distinct))]
        low, high = intervals.all_bounds(metric, tiers, named, number, residuals, features)
        known = np.isfinite(low)
        if metric == "throughput":
            known &= served
        found[metric] = (np.where(known, low, found[metric][0]), np.where(known, high, found[metric][1]))
    decoding = (osl - 1) * tpot_s
    first = np.isfinite(ttft_s)
    whole = decoding + np.where(first, ttft_s, 0.0)
    share = np.divide(decoding, whole, out=np.ones_like(whole), where=first & (whole > 0))
    mixed = [_mixed(share, found["tpot"][end], found["ttft"][end]) for end in (0, 1)]
    low, high = (np.where(served, found["throughput"][end], mixed[end]) for end in (0, 1))
    found["throughput"] = (low, high)
    return found


def _provisional(efficiency: EfficiencyTable, grades: Sequence[str]) -> dict[str, tuple[Array, Array]]:
    scales = {grade: interval_scales(efficiency, grade) for grade in dict.fromkeys(grades)}
    widths = {name: np.array([scales[grade][name] for grade in grades]) for name in METRICS}
    return {name: (-width, width) for name, width in widths.items()}


def _mixed(share: Array, tpot: Array, ttft: Array) -> Array:
    return np.asarray(np.log(share * np.exp(tpot) + (1 - share) * np.exp(ttft)))
