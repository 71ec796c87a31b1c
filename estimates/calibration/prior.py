"""The prior of the calibration: which runs share an offset or a smooth function, and how much it may be.

Standard deviations are in log units. They were set by hand to what like systems differ by; then all offsets
together were narrowed by one factor, 0.4, of seven tried, because whole groups left out were predicted better
the less the offsets of their kin were trusted, for every metric, and left-out rows no worse. Each offset
exists twice at 1/sqrt(2): for all servings of a metric together, and for each serving alone, so that a static
batch tells half of what it knows to a closed loop.
"""

from __future__ import annotations

from typing import Final

from estimates.core.residuals import Component

#: Lengths of the squared-exponential kernel, in doublings: batch, ISL, OSL, TP, EP, DP, PP, limit.
LENGTHS: Final = (2.0, 2.0, 2.0, 1.2, 1.5, 1.5, 1.5, 1.0)
NOISE: Final = 0.06  # repeated runs of one configuration differ by this in the upper quarter
#: Multipliers: every family's log factor for all software, and each software's own beside it.
MULTIPLIER_SD: Final[dict[str, float]] = {"any": 0.05, "software": 0.03}

_SHARED: Final[tuple[tuple[tuple[str, ...], float], ...]] = (
    (("software",), 0.06),
    (("kind",), 0.08),
    (("vendor",), 0.06),
    (("generation",), 0.04),
    (("chip",), 0.06),
    (("architecture",), 0.04),
    (("family",), 0.028),
    (("format",), 0.028),
    (("software", "format"), 0.028),
    (("software", "architecture"), 0.028),
    (("software", "family"), 0.028),
    (("software", "chip"), 0.06),
    (("software", "architecture", "format"), 0.04),
    (("version",), 0.04),
    (("chip", "software", "architecture", "format"), 0.04),
    (("chip", "version", "architecture", "format"), 0.04),
)
_SMOOTH: Final[tuple[tuple[tuple[str, ...], float], ...]] = (
    (("software", "family"), 0.1),
    (("chip", "software"), 0.15),
    (("software", "architecture", "format"), 0.15),
    (("chip", "software", "architecture", "format"), 0.1),
    (("chip", "version", "architecture", "format"), 0.1),
)


def components() -> tuple[Component, ...]:
    """All terms of the prior, widest first."""
    found = [
        Component("metric", ("metric",), 0.05),
        Component("serving", ("metric", "serving"), 0.06),
    ]
    for fields, sd in _SHARED:
        name, half = " x ".join(fields), sd / 2**0.5
        found.append(Component(name, ("metric", *fields), half))
        found.append(Component(f"{name}, serving", ("metric", "serving", *fields), half))
    for fields, sd in _SMOOTH:
        name = "sweep of " + " x ".join(fields)
        found.append(Component(name, ("metric", "serving", *fields), sd, LENGTHS))
    return tuple(found)


def offsets_only(terms: tuple[Component, ...]) -> tuple[Component, ...]:
    """The prior without interpolation of sweeps."""
    return tuple(term for term in terms if term.lengths is None)
