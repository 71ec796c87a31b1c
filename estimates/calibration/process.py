"""Fit of the Gaussian process over residuals, and its errors on what it did not see.

One process per metric. Rows that disagree with their neighbours more than their own scatter explains keep a
larger noise (reweighting as for Student-t errors), so that one broken run does not bend a group. Left-out
predictions come from the inverse covariance in closed form: with B the rows left out, the prediction errors
are (K^-1)_BB^-1 (K^-1 y)_B, exact for any B (Rasmussen and Williams, 2006, section 5.4.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimates.calibration.dataset import Observation, configuration
from estimates.calibration.prior import LENGTHS, NOISE
from estimates.core.identity import Identity
from estimates.core.residuals import Component

Array = NDArray[np.floating]

JITTER = 1e-6
ROUNDS = 2  # of reweighting
OUTLYING = 2.0  # standardised left-out residual from which a row counts less
LARGEST_WEIGHT = 400.0


@dataclass(slots=True)
class Process:
    """A fitted process: `weights` alpha, the inverse covariance, and the noise each row kept."""

    observations: list[Observation]
    target: Array
    inverse: Array
    weights: Array
    noise: Array

    def left_out(self, folds: NDArray[np.intp]) -> tuple[Array, Array]:
        """Errors (target less prediction) and predictive standard deviations of rows by their fold."""
        errors, spread = np.zeros(len(self.target)), np.zeros(len(self.target))
        for fold in np.unique(folds):
            block = np.flatnonzero(folds == fold)
            covariance = np.linalg.inv(self.inverse[np.ix_(block, block)])
            errors[block] = covariance @ self.weights[block]
            spread[block] = np.sqrt(np.maximum(np.diag(covariance), 0))
        return errors, spread


def fit(
    observations: Sequence[Observation],
    target: Array,
    components: Sequence[Component],
    extra: Array | None = None,
    noise: float = NOISE,
) -> Process:
    """Fit a process to log residuals. `extra` is a covariance beside the components' (of multipliers)."""
    covariance = prior_covariance(observations, components)
    if extra is not None:
        covariance = covariance + extra
    base = noise**2
    weight = np.ones(len(target))
    for round_ in range(ROUNDS + 1):
        inverse = np.linalg.inv(covariance + np.diag(base * weight + JITTER))
        alpha = inverse @ target
        if round_ == ROUNDS:
            break
        standardised = np.abs(alpha) / np.sqrt(np.diag(inverse))
        weight = np.minimum(weight * np.maximum(standardised / OUTLYING, 1) ** 2, LARGEST_WEIGHT)
    return Process(list(observations), target, inverse, alpha, base * weight)


def prior_covariance(observations: Sequence[Observation], components: Sequence[Component]) -> Array:
    """Covariance of the residuals of observations of one metric under the prior, shape (n, n)."""
    count = len(observations)
    scaled = np.stack([one.features for one in observations]) / np.asarray(LENGTHS)
    square = (scaled**2).sum(1)
    kernel = np.exp(-0.5 * np.maximum(square[:, None] + square[None] - 2 * scaled @ scaled.T, 0))
    covariance = np.zeros((count, count))
    for component in components:
        for rows in agreeing(observations, component):
            block = np.ix_(rows, rows)
            if component.lengths is None:
                covariance[block] += component.sd**2
            else:
                covariance[block] += component.sd**2 * kernel[block]
    return covariance


def agreeing(observations: Sequence[Observation], component: Component) -> list[NDArray[np.intp]]:
    """Rows that agree in a component's fields; rows in which one is unknown agree with nothing."""
    known: dict[tuple[str, Identity], tuple[str, ...] | None] = {}
    members: dict[tuple[str, ...], list[int]] = {}
    for row, one in enumerate(observations):
        pair = (one.metric, one.identity)
        if pair not in known:
            known[pair] = component.key(*pair)
        key = known[pair]
        members.setdefault(("", str(row)) if key is None else key, []).append(row)
    return [np.array(rows, np.intp) for rows in members.values()]


# ---- Splits ----------------------------------------------------------------------------------------------

SEED = 20261122


def row_folds(observations: Sequence[Observation], count: int = 5) -> NDArray[np.intp]:
    """Folds of rows, runs of one configuration on one side."""
    keys = [configuration(one) for one in observations]
    distinct = list(dict.fromkeys(keys))
    drawn = np.random.default_rng(SEED).integers(0, count, len(distinct))
    fold = dict(zip(distinct, drawn, strict=True))
    return np.array([fold[key] for key in keys], np.intp)


def folds_by(observations: Sequence[Observation], fields: Sequence[str]) -> NDArray[np.intp]:
    """One fold for each combination of these fields of the identity."""
    keys = [tuple(getattr(one.identity, name) for name in fields) for one in observations]
    number = {key: position for position, key in enumerate(dict.fromkeys(keys))}
    return np.array([number[key] for key in keys], np.intp)
