"""Time of one operation from its two ceilings, and the ledger that adds operations up.

t = t0 + ((F / (ec peak))^p + (B / (em bandwidth))^p)^(1/p): the roofline (Williams et al., 2009) with a
smooth corner, because neither ceiling is reached near the ridge. p = 1 adds the two, p -> infinity takes
the larger; ec, em, p and t0 are data.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

LEAST = np.float32(1e-35)  # stands for zero where logarithms are taken

LIMITS: tuple[str, ...] = ("bandwidth", "compute", "interconnect", "overhead")


def smooth_maximum(compute_s: Array, memory_s: Array, p: Array) -> Array:
    """(compute^p + memory^p)^(1/p), elementwise; either may be zero."""
    larger = np.maximum(compute_s, memory_s)
    ratio = np.minimum(compute_s, memory_s)
    ratio = ratio / np.maximum(larger, np.float32(1e-30))
    return np.asarray(larger * power(1 + power(ratio, p), 1 / p))


def power(base: Array, exponent: Array) -> Array:
    """base^exponent of bases of at least 0; in single precision by logarithms, whose loops vectorise."""
    if base.dtype != np.float32:
        return np.asarray(base**exponent)
    found = np.maximum(base, LEAST)
    np.log(found, out=found)
    found = found * exponent
    return np.asarray(np.exp(found, out=found))


class Ledger:
    """Sum of operation times in seconds; with `detailed`, also by operation and by limit.

    The part of an operation above its start t0 is attributed to compute and bandwidth in proportion to the
    p-th powers of the two ceilings' times; t0 is overhead.
    """

    def __init__(self, *, detailed: bool = False) -> None:
        self.detailed = detailed
        self.total: Array = np.zeros((1, 1, 1), np.float32)
        self.operations: dict[str, Array] = defaultdict(lambda: np.zeros((1, 1, 1)))
        self.limits: dict[str, Array] = defaultdict(lambda: np.zeros((1, 1, 1)))

    def roofline(
        self, operation: str, compute_s: Array, memory_s: Array, p: Array, start_s: Array, count: int
    ) -> None:
        """`count` runs of an operation with these ceilings' times and start."""
        work = smooth_maximum(compute_s, memory_s, p)
        self.total = self.total + count * (work + start_s)
        if self.detailed:
            larger = np.maximum(np.maximum(compute_s, memory_s), 1e-30)
            compute_power = (compute_s / larger) ** p
            memory_power = (memory_s / larger) ** p
            share = compute_power / np.maximum(compute_power + memory_power, 1e-30)
            self.operations[operation] = self.operations[operation] + count * (work + start_s)
            self.limits["compute"] = self.limits["compute"] + count * work * share
            self.limits["bandwidth"] = self.limits["bandwidth"] + count * work * (1 - share)
            self.limits["overhead"] = self.limits["overhead"] + count * start_s

    def copy(self) -> Ledger:
        """A ledger to add to that leaves this one as it is."""
        found = Ledger(detailed=self.detailed)
        found.add(self)
        return found

    def add(self, other: Ledger) -> None:
        """The operations of another ledger as well."""
        self.total = self.total + other.total
        for name, seconds in other.operations.items():
            self.operations[name] = self.operations[name] + seconds
        for name, seconds in other.limits.items():
            self.limits[name] = self.limits[name] + seconds

    def plain(self, operation: str, limit: str, seconds: Array) -> None:
        """Time with one cause."""
        self.total = self.total + seconds
        if self.detailed:
            self.operations[operation] = self.operations[operation] + seconds
            self.limits[limit] = self.limits[limit] + seconds
