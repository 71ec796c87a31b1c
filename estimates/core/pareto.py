"""Pareto fronts: the points of a cloud that no other point beats on both of two axes, larger being better."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def front(x: ArrayLike, y: ArrayLike) -> NDArray[np.intp]:
    """Positions of the points that no other equals or exceeds on both axes, by falling x; shapes (points,).

    Of equal points the first stands for all. Points with a NaN on either axis are left out.
    """
    across, up = np.asarray(x, float).reshape(-1), np.asarray(y, float).reshape(-1)
    known = np.flatnonzero(~(np.isnan(across) | np.isnan(up)))
    if not known.size:
        return known
    order = known[np.lexsort((known, -up[known], -across[known]))]
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(up[order])[:-1]])
    return order[up[order] > best_before]


def thinned(x: ArrayLike, y: ArrayLike, positions: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """At most so many of the positions, spread evenly along the curve in logarithms; both ends stay."""
    if positions.size <= most:
        return positions
    across = np.log(np.maximum(np.asarray(x, float).reshape(-1)[positions], 1e-30))
    up = np.log(np.maximum(np.asarray(y, float).reshape(-1)[positions], 1e-30))
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(across), np.diff(up)))])
    wanted = np.linspace(0, length[-1], most)
    return positions[np.unique(np.searchsorted(length, wanted).clip(0, positions.size - 1))]
