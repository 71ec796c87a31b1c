"""Prices over time as geometry: days across, USD an hour of one accelerator up, one line a provider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from estimates.pages.chart import GREY, MARKERS, Axis, Tick, per_cent
from estimates.pages.dates import DayAxis
from estimates.pages.prices.history import Series

#: Providers with a colour; the others are grey.
COLOURED = 8
SIDE = 1000.0
MARGIN = 1.15


@dataclass(frozen=True)
class Spot:
    """One day of a provider: place in per cent, and what it says."""

    x: str
    y: str
    text: str


@dataclass(frozen=True)
class Line:
    slot: int
    marker: str
    provider: str
    name: str
    path: str
    spots: list[Spot]
    last: str


@dataclass(frozen=True)
class Plot:
    axis: Axis
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    lines: list[Line]
    count: int


def draw(series: Sequence[Series], day: date) -> Plot | None:
    """The plot up to that day; None without a dated quote. A price holds until the next day it was seen."""
    prices = [price for line in series for _, price in line.points]
    if not prices:
        return None
    first = min(line.points[0][0] for line in series)
    days = DayAxis(first, max(day, max(line.points[-1][0] for line in series)))
    axis = Axis(min(prices) / MARGIN, max(prices) * MARGIN)
    lines = []
    for position, line in enumerate(series):
        coloured = position < COLOURED
        lines.append(
            Line(
                slot=position if coloured else GREY,
                marker=MARKERS[position % len(MARKERS)] if coloured else "circle",
                provider=line.provider,
                name=line.name,
                path=_steps(line, days, axis),
                spots=[
                    Spot(
                        per_cent(days.share(when)),
                        per_cent(1 - axis.share(price)),
                        f"{line.name}, {when:%-d %b %Y}: {price:,.2f} USD",
                    )
                    for when, price in line.points
                ],
                last=f"{line.points[-1][1]:,.2f}",
            )
        )
    # Grey ones lie below.
    return Plot(axis, days.ticks(), axis.ticks(flipped=True), lines[::-1], len(prices))


def _steps(line: Series, days: DayAxis, axis: Axis) -> str:
    places = [(SIDE * days.share(when), SIDE * (1 - axis.share(price))) for when, price in line.points]
    x, y = places[0]
    return f"M{x:.1f} {y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in places[1:])
