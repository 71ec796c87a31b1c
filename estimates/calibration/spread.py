"""Fit of the intervals: how far left-out runs lie from their predictions, by what was known of them.

Three tiers: runs whose group was measured, runs with kin alone, runs with neither. For each a hierarchy of
cells with shrunk spreads, and one conformal quantile of residual / spread each side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.calibration.dataset import Observation
from estimates.calibration.prior import LENGTHS
from estimates.core.identity import GROUP, METRICS
from estimates.core.intervals import CELLS, TIERS
from estimates.core.residuals import KIN

Array = NDArray[np.floating]

COVERAGE: Final = 0.8
PSEUDO_ROWS: Final = 8.0  # of the wider cell that a narrower one is shrunk towards
WINSOR: Final = 3.0  # spreads beyond which a residual counts as that many
WIDENINGS: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
LEAST_ROWS: Final = 30  # below which a tier takes the next better tier's residuals as well


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Left-out errors of observations under one split: log(measured / predicted), tier, closeness."""

    observations: Sequence[Observation]
    errors: Array
    tiers: list[str]
    closeness: Array


def left_out_of(observations: Sequence[Observation], errors: Array, folds: NDArray[np.intp]) -> LeftOut:
    """Tiers and closeness as they were without the rows of each one's own fold."""
    fields = (GROUP, *KIN)
    whole: list[Counter[tuple[Any, ...]]] = [Counter() for _ in fields]
    own: list[Counter[tuple[Any, ...]]] = [Counter() for _ in fields]
    keys = [
        [(one.metric, *(getattr(one.identity, name) for name in names)) for names in fields]
        for one in observations
    ]
    for row, found in enumerate(keys):
        for place, key in enumerate(found):
            whole[place][key] += 1
            own[place][(*key, int(folds[row]))] += 1
    tiers = []
    for row, found in enumerate(keys):
        seen = [whole[n][key] > own[n][(*key, int(folds[row]))] for n, key in enumerate(found)]
        tiers.append("measured" if seen[0] else "kin" if any(seen[1:]) else "none")
    return LeftOut(observations, errors, tiers, _closeness(observations, keys, folds))


def _closeness(
    observations: Sequence[Observation], keys: list[list[tuple[Any, ...]]], folds: NDArray[np.intp]
) -> Array:
    members: dict[tuple[Any, ...], list[int]] = {}
    for row, found in enumerate(keys):
        members.setdefault(found[0], []).append(row)
    near = np.zeros(len(observations))
    for rows in members.values():
        scaled = np.stack([observations[row].features for row in rows]) / np.asarray(LENGTHS)
        square = ((scaled[:, None] - scaled[None]) ** 2).sum(-1)
        square[folds[rows][:, None] == folds[rows][None]] = np.inf
        near[rows] = np.exp(-0.5 * square.min(1))
    return near


def fit_intervals(splits: Iterable[LeftOut]) -> dict[str, Any]:
    """The intervals' part of the calibration file."""
    splits = list(splits)
    quantiles, scales, widening = [], [], {}
    for metric in METRICS:
        by_tier = {tier: _rows(splits, metric, tier) for tier in TIERS}
        for better, worse in pairwise(TIERS):
            if len(by_tier[worse]) < LEAST_ROWS:
                by_tier[worse] = by_tier[worse] + by_tier[better]
        for known, better in pairwise(reversed(TIERS)):
            # Where no group has two runs, a measured one is as sure as its kin.
            by_tier[better] = by_tier[better] or by_tier[known]
        for tier, rows in by_tier.items():
            if not rows:
                continue
            errors = np.array([error for _, error, _ in rows])
            near = np.array([close for _, _, close in rows])
            cells, spread = _spreads(metric, tier, [one for one, _, _ in rows], errors)
            growth = _widening(errors / spread, near) if tier == "measured" else 0.0
            if tier == "measured":
                widening[metric] = growth
            standard = errors / (spread * np.sqrt(1 + growth * (1 - near**2)))
            low, high = conformal(standard)
            quantiles.append({"metric": metric, "tier": tier, "low": low, "high": high, "rows": len(rows)})
            scales += cells
    return {"quantiles": quantiles, "scales": scales, "widening": widening, "lengths": list(LENGTHS)}


def conformal(standard: Array) -> tuple[float, float]:
    """Quantiles of standardised residuals that hold COVERAGE of the next one, an equal part each side."""
    ordered, count = np.sort(standard), len(standard)
    rank = (1 - COVERAGE) / 2 * (count + 1) + 1e-9  # a whole rank stays whole
    low = ordered[max(0, int(rank) - 1)]
    high = ordered[min(count - 1, count - int(rank))]
    # The estimate lies inside its interval, whatever the bias of the tier's residuals.
    return round(min(float(low), -1e-3), 4), round(max(float(high), 1e-3), 4)


def _rows(splits: Sequence[LeftOut], metric: str, tier: str) -> list[tuple[Observation, float, float]]:
    return [
        (one, float(error), float(close))
        for split in splits
        for one, error, found, close in zip(
            split.observations, split.errors, split.tiers, split.closeness, strict=True
        )
        if one.metric == metric and found == tier
    ]


def _spreads(
    metric: str, tier: str, observations: Sequence[Observation], errors: Array
) -> tuple[list[dict[str, Any]], Array]:
    """Shrunk spreads of every cell, and each row's spread from the other rows of its cell."""
    base = float(np.quantile(np.abs(errors), COVERAGE)) / 1.2816
    base = max(base, 1e-3)
    cells = [{"metric": metric, "tier": tier, "cell": "", "values": [], "scale": round(base, 5)}]
    spread = np.full(len(errors), base)
    own = spread.copy()
    for fields in reversed(CELLS[tier]):
        members: dict[tuple[str, ...], list[int]] = {}
        for row, one in enumerate(observations):
            members.setdefault(tuple(getattr(one.identity, name) for name in fields), []).append(row)
        wider = spread.copy()
        for values, rows in members.items():
            kept = np.minimum(np.abs(errors[rows]), WINSOR * wider[rows]) ** 2
            prior = PSEUDO_ROWS * wider[rows] ** 2
            spread[rows] = np.sqrt((prior + kept.sum()) / (PSEUDO_ROWS + len(rows)))
            own[rows] = np.sqrt((prior + kept.sum() - kept) / (PSEUDO_ROWS + len(rows) - 1))
            scale = round(float(spread[rows[0]]), 5)
            cells.append(
                {
                    "metric": metric,
                    "tier": tier,
                    "cell": "|".join(fields),
                    "values": list(values),
                    "scale": scale,
                }
            )
    return cells, own


def _widening(standard: Array, near: Array) -> float:
    """How fast the variance grows away from measured points: the most likely of WIDENINGS."""
    capped = np.clip(standard, -WINSOR, WINSOR)

    def cost(growth: float) -> float:
        variance = 1 + growth * (1 - near**2)
        scale = np.mean(capped**2 / variance)
        return float(np.mean(np.log(variance)) + np.log(scale))

    return min(WIDENINGS, key=cost)
