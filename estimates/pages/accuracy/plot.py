"""Predicted against measured as geometry: one path a tier, log axes alike, lines of equal error.

A point is a move without a line in a square of 1,000 units; the drawing stretches the square and its caps
make the marks, so that thousands of points cost a few bytes each and none needs a script.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.accuracy.predictions import TIERS, Predictions
from estimates.measured.scoring import WITHIN
from estimates.pages.chart import Axis, Tick

SIDE: Final = 1000.0
MARGIN: Final = 1.25
TIER_WORDS: Final = {
    "measured": "group measured",
    "kin": "kin measured",
    "none": "nothing alike measured",
    "": "tier not stated",
}


@dataclass(frozen=True)
class Marks:
    """The points of a tier: their path, and how many they are."""

    tier: str
    words: str
    path: str
    count: int


@dataclass(frozen=True)
class Plot:
    axis: Axis
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    marks: list[Marks]
    band: str
    lines: list[tuple[str, str]]  # (name, path) of equal error
    count: int
    refused: int


def draw_plot(predictions: Predictions, positions: NDArray[np.intp]) -> Plot | None:
    """The plot of the rows at these positions; None where none was predicted."""
    answered = positions[np.isfinite(predictions.error[positions])]
    if not len(answered):
        return None
    measured = predictions.numbers("measured")[answered]
    predicted = predictions.numbers("predicted")[answered]
    low = float(min(measured.min(), predicted.min())) / MARGIN
    axis = Axis(low, float(max(measured.max(), predicted.max())) * MARGIN)
    tiers = predictions.texts("tier")[answered]
    span = math.log(axis.high / axis.low)
    across, down = (
        SIDE * np.log(measured / axis.low) / span,
        SIDE - SIDE * np.log(predicted / axis.low) / span,
    )
    marks = [
        Marks(tier, TIER_WORDS.get(tier, tier), _path(across[tiers == tier], down[tiers == tier]), count)
        for tier in (*TIERS[::-1], "")
        if (count := int((tiers == tier).sum()))
    ]
    return Plot(
        axis=axis,
        x_ticks=axis.ticks(),
        y_ticks=axis.ticks(flipped=True),
        marks=marks,
        band=_band(axis),
        lines=[
            (name, _line(axis, ratio)) for name, ratio in (("equal", 1.0), ("double", 2.0), ("half", 0.5))
        ],
        count=len(answered),
        refused=len(positions) - len(answered),
    )


def _path(across: NDArray[np.float64], down: NDArray[np.float64]) -> str:
    places = dict.fromkeys(zip(across.round(1).tolist(), down.round(1).tolist(), strict=True))
    return "".join(f"M{x:g} {y:g}h0" for x, y in places)


def _line(axis: Axis, ratio: float) -> str:
    """Where the prediction is `ratio` times the measured value."""
    shift = math.log(ratio) / math.log(axis.high / axis.low)
    start, end = max(0.0, -shift), min(1.0, 1.0 - shift)
    return "M{} {}L{} {}".format(*_places([(start, start + shift), (end, end + shift)]))


def _band(axis: Axis) -> str:
    """Predictions within 20% of the measured value."""
    over, under = (math.log(1 + sign * WITHIN) / math.log(axis.high / axis.low) for sign in (1, -1))
    corners = [(0.0, 0.0), (0.0, over), (1 - over, 1.0), (1.0, 1.0), (1.0, 1 + under), (-under, 0.0)]
    return "M" + "L".join(f"{x} {y}" for x, y in zip(*[iter(_places(corners))] * 2, strict=True)) + "z"


def _places(shares: Sequence[tuple[float, float]]) -> list[str]:
    return [f"{value:g}" for x, y in shares for value in (round(SIDE * x, 1), round(SIDE - SIDE * y, 1))]


def point_data(predictions: Predictions, positions: NDArray[np.intp]) -> dict[str, Any]:
    """The points by column for a script: values, ends of the intervals, tier, and what each is of."""
    answered = positions[np.isfinite(predictions.error[positions])]
    columns: dict[str, Any] = {
        name: [None if math.isnan(value) else value for value in predictions.numbers(name)[answered].tolist()]
        for name in ("measured", "predicted", "low", "high")
    }
    texts = ("run_id", "tier", "grade", "accelerator", "software", "model", "weight_format", "serving")
    return columns | {name: predictions.texts(name)[answered].tolist() for name in texts}
