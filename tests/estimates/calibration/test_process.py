"""The process over residuals: its posterior, what it says of runs left out, and how runs are split."""

from __future__ import annotations

import math

import numpy as np
import pytest

from estimates.calibration.dataset import Observation, configuration
from estimates.calibration.prior import LENGTHS, components, offsets_only
from estimates.calibration.process import (
    JITTER,
    LARGEST_WEIGHT,
    agreeing,
    fit,
    folds_by,
    prior_covariance,
    row_folds,
)
from estimates.core.identity import GROUP
from estimates.core.residuals import Component, Points, residuals_of
from tests.core.learnt import at
from tests.estimates.calibration.published import observed

SOFTWARE = Component("software", ("metric", "software"), 0.1)
NAMES = [
    {"chip": chip, "software": software, "architecture": model}
    for chip in ("a", "b", "c")
    for software in ("s", "t", "")
    for model in ("m", "n")
]


def scattered(count: int, seed: int = 4) -> tuple[list[Observation], np.ndarray]:
    """Random runs of random names, a sixth of them in software that is not stated, and their residuals."""
    random = np.random.default_rng(seed)
    rows = [
        observed(
            run_id=str(number),
            where=tuple(random.uniform(0, 8, len(LENGTHS))),
            **NAMES[random.integers(len(NAMES))],
        )
        for number in range(count)
    ]
    return rows, random.normal(0, 0.3, count)


def test_covariance_adds_what_each_shared_name_and_distance_is_worth():
    """Both runs share software; one doubling of batch apart is half a length: 0.1^2 + 0.3^2 exp(-1/8)."""
    rows = [observed(where=at(batch=3)), observed(where=at(batch=4), chip="amd-mi300x")]
    sweep = Component("sweep", ("metric", "software"), 0.3, LENGTHS)
    chip = Component("chip", ("metric", "chip"), 0.2)
    found = prior_covariance(rows, (SOFTWARE, sweep, chip))
    assert LENGTHS[0] == 2
    assert found == pytest.approx(
        np.array(
            [
                [0.01 + 0.09 + 0.04, 0.01 + 0.09 * math.exp(-1 / 8)],
                [0.01 + 0.09 * math.exp(-1 / 8), 0.01 + 0.09 + 0.04],
            ]
        )
    )


def test_runs_whose_field_is_unknown_agree_with_nothing_but_themselves():
    rows = [observed(software=""), observed(software=""), observed(), observed()]
    assert sorted(map(list, agreeing(rows, SOFTWARE))) == [[0], [1], [2, 3]]
    assert prior_covariance(rows, (SOFTWARE,))[0, 1] == 0


@pytest.mark.parametrize("runs", [1, 3, 30])
def test_an_offset_is_shrunk_towards_zero(runs: int):
    """n runs of residual 0.1, s = 0.1, noise 0.05: s^2 n r / (n s^2 + noise^2): 0.08, 0.0923, 0.0992."""
    rows = [observed(run_id=str(number)) for number in range(runs)]
    found = fit(rows, np.full(runs, 0.1), (SOFTWARE,), noise=0.05)
    said = 0.01 * found.weights.sum()
    assert said == pytest.approx(0.01 * runs * 0.1 / (runs * 0.01 + 0.05**2), rel=1e-3)


def test_the_posterior_at_a_run_is_its_covariance_with_the_runs_times_the_weights():
    """What the core tabulates from the points of the file is what was fitted: k(x, X) alpha."""
    rows, target = scattered(60)
    terms = components()
    process = fit(rows, target, terms)
    points = Points(
        [one.metric for one in rows],
        [one.identity for one in rows],
        np.stack([one.features for one in rows]),
        process.weights,
    )
    core = residuals_of(points, terms)
    said = np.array([float(core.correction(one.metric, one.identity, one.features)) for one in rows])
    # A run's covariance with itself counts what its unstated names are worth: they agree with no other run.
    whole = prior_covariance(rows, terms)
    alone = [sum(term.sd**2 for term in terms if term.key(one.metric, one.identity) is None) for one in rows]
    assert said == pytest.approx((whole - np.diag(alone)) @ process.weights)


@pytest.mark.parametrize("folds", [5, 12], ids=["five folds", "twelve folds"])
def test_errors_of_runs_left_out_are_those_of_a_fit_without_them(folds: int):
    """The closed form (K^-1)_BB^-1 (K^-1 y)_B against a refit, fold by fold, with each run's own noise."""
    rows, target = scattered(60)
    process = fit(rows, target, components())
    numbers = np.arange(60) % folds
    errors, spread = process.left_out(numbers)
    covariance = prior_covariance(rows, components())
    noise = process.noise + JITTER
    for fold in range(folds):
        out, kept = np.flatnonzero(numbers == fold), np.flatnonzero(numbers != fold)
        known = np.linalg.inv(covariance[np.ix_(kept, kept)] + np.diag(noise[kept]))
        across = covariance[np.ix_(out, kept)]
        assert errors[out] == pytest.approx(target[out] - across @ known @ target[kept])
        variance = np.diag(covariance[np.ix_(out, out)] - across @ known @ across.T) + noise[out]
        assert spread[out] == pytest.approx(np.sqrt(variance))


def test_errors_left_out_count_multipliers_as_unknown():
    """A covariance beside the components' is part of the refit: ten runs of one sensitivity to one factor.

    Factor of deviation 0.2, noise 0.1, all residuals 0.3, nine runs left: they say 9 x 0.04 x 0.3 /
    (9 x 0.04 + 0.01) = 0.2919 of the tenth, which errs by 0.0081.
    """
    rows = [observed(run_id=str(number)) for number in range(10)]
    process = fit(rows, np.full(10, 0.3), (), extra=np.full((10, 10), 0.04), noise=0.1)
    errors, _ = process.left_out(np.arange(10))
    assert errors == pytest.approx(np.full(10, 0.3 - 0.108 / 0.37), rel=1e-3)


def test_one_broken_run_does_not_bend_its_group():
    """Twenty runs of 0.02 and one of 2.0: the outlier's noise grows, the group's offset stays small.

    A plain fit would put the offset at 0.01 (20 x 0.02 + 2) / (21 x 0.01 + 0.0036) = 0.112.
    """
    rows = [observed(run_id=str(number)) for number in range(21)]
    target = np.array([0.02] * 20 + [2.0])
    found = fit(rows, target, (SOFTWARE,), noise=0.06)
    assert found.noise[-1] > 50 * found.noise[0]
    assert found.noise[:20] == pytest.approx(np.full(20, 0.06**2))
    assert 0.01 * found.weights.sum() == pytest.approx(0.02, abs=0.01)


def test_the_noise_of_an_outlier_is_bounded():
    rows = [observed(run_id=str(number)) for number in range(21)]
    found = fit(rows, np.array([0.0] * 20 + [50.0]), (SOFTWARE,), noise=0.06)
    assert found.noise.max() == pytest.approx(LARGEST_WEIGHT * 0.06**2)


def test_offsets_alone_have_no_sweeps():
    kept = offsets_only(components())
    assert 0 < len(kept) < len(components())
    assert all(term.lengths is None for term in kept)


def test_every_term_of_the_prior_keeps_metrics_apart():
    assert all(term.fields[0] == "metric" for term in components())


def test_the_prior_knows_a_closed_loop_from_a_static_batch_by_half():
    """Each offset exists for all servings together and for each alone, at half of its variance each."""
    terms = {term.fields: term.sd for term in components() if term.lengths is None}
    both = [fields for fields in terms if "serving" not in fields and len(fields) > 1]
    assert both
    for fields in both:
        assert terms[fields] == pytest.approx(terms["metric", "serving", *fields[1:]])


# ---- Splits ----------------------------------------------------------------------------------------------


def test_runs_of_one_configuration_lie_on_one_side_of_every_split():
    """Thirty configurations, each run five times with other results."""
    rows = [
        observed(
            log=0.1 * again, run_id=f"{number}/{again}", where=at(batch=number / 4), chip=f"{number % 3}"
        )
        for number in range(30)
        for again in range(5)
    ]
    folds = row_folds(rows)
    sides: dict[tuple[object, ...], set[int]] = {}
    for one, fold in zip(rows, folds, strict=True):
        sides.setdefault(configuration(one), set()).add(int(fold))
    assert len(sides) == 30
    assert all(len(found) == 1 for found in sides.values())
    assert len(set(folds)) == 5


def test_row_folds_are_the_same_every_time():
    rows, _ = scattered(40)
    assert (row_folds(rows) == row_folds(rows)).all()


def test_a_whole_group_is_one_fold():
    rows, _ = scattered(60)
    folds = folds_by(rows, GROUP)
    groups = [tuple(getattr(one.identity, name) for name in GROUP) for one in rows]
    assert len(set(folds)) == len(set(groups))
    assert len(set(zip(folds, groups, strict=True))) == len(set(groups))
