"""The load of one row as drawings: throughput and first token against clients and against requests a second.

Everything in user units of one plot, which the page scales. Pure: no request, no database.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from estimates.pages.chart import Axis
from estimates.pages.numbers import duration, significant

WIDTH, HEIGHT = 460.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 12.0, 10.0, 26.0
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
TITLES = {
    "concurrency": ("clients of a benchmark, at once", "Against clients"),
    "requests_per_s": ("requests a second of independent users", "Against a request rate"),
}
#: name of a line, its column, its look
FIRST_TOKENS = (
    ("median", "ttft_median_ms", "one"),
    ("mean", "ttft_mean_ms", "two"),
    ("p95", "ttft_p95_ms", "three"),
)


@dataclass(frozen=True)
class Mark:
    """A tick of an axis: where, and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Line:
    name: str
    look: str
    path: str
    dots: list[Dot]


@dataclass(frozen=True)
class Panel:
    """One plot: lines over a band of the 80% interval, the place of saturation."""

    title: str
    unit: str
    x_title: str
    label: str
    x_marks: list[Mark]
    y_marks: list[Mark]
    band: str
    lines: list[Line]
    full: float | None


@dataclass(frozen=True)
class Curve:
    title: str
    head: str
    other: str
    panels: list[Panel]
    rows: list[list[str]]


@dataclass(frozen=True)
class Load:
    """What is shown of the curves of one row, and in words."""

    curves: list[Curve]
    sentence: str
    wave: str
    reason: str
    limits: list[str]


def draw(found: dict[str, Any]) -> Load:
    """The drawing of an answer of `estimates.curves`."""
    full = found["saturation"]
    if not full:
        reason = found["reason"]["detail"] if found["reason"] else "nothing runs"
        return Load([], "", "", reason, [])
    curves = []
    for axis in TITLES:
        points = [point for point in found["points"] if point["axis"] == axis]
        if points and points[0]["throughput_tok_s"] is not None:
            curves.append(
                _curve(axis, points, full["concurrency" if axis == "concurrency" else "requests_per_s"])
            )
    return Load(
        curves, _sentence(full), _wave(found["points"]), "", [_limit(limit) for limit in found["limits"]]
    )


def _curve(axis: str, points: Sequence[dict[str, Any]], full: float | None) -> Curve:
    x_title, title = TITLES[axis]
    place: Callable[[float], float]
    loads = [point[axis] for point in points]
    if axis == "concurrency":
        scale = Axis(min(loads), max(max(loads), 2 * min(loads)))
        place = lambda value: LEFT + scale.share(value) * (WIDTH - LEFT - RIGHT)  # noqa: E731
        labelled = [
            Mark(place(float(tick.text.replace(",", ""))), tick.text) for tick in scale.ticks() if tick.text
        ]
        marks = _apart(labelled)
    else:
        top = max(loads)
        place = lambda value: LEFT + value / top * (WIDTH - LEFT - RIGHT)  # noqa: E731
        marks = [Mark(place(value), _short(value)) for value in _round_steps(top, 6)]
    rates = _panel(
        "Throughput",
        "tok/s",
        x_title,
        points,
        axis,
        place,
        marks,
        full,
        (("estimate", "throughput_tok_s", "one"),),
    )
    waits = _panel("First token", "", x_title, points, axis, place, marks, full, FIRST_TOKENS)
    return Curve(title, *_heads(axis), [rates, waits], [_row(axis, point) for point in points])


def _heads(axis: str) -> tuple[str, str]:
    return ("clients", "requests/s") if axis == "concurrency" else ("requests/s", "in flight")


def _panel(
    title: str,
    unit: str,
    x_title: str,
    points: Sequence[dict[str, Any]],
    axis: str,
    place: Callable[[float], float],
    marks: list[Mark],
    full: float | None,
    lines: Sequence[tuple[str, str, str]],
) -> Panel:
    """One plot of these columns; the band is that of the first. Rates from zero, times in logarithms."""
    timed = not unit
    names = [name for _, name, _ in lines]
    ends = [names[0] + "_low", names[0] + "_high"]
    values = [point[name] for point in points for name in (*names, *ends) if point[name]]
    span = HEIGHT - TOP - BOTTOM
    if timed:
        low, high = min(values, default=1.0), max(values, default=10.0)
        scale = Axis(low / 1.1, max(high, low * 2) * 1.1)
        height = lambda value: TOP + (1 - scale.share(value)) * span  # noqa: E731
        steps = [
            Mark(height(float(tick.text.replace(",", ""))), duration(float(tick.text.replace(",", "")) / 1e3))
            for tick in scale.ticks()
            if tick.text
        ]
        y_marks = _apart(steps, 15)
    else:
        top = max(values, default=1.0) * 1.05
        height = lambda value: TOP + (1 - value / top) * span  # noqa: E731
        y_marks = [Mark(height(value), f"{value:,.10g}") for value in _round_steps(top, 4)]
    drawn = []
    for name, column, look in lines:
        known = [point for point in points if point[column] is not None]
        dots = [
            Dot(
                _r(place(point[axis])),
                _r(height(point[column])),
                f"{_short(point[axis])} {_heads(axis)[0]}: {name} "
                + (duration(point[column] / 1e3) if timed else f"{significant(point[column])} tok/s"),
            )
            for point in known
        ]
        drawn.append(Line(name, look, _path(dots), dots))
    known = [point for point in points if point[ends[0]] is not None]
    upper = [Dot(_r(place(p[axis])), _r(height(p[ends[1]])), "") for p in known]
    lower = [Dot(_r(place(p[axis])), _r(height(p[ends[0]])), "") for p in reversed(known)]
    band = _path([*upper, *lower]) + "Z" if len(known) > 1 else ""
    label = f"{title} against {x_title}; the table below holds the same figures"
    at = None if full is None else _r(place(full))
    return Panel(title, unit, x_title, label, marks, y_marks, band, drawn, at)


def _row(axis: str, point: dict[str, Any]) -> list[str]:
    """A point as the cells of its table."""
    other = "requests_per_s" if axis == "concurrency" else "concurrency"
    times = (
        "tpot_mean_ms",
        "tpot_p95_ms",
        "ttft_median_ms",
        "ttft_mean_ms",
        "ttft_first_wave_ms",
        "ttft_p95_ms",
    )
    return [
        _short(point[axis]),
        "–" if point[other] is None else _short(point[other]),
        f"{significant(point['throughput_tok_s'])}",
        *("–" if point[name] is None else duration(point[name] / 1e3) for name in times),
        point["state"],
    ]


def _sentence(full: dict[str, Any]) -> str:
    found = f"Room for {full['concurrency']:,.0f} requests at once"
    if full["requests_per_s"] is None:
        return found + "."
    low, high = (significant(full[f"requests_per_s_{end}"]) for end in ("low", "high"))
    return (
        f"{found}; independent users are served up to {significant(full['requests_per_s'])} requests a "
        f"second (80%: {low} to {high}), beyond which the queue grows for ever."
    )


def _wave(points: Sequence[dict[str, Any]]) -> str:
    """What of a benchmark's mean first token is its first wave, at the busiest load below saturation."""
    closed = [p for p in points if p["axis"] == "concurrency" and p["ttft_first_wave_ms"]]
    if not closed:
        return ""
    point = closed[-1]
    mean, wave, median = (
        duration(point[name] / 1e3) for name in ("ttft_mean_ms", "ttft_first_wave_ms", "ttft_median_ms")
    )
    return (
        f"The clients of a benchmark start together. With {point['concurrency']:,.0f} of them the mean first "
        f"token is {mean}, of which {wave} is that first wave; the median, {median}, is without it. "
        "Independent users, who come by chance, never see it."
    )


def _limit(limit: dict[str, Any]) -> str:
    name = (
        f"{limit['metric'].upper()} at the {limit['at']}"
        if limit["at"] != "p95"
        else f"{limit['metric'].upper()} at p95"
    )
    text = f"{name} within {duration(limit['ms'] / 1e3)}: {limit['concurrency']:,.0f} clients"
    if limit["requests_per_s"] is None:
        return text
    return f"{text}, or {significant(limit['requests_per_s'])} requests a second"


def _path(dots: Sequence[Dot]) -> str:
    return "M" + " ".join(f"{dot.x:g} {dot.y:g}" for dot in dots) if dots else ""


def _round_steps(top: float, most: int) -> list[float]:
    """Round numbers from 0 to the top, at most so many steps."""
    power = 10.0 ** (len(f"{int(top)}") - 1) if top >= 1 else 10.0 ** -len(f"{int(1 / top)}")
    sizes = [power * factor / 10 for factor in ROUND] + [power * factor for factor in ROUND]
    step = next(size for size in sizes if top / size <= most)
    return [step * index for index in range(int(top / step) + 1)]


def _apart(marks: Sequence[Mark], least: float = 34) -> list[Mark]:
    """Marks whose texts do not touch."""
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda one: one.at):
        if not kept or mark.at - kept[-1].at >= least:
            kept.append(mark)
    return kept


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else significant(value)


def _r(value: float) -> float:
    return round(value, 1)
