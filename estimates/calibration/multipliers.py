"""Fit of the physical multipliers: a handful of factors, the same for every chip and model, shrunk to one.

Each family's logarithm is a normal variable around zero for all lanes, plus one for each serving software
with enough runs. Given the sensitivities J of every figure (d log time / d log factor, by one perturbed
evaluation a family), the most probable factors under the residuals' own covariance K solve
(Lambda^-1 + sum J' K^-1 J) theta = sum J' K^-1 y over the metrics: generalised least squares, so that a group
of many runs counts as the few facts it is. Two Gauss-Newton steps take out most of the curvature.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from estimates.calibration.dataset import Case, Observation, Physics, log_physics, physics_of
from estimates.calibration.prior import MULTIPLIER_SD
from estimates.calibration.process import Process
from estimates.core.calibration import Calibration
from estimates.core.efficiency import EfficiencyTable
from estimates.core.multipliers import FAMILIES, Multipliers

Array = NDArray[np.floating]

STEP = 0.05  # of a logarithm, for sensitivities
LEAST_RUNS = 100  # figures of a software before it has multipliers of its own
LARGEST_LOG = 1.0
ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Parameter:
    """One multiplier: a family for all lanes or for one software's."""

    family: str
    scope: str
    name: str


def with_multipliers(table: EfficiencyTable, multipliers: Multipliers) -> EfficiencyTable:
    """The table with these multipliers and no residuals."""
    return replace(table, calibration=Calibration("", "", multipliers, None, None))


def parameters_for(observations: Sequence[Observation]) -> list[Parameter]:
    """The multipliers that these observations can say something about."""
    runs = Counter(one.identity.software for one in observations if one.identity.software)
    software = sorted(name for name, count in runs.items() if count >= LEAST_RUNS)
    found = [Parameter(family, "any", "") for family in FAMILIES]
    return found + [Parameter(family, "software", name) for name in software for family in FAMILIES]


def sensitivities(cases: Sequence[Case], table: EfficiencyTable) -> dict[str, Physics]:
    """The physics with each family's factor raised by STEP."""
    return {
        family: physics_of(cases, with_multipliers(table, {(family, "any", ""): STEP})) for family in FAMILIES
    }


def jacobian(
    observations: Sequence[Observation],
    cases: Sequence[Case],
    physics: Physics,
    raised: Mapping[str, Physics],
) -> Array:
    """d log time / d log factor of every observation and family, shape (observations, families)."""
    columns = []
    for family in FAMILIES:
        changed = raised[family]
        columns.append(
            [
                log_physics(one.metric_name, changed, one.row, cases[one.row])[1]
                - log_physics(one.metric_name, physics, one.row, cases[one.row])[1]
                for one in observations
            ]
        )
    return np.nan_to_num(np.array(columns).T / STEP)


def design(observations: Sequence[Observation], families: Array, parameters: Sequence[Parameter]) -> Array:
    """Sensitivities to each multiplier: a software's own act on its own runs alone."""
    place = {family: column for column, family in enumerate(FAMILIES)}
    software = np.array([one.identity.software for one in observations])
    columns = [
        families[:, place[one.family]] * (1.0 if one.scope == "any" else software == one.name)
        for one in parameters
    ]
    return np.array(columns).T


def prior_variances(parameters: Sequence[Parameter]) -> Array:
    return np.array([MULTIPLIER_SD[one.scope] ** 2 for one in parameters])


def most_probable(
    parts: Sequence[tuple[Process, Array, Array]], parameters: Sequence[Parameter]
) -> dict[tuple[str, str, str], float]:
    """Logarithms of the multipliers, from (process, design, target) of each metric."""
    precision = np.diag(1 / prior_variances(parameters))
    moment = np.zeros(len(parameters))
    for process, matrix, target in parts:
        weighted = matrix.T @ process.inverse
        precision = precision + weighted @ matrix
        moment = moment + weighted @ target
    found = np.clip(np.linalg.solve(precision, moment), -LARGEST_LOG, LARGEST_LOG)
    return {
        (one.family, one.scope, one.name): round(float(log), 5)
        for one, log in zip(parameters, found, strict=True)
    }
