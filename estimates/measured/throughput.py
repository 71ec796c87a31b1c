"""Output throughput per chip of a run, measured or predicted, and of several at a speed per user."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from estimates.measured.questions import RANDOM_LENGTHS, RANDOM_LENGTHS_MEAN
from estimates.measured.runs import Run

type Figures = Mapping[str, float]  # metric -> value


def rate_from(run: Run) -> str | None:
    """The figure that a run's throughput per chip is taken from; None where none gives it.

    A published throughput first; of a closed loop or a static batch else the time that its requests take.
    Tests of prompts alone generate nothing.
    """
    found = {metric for metric, _ in run.metrics}
    if run.n_accelerators is None or run.scenario == "prefill":
        return None
    for metric in ("output_tok_s_per_accel", "output_tok_s_total"):
        if metric in found:
            return metric
    if run.scenario == "decode":
        return next((metric for metric in ("decode_tok_s_per_user", "tpot_ms") if metric in found), None)
    if not run.osl:
        return None
    if "total_tok_s" in found and run.isl is not None:
        return "total_tok_s"
    if run.concurrency is None:
        return None
    if {"ttft_ms", "tpot_ms"} <= found:
        return "latencies"
    return "e2e_latency_s" if "e2e_latency_s" in found else None


def rate_of(run: Run, taken_from: str, figures: Figures) -> float | None:
    """Tokens/s generated per chip by these figures of a run; None where one of them is lacking.

    A closed loop of N clients generates N OSL tokens in the time of one request (Little's law), so does a
    static batch; of input and output tokens together the output's share is OSL / (ISL + OSL).
    """
    count, load = float(run.n_accelerators or 1), run.concurrency or 1.0
    needed = ("ttft_ms", "tpot_ms") if taken_from == "latencies" else (taken_from,)
    if not all(figures.get(name) for name in needed):
        return None
    first = figures[needed[0]]
    osl = (run.osl or 0.0) * (RANDOM_LENGTHS_MEAN if RANDOM_LENGTHS in run.flags else 1.0)
    match taken_from:
        case "output_tok_s_per_accel":
            return first
        case "output_tok_s_total":
            return first / count
        case "total_tok_s":
            return first * (run.osl or 0.0) / ((run.isl or 0.0) + (run.osl or 0.0)) / count
        case "decode_tok_s_per_user":
            return load * first / count
        case "tpot_ms":
            return load * 1e3 / first / count
        case "e2e_latency_s":
            return load * osl / first / count
    return load * osl * 1e3 / (first + (osl - 1) * figures["tpot_ms"]) / count


def throughput(run: Run, figures: Figures) -> float | None:
    """Tokens/s generated per chip by these figures of a run; None where they do not give it."""
    taken_from = rate_from(run)
    return rate_of(run, taken_from, figures) if taken_from else None


def points_of(runs: Iterable[Run], figures: Mapping[str, Figures]) -> list[tuple[float, float]]:
    """(tokens/s for each user, tokens/s per chip) of the configurations that have both."""
    found = []
    for run in runs:
        known = figures.get(run.run_id, {})
        rate = throughput(run, known)
        if rate and known.get("tpot_ms"):
            found.append((1e3 / known["tpot_ms"], rate))
    return found


def rate_at(points: Iterable[tuple[float, float]], speed: float) -> float | None:
    """Throughput per chip at a speed per user, between undominated points straight in logarithms.

    None where the points do not reach from that speed or below to that speed or above.
    """
    front: list[tuple[float, float]] = []
    for fast, rate in sorted(points, reverse=True):
        if not front or rate > front[-1][1]:
            front.append((fast, rate))
    if not front or not front[-1][0] <= speed <= front[0][0]:
        return None
    speeds, rates = np.log(np.array(front[::-1])).T
    return float(np.exp(np.interp(math.log(speed), speeds, rates)))
