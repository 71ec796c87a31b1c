"""How new a configuration is, and the interval that this leaves around its figures."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from estimates.core.correction import Placed
from estimates.core.estimate import evaluate_one
from estimates.core.facts import Deployment, ModelFacts, Workload
from estimates.core.identity import METRICS
from estimates.core.novelty import NO_NOVELTY, log_bounds, novelty_of
from estimates.core.residuals import Component
from tests.core.architectures import llama_70b
from tests.core.learnt import ORIGIN, SERVED, identity, intervals, learnt, posterior
from tests.core.machines import offer, physics

LLAMA = ModelFacts("llama", llama_70b())


def seen(*runs):
    """A table that has seen these (metric, identity)."""
    return learnt(posterior([(metric, name, ORIGIN, 0.0) for metric, name in runs]), intervals())


def novelty(table, name=SERVED, **more):
    return novelty_of(Placed(name, np.array(ORIGIN)), table.calibration, **more)


def bounds(table, name=SERVED, ttft_s=1.0, tpot_s=0.01, osl=101.0, grade="B", **more):
    placed = Placed(name, np.array(ORIGIN))
    novel = novelty_of(placed, table.calibration, **more)
    return log_bounds(placed, novel, table, grade, ttft_s, tpot_s, osl, **more)


def test_without_a_calibration_everything_is_new():
    assert novelty(physics()) == NO_NOVELTY
    assert set(NO_NOVELTY.tiers) == set(METRICS)


def test_each_metric_has_its_tier():
    found = novelty(seen(("tpot", SERVED), ("ttft", identity(chip="amd-mi300x"))))
    assert (found.tiers["tpot"], found.tiers["ttft"]) == ("measured", "kin")


def test_throughput_of_a_closed_loop_is_as_new_as_the_newer_of_its_times():
    found = novelty(seen(("tpot", SERVED), ("ttft", identity(chip="amd-mi300x"))))
    assert found.tiers["throughput"] == "kin"


def test_throughput_of_a_benchmark_has_a_tier_of_its_own():
    offline = identity(serving="offline")
    found = novelty(seen(("throughput", offline), ("tpot", SERVED)), offline)
    assert found.tiers == {"tpot": "none", "ttft": "none", "throughput": "measured"}


def test_the_estimate_is_as_new_as_the_better_known_of_token_time_and_throughput():
    """A first token never measured does not make an estimate of a measured time per token new."""
    assert novelty(seen(("tpot", SERVED))).tier == "measured"
    offline = identity(serving="offline")
    assert novelty(seen(("throughput", offline)), offline).tier == "measured"
    assert novelty(seen(("ttft", SERVED))).tier == "none"


def test_a_first_token_that_queues_is_known_from_others_that_queued():
    table = seen(("ttft", SERVED.served("saturated")))
    assert novelty(table).tiers["ttft"] == "none"
    assert novelty(table, queued=True).tiers["ttft"] == "measured"


def test_a_chip_is_measured_by_any_metric_of_any_serving():
    other = identity(serving="static", software="sglang", architecture="x", format="bf16")
    assert novelty(seen(("throughput", other))).chip_measured
    assert not novelty(seen(("throughput", identity(chip="amd-mi300x")))).chip_measured


@pytest.mark.parametrize("grade", "ABCD")
def test_without_a_calibration_widths_are_those_of_the_grade(grade: str):
    width = physics().coefficient(f"interval_tpot_{grade}")
    assert bounds(physics(), grade=grade)["tpot"] == (-width, width)


def test_times_have_the_bounds_of_their_tier():
    found = bounds(
        replace_scales(seen(("tpot", SERVED)), {("tpot", "measured", ""): 0.2, ("ttft", "none", ""): 0.7})
    )
    assert found["tpot"] == (pytest.approx(-0.2), pytest.approx(0.2))
    assert found["ttft"] == (pytest.approx(-0.7), pytest.approx(0.7))


def replace_scales(table, scales):
    found = replace(table.calibration, intervals=intervals(scales=scales))
    return replace(table, calibration=found)


def test_bounds_of_a_closed_loops_throughput_are_those_of_its_cycle():
    """100 more tokens of 10 ms and a first one after 1 s: half of the cycle each.

    TPOT within a factor of 1.2, TTFT within 2: the cycle is at most 0.5 x 1.2 + 0.5 x 2 = 1.6 as long, and at
    least 0.5 / 1.2 + 0.5 / 2 = 0.6667.
    """
    table = replace_scales(seen(), {("tpot", "none", ""): math.log(1.2), ("ttft", "none", ""): math.log(2)})
    low, high = bounds(table)["throughput"]
    assert (math.exp(low), math.exp(high)) == (pytest.approx(2 / 3), pytest.approx(1.6))


@pytest.mark.parametrize("ttft_s", [None, math.nan])
def test_without_a_first_token_throughput_is_as_sure_as_the_time_per_token(ttft_s: float | None):
    found = bounds(seen(), ttft_s=ttft_s)
    assert found["throughput"] == (pytest.approx(found["tpot"][0]), pytest.approx(found["tpot"][1]))


def test_a_benchmarks_throughput_has_bounds_of_its_own():
    table = replace_scales(seen(), {("throughput", "none", ""): 0.9})
    assert bounds(table, identity(serving="static"))["throughput"] == (
        pytest.approx(-0.9),
        pytest.approx(0.9),
    )


def test_what_the_calibration_never_met_has_the_provisional_width_of_the_grade():
    """Runs that report TPOT alone say nothing of how far off first tokens are."""
    table = seen(("tpot", SERVED))
    known = table.calibration.intervals
    only = {key: pair for key, pair in known.quantiles.items() if key[0] == "tpot"}
    table = replace(table, calibration=replace(table.calibration, intervals=replace(known, quantiles=only)))
    width = physics().coefficient("interval_ttft_B")
    found = bounds(table)
    assert found["tpot"] == (pytest.approx(-0.1), pytest.approx(0.1))
    assert found["ttft"] == (-width, width)


def ask(table, **deployment):
    asked = Deployment(weights="fp8", tp=8, concurrency=64, software="vllm", **deployment)
    return evaluate_one(LLAMA, offer(), Workload("w", 1000, 500), asked, table)


def test_an_estimate_says_what_it_was_multiplied_by_and_how_it_is_known():
    plain = ask(physics())
    like = replace(SERVED, architecture="other")
    runs = [("tpot", like, ORIGIN, 0.2)]
    table = learnt(posterior(runs, Component("software", ("metric", "software"), 1.0)), intervals())
    found = ask(table)
    assert found.tpot_s == pytest.approx(math.exp(0.2) * plain.tpot_s)
    assert found.correction["tpot"] == pytest.approx(math.exp(0.2))
    assert (found.tier, found.tiers["tpot"]) == ("kin", "kin")  # the same chip with the same software
    assert any("x 1.22 the physics'" in line and "its kin" in line for line in found.assumptions)


def test_a_measured_group_is_graded_a_and_says_how_many_runs():
    from estimates.core.identity import architecture_key

    own = replace(SERVED, architecture=architecture_key(llama_70b()))
    found = ask(seen(("tpot", own), ("tpot", own), ("ttft", own)))
    assert (found.grade, found.tier) == ("A", "measured")
    assert any("2 runs of this group" in line for line in found.assumptions)


def test_the_version_of_software_does_not_move_an_estimate_into_another_tier():
    from estimates.core.identity import architecture_key

    own = replace(SERVED, architecture=architecture_key(llama_70b()))
    assert ask(seen(("tpot", own)), software_version="0.1").tier == "measured"
