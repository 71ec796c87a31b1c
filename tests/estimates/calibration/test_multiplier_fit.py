"""Which multipliers are fitted, and how far figures move them from one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from estimates.calibration.dataset import physics_of
from estimates.calibration.multipliers import (
    LEAST_RUNS,
    Parameter,
    design,
    jacobian,
    most_probable,
    parameters_for,
    prior_variances,
    sensitivities,
    with_multipliers,
)
from estimates.calibration.prior import MULTIPLIER_SD
from estimates.calibration.process import Process
from estimates.core.multipliers import FAMILIES
from tests.core.machines import physics
from tests.estimates.calibration.conftest import World
from tests.estimates.calibration.published import observed

KERNELS = Parameter("kernels", "any", "")
ANY = MULTIPLIER_SD["any"]


def independent(count: int, noise: float) -> Process:
    """A process that knows of no shared offsets: every figure errs by itself."""
    target = np.zeros(count)
    return Process([], target, np.eye(count) / noise**2, target, np.full(count, noise**2))


def fitted(figures: int, residual: float, sensitivity: float = 1.0, noise: float = 0.1) -> float:
    """The factor of one family from so many figures."""
    part = (independent(figures, noise), np.full((figures, 1), sensitivity), np.full(figures, residual))
    return most_probable([part], [KERNELS])["kernels", "any", ""]


def test_a_factor_is_shrunk_to_one():
    """n figures of sensitivity j, residual y, noise e, the factor's deviation s: n j y / (n j^2 + e^2 / s^2).

    e = 2 s: four figures of residual 0.3 give half of it, four hundred 400 / 404.
    """
    assert fitted(4, 0.3, noise=2 * ANY) == pytest.approx(0.15)
    assert fitted(400, 0.3, noise=2 * ANY) == pytest.approx(0.3 * 400 / 404, abs=1e-5)


def test_figures_that_a_family_hardly_touches_hardly_move_it():
    """Sensitivity 0.5: 4 x 0.5 x 0.3 / (4 x 0.25 + 4) = 0.12; 0: nothing."""
    assert fitted(4, 0.3, 0.5, noise=2 * ANY) == pytest.approx(0.12)
    assert fitted(4, 0.3, 0.0) == 0


def test_a_group_of_many_runs_counts_as_the_few_facts_it_is():
    """A hundred runs that share an offset of deviation 0.2 are little more than one figure of that noise."""
    covariance = np.full((100, 100), 0.04) + 0.0001 * np.eye(100)
    target = np.full(100, 0.3)
    inverse = np.linalg.inv(covariance)
    process = Process([], target, inverse, inverse @ target, np.full(100, 0.0001))
    together = most_probable([(process, np.ones((100, 1)), target)], [KERNELS])["kernels", "any", ""]
    assert together == pytest.approx(fitted(1, 0.3, noise=0.2), rel=0.01)
    assert together < fitted(100, 0.3, noise=0.2) / 5


def test_metrics_are_weighed_together():
    """Two figures of token time and two of first token are four figures."""
    part = (independent(2, 2 * ANY), np.ones((2, 1)), np.full(2, 0.3))
    assert most_probable([part, part], [KERNELS])["kernels", "any", ""] == pytest.approx(0.15)


def test_no_factor_leaves_its_bounds():
    """A residual of e^9 asks for more; e is the most that a factor may be."""
    assert fitted(100, 9.0) == 1.0
    assert fitted(100, -9.0) == -1.0


def test_softwares_own_factors_act_on_its_own_runs():
    rows = [observed(software="vllm"), observed(software="sglang")]
    families = np.arange(2 * len(FAMILIES), dtype=float).reshape(2, -1)
    column = list(FAMILIES).index("kernels")
    parameters = [KERNELS, Parameter("kernels", "software", "sglang")]
    found = design(rows, families, parameters)
    assert found == pytest.approx(np.array([[families[0, column], 0], [families[1, column]] * 2]))


def test_a_software_has_factors_of_its_own_from_a_hundred_figures_on():
    rows = [observed(software="vllm")] * LEAST_RUNS + [observed(software="sglang")] * (LEAST_RUNS - 1)
    rows += [observed(software="")] * LEAST_RUNS
    found = parameters_for(rows)
    assert {(one.scope, one.name) for one in found} == {("any", ""), ("software", "vllm")}
    assert len(found) == 2 * len(FAMILIES)


def test_a_softwares_own_factors_stay_nearer_to_one():
    any_, own = prior_variances([KERNELS, Parameter("kernels", "software", "vllm")])
    assert own < any_


def test_sensitivities_are_shares_of_the_time(world: World):
    """Host time is added to a step: d log TPOT / d log factor = host / TPOT where one user decodes alone."""
    dataset = world.learnt.dataset
    bare = physics_of(dataset.cases, physics())
    shares = jacobian(dataset.observations, dataset.cases, bare, sensitivities(dataset.cases, physics()))
    column = list(FAMILIES).index("host_step")
    alone = [
        (row, one.row)
        for row, one in enumerate(dataset.observations)
        if one.metric == "tpot" and one.run.concurrency == 1
    ]
    assert len(alone) == 12
    for row, case in alone:
        chip = dataset.cases[case].choice.point.lane.variant.chip
        host = physics().coefficient("host_step_us", chip) * 1e-6
        # The difference over a step of 5% is half a step above the derivative.
        assert shares[row, column] == pytest.approx(host / bare.tpot[case], rel=0.05)
    # Of no figure more than the whole, and none of experts in dense models.
    assert shares.max() < 1
    experts = [place for place, name in enumerate(FAMILIES) if name.startswith("experts")]
    assert (shares[:, experts] == 0).all()


def test_perturbed_tables_have_no_residuals():
    table = with_multipliers(physics(), {("kernels", "any", ""): 0.1})
    assert table.calibration is not None
    assert table.calibration.residuals is None
    assert table.calibration.multipliers == {("kernels", "any", ""): 0.1}


def test_factors_of_the_file_are_few_and_small(world: World):
    """In a world that differs from the physics by whole offsets, the offsets take them up."""
    factors = world.learnt.multipliers
    assert 0 < len(factors) <= 120
    assert max(abs(log) for log in factors.values()) < math.log(1.1)
