"""80% intervals from the residuals of cross-validation: a scale per kind of evidence, a quantile each side.

The scale of a configuration is the spread of out-of-sample log residuals among runs like it: of its own group
where that was measured, widened away from the measured points, and of runs as new to the calibration where it
was not. The quantiles of residual / scale are conformal (Vovk, Gammerman and Shafer, 2005), one each side and
one pair per metric and tier, so that an interval need not be symmetric and holds its share by construction on
rows exchangeable with those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from estimates.core.identity import GROUP, Identity
from estimates.core.residuals import CHIP, Residuals

Array = NDArray[np.floating]

TIERS: Final = ("measured", "kin", "none")
INSIDE: Final = 1e-3
#: Fields that name a cell of like runs in each tier, narrowest first.
CELLS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "measured": (GROUP, ("serving", "software", "family"), ("serving",)),
    "kin": (("serving", "software", "kind"), ("serving",)),
    "none": (("serving", "kind"), ("serving",)),
}


def _values(fields: tuple[str, ...]) -> Callable[[Identity], tuple[str, ...]]:
    """Reads these fields of an identity."""
    read = attrgetter(*fields)
    if len(fields) > 1:
        return read
    return lambda identity: (getattr(identity, fields[0]),)


_CELLS: Final = {
    tier: [("|".join(fields), _values(fields)) for fields in cells] for tier, cells in CELLS.items()
}


@dataclass(frozen=True, slots=True)
class Intervals:
    """Scales and quantiles as fitted. `scales` maps (metric, tier, fields joined by "|", *values) to one."""

    quantiles: Mapping[tuple[str, str], tuple[float, float]]  # (metric, tier) -> low and high, in scales
    scales: Mapping[tuple[str, ...], float]
    widening: Mapping[str, float]  # metric -> growth of the variance far from the group's points
    lengths: tuple[float, ...]  # of closeness, one per feature

    def bounds(
        self, metric: str, tier: str, identity: Identity, residuals: Residuals | None, features: Array
    ) -> tuple[Array, Array]:
        """Log offsets (low, high) from the estimate; shape of the features without the last axis."""
        near: Array = np.zeros(features.shape[:-1])
        if tier == "measured" and residuals is not None:
            near = residuals.closeness(metric, identity, features, self.lengths)
        lean = 0.0 if residuals is None else residuals.lean(metric, identity)
        return self.around(metric, tier, self.scale(metric, tier, identity), near, lean)

    def around(self, metric: str, tier: str, scale: float, near: Array, lean: float) -> tuple[Array, Array]:
        """The same from a spread, the closeness of a measured group's points, and the estimate's lean."""
        growth = self.widening.get(metric, 0.0) if tier == "measured" else 0.0
        return _ends(*self.quantiles[metric, tier], scale * np.sqrt(1 + growth * (1 - near**2)), lean)

    def all_bounds(
        self,
        metric: str,
        tiers: Sequence[str],
        identities: Sequence[Identity],
        number: NDArray[np.intp],
        residuals: Residuals | None,
        features: Array,
    ) -> tuple[Array, Array]:
        """Bounds of many configurations at `features` (n, features), `number` saying whose identity and tier

        each has; NaN where no left-out run says how wide an interval of the kind is.
        """
        table = np.full((len(identities), 5), np.nan)
        near = np.zeros(len(number))
        for place, (identity, tier) in enumerate(zip(identities, tiers, strict=True)):
            if not self.knows(metric, tier):
                continue
            growth = self.widening.get(metric, 0.0) if tier == "measured" else 0.0
            lean = 0.0 if residuals is None else residuals.lean(metric, identity)
            table[place] = (
                *self.quantiles[metric, tier],
                self.scale(metric, tier, identity),
                growth,
                lean,
            )
            if growth and residuals is not None:
                rows = np.flatnonzero(number == place)
                near[rows] = residuals.closeness(metric, identity, features[rows], self.lengths)
        low, high, scale, growth_of, lean_of = table[number].T
        return _ends(low, high, scale * np.sqrt(1 + growth_of * (1 - near**2)), lean_of)

    def knows(self, metric: str, tier: str) -> bool:
        """Whether any left-out run says how wide an interval of this kind is."""
        return (metric, tier) in self.quantiles

    def scale(self, metric: str, tier: str, identity: Identity) -> float:
        """The spread of the narrowest cell that was fitted."""
        for named, values_of in _CELLS[tier]:
            found = self.scales.get((metric, tier, named, *values_of(identity)))
            if found is not None:
                return found
        return self.scales[metric, tier, ""]


def _ends(
    low: Array | float, high: Array | float, widened: Array, lean: Array | float
) -> tuple[Array, Array]:
    """Of an interval about an estimate that leans. The estimate lies inside, however far it leans."""
    least, most = np.minimum(low * widened + lean, -INSIDE), np.maximum(high * widened + lean, INSIDE)
    return np.asarray(least), np.asarray(most)


def tier_of(metric: str, identity: Identity, residuals: Residuals | None) -> str:
    """How new a configuration is to a calibration; without one, all are."""
    return "none" if residuals is None else residuals.tier(metric, identity)


def chip_measured(metric: str, identity: Identity, residuals: Residuals | None) -> bool:
    """Whether any run of this chip teaches the metric."""
    return residuals is not None and residuals.seen(CHIP, metric, identity)
