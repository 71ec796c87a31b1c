"""What measurements say of a configuration: k(x, X) alpha over shared names and nearby coordinates."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from estimates.core import residuals as module
from estimates.core.residuals import Component, lean_of
from tests.core.learnt import LENGTHS, ORIGIN, SERVED, at, identity, posterior

SOFTWARE = Component("software", ("metric", "software"), 0.1)
GROUP = Component("group", ("metric", "chip", "software", "architecture", "format"), 0.3)
SWEEP = Component("sweep", ("metric", "chip", "software"), 0.2, LENGTHS)
ELSEWHERE = identity(
    chip="x", generation="x", vendor="x", kind="x", software="x", architecture="x", family="x", format="x"
)


def correction(found, metric="tpot", like=SERVED, where=ORIGIN) -> float:
    return float(found.correction(metric, like, np.array(where)))


def test_a_constant_component_is_a_look_up_of_the_weights_that_agree():
    """0.1^2 x (3 - 1): the third run has other software, the fourth is of another metric."""
    runs = [
        ("tpot", SERVED, at(batch=5), 3.0),
        ("tpot", identity(chip="amd-mi300x"), at(isl=9), -1.0),
        ("tpot", identity(software="sglang"), ORIGIN, 50.0),
        ("ttft", SERVED, ORIGIN, 50.0),
    ]
    assert correction(posterior(runs, SOFTWARE)) == pytest.approx(0.02)


def test_a_constant_component_is_the_same_at_all_coordinates():
    found = posterior([("tpot", SERVED, ORIGIN, 3.0)], SOFTWARE)
    assert correction(found, where=at(batch=10, tp=3)) == correction(found)


def test_a_smooth_component_falls_off_with_distance():
    """Batch four times as large is 2 doublings = 1 length away: 0.2^2 x exp(-1/2) x 5 = 0.1213."""
    found = posterior([("tpot", SERVED, at(batch=4), 5.0)], SWEEP)
    assert correction(found, where=at(batch=4)) == pytest.approx(0.2)
    assert correction(found, where=at(batch=6)) == pytest.approx(0.04 * math.exp(-0.5) * 5)


def test_distances_of_coordinates_add_up_in_squares():
    """2 of length 2 in batch and 1 of length 1 in tensor parallel: exp(-(1 + 1) / 2)."""
    found = posterior([("tpot", SERVED, ORIGIN, 1.0)], SWEEP)
    assert correction(found, where=at(batch=2, tp=1)) == pytest.approx(0.04 * math.exp(-1))


def test_components_and_runs_add_up():
    """0.1^2 (2 + 4) + 0.3^2 x 2 + 0.2^2 x 2 at the first run; the second shares software alone."""
    runs = [("tpot", SERVED, ORIGIN, 2.0), ("tpot", identity(chip="amd-mi300x"), ORIGIN, 4.0)]
    assert correction(posterior(runs, SOFTWARE, GROUP, SWEEP)) == pytest.approx(0.06 + 0.18 + 0.08)


def test_the_correction_is_the_prior_covariance_with_the_runs_times_their_weights():
    """k(x, X) alpha with every entry of k written out, for 40 random runs and 10 random questions."""
    random = np.random.default_rng(1)
    names = [
        identity(chip=chip, software=software, architecture=model)
        for chip in ("a", "b")
        for software in ("s", "t", "")
        for model in ("m", "n")
    ]
    runs = [
        ("tpot", names[random.integers(len(names))], random.uniform(0, 8, len(LENGTHS)), random.normal())
        for _ in range(40)
    ]
    components = (SOFTWARE, GROUP, SWEEP)
    found = posterior(runs, *components)
    for _ in range(10):
        asked, where = names[random.integers(len(names))], random.uniform(0, 8, len(LENGTHS))
        expected = 0.0
        for _, other, features, weight in runs:
            distance = sum(((where - features) / np.array(LENGTHS)) ** 2)
            for component in components:
                fields = component.fields[1:]
                mine = [getattr(asked, name) for name in fields]
                if all(mine) and mine == [getattr(other, name) for name in fields]:
                    smooth = math.exp(-distance / 2) if component.lengths else 1.0
                    expected += component.sd**2 * smooth * weight
        assert correction(found, like=asked, where=where) == pytest.approx(expected)


def test_an_unknown_field_agrees_with_nothing():
    """Two runs of unstated software do not share what unstated software does."""
    unknown = identity(software="")
    assert SOFTWARE.key("tpot", unknown) is None
    found = posterior([("tpot", unknown, ORIGIN, 7.0)], SOFTWARE, SWEEP)
    assert correction(found, like=unknown) == 0


def test_far_from_every_run_there_is_no_correction():
    found = posterior([("tpot", SERVED, ORIGIN, 100.0)], SOFTWARE, GROUP, SWEEP)
    assert correction(found, like=ELSEWHERE) == 0


def test_a_sweep_far_from_its_runs_leaves_the_physics():
    found = posterior([("tpot", SERVED, ORIGIN, 100.0)], SWEEP)
    assert correction(found, where=at(batch=20)) == pytest.approx(0, abs=1e-9)


def test_metrics_do_not_correct_one_another():
    found = posterior([("tpot", SERVED, ORIGIN, 100.0)], SOFTWARE, GROUP, SWEEP)
    assert correction(found, "ttft") == 0


@pytest.mark.parametrize(("runs", "expected"), [(1, 0.2), (4, 0.32), (64, 0.3939)])
def test_an_offset_is_shrunk_by_the_number_of_runs(runs: int, expected: float):
    """n runs of residual r under an offset of deviation s and noise e: s^2 n r / (n s^2 + e^2).

    s = e = 0.1, r = 0.4: half of it from one run, 4/5 from four, 64/65 from 64. The weights are those of the
    posterior: every one r / (n s^2 + e^2).
    """
    weight = 0.4 / (runs * 0.01 + 0.01)
    found = posterior([("tpot", SERVED, ORIGIN, weight)] * runs, SOFTWARE)
    assert correction(found) == pytest.approx(expected, abs=1e-4)


def test_many_coordinates_are_asked_at_once():
    found = posterior([("tpot", SERVED, at(batch=4), 5.0)], SOFTWARE, SWEEP)
    where = np.random.default_rng(2).uniform(0, 6, (3, 2, len(LENGTHS)))
    whole = found.correction("tpot", SERVED, where)
    assert whole.shape == (3, 2)
    assert whole[2, 1] == pytest.approx(correction(found, where=where[2, 1]))


def test_an_identity_asked_again_gives_the_same():
    found = posterior([("tpot", SERVED, ORIGIN, 5.0)], SOFTWARE, SWEEP)
    assert correction(found) == correction(found) != 0


def test_remembered_look_ups_are_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "REMEMBERED", 2)
    found = posterior([("tpot", SERVED, ORIGIN, 5.0)], SOFTWARE, SWEEP)
    first = correction(found)
    for number in range(9):
        correction(found, like=identity(chip=f"chip {number}"))
    assert len(found._offsets) <= 2
    assert correction(found) == first


def test_closeness_is_one_on_a_run_of_the_group_and_falls_with_distance():
    """The nearest of two runs counts: 1 doubling of batch is half a length: exp(-1/8)."""
    found = posterior([("tpot", SERVED, at(batch=1), 1.0), ("tpot", SERVED, at(batch=9), 1.0)])
    near = found.closeness("tpot", SERVED, np.array([at(batch=1), at(batch=2)]), LENGTHS)
    assert near == pytest.approx([1.0, math.exp(-1 / 8)])


def test_closeness_is_of_the_very_group():
    found = posterior([("tpot", SERVED, ORIGIN, 1.0)])
    for other in (identity(chip="amd-mi300x"), identity(serving="static"), identity(format="bf16")):
        assert found.closeness("tpot", other, np.array(ORIGIN), LENGTHS) == 0


def test_runs_of_a_group_are_counted_by_metric():
    runs = [("tpot", SERVED, ORIGIN, 1.0)] * 3 + [("ttft", SERVED, ORIGIN, 1.0)]
    found = posterior(runs)
    assert found.runs_of_group("tpot", SERVED) == 3
    assert found.runs_of_group("ttft", SERVED) == 1
    assert found.runs_of_group("tpot", identity(chip="amd-mi300x")) == 0


def test_versions_of_software_are_one_group():
    found = posterior([("tpot", identity(version="vllm/0.8"), ORIGIN, 1.0)])
    assert found.runs_of_group("tpot", identity(version="vllm/0.9")) == 1


def test_a_posterior_without_runs_says_nothing():
    found = posterior([], SOFTWARE, SWEEP)
    assert correction(found) == 0
    assert not found.seen(("chip",), "tpot", SERVED)


def test_seen_says_whether_a_run_agrees_in_some_fields():
    found = posterior([("tpot", SERVED, ORIGIN, 1.0)])
    assert found.seen(("serving", "chip", "software"), "tpot", replace(SERVED, architecture="other"))
    assert not found.seen(("serving", "chip", "software"), "ttft", SERVED)
    assert not found.seen(("chip",), "tpot", identity(chip="amd-mi300x"))


# ---- The lean --------------------------------------------------------------------------------------------


def test_a_time_leans_below_its_median_by_half_of_its_variance():
    """Of a log-normal time of spread 0.4 by 0.4^2 / 2 = 0.08; the least relative error is at twice that."""
    assert lean_of("tpot", SERVED, 0.4) == pytest.approx(0.08)
    assert lean_of("ttft", SERVED, 0.4) == pytest.approx(0.08)


def test_a_throughput_does_not_lean():
    assert lean_of("throughput", identity(serving="offline"), 0.4) == 0


@pytest.mark.parametrize("metric", ["tpot", "ttft"])
def test_times_of_a_static_batch_do_not_lean(metric: str):
    """They are published as times and as rates alike: what one gains the other loses."""
    assert lean_of(metric, identity(serving="static"), 0.4) == 0


def test_the_lean_is_bounded():
    """Half of a variance of 9 would be a factor of 90; 0.7 is one of 2."""
    assert lean_of("ttft", SERVED, 3.0) == 0.7


def test_half_of_the_variance_errs_less_than_the_median_and_covers_more_than_the_least_error():
    """100,000 draws of a log-normal measured time, spread 0.6, estimate exp(mu - lean): mean of |p - m| / m.

    The least error is at lean = 0.36, the median at 0; half way the error is nearly the least.
    """
    measured = np.exp(np.random.default_rng(9).normal(0, 0.6, 100_000))

    def error(lean: float) -> float:
        return float(np.mean(np.abs(np.exp(-lean) - measured) / measured))

    assert error(0.36) < error(lean_of("tpot", SERVED, 0.6)) < error(0.0)
    assert error(lean_of("tpot", SERVED, 0.6)) - error(0.36) < 0.3 * (error(0.0) - error(0.36))


def test_a_correction_leans_by_the_spread_of_its_evidence():
    found = posterior([("tpot", SERVED, ORIGIN, 5.0)], SOFTWARE)
    median = correction(found)
    leaning = posterior([("tpot", SERVED, ORIGIN, 5.0)], SOFTWARE)
    leaning.spread = lambda metric, name: 0.2 if metric == "tpot" else 0.0
    assert correction(leaning) == pytest.approx(median - 0.02)
    assert correction(leaning, "ttft") == 0


def test_a_posterior_that_is_being_fitted_does_not_lean():
    assert posterior([("tpot", SERVED, ORIGIN, 5.0)]).lean("tpot", SERVED) == 0
