"""The calibration's own report on its error: what was measured, left out, predicted, and how it went.

`manage.py calibrate` writes it beside the efficiency data; it is read once a process and belongs to the
version of that data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import orjson

from estimates.accuracy.predictions import METRICS, Predictions, PredictionsError, read_predictions
from estimates.measured.scoring import OTHER
from estimates.method import efficiency

DIRECTORY: Final = Path(__file__).resolve().parent.parent / "data" / "calibration"
REPORT, PREDICTIONS, RANKING = "report.json", "predictions.csv", "ranking.json"


class ReportError(Exception):
    """The report cannot be read; the message names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The report and the predictions behind it. `version` is that of the efficiency data."""

    version: str
    content: Mapping[str, Any]
    predictions: Predictions

    def part(self, name: str) -> Any:
        """A part of the report, None where the calibration did not write it."""
        return self.content.get(name)


def current(directory: Path | None = None) -> Report | None:
    """The report of this process's efficiency data; None where no calibration has written one."""
    return read_report(directory or DIRECTORY, efficiency().version)


def read_report(directory: Path, version: str) -> Report | None:
    """Both files, read once a process for each version; None where one is missing. Raises ReportError."""
    if not (directory / REPORT).exists() or not (directory / PREDICTIONS).exists():
        return None
    return _read(directory, version)


@lru_cache(maxsize=4)
def _read(directory: Path, version: str) -> Report:
    try:
        content = orjson.loads((directory / REPORT).read_bytes())
        if not isinstance(content, dict):
            raise ReportError(f"{directory / REPORT} holds no JSON object")
        if (directory / RANKING).exists():
            content["ranking"] = orjson.loads((directory / RANKING).read_bytes())
        return Report(version, content, read_predictions(directory / PREDICTIONS))
    except (orjson.JSONDecodeError, PredictionsError) as error:
        raise ReportError(f"{directory / REPORT}: {error}") from error


def worst_groups(report: Report, most: int = 10) -> list[dict[str, Any]]:
    """The groups with the largest error, and what is known of each, as the calibration found them."""
    return list(report.part("worst_groups") or ())[:most]


#: The part of the report that has the scores of a fold.
FOLD_PARTS: Final = {"rows": "rows_out", "groups": "groups_out"}


def headline(report: Report) -> dict[str, Any]:
    """The calibration's own scores, without slices and lists: {fold: {metric: {view: score}}}."""
    metrics = {*METRICS, OTHER}
    return {
        fold: {name: score for name, score in (report.part(part) or {}).items() if name in metrics}
        for fold, part in FOLD_PARTS.items()
    }


def peers(report: Report) -> list[dict[str, Any]]:
    """Other tools on the complete rows that they answer: {tool, metric, peer: score, ours: {fold: score}}."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for fold, part in FOLD_PARTS.items():
        for row in (report.part(part) or {}).get("peers") or ():
            if row["view"] == "complete" and row["peer"]["answered"]:
                key = row["tool"], row["metric"]
                line = {"tool": row["tool"], "metric": row["metric"], "peer": row["peer"], "ours": {}}
                found.setdefault(key, line)["ours"][fold] = row["ours"]
    return list(found.values())
