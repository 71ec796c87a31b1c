"""80% intervals: a scale per kind of evidence, a quantile each side."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, ModelFacts, Workload
from estimates.core.intervals import CELLS, TIERS, chip_measured, tier_of
from tests.core.architectures import llama_70b
from tests.core.learnt import LENGTHS, ORIGIN, SERVED, at, identity, intervals, learnt, posterior
from tests.core.machines import offer

HERE = np.array(ORIGIN)
RUNS = posterior([("tpot", SERVED, ORIGIN, 1.0)])


def test_bounds_are_quantiles_times_the_scale():
    """-1.1 and 1.3 scales of 0.2."""
    found = intervals(-1.1, 1.3, {("tpot", "kin", ""): 0.2})
    low, high = found.bounds("tpot", "kin", SERVED, RUNS, HERE)
    assert (float(low), float(high)) == (pytest.approx(-0.22), pytest.approx(0.26))


def test_the_narrowest_cell_that_was_fitted_counts():
    group = ("closed_loop", "nvidia-h100-sxm", "vllm", "llama", "fp8")
    cells = {
        ("tpot", "measured", "serving"): 0.3,
        ("tpot", "measured", "serving|software|family"): 0.2,
        ("tpot", "measured", "|".join(CELLS["measured"][0])): 0.1,
    }
    values = (("closed_loop",), ("closed_loop", "vllm", "dense"), group)
    found = intervals(
        scales={(*key, *names): scale for (key, scale), names in zip(cells.items(), values, strict=True)}
    )
    assert found.scale("tpot", "measured", SERVED) == 0.1
    assert found.scale("tpot", "measured", identity(chip="amd-mi300x")) == 0.2
    assert found.scale("tpot", "measured", identity(software="sglang")) == 0.3


def test_without_a_fitted_cell_the_scale_is_the_tiers():
    found = intervals(scales={("tpot", "kin", ""): 0.7})
    assert found.scale("tpot", "kin", SERVED) == 0.7


def test_far_from_the_runs_of_a_measured_group_the_interval_widens():
    """On a run the scale is 0.1; far away sqrt(1 + 3) x 0.1; one length away sqrt(1 + 3 (1 - e^-1)) x 0.1."""
    found = intervals(widening={"tpot": 3.0})
    where = np.array([ORIGIN, at(batch=40), at(batch=2)])
    _, high = found.bounds("tpot", "measured", SERVED, RUNS, where)
    assert high == pytest.approx([0.1, 0.2, 0.1 * math.sqrt(1 + 3 * (1 - math.exp(-1)))])


@pytest.mark.parametrize("tier", ["kin", "none"])
def test_only_measured_groups_widen_with_distance(tier: str):
    found = intervals(widening={"tpot": 3.0})
    _, high = found.bounds("tpot", tier, SERVED, RUNS, np.array(at(batch=40)))
    assert float(high) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("changes", "tier"),
    [
        ({}, "measured"),
        ({"version": "vllm/0.9", "generation": "other", "family": "other"}, "measured"),  # no part of a group
        ({"chip": "amd-mi300x"}, "kin"),  # the same model in the same software and format elsewhere
        ({"architecture": "other", "format": "bf16"}, "kin"),  # the same chip with the same software
        ({"chip": "amd-mi300x", "format": "bf16"}, "none"),
        ({"software": "sglang"}, "none"),
        ({"serving": "static"}, "none"),
    ],
)
def test_the_tier_says_how_new_a_configuration_is(changes: dict[str, str], tier: str):
    assert tier_of("tpot", identity(**changes), RUNS) == tier


def test_each_metric_has_its_own_tier():
    assert tier_of("ttft", SERVED, RUNS) == "none"


def test_without_residuals_nothing_is_known():
    assert tier_of("tpot", SERVED, None) == "none"
    assert not chip_measured("tpot", SERVED, None)


def test_a_chip_is_measured_by_any_run_on_it():
    other = identity(serving="static", software="sglang", architecture="other", format="bf16")
    assert chip_measured("tpot", other, RUNS)
    assert not chip_measured("tpot", identity(chip="amd-mi300x"), RUNS)


def test_cells_end_in_one_that_every_configuration_of_a_serving_shares():
    assert {CELLS[tier][-1] for tier in TIERS} == {("serving",)}


@pytest.mark.parametrize("arrival", ["closed_loop", "static", "saturating"])
@pytest.mark.parametrize(("low", "high"), [(-1.0, 2.0), (-0.001, 3.0), (-3.0, 0.001)])
def test_every_interval_contains_its_estimate(arrival: str, low: float, high: float):
    """As long as the quantiles lie on both sides of zero, which the fit sees to."""
    table = learnt(RUNS, intervals(low, high))
    asked = Deployment(weights="fp8", tp=8, concurrency=None if arrival == "saturating" else 64)
    found = evaluate_one(
        ModelFacts("llama", llama_70b()), offer(), Workload("w", 1000, 500, arrival=arrival), asked, table
    )
    values = {
        "tpot_s": found.tpot_s,
        "ttft_loaded_mean_s": found.ttft_s["loaded_mean"],
        "ttft_saturated_mean_s": found.ttft_s.get("saturated_mean"),
        "e2e_s": found.e2e_s,
        "throughput_output_tok_s": found.throughput_output_tok_s,
        "throughput_total_tok_s": found.throughput_total_tok_s,
        "prefill_tok_s": found.prefill_tok_s,
    }
    assert set(found.interval) == {name for name, value in values.items() if value is not None}
    for name, interval in found.interval.items():
        assert interval.low < values[name] < interval.high


def test_lengths_of_closeness_are_those_of_the_file():
    near = replace(intervals(widening={"tpot": 3.0}), lengths=(20.0, *LENGTHS[1:]))
    _, high = near.bounds("tpot", "measured", SERVED, RUNS, np.array(at(batch=20)))
    assert float(high) == pytest.approx(0.1 * math.sqrt(1 + 3 * (1 - math.exp(-1))))


def leaning(spread: float):
    found = posterior([("tpot", SERVED, ORIGIN, 1.0)])
    found.spread = lambda metric, name: spread
    return found


def test_an_interval_stays_where_it_is_when_its_estimate_leans():
    """Quantiles are around the median, which lies the lean, 0.2^2 / 2, above the estimate."""
    found = intervals(-1.1, 1.3, {("tpot", "measured", ""): 0.2})
    low, high = found.bounds("tpot", "measured", SERVED, leaning(0.2), HERE)
    assert (float(low), float(high)) == (pytest.approx(-0.22 + 0.02), pytest.approx(0.26 + 0.02))


def test_no_estimate_leans_out_of_its_interval():
    """A lean of 0.7 against 0.1: the near end stays a thousandth beside the estimate."""
    found = intervals(-1.0, 1.0)
    low, high = found.bounds("tpot", "none", SERVED, leaning(3.0), HERE)
    assert (float(low), float(high)) == (pytest.approx(-1e-3), pytest.approx(0.8))
