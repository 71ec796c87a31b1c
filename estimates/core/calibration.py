"""The calibration as the core reads it: multipliers, residuals and intervals out of one data file.

The file is written by the calibration command from published runs; nothing here fits anything. Its version
is a digest of its bytes and part of every estimate's inputs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
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
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InvalidCalibration(f"{path}: {type(error).__name__}: {error}") from None


def calibration_from(data: dict[str, Any], version: str) -> Calibration:
    """The calibration of a file's content. Raises KeyError, TypeError or ValueError where it is malformed."""
    multipliers: dict[tuple[str, str, str], float] = {}
    for row in data["multipliers"]:
        if row["family"] not in FAMILIES or row["scope"] not in SCOPES:
            raise ValueError(f"unknown multiplier {row['family']} of scope {row['scope']}")
        multipliers[row["family"], row["scope"], row["name"]] = float(row["log"])
    if tuple(data["features"]) != FEATURES:
        raise ValueError(f"features are {data['features']}; expected {list(FEATURES)}")
    components = tuple(
        Component(
            name=row["name"],
            fields=tuple(row["fields"]),
            sd=float(row["sd"]),
            lengths=None if row["lengths"] is None else tuple(map(float, row["lengths"])),
        )
        for row in data["components"]
    )
    return Calibration(
        version=version,
        made=data["made"],
        multipliers=multipliers,
        residuals=residuals_of(points_from(data["points"]), components),
        intervals=intervals_from(data["intervals"]),
    )


def intervals_from(data: dict[str, Any]) -> Intervals:
    """Intervals of a file's content."""
    return Intervals(
        quantiles={
            (row["metric"], row["tier"]): (float(row["low"]), float(row["high"])) for row in data["quantiles"]
        },
        scales={
            (row["metric"], row["tier"], row["cell"], *row["values"]): float(row["scale"])
            for row in data["scales"]
        },
        widening={name: float(value) for name, value in data["widening"].items()},
        lengths=tuple(map(float, data["lengths"])),
    )


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
        for *coordinates, weight in row["runs"]:
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
