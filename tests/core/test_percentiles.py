"""Percentiles of first tokens and of tokens: hand-computed, ordered, in one definition with the answers."""

import numpy as np
import pytest

from estimates.core.percentiles import prompts_met, tpot_quantile, ttft_quantile


def test_an_exponential_wait_of_everyone_and_twice_the_first_wave() -> None:
    # 0.1 s service, 0.2 s mean wait, 0.05 s wave: mean 0.35; median 0.1 + 0.693 x 0.2; p95 0.1 + 0.6 + 0.1
    assert ttft_quantile(0.1, 0.2, 0.05, "mean") == pytest.approx(0.35)
    assert ttft_quantile(0.1, 0.2, 0.05, "median") == pytest.approx(0.2386)
    assert ttft_quantile(0.1, 0.2, 0.05, "p95") == pytest.approx(0.8)


def test_a_prompt_that_mostly_finds_nobody_waits_nothing_at_the_median() -> None:
    # chance 0.4 to wait, 0.5 s if so: median no wait; p95 0.5 x (3 - ln 2.5) = 0.5 x 2.0837
    assert ttft_quantile(0.1, 0.2, 0.0, "median", busy=0.4) == pytest.approx(0.1)
    assert ttft_quantile(0.1, 0.2, 0.0, "p95", busy=0.4) == pytest.approx(0.1 + 0.5 * 2.08371, rel=1e-5)


def test_nobody_waits_longer_than_the_longest_and_the_median_comes_up_by_as_much() -> None:
    # tail min(0.6, 0.4); median 0.2 - 0.307 / 2 x (0.4 - 0.2) = 0.1693
    assert ttft_quantile(0.1, 0.2, 0.0, "p95", longest=0.4) == pytest.approx(0.5)
    assert ttft_quantile(0.1, 0.2, 0.0, "median", longest=0.4) == pytest.approx(0.2693)


def test_batches_one_after_the_other_spread_their_waits_evenly() -> None:
    assert ttft_quantile(0.1, 0.2, 0.0, "median", static=True) == pytest.approx(0.3)
    assert ttft_quantile(0.1, 0.2, 0.0, "p95", static=True) == pytest.approx(0.5)


def test_prompts_met_are_poisson() -> None:
    # Poisson of mean 10: median 10, 95th percentile 15; of mean 100: 117 (tables); Cornish-Fisher within half
    assert prompts_met(10.0, "median") == pytest.approx(10, abs=0.5)
    assert prompts_met(10.0, "p95") == pytest.approx(15, abs=0.6)
    assert prompts_met(100.0, "p95") == pytest.approx(117, abs=0.6)


def test_rare_prompts_keep_markovs_bound() -> None:
    assert prompts_met(0.001, "p95") == pytest.approx(0.02)
    assert prompts_met(0.001, "median") == 0


def test_tpot_of_the_slowest_twentieth() -> None:
    # 20 ms of which 4 ms from prompts that add 40 ms each over 1,000 tokens: 100 met, p95 100 + 16.45 + 0.284
    # -> 20 + 16.734 x 40 / 1000 = 20.669 ms; median 100 - 1/6 -> 19.993 ms
    assert tpot_quantile(0.02, 0.004, 0.04, 1000, "p95") == pytest.approx(0.020669, rel=1e-4)
    assert tpot_quantile(0.02, 0.004, 0.04, 1000, "median") == pytest.approx(0.0199933, rel=1e-5)
    assert tpot_quantile(0.02, 0.004, 0.04, 1000, "mean") == 0.02


def test_without_prompts_of_others_every_request_has_the_mean() -> None:
    for at in ("mean", "median", "p95"):
        assert tpot_quantile(0.02, 0.0, 0.04, 1000, at) == 0.02
        assert tpot_quantile(0.02, 0.001, 0.0, 1000, at) == 0.02


def test_percentiles_stand_in_order_and_keep_shape_and_precision() -> None:
    rng = np.random.default_rng(3)
    service, wait, wave, busy = rng.uniform(0, 1, (4, 50, 3)).astype(np.float32)
    median, p95 = (ttft_quantile(service, wait, wave, at, busy=busy) for at in ("median", "p95"))
    assert (service <= median).all()
    assert (median <= p95 + 1e-6).all()
    assert median.shape == (50, 3)
    assert median.dtype == np.float32
    tpot, extra = service + wait, wave
    found = [tpot_quantile(tpot, wait, extra, np.float32(500), at) for at in ("median", "mean", "p95")]
    assert (found[0] <= found[1]).all()
    assert (found[1] <= found[2]).all()
    assert found[2].dtype == np.float32
    assert (found[0] >= tpot - wait - 1e-6).all()
