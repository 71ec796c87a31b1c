"""How wrong predictions are: error, share within 20%, coverage and width of intervals, by slice too."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.accuracy.predictions import NUMBERS, Predictions
from estimates.measured.scoring import Score, score

type Wanted = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Slice:
    """The score of the rows that share one value of a dimension."""

    by: str
    value: str
    score: Score


def score_of(predictions: Predictions, positions: NDArray[np.intp]) -> Score:
    """The score of the rows at these positions."""
    return score(*(predictions.numbers(name)[positions] for name in NUMBERS))


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
