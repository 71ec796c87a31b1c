"""Shares of a total change: Shapley values of a game whose value is the logarithm of a result.

A player is one cause; a coalition's value is log(result) with the facts of its members taken from after and
all others from before. A share is the mean, over all orders of swapping the facts one by one, of what
swapping that one changes (Shapley 1953); the shares add up to the whole change, whatever interacts.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

import numpy as np
from numpy.typing import NDArray


def shapley_shares(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares (players,) of values (2^players,), indexed by the bits of the players taken from after."""
    players = int(values.size).bit_length() - 1
    if values.size != 1 << players:
        raise ValueError(f"a game of n players has 2^n values, got {values.size}")
    masks = np.arange(values.size)
    sizes = np.array([mask.bit_count() for mask in masks.tolist()])
    weights = np.array(
        [factorial(size) * factorial(players - size - 1) / factorial(players) for size in range(players)]
    )
    shares = np.empty(players)
    for player in range(players):
        without = masks[(masks >> player) & 1 == 0]
        gains = values[without | (1 << player)] - values[without]
        shares[player] = np.sum(weights[sizes[without]] * gains)
    return shares


def coalitions(players: int, *, exact: bool) -> list[int]:
    """The coalitions to evaluate, as bits: all of them, or those of swapping the players in their order."""
    if exact:
        return list(range(1 << players))
    return [(1 << swapped) - 1 for swapped in range(players + 1)]


def sequential_shares(values: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares (players,) of values (players + 1,) of swapping the players one by one in their order."""
    return np.diff(np.asarray(values, np.float64))
