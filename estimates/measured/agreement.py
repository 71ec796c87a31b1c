"""How far two orders of the same systems agree: Kendall's tau, with pairs within the noise counted apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

#: Repeats of one run differ by this at the 90th percentile.
NOISE: Final = 0.065


@dataclass(frozen=True, slots=True)
class Swap:
    """Two systems in the wrong order: how many times the better one's throughput is the other's."""

    better: str
    worse: str
    measured_ratio: float
    predicted_ratio: float  # below 1: the other way round

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two orders of the same systems. `pairs`: all, of which `noise_pairs` were measured within the noise.

    `tau_b` is over all pairs, `tau` over those beyond the noise: (right - wrong) / pairs. None: no pair.
    """

    systems: int
    pairs: int
    noise_pairs: int
    tau_b: float | None
    tau: float | None
    swapped: tuple[Swap, ...] = ()

    def as_json(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "swapped"}
        return plain | {"swapped": [one.as_json() for one in self.swapped]}


def kendall_tau_b(first: ArrayLike, second: ArrayLike) -> float | None:
    """Kendall's tau-b of two rankings of shape (n,); None where one of them has nothing but ties.

    (concordant - discordant) / sqrt((pairs - ties of the first) (pairs - ties of the second)), M. G. Kendall,
    "The treatment of ties in ranking problems", Biometrika 33, 1945.
    """
    left, right = (_signs(np.asarray(values, float)) for values in (first, second))
    known = float(np.count_nonzero(left)) * float(np.count_nonzero(right))
    return float((left * right).sum()) / math.sqrt(known) if known else None


def _signs(values: np.ndarray) -> np.ndarray:
    """Of every pair, which one is larger: -1, 0, 1."""
    one, other = np.triu_indices(len(values), 1)
    return np.sign(values[one] - values[other])


def agreement(names: Sequence[str], measured: ArrayLike, predicted: ArrayLike) -> Agreement:
    """How far the predicted order of these systems is the measured one. Values are positive, shape (n,)."""
    truth, found = np.asarray(measured, float), np.asarray(predicted, float)
    one, other = np.triu_indices(len(truth), 1)
    apart = np.abs(np.log(truth[one] / truth[other])) > math.log1p(NOISE)
    right = _signs(truth) * _signs(found)
    swapped = []
    for at in np.flatnonzero(apart & (right < 0)):
        high, low = (one[at], other[at]) if truth[one[at]] > truth[other[at]] else (other[at], one[at])
        ratios = float(truth[high] / truth[low]), float(found[high] / found[low])
        swapped.append(Swap(names[high], names[low], round(ratios[0], 3), round(ratios[1], 3)))
    beyond = int(apart.sum())
    return Agreement(
        systems=len(truth),
        pairs=len(one),
        noise_pairs=len(one) - beyond,
        tau_b=rounded(kendall_tau_b(truth, found)),
        tau=rounded(float(right[apart].sum()) / beyond) if beyond else None,
        swapped=tuple(sorted(swapped, key=lambda swap: -swap.measured_ratio)),
    )


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
