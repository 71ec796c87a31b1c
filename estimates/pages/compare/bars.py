"""What makes the options' answers differ, as stacked bars about the baseline and as a table of factors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, exp, floor, log
from typing import Final

from estimates.comparison.attribution import Attribution
from estimates.comparison.compare import Comparison, Pair
from estimates.comparison.options import Option
from estimates.pages.chart import per_cent
from estimates.pages.numbers import significant

#: Colour of a cause in the bars and tables; the limits have their own everywhere.
LOOKS: Final = {
    "memory_bandwidth": "look-bandwidth",
    "compute": "look-compute",
    "links": "look-interconnect",
    "capacity": "look-capacity",
    "efficiency": "cause-0",
    "layout": "cause-1",
    "load": "cause-2",
    "format": "cause-3",
    "price": "cause-4",
    "software": "cause-5",
    "model": "cause-6",
    "workload": "cause-7",
    "options": "cause-8",
}
#: What one part of the bars is too small to be drawn, in the logarithm.
NOTHING: Final = 5e-4


@dataclass(frozen=True)
class Part:
    """A cause's piece of a bar."""

    name: str
    look: str
    x: str
    width: str
    text: str


@dataclass(frozen=True)
class Bar:
    """An option against the baseline: its pieces, the net, in per cent of the axis."""

    index: int
    label: str
    parts: tuple[Part, ...]
    net: str
    text: str
    why_not: str


@dataclass(frozen=True)
class Chart:
    zero: str
    ticks: tuple[tuple[str, str], ...]
    bars: tuple[Bar, ...]
    keys: tuple[tuple[str, str], ...]


def chart(comparison: Comparison, metric: str) -> Chart:
    """A stacked bar for each option on a logarithmic axis about the baseline.

    Causes that lower the metric lie to the left, those that raise it to the right; an option without the
    metric says why.
    """
    found = [_metric(pair, metric) for pair in comparison.pairs]
    reach = log(2) / 2
    for attribution in found:
        if attribution is not None:
            parts = [share.log_share for share in attribution.shares]
            reach = max(reach, sum(p for p in parts if p > 0), -sum(p for p in parts if p < 0))
    reach *= 1.06
    bars = tuple(
        _bar(pair, attribution, comparison.options[pair.option], reach, metric)
        for pair, attribution in zip(comparison.pairs, found, strict=True)
    )
    keys = dict.fromkeys(
        (share.cause.title, _look(share.cause.key))
        for attribution in found
        if attribution is not None
        for share in attribution.shares
        if abs(share.log_share) >= NOTHING
    )
    return Chart(_place(0, reach), tuple(_ticks(reach)), bars, tuple(keys))


def _metric(pair: Pair, metric: str) -> Attribution | None:
    return pair.attributed.metrics.get(metric) if pair.attributed else None


def _bar(pair: Pair, attribution: Attribution | None, option: Option, reach: float, metric: str) -> Bar:
    label = option.asked.label
    if attribution is None:
        why = pair.why_not or (pair.attributed.missing.get(metric, "") if pair.attributed else "")
        return Bar(pair.option, label, (), "", "", why)
    parts: list[Part] = []
    left = right = 0.0
    for share in sorted(attribution.shares, key=lambda share: -abs(share.log_share)):
        size = share.log_share
        if abs(size) < NOTHING:
            continue
        start = right if size > 0 else left + size
        left, right = (left, right + size) if size > 0 else (left + size, right)
        look = _look(share.cause.key)
        width = per_cent(abs(size) / (2 * reach))
        text = f"× {significant(exp(size))}"
        parts.append(Part(share.cause.title, look, _place(start, reach), width, text))
    ratio = attribution.after / attribution.before
    note = attribution.note if attribution.weighed != "every order" else ""
    return Bar(pair.option, label, tuple(parts), _place(log(ratio), reach), f"× {significant(ratio)}", note)


def _look(key: str) -> str:
    return LOOKS.get(key, "cause-8")


def _place(value: float, reach: float) -> str:
    return per_cent((value + reach) / (2 * reach))


def _ticks(reach: float) -> Iterable[tuple[str, str]]:
    """Factors that are powers of two, or of ten where the axis is long."""
    step = log(2) if reach < 4 * log(2) else log(10) if reach > 6 * log(2) else 2 * log(2)
    if reach < 0.8 * log(2):
        step = log(1.25)
    for number in range(ceil(-reach / step), floor(reach / step) + 1):
        factor = exp(abs(number) * step)
        sign = "×" if number >= 0 else "÷"
        text = "same" if number == 0 else f"{sign} {factor:.3g}"
        yield _place(number * step, reach), text


def cause_rows(comparison: Comparison, metric: str) -> list[tuple[str, str, list[str]]]:
    """(title, look, factor for each option but the baseline) of every cause; the net is last."""
    titles: dict[str, tuple[str, dict[int, float]]] = {}
    net: dict[int, float] = {}
    for pair in comparison.pairs:
        attribution = _metric(pair, metric)
        if attribution is None:
            continue
        net[pair.option] = attribution.log_ratio
        for share in attribution.shares:
            titles.setdefault(share.cause.title, (share.cause.key, {}))[1][pair.option] = share.log_share
    rows = [
        (title, _look(key), _factors(values, comparison))
        for title, (key, values) in titles.items()
        if any(abs(value) >= NOTHING for value in values.values())
    ]
    return [*rows, ("in all", "", _factors(net, comparison))] if net else []


def _factors(values: dict[int, float], comparison: Comparison) -> list[str]:
    return [
        f"× {significant(exp(values[pair.option]))}" if pair.option in values else ""
        for pair in comparison.pairs
    ]
