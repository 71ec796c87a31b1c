"""Errors by hand: of figures, by view, by metric and slice."""

from typing import Any

import pytest

from estimates.measured.runs import Run
from estimates.measured.scoring import BELOW_CAPACITY, OTHER, Compared, Score, by_metric, by_tier, score

NAN = float("nan")
RUN = Run(run_id="one", accelerator="a", n_accelerators=1, model="m", isl=1, osl=1, scenario="closed_loop")


def compared(**changes: Any) -> Compared:
    values: dict[str, Any] = {
        "run": RUN,
        "metric": "tpot_ms",
        "measured": 100.0,
        "predicted": 110.0,
        "low": 90.0,
        "high": 120.0,
        "tier": "none",
        "complete": True,
        "plausible": True,
        "saturated": False,
        "slices": {},
    }
    return Compared(**values | changes)


def test_errors_are_relative_to_what_was_measured():
    # (110 - 100) / 100 = +10%, (50 - 100) / 100 = -50%, (260 - 200) / 200 = +30%; the fourth is not answered.
    found = score([100, 100, 200, 10], [110, 50, 260, NAN], [100, 40, 210, NAN], [121, 80, 300, NAN])
    assert found == Score(
        rows=4,
        answered=3,
        mape_pct=30.0,  # (10 + 50 + 30) / 3
        median_ape_pct=30.0,
        bias_pct=pytest.approx(-10 / 3, abs=1e-3),  # (10 - 50 + 30) / 3
        within20_pct=pytest.approx(100 / 3, abs=1e-3),  # the first
        coverage80_pct=pytest.approx(100 / 3, abs=1e-3),  # 100 in 100..121, not in 40..80, not 200 in 210..
        interval_ratio=pytest.approx(300 / 210, abs=1e-4),  # median of 1.21, 2, 1.4286
    )


def test_what_is_not_answered_has_rows_and_no_error():
    assert score([1, 2], [NAN, NAN], [NAN, NAN], [NAN, NAN]) == Score(rows=2, answered=0)


def test_predictions_without_an_interval_have_no_coverage():
    found = score([10], [10], [NAN], [NAN])
    assert (found.mape_pct, found.coverage80_pct, found.interval_ratio) == (0.0, None, None)


def test_an_error_of_exactly_a_fifth_is_within():
    assert score([100], [120], [NAN], [NAN]).within20_pct == 100


def test_flagged_rows_count_in_all_alone_and_impossible_ones_not_as_plausible():
    rows = [
        compared(),
        compared(predicted=150.0, complete=False, plausible=False),
        compared(predicted=130.0, plausible=False),
    ]
    found = by_metric(rows)["tpot_ms"]
    assert [found[view].rows for view in ("all", "complete", "plausible")] == [3, 2, 1]
    assert [found[view].mape_pct for view in ("all", "complete", "plausible")] == [30, 20, 10]


def test_rates_are_pooled_under_other():
    rows = [
        compared(metric="output_tok_s_total"),
        compared(metric="decode_tok_s_per_user", predicted=130.0),
        compared(metric="prefill_tok_s", predicted=900.0),
    ]
    assert by_metric(rows)[OTHER]["complete"] == Score(
        2, 2, 20, 20, 20, 50, 100, pytest.approx(1.3333, abs=1e-4)
    )


def test_first_tokens_are_also_scored_below_capacity():
    rows = [compared(metric="ttft_ms"), compared(metric="ttft_ms", predicted=500.0, saturated=True)]
    found = by_metric(rows)["ttft_ms"]
    assert (found["complete"].rows, found[BELOW_CAPACITY].rows) == (2, 1)
    assert found[BELOW_CAPACITY].mape_pct == 10


def test_tiers_hold_what_is_answered():
    rows = [compared(tier="kin"), compared(tier="", predicted=None, low=None, high=None)]
    assert {tier: found["tpot_ms"]["all"].rows for tier, found in by_tier(rows).items()} == {"kin": 1}
