"""From runs to a file: what is learnt of a world that is known, and what is done with too little."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from estimates.calibration.dataset import cases_of, log_physics, physics_of
from estimates.calibration.learning import LEAST_OBSERVATIONS, TooFewRuns, content, learn
from estimates.calibration.multipliers import prior_variances, with_multipliers
from estimates.calibration.prior import components
from estimates.calibration.process import JITTER, prior_covariance
from estimates.core.calibration import calibration_from
from estimates.core.points import evaluate_points
from estimates.measured.runs import Run
from tests.core.machines import physics
from tests.estimates.calibration.conftest import World
from tests.estimates.calibration.published import FIRST_TOKEN, L40S, SCATTER, SLOWER, measured, run, sweeps
from tests.estimates.conftest import TinyCatalogue


def errors(world: World, metric: str, **names: str) -> np.ndarray:
    """log(measured / estimated) of what taught a metric, by the calibrated estimator, the lean taken back."""
    table = replace(physics(), calibration=world.calibration, cache={})
    residuals, cases = world.calibration.residuals, world.learnt.dataset.cases
    found = []
    for one in world.learnt.metrics[metric].observations:
        if all(getattr(one.identity, name) == value for name, value in names.items()):
            case = cases[one.row]
            answer = evaluate_points(case.model, [case.choice.point], table).loop
            time = {
                "tpot": answer.tpot,
                "ttft": answer.ttft_saturated,
                "throughput": 1 / answer.throughput,
            }[metric]
            lean = residuals.lean(metric, one.identity)
            found.append(one.log_measured - math.log(float(time.reshape(-1)[0])) - lean)
    return np.array(found)


def test_what_taught_is_said_again(world: World):
    """Every measured run is estimated to a few times the scatter: shrinkage and noise take the rest."""
    for metric, count in (("tpot", 60), ("ttft", 60), ("throughput", 30)):
        found = errors(world, metric)
        assert len(found) == count
        assert np.abs(found).max() < 8 * SCATTER
        assert np.abs(found).mean() < 3 * SCATTER


def test_groups_left_out_whole_are_nearer_than_by_the_physics(world: World):
    """Kin say part of what a group would: SGLang's other model, the chip's other software."""
    for metric in ("tpot", "ttft"):
        one = world.learnt.metrics[metric]
        (left,) = (
            part
            for part in world.splits["serving chip software architecture format"]
            if part.observations[0].metric == metric
        )
        assert np.abs(left.errors).mean() < 0.9 * np.abs(one.before).mean()


def test_rows_left_out_are_nearer_than_groups_left_out(world: World):
    for rows, groups in zip(
        world.splits["rows"], world.splits["serving chip software architecture format"], strict=True
    ):
        assert np.abs(rows.errors).mean() < 0.5 * np.abs(groups.errors).mean()


def test_residuals_of_the_bare_physics_are_what_the_world_does(world: World):
    """As the runs were made: log 0.95 on vLLM, log 1.2 on SGLang, and no two runs alike by up to 1%."""
    one = world.learnt.metrics["tpot"]
    for residual, observation in zip(one.before, one.observations, strict=True):
        if observation.run.accelerator != L40S:
            assert residual == pytest.approx(SLOWER[observation.run.framework], abs=1.01 * SCATTER)
    first = world.learnt.metrics["ttft"]
    assert np.median(first.before) == pytest.approx(FIRST_TOKEN, abs=2 * SCATTER)


def test_what_may_not_teach_is_in_no_metric(world: World):
    """The speculative run is a case and an observation, and nothing was learnt of it."""
    taught = [one.run.run_id for found in world.learnt.metrics.values() for one in found.observations]
    assert "flagged" not in taught
    assert "flagged" in [one.run.run_id for one in world.learnt.dataset.observations]


def test_the_file_says_what_was_fitted(world: World):
    """The core's correction at a run is the posterior of the fit, to the digits that are written.

    All names of these runs are stated but the version, which makes each run agree with itself alone.
    """
    for metric, one in world.learnt.metrics.items():
        process = one.process
        alone = sum(
            term.sd**2 for term in components() if term.key(metric, one.observations[0].identity) is None
        )
        fitted = process.target - (process.noise + 1e-6 + alone) * process.weights
        residuals = world.calibration.residuals
        said = [
            float(residuals.correction(metric, o.identity, o.features)) + residuals.lean(metric, o.identity)
            for o in one.observations
        ]
        assert said == pytest.approx(fitted, abs=1e-4)


def test_the_physics_under_the_file_is_the_one_that_residuals_are_of(world: World):
    """Multipliers come before the correction: measured = physics x multipliers x correction x error."""
    table = with_multipliers(physics(), world.calibration.multipliers)
    cases = world.learnt.dataset.cases
    one = world.learnt.metrics["tpot"]
    for number in (0, 17, 59):
        observation = one.observations[number]
        case = cases[observation.row]
        answer = evaluate_points(case.model, [case.choice.point], table).loop
        residual = observation.log_measured - math.log(float(answer.tpot.reshape(-1)[0]))
        assert residual == pytest.approx(one.process.target[number], abs=1e-5)
        _, log = log_physics("tpot_ms", world.learnt.physics, observation.row, case)
        assert observation.log_measured - log == pytest.approx(one.process.target[number])


def test_errors_left_out_do_not_know_the_multipliers(world: World):
    """Multipliers were fitted to all runs; to left-out errors they are unknown: J Lambda J'."""
    variance = prior_variances(world.learnt.parameters)
    for one in world.learnt.metrics.values():
        covariance = prior_covariance(one.observations, components())
        covariance += (one.design * variance) @ one.design.T
        whole = covariance + np.diag(one.joint.noise + JITTER)
        assert one.joint.inverse @ whole == pytest.approx(np.eye(len(one.observations)), abs=1e-6)
        logs = [world.learnt.multipliers[p.family, p.scope, p.name] for p in world.learnt.parameters]
        assert one.joint.target == pytest.approx(one.process.target + one.design @ np.array(logs))


def test_the_file_counts_what_it_was_made_from(world: World):
    assert world.file["made"] == "2026-04-01"
    assert world.file["runs"] == 91
    assert world.file["figures"] == 150
    assert sum(len(group["runs"]) for group in world.file["points"]) == 150


def test_splits_leave_out_rows_groups_and_whole_kinds(world: World):
    assert list(world.splits) == [
        "rows",
        "serving chip software architecture format",
        "chip",
        "architecture",
        "software",
    ]
    for parts in world.splits.values():
        assert [len(part.observations) for part in parts] == [60, 60, 30]


def test_a_group_left_out_is_never_measured(world: World):
    for split, parts in world.splits.items():
        tiers = {tier for part in parts for tier in part.tiers}
        assert ("measured" in tiers) == (split == "rows")


def test_learning_twice_is_the_same_file(tiny: TinyCatalogue):
    """Whatever order the runs come in."""
    runs = measured(sweeps())

    def file(order: list[Run]) -> str:
        learnt = learn(order, physics())
        return json.dumps(content(learnt, "2026-04-01", learnt.splits()))

    assert file(runs) == file(runs[::-1])


def test_too_few_figures_teach_nothing(tiny: TinyCatalogue):
    """One figure less than the least that a metric needs."""
    runs = [run(str(load), concurrency=float(load)) for load in range(1, LEAST_OBSERVATIONS)]
    with pytest.raises(TooFewRuns, match=f"no metric has 20 usable figures: {len(runs)} in all"):
        learn(runs, physics())


def test_a_metric_with_too_few_figures_is_left_to_the_physics(tiny: TinyCatalogue):
    """Twenty times per token and one first token: the first is learnt, the second is not."""
    runs = [run(str(load), concurrency=float(load)) for load in range(1, LEAST_OBSERVATIONS + 1)]
    runs[0] = replace(runs[0], metrics=(*runs[0].metrics, ("ttft_ms", 500.0)))
    learnt = learn(runs, physics())
    assert list(learnt.metrics) == ["tpot"]
    found = calibration_from(content(learnt, "2026-04-01", learnt.splits()), "")
    identity = learnt.metrics["tpot"].observations[0].identity
    assert found.residuals.offset("ttft", identity) == 0
    assert not found.intervals.knows("ttft", "none")


def test_a_world_that_is_the_physics_is_left_alone(tiny: TinyCatalogue):
    """Forty runs that are exactly what the physics says: every factor one, every correction none."""
    cases, _ = cases_of(sweeps()[:40], physics())
    bare = physics_of(cases, physics())
    runs = []
    for row, case in enumerate(cases):
        logs = [(name, log_physics(name, bare, row, case)[1]) for name, _ in case.run.metrics]
        values = [(name, math.exp(-log) if "tok_s" in name else 1e3 * math.exp(log)) for name, log in logs]
        runs.append(replace(case.run, metrics=tuple(values)))
    learnt = learn(runs, physics())
    assert len(learnt.metrics) == 3
    assert all(log == pytest.approx(0, abs=1e-4) for log in learnt.multipliers.values())
    for found in learnt.metrics.values():
        assert found.process.weights == pytest.approx(np.zeros(len(found.observations)), abs=1e-6)
