"""The calibration file: read back as it was written, refused with the reason where it is malformed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from estimates.core.calibration import (
    FILE,
    InvalidCalibration,
    load_calibration,
    points_from,
    points_to,
)
from estimates.core.efficiency import DATA_DIRECTORY, FILES, load_efficiency
from estimates.core.residuals import Points
from tests.core.learnt import ORIGIN, SERVED, at, content, identity


def written(directory: Path, text: str) -> Path:
    path = directory / "calibration" / FILE
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_without_a_file_there_is_no_calibration(tmp_path: Path):
    assert load_calibration(tmp_path) is None


def test_a_file_is_read_into_multipliers_residuals_and_intervals(tmp_path: Path):
    written(tmp_path, json.dumps(content()))
    found = load_calibration(tmp_path)
    assert found.made == "2026-01-01"
    assert found.multipliers == {("kernels", "any", ""): 0.1}
    # An offset of 0.2^2 x 2.5 and, on the run itself, a sweep of 0.1^2 x 2.5; less half of 0.1^2 as lean.
    where = np.array(at(batch=4, isl=10, osl=10, tp=3))
    assert float(found.residuals.correction("tpot", SERVED, where)) == pytest.approx(0.12)
    low, high = found.intervals.bounds("tpot", "measured", SERVED, found.residuals, where)
    assert (float(low), float(high)) == (pytest.approx(-0.105), pytest.approx(0.135))


def test_the_version_is_a_digest_of_the_bytes(tmp_path: Path):
    path = written(tmp_path, json.dumps(content()))
    before = load_calibration(tmp_path).version
    assert before == hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    path.write_text(path.read_text() + "\n")
    assert load_calibration(tmp_path).version != before


def test_the_version_of_the_efficiency_data_counts_the_calibration(tmp_path: Path):
    """What was learnt is part of every estimate's inputs."""
    for file in FILES:
        (tmp_path / file).write_bytes((DATA_DIRECTORY / file).read_bytes())
    written(tmp_path, json.dumps(content()))
    learnt, physics = load_efficiency(tmp_path), load_efficiency(tmp_path, calibrated=False)
    assert physics.calibration is None
    assert learnt.calibration is not None
    assert learnt.version != physics.version


def test_what_is_not_learnt_may_be_empty(tmp_path: Path):
    written(tmp_path, json.dumps(content() | {"points": [], "multipliers": []}))
    found = load_calibration(tmp_path)
    correction = float(found.residuals.correction("tpot", SERVED, np.array(ORIGIN)))
    assert correction == -found.residuals.lean("tpot", SERVED)


def changed(**parts: Any) -> str:
    return json.dumps(content() | parts)


def first(part: str, **changes: Any) -> str:
    """The file with these values in the first entry of a part."""
    found = content()
    found[part][0] |= changes
    return json.dumps(found)


def interval(part: str, value: Any) -> str:
    found = content()
    found["intervals"][part] = value
    return json.dumps(found)


def without(part: str) -> str:
    found = content()
    del found[part]
    return json.dumps(found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("not JSON", "Expecting value"),
        ('{"made": "2026-01-01"', "delimiter"),
        ("[]", "object"),
        (without("points"), "points"),
        (without("intervals"), "intervals"),
        (changed(features=["batch", "isl"]), r"features are \['batch', 'isl'\]; expected"),
        (first("multipliers", family="magic"), "unknown multiplier magic of scope any"),
        (first("multipliers", scope="chip"), "unknown multiplier kernels of scope chip"),
        (first("multipliers", log="much"), "much"),
        (first("multipliers", log=float("nan")), "nan"),
        (first("components", fields=["metric", "colour"]), "colour"),
        (first("components", sd=None), "NoneType"),
        (first("components", sd=float("inf")), "inf"),
        (first("components", lengths=[1.0, 2.0]), "2 lengths"),
        (first("components", lengths=[0.0] * len(ORIGIN)), "above zero"),
        (first("points", metric="energy"), "unknown metric energy"),
        (first("points", identity=["closed_loop"]), "arguments"),
        (first("points", runs=[[1.0, 2.0]]), "2 numbers"),
        (first("points", runs=[[*ORIGIN, "heavy"]]), "heavy"),
        (first("points", runs=[[*ORIGIN, float("nan")]]), "nan is no finite number"),
        (interval("quantiles", [{"metric": "tpot"}]), "tier"),
        (
            interval("quantiles", [{"metric": "tpot", "tier": "kin", "low": 0.1, "high": 1}]),
            "quantiles of tpot, kin are 0.1 and 1.0; expected zero between them",
        ),
        (interval("scales", []), "no scale of all cells of tpot, measured"),
        (interval("lengths", [1.0]), "1 lengths"),
        (interval("widening", None), "NoneType"),
    ],
)
def test_a_malformed_file_is_refused_with_the_reason(tmp_path: Path, text: str, reason: str):
    path = written(tmp_path, text)
    with pytest.raises(InvalidCalibration, match=reason) as error:
        load_calibration(tmp_path)
    assert str(error.value).startswith(f"{path}: ")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    written(tmp_path, "").write_bytes(b"\xff\xfe{}")
    with pytest.raises(InvalidCalibration):
        load_calibration(tmp_path)


def test_points_are_grouped_by_identity_and_come_back():
    points = Points(
        ["tpot", "ttft", "tpot"],
        [SERVED, SERVED, identity(chip="amd-mi300x")],
        np.array([at(batch=4), at(isl=10), ORIGIN]),
        np.array([1.5, -2.0, 0.25]),
    )
    found = points_from(points_to(points))

    def rows(one: Points) -> set[Any]:
        parts = zip(one.metrics, one.identities, map(tuple, one.features), one.weights, strict=True)
        return set(parts)

    assert rows(found) == rows(points)


def test_points_are_written_in_one_order_whatever_order_they_were_learnt_in():
    """Sorted by metric, names and coordinates, so that the file of the same runs is the same file."""
    runs = [("tpot", SERVED, at(batch=b), float(b)) for b in range(5)]
    runs += [("ttft", identity(chip=c), ORIGIN, 1.0) for c in "abc"]

    def file(order: Callable[[list], list]) -> str:
        names, identities, features, weights = zip(*order(runs), strict=True)
        points = Points(list(names), list(identities), np.array(features), np.array(weights))
        return json.dumps(points_to(points))

    assert file(lambda rows: rows) == file(lambda rows: rows[::-1])
