"""How wrong predictions are: error, share within 20%, coverage and width of intervals, in all and by slice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimates.accuracy.predictions import Predictions

WITHIN = 0.20

type Wanted = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Score:
    """The error of some predictions. None where nothing of the kind was predicted.

    rows: measured figures; answered: of which predicted. Errors are relative, in per cent of the measured
    value; bias is their signed mean; `coverage80_pct` the share of measured values within the 80% interval;
    `interval_ratio` the median of its upper over its lower end.
    """

    rows: int
    answered: int
    mape_pct: float | None = None
    median_ape_pct: float | None = None
    bias_pct: float | None = None
    within20_pct: float | None = None
    coverage80_pct: float | None = None
    interval_ratio: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Slice:
    """The score of the rows that share one value of a dimension."""

    by: str
    value: str
    score: Score


def score_of(predictions: Predictions, positions: NDArray[np.intp]) -> Score:
    """The score of the rows at these positions."""
    errors = predictions.error[positions]
    answered = np.isfinite(errors)
    if not answered.any():
        return Score(len(positions), 0)
    errors = errors[answered]
    low, high = (predictions.numbers(name)[positions][answered] for name in ("low", "high"))
    measured = predictions.numbers("measured")[positions][answered]
    bounded = np.isfinite(low) & np.isfinite(high)
    covered = ratio = None
    if bounded.any():
        inside = (low[bounded] <= measured[bounded]) & (measured[bounded] <= high[bounded])
        covered = _per_cent(inside)
        ratio = round(float(np.median(high[bounded] / low[bounded])), 3)
    return Score(
        rows=len(positions),
        answered=int(answered.sum()),
        mape_pct=_per_cent(np.abs(errors)),
        median_ape_pct=round(100 * float(np.median(np.abs(errors))), 2),
        bias_pct=_per_cent(errors),
        within20_pct=_per_cent(np.abs(errors) <= WITHIN),
        coverage80_pct=covered,
        interval_ratio=ratio,
    )


def _per_cent(values: NDArray[Any]) -> float:
    return round(100 * float(values.mean()), 2)


def scores(
    predictions: Predictions, wanted: Wanted | None = None, complete: bool = True
) -> dict[str, dict[str, Score]]:
    """{fold: {metric: score}} of the rows that are wanted; what has no rows is left out."""
    wanted = dict(wanted or {})
    found: dict[str, dict[str, Score]] = {}
    for fold in wanted.pop("fold", ()) or predictions.values["fold"]:
        chosen = predictions.select(wanted | {"fold": [fold]}, complete)
        metrics = predictions.texts("metric")[chosen]
        by_metric = {
            metric: score_of(predictions, chosen[metrics == metric])
            for metric in predictions.values["metric"]
            if (metrics == metric).any()
        }
        if by_metric:
            found[fold] = by_metric
    return found


def slices(
    predictions: Predictions, by: str, wanted: Wanted | None = None, complete: bool = True
) -> list[Slice]:
    """The score of each value of a dimension among the wanted rows, the most rows first."""
    chosen = predictions.select(wanted or {}, complete)
    values = predictions.texts(by)[chosen]
    found = [
        Slice(by, value, score_of(predictions, chosen[values == value])) for value in sorted(set(values))
    ]
    return sorted(found, key=lambda item: (-item.score.rows, item.value))
