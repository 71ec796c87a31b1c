"""What the estimator says of published runs: each run's question answered as the API answers it.

A prediction is one figure of one run. The mean first token stands for `ttft_ms`, of MLPerf too, whose logs
give medians: the calibration learns what its server scenarios differ by. Of a saturated deployment the wait
for cache space is counted (`saturated_mean`), because that is what a benchmark prints.

A run that was measured did fit. Where the estimate has it short of memory, it is asked again with as much
more as software is known to squeeze out (`MORE_MEMORY`), and the prediction says so.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from estimates.core.estimate import Estimate, Interval
from estimates.core.formats import UnknownFormat
from estimates.evaluate import estimate_question
from estimates.fact_book import FactBook
from estimates.measured.plausibility import is_possible, tpot_at_most_s, tpot_floor_s
from estimates.measured.questions import (
    Asked,
    Names,
    Refusal,
    asked_of,
    read_names,
)
from estimates.measured.runs import Run
from estimates.method import efficiency
from estimates.what_if import InvalidQuestion, Question

NONE: Final = "none"
MORE_MEMORY: Final = "+10%"


@dataclass(frozen=True, slots=True)
class Prediction:
    """One figure predicted, in the metric's unit; without a value `reason` says why there is none.

    `code` groups the reasons. `possible`: the measured value keeps what the datasheet allows.
    """

    run_id: str
    metric: str
    predicted: float | None = None
    low: float | None = None
    high: float | None = None
    grade: str = ""
    tier: str = ""
    reason: str = ""
    code: str = ""
    state: str = ""
    possible: bool = True
    floor_s: float | None = None


def predict(
    runs: Iterable[Run], book: FactBook | None = None, names: Names | None = None
) -> Iterator[Prediction]:
    """A prediction of every figure of every run, in their order. Facts are read from the catalogue once."""
    book = book or FactBook()
    names = names or read_names()
    for run in runs:
        yield from predict_run(run, book, names)


def predict_run(run: Run, book: FactBook, names: Names) -> Iterator[Prediction]:
    """The figures of one run; a refusal is an answer for each of them."""
    asked = asked_of(run, names)
    if isinstance(asked, Refusal):
        for metric, _ in run.metrics:
            yield Prediction(run.run_id, metric, reason=asked.detail, code=asked.code)
        return
    try:
        estimate = estimate_question(asked.question, book, explained=False)
        if estimate.state == "does_not_fit":
            estimate, asked = with_more_memory(estimate, asked, book)
    except InvalidQuestion as error:
        fault = error.faults[0]
        for metric, _ in run.metrics:
            yield Prediction(run.run_id, metric, reason=fault.detail, code=fault.code)
        return
    floor = _floor(run, asked.question, book)
    for metric, value in run.metrics:
        possible = is_possible(tpot_at_most_s(run, metric, value), floor)
        yield _prediction(run, metric, estimate, asked, possible, floor)


def with_more_memory(estimate: Estimate, asked: Asked, book: FactBook) -> tuple[Estimate, Asked]:
    """The answer for a chip with more memory, and that it was assumed; the first one where it is no help."""
    question = asked.question.model_copy(update={"overrides": {"memory_gb": MORE_MEMORY}})
    again = estimate_question(question, book, explained=False)
    if again.state == "does_not_fit":
        return estimate, asked
    short = estimate.reason.detail if estimate.reason else "it does not fit"
    return again, replace(asked, assumed=(*asked.assumed, f"memory {MORE_MEMORY}, for it ran: {short}"))


def _prediction(
    run: Run, metric: str, estimate: Estimate, asked: Asked, possible: bool, floor: float | None
) -> Prediction:
    value, interval = figure(run, metric, estimate, asked.question)
    reason = estimate.reason.detail if estimate.reason else ""
    code = estimate.reason.code if estimate.reason else ""
    if value is None and not reason:
        missing = ", ".join(estimate.missing_facts)
        reason = f"not known without {missing}" if missing else f"the estimate has no {metric}"
        code = "missing_fact" if missing else "no_figure"
    notes = [reason, *asked.assumed] if reason else list(asked.assumed)
    return Prediction(
        run.run_id,
        metric,
        predicted=value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        grade=estimate.grade or "",
        tier=tier_of(estimate, metric, run),
        reason="; ".join(notes),
        code=code if value is None else "",
        state=estimate.state,
        possible=possible,
        floor_s=floor,
    )


def tier_of(estimate: Estimate, metric: str, run: Run) -> str:
    """How new the combination is to what the calibration knows of this metric: measured, kin, none."""
    if metric in ("ttft_ms", "prefill_tok_s"):
        return estimate.tiers.get("ttft", NONE)
    if metric in ("tpot_ms", "decode_tok_s_per_user") or run.scenario == "decode":
        return estimate.tiers.get("tpot", NONE)
    return estimate.tiers.get("throughput", NONE)


def _floor(run: Run, question: Question, book: FactBook) -> float | None:
    chip = book.chip_of(question)
    skew = efficiency().coefficient("routing_skew", chip)
    try:
        return tpot_floor_s(run, question, book.model_of(question), chip, skew)
    except UnknownFormat:
        return None


# ---- Figures of an estimate ------------------------------------------------------------------------------


def figure(
    run: Run, metric: str, estimate: Estimate, question: Question
) -> tuple[float | None, Interval | None]:
    """A metric of an estimate with its 80% interval, in the metric's unit; None where it has none."""
    found, tpot, unit, bounds = estimate, estimate.tpot_s, 1.0, estimate.interval
    if tpot is None:
        return None, None
    match metric:
        case "tpot_ms":
            return _scaled(tpot, bounds.get("tpot_s"), 1e3)
        case "ttft_ms":
            return _first_token(found)
        case "decode_tok_s_per_user":
            return _inverse(1.0, tpot, bounds.get("tpot_s"))
        case "prefill_tok_s":
            computed = 1 - float(getattr(question.workload, "prefix_share", None) or 0)
            return _scaled(found.prefill_tok_s, bounds.get("prefill_tok_s"), computed)
        case "e2e_latency_s":
            return _scaled(found.e2e_s, bounds.get("e2e_s"), unit)
        case "total_tok_s":
            return _scaled(found.throughput_total_tok_s, bounds.get("throughput_total_tok_s"), unit)
        case "output_tok_s_per_accel":
            unit = 1 / question.count
    if run.scenario == "decode":  # tokens of all sequences while they decode: their prompts are not timed
        sequences = (found.decode_tok_s or 0.0) * tpot
        return _inverse(sequences * unit, tpot, bounds.get("tpot_s"))
    return _scaled(found.throughput_output_tok_s, bounds.get("throughput_output_tok_s"), unit)


def _first_token(estimate: Estimate) -> tuple[float | None, Interval | None]:
    """The first token that a benchmark prints of this run, in ms."""
    times, bounds = estimate.ttft_s, estimate.interval
    mean = times.get("loaded_mean")
    if mean is None:
        return _scaled(times.get("saturated_mean"), bounds.get("ttft_saturated_mean_s"), 1e3)
    return _scaled(mean, bounds.get("ttft_loaded_mean_s"), 1e3)


def _scaled(
    value: float | None, interval: Interval | None, unit: float
) -> tuple[float | None, Interval | None]:
    """The value and its interval times a unit."""
    if value is None or not math.isfinite(value):
        return None, None
    if interval is None:
        return value * unit, None
    return value * unit, Interval(interval.low * unit, interval.high * unit)


def _inverse(
    numerator: float, seconds: float, interval: Interval | None
) -> tuple[float | None, Interval | None]:
    """A rate of a time, and the time's interval turned over."""
    if interval is None:
        return numerator / seconds, None
    return numerator / seconds, Interval(numerator / interval.high, numerator / interval.low)
