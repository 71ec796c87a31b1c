"""What a calibration says of rows and of groups it has not seen: left-out predictions with their intervals.

Figures that may not teach are predicted by everything that does. Intervals are judged by halves: the runs of
one half get the intervals that the left-out errors of the other half give, so that no run widens its own.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.calibration.dataset import PHYSICAL_SHARE, Observation, log_physics
from estimates.calibration.learning import Learnt
from estimates.calibration.prior import LENGTHS
from estimates.calibration.spread import LeftOut, fit_intervals
from estimates.core.calibration import intervals_from
from estimates.core.chip_terms import chip_terms
from estimates.core.efficiency import EfficiencyTable
from estimates.core.grades import grade_of
from estimates.core.identity import GROUP
from estimates.core.intervals import Intervals, chip_measured, tier_of
from estimates.core.residuals import Residuals, lean_of
from estimates.measured.predictions import Prediction

Array = NDArray[np.floating]

FOLDS: Final = {"rows": "rows", "groups": " ".join(GROUP)}  # fold of the report -> split it comes from
TIMES: Final = ("tpot_ms", "ttft_ms", "e2e_latency_s")


@dataclass(frozen=True, slots=True)
class Scored:
    """One figure predicted without itself (fold "rows") or without its whole group (fold "groups")."""

    observation: Observation
    fold: str
    measured: float
    prediction: Prediction


def left_out_predictions(
    learnt: Learnt, splits: dict[str, list[LeftOut]], residuals: Residuals, table: EfficiencyTable
) -> list[Scored]:
    """Every observation's left-out predictions, in the order of observations, rows before groups."""
    halves = _halves(splits)
    found: list[Scored] = []
    for fold, split in FOLDS.items():
        known = {
            id(one): (float(error), tier, float(close))
            for part in splits[split]
            for one, error, tier, close in zip(
                part.observations, part.errors, part.tiers, part.closeness, strict=True
            )
        }
        for one in learnt.dataset.observations:
            if one.metric not in learnt.metrics:
                continue
            if id(one) in known:
                error, tier, close = known[id(one)]
            elif fold == "rows":
                error, tier, close = _by_all_others(one, learnt, residuals)
            else:
                continue
            judge = halves[1 - half_of(one)]
            prediction = _prediction(one, error, tier, close, judge, residuals, learnt, table)
            found.append(Scored(one, fold, dict(one.run.metrics)[one.metric_name], prediction))
    return found


def half_of(one: Observation) -> int:
    """Which half of the runs judges the other's intervals."""
    return zlib.crc32(one.run.run_id.encode()) % 2


def _halves(splits: dict[str, list[LeftOut]]) -> list[Intervals]:
    """Intervals fitted to the left-out errors of each half of the runs."""
    found = []
    for half in (0, 1):
        parts = []
        for part in (one for parts_ in splits.values() for one in parts_):
            keep = np.array([half_of(one) == half for one in part.observations])
            parts.append(
                LeftOut(
                    [one for one, kept in zip(part.observations, keep, strict=True) if kept],
                    part.errors[keep],
                    [tier for tier, kept in zip(part.tiers, keep, strict=True) if kept],
                    part.closeness[keep],
                )
            )
        found.append(intervals_from(fit_intervals(parts)))
    return found


def _by_all_others(one: Observation, learnt: Learnt, residuals: Residuals) -> tuple[float, str, float]:
    """Error, tier and closeness of a figure that does not teach."""
    case = learnt.dataset.cases[one.row]
    expected = log_physics(one.metric_name, learnt.physics, one.row, case)[1]
    correction = float(residuals.correction(one.metric, one.identity, one.features))
    correction += residuals.lean(one.metric, one.identity)  # taken from every prediction alike, below
    tier = tier_of(one.metric, one.identity, residuals)
    near = float(residuals.closeness(one.metric, one.identity, one.features, LENGTHS))
    return one.log_measured - expected - correction, tier, near


def _prediction(
    one: Observation,
    error: float,
    tier: str,
    close: float,
    intervals: Intervals,
    residuals: Residuals,
    learnt: Learnt,
    table: EfficiencyTable,
) -> Prediction:
    measured = dict(one.run.metrics)[one.metric_name]
    scale = intervals.scale(one.metric, tier, one.identity)
    lean = lean_of(one.metric, one.identity, scale)
    low, high = map(float, intervals.around(one.metric, tier, scale, np.asarray(close), lean))
    error += lean
    is_time = one.metric_name in TIMES
    predicted = measured * float(np.exp(-error if is_time else error))
    ends = (low, high) if is_time else (-high, -low)
    point, floor = learnt.dataset.cases[one.row].choice.point, learnt.physics.floor[one.row]
    lane = point.lane
    terms = chip_terms(lane.variant.chip, lane.scheme, lane.kv_format, table, lane.software)
    seen = chip_measured(one.metric, one.identity, residuals)
    return Prediction(
        one.run.run_id,
        one.metric_name,
        predicted=predicted,
        low=predicted * float(np.exp(ends[0])),
        high=predicted * float(np.exp(ends[1])),
        grade=grade_of(lane, point.pp, terms, tier, chip_measured=seen),
        tier=tier,
        state="saturated" if one.identity.serving == "saturated" else "ok",
        possible=one.metric != "tpot" or np.exp(one.log_measured) >= PHYSICAL_SHARE * floor,
    )


def as_row(scored: Scored, learnt: Learnt) -> dict[str, Any]:
    """A row of predictions.csv."""
    one, found = scored.observation, scored.prediction
    return {
        "run_id": one.run.run_id,
        "metric": one.metric_name,
        "measured": f"{scored.measured:.6g}",
        "predicted": f"{found.predicted:.5g}",
        "low": f"{found.low:.5g}",
        "high": f"{found.high:.5g}",
        "grade": found.grade,
        "tier": found.tier,
        "fold": scored.fold,
        "accelerator": one.run.accelerator or "",
        "software": one.identity.software,
        "model": learnt.dataset.cases[one.row].model.slug,
        "format": one.identity.format,
        "serving": one.identity.serving,
        "flags": " ".join(sorted(one.run.flags)),
    }
