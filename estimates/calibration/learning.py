"""The calibration itself: from runs to the content of the file that the core reads.

Physics, then multipliers, then what is left over as a process per metric, then intervals from what a split
that leaves rows or groups out gets wrong. Deterministic: runs are taken in the order of their ids, splits
are drawn with a fixed seed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.calibration import multipliers as factors
from estimates.calibration.dataset import Dataset, Observation, Physics, dataset_of, log_physics, physics_of
from estimates.calibration.multipliers import Parameter
from estimates.calibration.prior import components
from estimates.calibration.process import Process, fit, folds_by, row_folds
from estimates.calibration.spread import LeftOut, fit_intervals, left_out_of
from estimates.core.calibration import points_to
from estimates.core.efficiency import EfficiencyTable
from estimates.core.identity import GROUP, METRICS
from estimates.core.multipliers import Multipliers
from estimates.core.residuals import FEATURES, Points
from estimates.measured.runs import Run

Array = NDArray[np.floating]

#: Whole kinds of rows left out, so that every tier has residuals to be judged by.
SPLITS: Final[tuple[tuple[str, ...], ...]] = (GROUP, ("chip",), ("architecture",), ("software",))
LEAST_OBSERVATIONS: Final = 20  # of a metric before anything is learnt of it


class TooFewRuns(ValueError):  # noqa: N818
    """Not enough usable runs to learn from."""


@dataclass(slots=True)
class Metric:
    """What was learnt of one metric."""

    observations: list[Observation]
    design: Array
    process: Process  # of the residuals under the fitted multipliers
    joint: Process  # the same with the multipliers marginalised: for honest left-out errors
    before: Array  # log residuals of the bare physics


@dataclass(slots=True)
class Learnt:
    """A calibration with everything it was made from."""

    dataset: Dataset
    physics: Physics
    parameters: list[Parameter]
    multipliers: Multipliers
    metrics: dict[str, Metric]

    def splits(self) -> dict[str, list[LeftOut]]:
        """Left-out errors by split ("rows", and the fields of SPLITS joined), one entry a metric."""
        found: dict[str, list[LeftOut]] = {}
        for one in self.metrics.values():
            folds = {"rows": row_folds(one.observations)}
            folds |= {" ".join(fields): folds_by(one.observations, fields) for fields in SPLITS}
            for name, numbers in folds.items():
                errors, _ = one.joint.left_out(numbers)
                found.setdefault(name, []).append(left_out_of(one.observations, errors, numbers))
        return found


def learn(runs: Iterable[Run], table: EfficiencyTable) -> Learnt:
    """Learn from runs; `table` is the efficiency data without a calibration. Raises TooFewRuns."""
    dataset = dataset_of(runs, table)
    cases = dataset.cases
    taught = {
        metric: [one for one in dataset.observations if one.metric == metric and one.teaches]
        for metric in METRICS
    }
    taught = {metric: found for metric, found in taught.items() if len(found) >= LEAST_OBSERVATIONS}
    if not taught:
        raise TooFewRuns(
            f"no metric has {LEAST_OBSERVATIONS} usable figures: {len(dataset.observations)} in all"
        )
    bare = dataset.physics
    parameters = factors.parameters_for([one for found in taught.values() for one in found])
    raised = factors.sensitivities(cases, table)
    designs = {
        metric: factors.design(found, factors.jacobian(found, cases, bare, raised), parameters)
        for metric, found in taught.items()
    }
    before = {metric: residuals(found, dataset, bare) for metric, found in taught.items()}
    terms = components()
    first = {metric: fit(taught[metric], before[metric], terms) for metric in taught}
    multipliers: Multipliers = {}
    physics = bare
    for _ in range(factors.ROUNDS):
        now = np.array([multipliers.get((one.family, one.scope, one.name), 0.0) for one in parameters])
        parts = [
            (
                first[metric],
                designs[metric],
                residuals(found, dataset, physics) + designs[metric] @ now,
            )
            for metric, found in taught.items()
        ]
        multipliers = factors.most_probable(parts, parameters)
        physics = physics_of(cases, factors.with_multipliers(table, multipliers))
    now = np.array([multipliers[one.family, one.scope, one.name] for one in parameters])
    variance = factors.prior_variances(parameters)
    metrics = {}
    for metric, found in taught.items():
        left = residuals(found, dataset, physics)
        spread = (designs[metric] * variance) @ designs[metric].T
        metrics[metric] = Metric(
            observations=found,
            design=designs[metric],
            process=fit(found, left, terms),
            joint=fit(found, left + designs[metric] @ now, terms, extra=spread),
            before=before[metric],
        )
    return Learnt(dataset, physics, parameters, multipliers, metrics)


def residuals(observations: Sequence[Observation], dataset: Dataset, physics: Physics) -> Array:
    """log(measured / physics) of observations."""
    return np.array(
        [
            one.log_measured - log_physics(one.metric_name, physics, one.row, dataset.cases[one.row])[1]
            for one in observations
        ]
    )


def content(learnt: Learnt, made: str, splits: dict[str, list[LeftOut]]) -> dict[str, Any]:
    """The calibration file: multipliers, prior, measured points with their weights, intervals."""
    observations = [one for found in learnt.metrics.values() for one in found.observations]
    points = Points(
        metrics=[one.metric for one in observations],
        identities=[one.identity for one in observations],
        features=np.stack([one.features for one in observations]),
        weights=np.concatenate([found.process.weights for found in learnt.metrics.values()]),
    )
    return {
        "made": made,
        "runs": len(learnt.dataset.cases),
        "figures": len(observations),
        "multipliers": [
            {"family": family, "scope": scope, "name": name, "log": log}
            for (family, scope, name), log in learnt.multipliers.items()
            if log
        ],
        "features": list(FEATURES),
        "components": [
            {
                "name": term.name,
                "fields": list(term.fields),
                "sd": round(term.sd, 6),
                "lengths": None if term.lengths is None else list(term.lengths),
            }
            for term in components()
        ],
        "intervals": fit_intervals([one for found in splits.values() for one in found]),
        "points": points_to(points),
    }
