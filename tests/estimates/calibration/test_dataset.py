"""Runs as observations: a time each, what it is compared with, what may not teach and why."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from estimates.calibration.dataset import (
    Dataset,
    Observation,
    cases_of,
    configuration,
    dataset_of,
    log_physics,
    log_time,
    physics_of,
    without_copies,
)
from estimates.core.architecture_json import architecture_from_json
from estimates.core.facts import Workload
from estimates.core.identity import architecture_key
from estimates.measured.runs import Run
from tests.core.learnt import at
from tests.core.machines import physics
from tests.estimates.calibration.published import LARGE, observed, run
from tests.estimates.conftest import TinyCatalogue

MODELS = Path(__file__).resolve().parents[3] / "catalog" / "data" / "models"


def dataset(*runs: Run) -> Dataset:
    return dataset_of(runs, physics())


def one(**columns: Any) -> Observation:
    """The only observation of a run."""
    (found,) = dataset(run(**columns)).observations
    return found


def times(**columns: Any) -> dict[str, float]:
    """What the physics says of the run, in seconds and tokens/s."""
    cases, _ = cases_of([run(**columns)], physics())
    found = physics_of(cases, physics())
    names = ("tpot", "ttft", "unloaded", "throughput", "total", "e2e", "prefill", "running", "floor")
    return {name: float(getattr(found, name)[0]) for name in names}


# ---- Architectures of the catalogue ----------------------------------------------------------------------


def architecture(slug: str):
    data = yaml.safe_load((MODELS / f"{slug}.yaml").read_text(encoding="utf-8"))
    return architecture_from_json(data["architecture"])


def test_deepseek_r1_v3_and_v31_are_one_architecture():
    """What is measured of one is measured of all; V3.2 reads its cache through an indexer."""
    keys = {slug: architecture_key(architecture(slug)) for slug in ("deepseek-r1", "deepseek-v3")}
    keys["deepseek-v3.1"] = architecture_key(architecture("deepseek-v3.1-nvfp4"))
    assert len(set(keys.values())) == 1
    assert architecture_key(architecture("deepseek-v3.2")) not in keys.values()


# ---- Times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "value", "seconds"),
    [
        ("tpot_ms", 20.0, 0.02),
        ("ttft_ms", 500.0, 0.5),
        ("e2e_latency_s", 3.0, 3.0),
        ("decode_tok_s_per_user", 50.0, 0.02),
        ("output_tok_s_total", 1000.0, 0.001),
        ("prefill_tok_s", 4000.0, 0.00025),
    ],
)
def test_a_figure_is_a_time_in_seconds_a_rate_that_of_a_token(metric: str, value: float, seconds: float):
    assert math.exp(log_time(metric, value)) == pytest.approx(seconds)


STATIC = {"scenario": "offline_max_throughput", "concurrency": 8.0}


@pytest.mark.parametrize(
    ("columns", "metric", "quantity", "expected"),
    [
        ({}, "tpot_ms", "tpot", lambda t: t["tpot"]),
        ({}, "ttft_ms", "ttft", lambda t: t["ttft"]),
        ({}, "decode_tok_s_per_user", "tpot", lambda t: t["tpot"]),
        (STATIC, "output_tok_s_total", "throughput", lambda t: 1 / t["throughput"]),
        (STATIC, "total_tok_s", "throughput", lambda t: 1 / t["total"]),
        (STATIC, "e2e_latency_s", "throughput", lambda t: t["e2e"]),
        ({"scenario": "prefill", "osl": None}, "prefill_tok_s", "ttft", lambda t: 1 / t["prefill"]),
        # Sequences that decode together, without their prompts: 8 tokens every TPOT.
        (
            {"scenario": "decode", "concurrency": 8.0},
            "output_tok_s_total",
            "tpot",
            lambda t: t["tpot"] / 8,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_figure_is_compared_with_its_own_quantity(
    tiny: TinyCatalogue, columns: dict[str, Any], metric: str, quantity: str, expected: Any
):
    """The time that the physics gives for it, from the columns of the evaluation."""
    said, log = compared(metric, **columns)
    assert said == quantity
    assert math.exp(log) == pytest.approx(expected(times(**columns)))


def compared(metric: str, **columns: Any) -> tuple[str, float]:
    """Quantity and logarithm of the time that the physics gives of a run's metric."""
    cases, _ = cases_of([run(**columns)], physics())
    return log_physics(metric, physics_of(cases, physics()), 0, cases[0])


def test_throughput_of_each_chip_is_an_eighth_of_eight(tiny: TinyCatalogue):
    """8,000 tokens/s of the node and 1,000 of each chip are one figure: a token takes 8 times as long."""
    node = {**STATIC, "model": LARGE, "weight_format": "fp8", "n_accelerators": 8, "tp": 8}
    (_, whole), (_, each) = (compared(f"output_tok_s_{name}", **node) for name in ("total", "per_accel"))
    assert each - whole == pytest.approx(math.log(8))


def test_prompts_that_lie_in_the_cache_are_not_computed(tiny: TinyCatalogue):
    """2,048 new tokens behind 6,144: the published rate counts the new ones, the physics' all 8,192."""
    notes = {"notes": "llama-bench pp2048 @ d6144", "scenario": "prefill", "isl": 2048.0, "osl": None}
    _, log = compared("prefill_tok_s", **notes)
    assert log == pytest.approx(-math.log(times(**notes)["prefill"] / 4))


def test_a_first_token_beyond_the_cache_is_another_kind(tiny: TinyCatalogue):
    """2,000 clients of 1,536 tokens on one H100: the mean counts the wait for room, and is kept apart."""
    assert one(metrics=(("ttft_ms", 500.0),)).identity.serving == "closed_loop"
    crowded = one(concurrency=2000.0, metrics=(("ttft_ms", 20_000.0),))
    assert crowded.identity.serving == "saturated"
    assert one(concurrency=2000.0, metrics=(("tpot_ms", 50.0),)).identity.serving == "closed_loop"


def test_each_scenario_is_a_serving_of_its_own(tiny: TinyCatalogue):
    figures = (("output_tok_s_total", 5000.0),)
    servings = {
        scenario: one(scenario=scenario, metrics=figures, **columns).identity.serving
        for scenario, columns in {
            "closed_loop": {},
            "single_stream": {},
            "offline_max_throughput": {"concurrency": None},
            "server": {"concurrency": None},
        }.items()
    }
    assert servings == {
        "closed_loop": "closed_loop",
        "single_stream": "static",
        "offline_max_throughput": "offline",
        "server": "offline",  # no service level is known of it
    }


def test_coordinates_are_those_of_the_deployment(tiny: TinyCatalogue):
    found = one(concurrency=16.0, isl=1024.0, osl=512.0)
    assert found.features == pytest.approx(at(batch=4, isl=10, osl=9))


# ---- What may not teach ----------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["incomplete_deployment", "speculative", "mlperf_open", "anomaly"])
def test_flagged_runs_do_not_teach(tiny: TinyCatalogue, flag: str):
    found = one(flags=frozenset({flag}))
    assert (found.teaches, found.reason) == (False, flag)


def test_a_flag_of_how_lengths_were_drawn_teaches(tiny: TinyCatalogue):
    assert one(flags=frozenset({"random_length_0.8_1.0"})).teaches


@pytest.mark.parametrize(("share", "teaches"), [(0.94, False), (0.96, True)])
def test_a_token_faster_than_its_bytes_does_not_teach(tiny: TinyCatalogue, share: float, teaches: bool):
    """Below 0.95 of the bytes touched over the datasheet's bandwidth."""
    found = one(metrics=(("tpot_ms", share * 1e3 * times()["floor"]),))
    assert found.teaches is teaches
    assert found.reason == ("" if teaches else "below the floor of its bytes")


def test_decode_rates_are_held_to_the_floor_too(tiny: TinyCatalogue):
    rate = 1 / (0.9 * times()["floor"])
    found = one(metrics=(("decode_tok_s_per_user", rate),))
    assert found.reason == "below the floor of its bytes"


@pytest.mark.parametrize(("share", "teaches"), [(0.49, False), (0.51, True)])
def test_a_first_token_before_half_of_its_own_prefill_does_not_teach(
    tiny: TinyCatalogue, share: float, teaches: bool
):
    """Its prompt was in a cache, or the concurrency is not what is printed."""
    found = one(metrics=(("ttft_ms", share * 1e3 * times()["unloaded"]),))
    assert found.teaches is teaches
    assert found.reason == ("" if teaches else "first token before its own prefill")


def test_throughput_of_a_closed_loop_does_not_teach(tiny: TinyCatalogue):
    """It follows from TPOT and TTFT; that of a static batch is a measurement of its own."""
    figures = (("output_tok_s_total", 1000.0),)
    assert one(metrics=figures).reason == "follows from TPOT and TTFT"
    assert one(metrics=figures, **STATIC).teaches


def test_what_does_not_teach_is_still_observed(tiny: TinyCatalogue):
    """So that it can be predicted and compared."""
    found = dataset(run("a"), run("b", flags=frozenset({"speculative"}), concurrency=32.0))
    assert [(o.run.run_id, o.teaches) for o in found.observations] == [("a", True), ("b", False)]


def test_runs_that_cannot_be_asked_are_counted_by_reason(tiny: TinyCatalogue):
    found = dataset(
        run("a"),
        run("b", isl=None),
        run("c", isl=None),
        run("d", model="nobody-knows"),
        run("e", accelerator=None),
        run("f", accelerator="mystery"),  # no bandwidth is published
        run("g", model=LARGE, n_accelerators=3, tp=3),  # three do not divide 64 heads
    )
    assert len(found.cases) == 1
    assert found.left_out == {
        "missing_input_length": 2,
        "unknown_model": 1,
        "unknown_accelerator": 1,
        "missing_bandwidth": 1,
        "tp_does_not_divide": 1,
    }


def test_a_run_that_was_short_of_memory_by_the_estimate_is_answered(tiny: TinyCatalogue):
    """It did run: Llama 70B in FP8 leaves an H100 1.9 GB for caches, 16,896 tokens in 8 bit take 2.8.

    It is asked again with a tenth more memory, as validation asks it.
    """
    long = run(model=LARGE, weight_format="fp8", concurrency=1.0, isl=16384.0)
    ((case,), left_out) = cases_of([long], physics())
    assert left_out == {}
    chip = case.choice.point.lane.variant.chip
    assert chip.memory.addressable_bytes == pytest.approx(1.1 * 85_520_809_984)
    assert chip.slug == "nvidia-h100-sxm"
    assert np.isfinite(physics_of([case], physics()).tpot).all()


# ---- Copies and order ------------------------------------------------------------------------------------


def test_copies_are_removed_and_counted(tiny: TinyCatalogue):
    """The same configuration with a figure within 0.5%; a repetition that differs by more stays."""
    found = dataset(
        run("a", metrics=(("tpot_ms", 10.0),)),
        run("b", metrics=(("tpot_ms", 10.04),)),
        run("c", metrics=(("tpot_ms", 10.2),)),
        run("d", metrics=(("tpot_ms", 10.0),), concurrency=32.0),
    )
    assert [o.run.run_id for o in found.observations] == ["a", "c", "d"]
    assert found.copies_removed == 1


def test_figures_of_other_metrics_chips_or_cache_formats_are_no_copies():
    rows = [
        observed(),
        observed(metric="ttft"),
        observed(chip="amd-mi300x"),
        observed(where=at(batch=1)),
        observed(version="vllm/0.9"),
    ]
    other = observed()
    rows.append(replace(other, run=replace(other.run, n_accelerators=8)))
    rows.append(replace(other, run=replace(other.run, kv_format="fp8")))
    kept, removed = without_copies(rows)
    assert (len(kept), removed) == (7, 0)
    assert len({configuration(o) for o in rows}) == 7


def test_a_repetition_is_the_same_configuration():
    assert configuration(observed(0.1, run_id="a")) == configuration(observed(0.3, run_id="b"))


def test_observations_come_in_the_order_of_run_ids(tiny: TinyCatalogue):
    """Whatever order the runs come in: the file that is learnt is the same."""
    runs = [run(name, concurrency=load) for name, load in (("c", 4.0), ("a", 8.0), ("b", 16.0))]
    forward, backward = dataset(*runs), dataset(*runs[::-1])
    assert [o.run.run_id for o in forward.observations] == ["a", "b", "c"]
    assert [o.log_measured for o in forward.observations] == [o.log_measured for o in backward.observations]


def test_the_deployment_is_decided_by_the_physics(tiny: TinyCatalogue):
    """Open parallel sizes are filled without what was learnt: eight chips, and a workload as published."""
    cases, _ = cases_of(
        [run(model=LARGE, weight_format="fp8", n_accelerators=8, tp=None, pp=None, dp=None)], physics()
    )
    point = cases[0].choice.point
    assert point.lane.group * point.pp * cases[0].choice.replicas == 8
    assert point.workload == Workload(point.workload.slug, 1024, 512)
