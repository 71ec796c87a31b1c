"""The calibration as the core reads it: multipliers, residuals and intervals out of one data file.

The file is written by the calibration command from published runs; nothing here fits anything. Its version
is a digest of its bytes and part of every estimate's inputs.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from estimates.core.identity import METRICS, Identity
from estimates.core.intervals import Intervals
from estimates.core.multipliers import FAMILIES, SCOPES, Multipliers
from estimates.core.residuals import FEATURES, Component, Points, Residuals, residuals_of

FILE: Final = "calibration.json"
_IDENTITY: Final = tuple(entry.name for entry in fields(Identity))


class InvalidCalibration(ValueError):  # noqa: N818
    """A calibration file that cannot be used: what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was learnt from published runs. `residuals` and `intervals` are None while it is being fitted."""

    version: str
    made: str
    multipliers: Multipliers
    residuals: Residuals | None
    intervals: Intervals | None


def load_calibration(directory: Path) -> Calibration | None:
    """The calibration of a directory, None where there is none. Raises InvalidCalibration."""
    path = directory / "calibration" / FILE
    if not path.exists():
        return None
    raw = path.read_bytes()
    try:
        return calibration_from(json.loads(raw), hashlib.sha256(raw).hexdigest()[:16])
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise InvalidCalibration(f"{path}: {type(error).__name__}: {error}") from None


def calibration_from(data: dict[str, Any], version: str) -> Calibration:
    """The calibration of a file's content.

    Raises KeyError, AttributeError, TypeError or ValueError where it is malformed.
    """
    if not isinstance(data, dict):
        raise TypeError(f"a {type(data).__name__} where a JSON object is expected")
    multipliers: dict[tuple[str, str, str], float] = {}
    for row in data["multipliers"]:
        if row["family"] not in FAMILIES or row["scope"] not in SCOPES:
            raise ValueError(f"unknown multiplier {row['family']} of scope {row['scope']}")
        multipliers[row["family"], row["scope"], row["name"]] = _finite(row["log"])
    if tuple(data["features"]) != FEATURES:
        raise ValueError(f"features are {data['features']}; expected {list(FEATURES)}")
    components = tuple(
        Component(
            name=row["name"],
            fields=_fields(row["fields"]),
            sd=_finite(row["sd"]),
            lengths=None if row["lengths"] is None else _lengths(row["lengths"]),
        )
        for row in data["components"]
    )
    residuals = residuals_of(points_from(data["points"]), components)
    intervals = intervals_from(data["intervals"])
    residuals.spread = partial(_spread, intervals, residuals)
    return Calibration(version, data["made"], multipliers, residuals, intervals)


def _spread(intervals: Intervals, residuals: Residuals, metric: str, identity: Identity) -> float:
    tier = residuals.tier(metric, identity)
    return intervals.scale(metric, tier, identity) if intervals.knows(metric, tier) else 0.0


def intervals_from(data: dict[str, Any]) -> Intervals:
    """Intervals of a file's content, which contain the estimate. Raises as `calibration_from` does."""
    found = Intervals(
        quantiles={
            (row["metric"], row["tier"]): (_finite(row["low"]), _finite(row["high"]))
            for row in data["quantiles"]
        },
        scales={
            (row["metric"], row["tier"], row["cell"], *row["values"]): _finite(row["scale"])
            for row in data["scales"]
        },
        widening={name: _finite(value) for name, value in data["widening"].items()},
        lengths=_lengths(data["lengths"]),
    )
    for (metric, tier), (low, high) in found.quantiles.items():
        if not low <= 0 <= high:
            raise ValueError(
                f"quantiles of {metric}, {tier} are {low} and {high}; expected zero between them"
            )
        if (metric, tier, "") not in found.scales:
            raise ValueError(f"no scale of all cells of {metric}, {tier}")
    return found


def points_from(rows: Sequence[dict[str, Any]]) -> Points:
    """Points grouped by identity: each entry has a metric, an identity and its runs' features and weights."""
    metrics: list[str] = []
    identities: list[Identity] = []
    features: list[list[float]] = []
    weights: list[float] = []
    for row in rows:
        if row["metric"] not in METRICS:
            raise ValueError(f"unknown metric {row['metric']}")
        identity = Identity(*row["identity"])
        for numbers in row["runs"]:
            if len(numbers) != len(FEATURES) + 1:
                raise ValueError(f"a run has {len(numbers)} numbers; expected {len(FEATURES)} and a weight")
            *coordinates, weight = map(_finite, numbers)
            metrics.append(row["metric"])
            identities.append(identity)
            features.append(coordinates)
            weights.append(weight)
    return Points(
        metrics, identities, np.array(features, float).reshape(-1, len(FEATURES)), np.array(weights)
    )


def points_to(points: Points) -> list[dict[str, Any]]:
    """The inverse of `points_from`, in a stable order."""
    grouped: dict[tuple[str, Identity], list[list[float]]] = {}
    for metric, identity, features, weight in zip(
        points.metrics, points.identities, points.features, points.weights, strict=True
    ):
        row = [round(float(value), 4) for value in features] + [float(f"{weight:.6g}")]
        grouped.setdefault((metric, identity), []).append(row)
    return [
        {
            "metric": metric,
            "identity": [getattr(identity, name) for name in _IDENTITY],
            "runs": sorted(runs),
        }
        for (metric, identity), runs in sorted(grouped.items(), key=lambda item: str(item[0]))
    ]


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no finite number")
    return number


def _fields(names: Iterable[str]) -> tuple[str, ...]:
    found = tuple(names)
    if unknown := [name for name in found if name != "metric" and name not in _IDENTITY]:
        raise ValueError(f"unknown fields {unknown} of a component; expected metric, {', '.join(_IDENTITY)}")
    return found


def _lengths(values: Iterable[Any]) -> tuple[float, ...]:
    found = tuple(map(_finite, values))
    if len(found) != len(FEATURES) or min(found) <= 0:
        raise ValueError(f"{len(found)} lengths {list(found)}; expected {len(FEATURES)} above zero")
    return found
