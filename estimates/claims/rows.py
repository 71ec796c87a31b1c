"""What answers a claim: one row a combination of the conditions that it leaves open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

GRADES: Final = ("A", "B", "C", "D")
#: Units of claims in SI: what one of them is.
UNITS: Final[dict[str, float]] = {
    "": 1.0,
    "x": 1.0,
    "accelerators": 1.0,
    "B": 1.0,
    "GB": 1e9,
    "TB": 1e12,
    "GB/s": 1e9,
    "TB/s": 1e12,
    "PB/s": 1e15,
    "TFLOPS": 1e12,
    "TOPS": 1e12,
    "PFLOPS": 1e15,
    "EFLOPS": 1e18,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "tok/s": 1.0,
    "tok/s/GPU": 1.0,
    "USD": 1.0,
    "W": 1.0,
}


class UnanswerableClaim(ValueError):  # noqa: N818
    """A claim that says no question: what it lacks, in words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One combination answered, in SI units. `value` None: `detail` says why, `missing` names the facts.

    `low` and `high` bound its 80% interval; a figure of the catalogue has none and bounds itself.
    """

    conditions: dict[str, str]
    state: str = "ok"  # ok, saturated, does_not_fit, misses_level, refused, missing
    value: float | None = None
    low: float | None = None
    high: float | None = None
    grade: str | None = None
    deployment: str = ""
    watts: float | None = None
    detail: str = ""
    missing: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    parts: dict[str, Any] = field(default_factory=dict)  # the sides of a ratio, the room of a fit, the price

    def as_json(self, unit: str) -> dict[str, Any]:
        """Plain values in the claim's unit."""
        return {
            "conditions": self.conditions,
            "state": self.state,
            "value": in_unit(self.value, unit),
            "low": in_unit(self.low, unit),
            "high": in_unit(self.high, unit),
            "grade": self.grade,
            "deployment": self.deployment,
            "watts": short(self.watts),
            "detail": self.detail,
            "missing": list(self.missing),
            **self.parts,
        }


def in_unit(value: float | None, unit: str) -> float | None:
    """An SI value in the unit of the claim, five digits. Raises UnanswerableClaim for an unknown unit."""
    return None if value is None else short(value / scale_of(unit))


def scale_of(unit: str) -> float:
    """Raises UnanswerableClaim for an unknown unit."""
    if unit not in UNITS:
        raise UnanswerableClaim(f"the unit {unit!r} is not known; known: {', '.join(filter(None, UNITS))}")
    return UNITS[unit]


def short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.5g}")


def worst_grade(rows: list[Row]) -> str | None:
    """The weakest of the grades of rows with a value."""
    found = [row.grade for row in rows if row.value is not None and row.grade in GRADES]
    return max(found) if found else None  # type: ignore[type-var]  # none is None
