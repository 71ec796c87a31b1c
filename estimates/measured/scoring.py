"""How wrong predictions are: errors of measured figures, the interval's coverage and width, by any slice.

Errors are relative to the measured value: (predicted - measured) / measured. Three views of the same rows:
`all`; `complete`, without the rows that are reported apart (`plausibility.APART`); `plausible`, of those the
ones that the datasheet allows. A row without a prediction counts as a row and not as answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from estimates.measured.runs import Run

WITHIN: Final = 0.20
VIEWS: Final = ("all", "complete", "plausible")
#: Output throughput and decode speed, pooled: what most publications report instead of latencies.
OTHER: Final = "other"
OTHER_METRICS: Final = (
    "output_tok_s_total",
    "output_tok_s_per_accel",
    "total_tok_s",
    "decode_tok_s_per_user",
)
#: First tokens that do not wait for cache space: the estimate is not saturated.
BELOW_CAPACITY: Final = "below_capacity"


@dataclass(frozen=True, slots=True)
class Score:
    """Errors in per cent, None where nothing is predicted. `rows`: figures; `answered`: of those predicted.

    `bias_pct` is the signed mean error, `coverage80_pct` the share of measured values within the 80%
    interval, `interval_ratio` the median of its upper over its lower end.
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
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def score(measured: ArrayLike, predicted: ArrayLike, low: ArrayLike, high: ArrayLike) -> Score:
    """The score of figures of shape (n,); NaN as prediction: not answered, as low or high: no interval."""
    truth, found, lower, upper = (np.asarray(values, float) for values in (measured, predicted, low, high))
    answered = np.isfinite(found)
    if not answered.any():
        return Score(truth.size, 0)
    truth, found, lower, upper = (values[answered] for values in (truth, found, lower, upper))
    error = (found - truth) / truth
    bounded = np.isfinite(lower) & np.isfinite(upper)
    covered = ratio = None
    if bounded.any():
        inside = (lower[bounded] <= truth[bounded]) & (truth[bounded] <= upper[bounded])
        covered = _per_cent(inside)
        ratio = round(float(np.median(upper[bounded] / lower[bounded])), 4)
    return Score(
        rows=answered.size,
        answered=int(answered.sum()),
        mape_pct=_per_cent(np.abs(error)),
        median_ape_pct=round(100 * float(np.median(np.abs(error))), 3),
        bias_pct=_per_cent(error),
        within20_pct=_per_cent(np.abs(error) <= WITHIN),
        coverage80_pct=covered,
        interval_ratio=ratio,
    )


def _per_cent(values: NDArray[Any]) -> float:
    return round(100 * float(values.mean()), 3)


@dataclass(frozen=True, slots=True)
class Compared:
    """One measured figure beside its prediction, with everything it is sliced by."""

    run: Run
    metric: str
    measured: float
    predicted: float | None
    low: float | None
    high: float | None
    tier: str
    complete: bool
    plausible: bool
    saturated: bool
    slices: Mapping[str, str]

    @property
    def views(self) -> tuple[str, ...]:
        if not self.complete:
            return ("all",)
        return VIEWS if self.plausible else ("all", "complete")


def score_of(rows: Sequence[Compared]) -> Score:
    """The score of these figures."""

    def column(name: str) -> list[float]:
        values = (getattr(row, name) for row in rows)
        return [float("nan") if value is None else value for value in values]

    return score(column("measured"), column("predicted"), column("low"), column("high"))


def by_view(rows: Sequence[Compared]) -> dict[str, Score]:
    """{view: score}; a view without rows is given with none."""
    return {view: score_of([row for row in rows if view in row.views]) for view in VIEWS}


def by_metric(rows: Sequence[Compared]) -> dict[str, dict[str, Score]]:
    """{metric: {view: score}} in the order of the metrics' number; `other` pools its metrics, last.

    First tokens are also given where the estimate is not saturated, as a view of the complete rows.
    """
    groups = grouped(rows, lambda row: row.metric)
    found = {metric: by_view(group) for metric, group in sorted(groups.items(), key=_largest_first)}
    if "ttft_ms" in groups:
        below = [row for row in groups["ttft_ms"] if row.complete and not row.saturated]
        found["ttft_ms"][BELOW_CAPACITY] = score_of([row for row in below if row.predicted is not None])
    pooled = [row for row in rows if row.metric in OTHER_METRICS]
    if pooled:
        found[OTHER] = by_view(pooled)
    return found


def grouped(rows: Iterable[Compared], key: Callable[[Compared], str]) -> dict[str, list[Compared]]:
    groups: dict[str, list[Compared]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _largest_first(item: tuple[str, list[Compared]]) -> tuple[int, str]:
    return -len(item[1]), item[0]


def by_slice(rows: Sequence[Compared], by: str) -> dict[str, dict[str, dict[str, Score]]]:
    """{value: {metric: {view: score}}} of one dimension, the value with the most rows first."""
    groups = grouped(rows, lambda row: row.slices[by])
    return {value: by_metric(group) for value, group in sorted(groups.items(), key=_largest_first)}


def by_tier(rows: Sequence[Compared]) -> dict[str, dict[str, dict[str, Score]]]:
    """{tier: {metric: {view: score}}} of the answered figures."""
    groups = grouped((row for row in rows if row.predicted is not None), lambda row: row.tier)
    return {tier: by_metric(group) for tier, group in sorted(groups.items())}
