"""The tables of the accuracy page scored from predictions: headline, slices, coverage, the farthest off."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Final

import numpy as np

from estimates.accuracy.predictions import FOLDS, TIERS, Predictions
from estimates.accuracy.scores import score_of, slices
from estimates.measured.scoring import OTHER_METRICS, Score
from estimates.pages.accuracy.plot import TIER_WORDS
from estimates.pages.accuracy.question import AccuracyQuestion
from estimates.pages.chart import per_cent
from estimates.pages.numbers import significant

SHORT_LIST: Final = 24
NOMINAL_PCT: Final = 80.0
#: What 80% intervals are held to: a slice of 400 rows or more within these, a smaller one within chance.
LARGE_SLICE, ACCEPTED_PCT = 400, (75.0, 87.0)
TAIL: Final = 0.005
FOLD_WORDS: Final = {"rows": "single rows", "groups": "whole groups"}
METRIC_WORDS: Final = {
    "tpot_ms": ("time per output token", "TPOT", "ms"),
    "ttft_ms": ("time to first token", "TTFT", "ms"),
    "output_tok_s_total": ("output throughput", "output", "tok/s"),
    "output_tok_s_per_accel": ("output throughput per chip", "output per chip", "tok/s"),
    "total_tok_s": ("throughput in and out", "in and out", "tok/s"),
    "decode_tok_s_per_user": ("decode speed of one user", "decode", "tok/s"),
    "prefill_tok_s": ("prefill speed", "prefill", "tok/s"),
    "e2e_latency_s": ("time of a whole answer", "whole answer", "s"),
}


@dataclass(frozen=True)
class ScoreLine:
    """A score ready to print; `bar` and `gauge` are widths and places in per cent."""

    name: str
    value: str
    score: Score
    median: str = ""
    mape: str = ""
    bias: str = ""
    within: str = ""
    covered: str = ""
    width: str = ""
    bar: str = "0%"
    gauge: str = ""
    outside: str = ""


@dataclass(frozen=True)
class Headline:
    """A result with its score for every fold."""

    name: str
    folds: list[tuple[str, ScoreLine]]


def score_line(name: str, value: str, score: Score, most: float = 100.0) -> ScoreLine:
    """A line; `most` is the median error, in per cent, at which its bar is full."""
    if not score.answered:
        return ScoreLine(name, value, score)
    median, covered = score.median_ape_pct or 0.0, score.coverage80_pct
    return ScoreLine(
        name=name,
        value=value,
        score=score,
        median=pct(median),
        mape=pct(score.mape_pct),
        bias=f"{score.bias_pct:+.1f}".replace("-", "−") if score.bias_pct is not None else "",
        within=pct(score.within20_pct, 0),
        covered=pct(covered, 0),
        width=f"{significant(score.interval_ratio)}×" if score.interval_ratio else "",
        bar=per_cent(min(median / most, 1.0)) if most else "0%",
        gauge="" if covered is None else per_cent(covered / 100),
        outside=coverage_fault(score),
    )


def coverage_fault(score: Score) -> str:
    """Why the coverage of 80% intervals is not what was promised; empty where it is, or may be by chance."""
    if score.coverage80_pct is None:
        return ""
    low, high = ACCEPTED_PCT if score.answered >= LARGE_SLICE else chance_band(score.answered)
    if low - 0.01 <= score.coverage80_pct <= high + 0.01:
        return ""
    side = "too narrow" if score.coverage80_pct < low else "wider than need be"
    return f"{side}: {low:.0f} to {high:.0f}% expected of {score.answered:,} rows"


@lru_cache(maxsize=LARGE_SLICE)
def chance_band(rows: int) -> tuple[float, float]:
    """Per cent of so many rows that 80% intervals hold in 99 of 100 cases: the binomial distribution's tails
    of half a per cent each cut off."""
    share = NOMINAL_PCT / 100
    weights = [math.comb(rows, k) * share**k * (1 - share) ** (rows - k) for k in range(rows + 1)]
    below = list(accumulate(weights))
    low = next(k for k in range(rows + 1) if below[k] > TAIL)
    high = next(k for k in range(rows, -1, -1) if 1 - below[k] + weights[k] > TAIL)
    return 100 * low / rows, 100 * high / rows


def headlines(predictions: Predictions) -> list[Headline]:
    """TPOT, TTFT and all other figures, with rows and with groups left out; complete rows alone."""
    parts = [
        ("Time per output token", ["tpot_ms"]),
        ("Time to first token", ["ttft_ms"]),
        ("Throughput and decode speed", list(OTHER_METRICS)),
    ]
    found = []
    for name, metrics in parts:
        folds = []
        for fold in FOLDS:
            chosen = predictions.select({"fold": [fold], "metric": metrics})
            if len(chosen):
                folds.append((fold, score_line(name, fold, score_of(predictions, chosen))))
        if folds:
            found.append(Headline(name, folds))
    return found


def slice_lines(
    predictions: Predictions, question: AccuracyQuestion, names: Mapping[str, str]
) -> tuple[list[ScoreLine], int]:
    """The slices of the asked dimension, and how many more there are."""
    wanted = question.filters if question.by == "metric" else question.wanted
    found = slices(predictions, question.by, wanted, question.complete)
    shown = found if question.rows == "all" else found[:SHORT_LIST]
    most = max([item.score.median_ape_pct or 0.0 for item in shown if item.score.answered], default=0.0)
    most = min(max(most, 20.0), 100.0)
    lines = [score_line(named(names, item.value), item.value, item.score, most) for item in shown]
    return lines, len(found) - len(shown)


def named(names: Mapping[str, str], value: str) -> str:
    return (names.get(value) or value) if value else "not stated"


def tier_lines(predictions: Predictions, question: AccuracyQuestion) -> list[tuple[str, list[ScoreLine]]]:
    """Coverage by tier for each fold, whatever the page's own tier: (fold, lines)."""
    wanted = {name: values for name, values in question.wanted.items() if name not in ("tier", "fold")}
    found = []
    for fold in FOLDS:
        by_tier = slices(predictions, "tier", wanted | {"fold": [fold]}, question.complete)
        order = {tier: place for place, tier in enumerate(TIERS)}
        by_tier.sort(key=lambda item: order.get(item.value, len(order)))
        lines = [
            score_line(TIER_WORDS.get(item.value, item.value), item.value, item.score) for item in by_tier
        ]
        if lines:
            found.append((fold, lines))
    return found


@dataclass(frozen=True)
class RunLine:
    """A prediction of the table behind the plot."""

    run_id: str
    what: str
    where: str
    measured: str
    predicted: str
    interval: str
    error: str
    tier: str


def run_lines(
    predictions: Predictions, positions: Sequence[int], names: Mapping[str, str], most: int
) -> list[RunLine]:
    """The predictions that are the farthest off, by the factor."""
    errors = np.abs(np.log1p(predictions.error[np.asarray(positions, dtype=np.intp)]))
    order = np.argsort(-np.where(np.isfinite(errors), errors, -1.0), kind="stable")[:most]
    found = []
    for row in (predictions.row(int(positions[place])) for place in order):
        if row["predicted"] is None:
            continue
        found.append(
            RunLine(
                run_id=row["run_id"],
                what=f"{named(names, row['model'] or '')} on {named(names, row['accelerator'] or '')}",
                where=" · ".join(
                    part
                    for part in (
                        names.get(row["software"], row["software"]) if row["software"] else "",
                        row["weight_format"],
                        row["serving"],
                    )
                    if part
                ),
                measured=significant(row["measured"]),
                predicted=significant(row["predicted"]),
                interval=f"{significant(row['low'])}–{significant(row['high'])}" if row["low"] else "",
                error=f"{row['error_pct']:+.0f}".replace("-", "−"),
                tier=row["tier"] or "",
            )
        )
    return found


def pct(value: float | None, digits: int = 1) -> str:
    return "" if value is None else f"{value:,.{digits}f}"
