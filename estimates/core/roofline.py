"""Time of one operation from its two ceilings, and the ledger that adds operations up.

t = t0 + ((F / (ec peak))^p + (B / (em bandwidth))^p)^(1/p): the roofline (Williams et al., 2009) with a
smooth corner, because neither ceiling is reached near the ridge. p = 1 adds the two, p -> infinity takes
the larger; ec, em, p and t0 are data.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Rows:
    """Some of `among` lanes, ascending: those that an operation runs on."""

    at: NDArray[np.intp]
    among: int

    def of(self, values: Array) -> Array:
        """These rows of values that have a row for each lane, or one for all."""
        return values if values.shape[0] == 1 else values[self.at]

    def added(self, total: Array, seconds: Array) -> Array:
        """The total with the seconds of these rows; where it has its shape already, in place."""
        shape = np.broadcast_shapes(total.shape, (self.among, *seconds.shape[1:]))
        dtype = np.result_type(total, seconds)
        if total.shape != shape or total.dtype != dtype:
            total = np.array(np.broadcast_to(total, shape), dtype)
        total[self.at] += seconds
        return total


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
        self,
        operation: str,
        compute_s: Array,
        memory_s: Array,
        p: Array,
        start_s: Array,
        count: Array,
        rows: Rows | None = None,
    ) -> None:
        """`count` runs of an operation with these ceilings' times and start; on some lanes or on all."""
        work = smooth_maximum(compute_s, memory_s, p)
        seconds = count * (work + start_s)
        self.total = added(self.total, seconds, rows)
        if self.detailed:
            larger = np.maximum(np.maximum(compute_s, memory_s), 1e-30)
            compute_power = (compute_s / larger) ** p
            memory_power = (memory_s / larger) ** p
            share = compute_power / np.maximum(compute_power + memory_power, 1e-30)
            self.operations[operation] = added(self.operations[operation], seconds, rows)
            for limit, part in (
                ("compute", count * work * share),
                ("bandwidth", count * work * (1 - share)),
                ("overhead", count * start_s),
            ):
                self.limits[limit] = added(self.limits[limit], part, rows)

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

    def plain(self, operation: str, limit: str, seconds: Array, rows: Rows | None = None) -> None:
        """Time with one cause; on some lanes or on all."""
        self.total = added(self.total, seconds, rows)
        if self.detailed:
            self.operations[operation] = added(self.operations[operation], seconds, rows)
            self.limits[limit] = added(self.limits[limit], seconds, rows)


def added(total: Array, seconds: Array, rows: Rows | None) -> Array:
    """The total with the seconds of these rows, or of all."""
    return total + seconds if rows is None else rows.added(total, seconds)
