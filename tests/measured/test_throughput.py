"""Output throughput per chip of a run by hand, and of a curve at a speed per user."""

from typing import Any

import pytest

from estimates.measured.runs import Run
from estimates.measured.throughput import rate_at, throughput


def run(scenario: str = "closed_loop", **changes: Any) -> Run:
    values: dict[str, Any] = {
        "accelerator": "a",
        "n_accelerators": 4,
        "model": "m",
        "isl": 1000.0,
        "osl": 500.0,
    }
    values |= {"concurrency": 32.0, "metrics": (("tpot_ms", 20.0),)}
    return Run(run_id="one", scenario=scenario, **values | changes)


def of(scenario: str, metrics: dict[str, float], **changes: Any) -> float | None:
    one = run(scenario, metrics=tuple(metrics.items()), **changes)
    return throughput(one, metrics)


def test_a_published_throughput_is_shared_by_the_chips():
    assert of("closed_loop", {"output_tok_s_total": 800, "tpot_ms": 1, "ttft_ms": 1}) == 200
    assert of("offline_max_throughput", {"output_tok_s_per_accel": 300, "output_tok_s_total": 800}) == 300


def test_of_input_and_output_together_the_outputs_share():
    # 500 of 1,500 tokens: a third of 1,200 tokens/s on 4 chips.
    assert of("offline_max_throughput", {"total_tok_s": 1200}) == pytest.approx(100)


def test_a_closed_loop_by_littles_law():
    # A request takes 2,020 ms + 499 x 20 ms = 12 s: 32 x 500 tokens in 12 s on 4 chips.
    found = of("closed_loop", {"ttft_ms": 2020, "tpot_ms": 20})
    assert found == pytest.approx(32 * 500 / 12 / 4)


def test_lengths_drawn_below_the_nominal_one_are_nine_tenths_of_it():
    # 450 tokens: 2,020 + 449 x 20 = 11,000 ms.
    found = of("closed_loop", {"ttft_ms": 2020, "tpot_ms": 20}, flags=frozenset({"random_length_0.8_1.0"}))
    assert found == pytest.approx(32 * 450 / 11 / 4)


def test_a_static_batch_by_its_whole_time():
    assert of("latency", {"e2e_latency_s": 10}) == pytest.approx(32 * 500 / 10 / 4)


def test_a_decode_test_by_the_speed_of_each_sequence():
    assert of("decode", {"decode_tok_s_per_user": 50}) == 32 * 50 / 4
    assert of("decode", {"tpot_ms": 20}) == 32 * 50 / 4
    assert of("decode", {"decode_tok_s_per_user": 50}, concurrency=None) == 50 / 4


@pytest.mark.parametrize(
    ("scenario", "metrics", "changes"),
    [
        ("prefill", {"prefill_tok_s": 9000.0}, {}),
        ("closed_loop", {"tpot_ms": 20.0}, {}),  # without a first token
        ("closed_loop", {"ttft_ms": 100.0, "tpot_ms": 20.0}, {"concurrency": None}),
        ("closed_loop", {"ttft_ms": 100.0, "tpot_ms": 20.0}, {"osl": None}),
        ("closed_loop", {"output_tok_s_total": 800.0}, {"n_accelerators": None}),
    ],
)
def test_what_does_not_give_a_throughput_has_none(scenario: str, metrics: dict, changes: dict):
    assert of(scenario, metrics, **changes) is None


def test_a_prediction_is_taken_from_the_figures_that_were_measured():
    one = run(metrics=(("ttft_ms", 2020.0), ("tpot_ms", 20.0)))
    assert throughput(one, {"ttft_ms": 2020.0}) is None
    assert throughput(one, {"output_tok_s_total": 800.0}) is None


def test_a_speed_between_two_configurations_is_read_straight_in_logarithms():
    # 20 tokens/s is half way between 10 and 40 in logarithms, and 200 between 400 and 100.
    assert rate_at([(10, 400), (40, 100)], 20) == pytest.approx(200)


def test_dominated_configurations_do_not_bend_the_curve():
    # (20, 50) is slower than (40, 100) and carries less.
    assert rate_at([(10, 400), (20, 50), (40, 100)], 20) == pytest.approx(200)


@pytest.mark.parametrize("speed", [9, 41])
def test_a_curve_says_nothing_beyond_its_ends(speed: float):
    assert rate_at([(10, 400), (40, 100)], speed) is None
    assert rate_at([], speed) is None


def test_a_curve_reaches_its_ends():
    assert rate_at([(10, 400), (40, 100)], 10) == pytest.approx(400)
    assert rate_at([(10, 400), (40, 100)], 40) == pytest.approx(100)
