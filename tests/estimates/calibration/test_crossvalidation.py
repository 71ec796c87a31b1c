"""Predictions made without the figure or its group, with intervals that other runs give."""

from __future__ import annotations

import math

import numpy as np
import pytest

from estimates.accuracy.predictions import IN_FILE, NUMBERS, TEXTS
from estimates.calibration.crossvalidation import Scored, as_row, half_of
from estimates.calibration.spread import LeftOut, fit_intervals
from estimates.core.calibration import intervals_from
from estimates.core.residuals import lean_of
from tests.estimates.calibration.conftest import World
from tests.estimates.calibration.published import observed

GROUPS = "serving chip software architecture format"


def of(world: World, fold: str, run_id: str, metric: str) -> Scored:
    (found,) = (
        one
        for one in world.scored
        if (one.fold, one.prediction.run_id, one.prediction.metric) == (fold, run_id, metric)
    )
    return found


def left_out(world: World, split: str, run_id: str, metric: str) -> tuple[float, str]:
    """Log error and tier of a run's figure under a split."""
    for part in world.splits[split]:
        for one, error, tier in zip(part.observations, part.errors, part.tiers, strict=True):
            if one.run.run_id == run_id and one.metric_name == metric:
                return float(error), tier
    raise AssertionError(run_id)


def test_every_figure_that_taught_is_predicted_in_both_folds(world: World):
    taught = {
        (o.run.run_id, o.metric_name) for one in world.learnt.metrics.values() for o in one.observations
    }
    for fold in ("rows", "groups"):
        found = [(o.prediction.run_id, o.prediction.metric) for o in world.scored if o.fold == fold]
        assert len(found) == len(set(found))
        assert taught <= set(found)


def test_what_may_not_teach_is_predicted_once_by_all_that_taught(world: World):
    (found,) = (one for one in world.scored if one.prediction.run_id == "flagged")
    assert found.fold == "rows"
    assert found.measured == 5.0
    assert (found.prediction.tier, found.prediction.grade) == ("measured", "B")


@pytest.mark.parametrize("fold", ["rows", "groups"])
@pytest.mark.parametrize("metric", ["tpot_ms", "ttft_ms"])
def test_a_time_is_the_measured_one_over_its_error_less_the_lean(world: World, fold: str, metric: str):
    """log predicted = log measured - error - lean, the lean from the spread of the other half's errors."""
    found = of(world, fold, "3-16-1024", metric)
    error, tier = left_out(world, "rows" if fold == "rows" else GROUPS, "3-16-1024", metric)
    assert found.prediction.tier == tier
    shift = math.log(found.measured / found.prediction.predicted) - error
    assert 0 <= shift < 0.02  # this world scatters by 1% and its groups by a few


def test_a_rate_is_the_measured_one_times_its_error_of_time(world: World):
    """A token that takes longer than predicted is a rate lower than predicted."""
    found = of(world, "rows", "0-16-1024-static", "output_tok_s_total")
    error, _ = left_out(world, "rows", "0-16-1024-static", "output_tok_s_total")
    assert math.log(found.prediction.predicted / found.measured) == pytest.approx(error, abs=0.02)


def test_a_time_leans_and_what_is_printed_as_a_rate_as_well_does_not():
    """Half of the variance downwards: of 20% spread 2%; of a time in a static batch nothing."""
    closed, static = observed().identity, observed(serving="static").identity
    assert lean_of("tpot", closed, 0.2) == pytest.approx(0.02)
    assert lean_of("throughput", closed, 0.2) == 0
    assert lean_of("tpot", static, 0.2) == 0
    assert lean_of("ttft", closed, 9.0) == 0.7


def test_predictions_lie_in_their_intervals(world: World):
    for one in world.scored:
        found = one.prediction
        assert 0 < found.low < found.predicted < found.high


def half(world: World, number: int) -> list[LeftOut]:
    """The left-out errors of one half of the runs, under every split."""
    found = []
    for part in (part for parts in world.splits.values() for part in parts):
        kept = [row for row, one in enumerate(part.observations) if half_of(one) == number]
        found.append(
            LeftOut(
                [part.observations[row] for row in kept],
                part.errors[kept],
                [part.tiers[row] for row in kept],
                part.closeness[kept],
            )
        )
    return found


@pytest.mark.parametrize("metric", ["tpot_ms", "ttft_ms", "output_tok_s_total"])
def test_intervals_are_those_of_the_other_half_of_the_runs(world: World, metric: str):
    """A run of half 0 is judged by what runs of half 1 erred, and the other way round.

    The bounds are of a time: those of a rate are turned over.
    """
    judges = [intervals_from(fit_intervals(half(world, number))) for number in (1, 0)]
    halves = set()
    for scored in world.scored:
        one, found = scored.observation, scored.prediction
        if scored.fold != "groups" or found.metric != metric:
            continue
        halves.add(half_of(one))
        judge = judges[half_of(one)]
        scale = judge.scale(one.metric, found.tier, one.identity)
        lean = lean_of(one.metric, one.identity, scale)
        low, high = (bound * scale + lean for bound in judge.quantiles[one.metric, found.tier])
        low, high = min(low, -1e-3), max(high, 1e-3)
        if metric == "output_tok_s_total":
            low, high = -high, -low
        assert math.log(found.low / found.predicted) == pytest.approx(low)
        assert math.log(found.high / found.predicted) == pytest.approx(high)
    assert halves == {0, 1}


def test_halves_are_of_whole_runs_and_the_same_every_time():
    """By a checksum of the run's id: CRC-32 of "one" is 2053932785, odd, of "two" 298486374, even."""
    assert half_of(observed(run_id="one")) == half_of(observed(run_id="one", metric="ttft")) == 1
    assert half_of(observed(run_id="two")) == 0


def test_intervals_hold_about_80_per_cent(world: World):
    """300 figures of a small world; the binomial deviation alone is 2.3%."""
    held = [
        one.prediction.low <= one.measured <= one.prediction.high
        for one in world.scored
        if one.prediction.run_id != "flagged" and one.fold == "rows"
    ]
    assert len(held) == 150
    assert 0.65 <= np.mean(held) <= 0.95


def test_a_group_left_out_is_graded_by_its_chip(world: World):
    """Measured groups are graded A, others on a measured chip B; no figure of these chips has a source, which

    lowers every grade by one.
    """
    assert {one.prediction.grade for one in world.scored if one.fold == "rows"} == {"B"}
    assert {one.prediction.grade for one in world.scored if one.fold == "groups"} == {"C"}


def test_an_impossible_figure_is_marked(world: World):
    """5 ms for 32 users on 16 GB of weights at 3,350 GB/s, 4.8 ms, and their cache."""
    (flagged,) = (one for one in world.scored if one.prediction.run_id == "flagged")
    assert not flagged.prediction.possible
    assert of(world, "rows", "0-16-1024", "tpot_ms").prediction.possible


def test_rows_have_the_columns_that_the_accuracy_page_reads(world: World):
    row = as_row(of(world, "rows", "4-64-256", "tpot_ms"), world.learnt)
    assert set(row) == {IN_FILE.get(name, name) for name in (*TEXTS, *NUMBERS)}
    assert row | {"measured": "", "predicted": "", "low": "", "high": ""} == {
        "run_id": "4-64-256",
        "metric": "tpot_ms",
        "measured": "",
        "predicted": "",
        "low": "",
        "high": "",
        "grade": "B",
        "tier": "measured",
        "fold": "rows",
        "accelerator": "nvidia-h100-sxm",
        "software": "sglang",
        "model": "llama-3.1-70b-instruct",
        "format": "fp8",
        "serving": "closed_loop",
        "flags": "",
    }
    assert (
        as_row(next(o for o in world.scored if o.prediction.run_id == "flagged"), world.learnt)["flags"]
        == "speculative"
    )
