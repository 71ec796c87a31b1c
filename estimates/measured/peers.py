"""Predictions of other tools for published runs, from a file: run_id, tool, metric, value, error."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from catalog.importing.measurements import METRICS
from estimates.measured.runs import UnreadableMeasurements

COLUMNS: Final = ("run_id", "tool", "metric", "value")


@dataclass(frozen=True, slots=True)
class PeerFigure:
    """What one tool says of one figure; a value of None: it gave no answer."""

    run_id: str
    tool: str
    metric: str
    value: float | None


def read_peers(path: str | Path) -> list[PeerFigure]:
    """Every figure of the file. Raises UnreadableMeasurements with the line and the column at fault."""
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or [])]
            if missing:
                raise UnreadableMeasurements(f"{path} lacks columns: {', '.join(missing)}")
            return [_figure(row, path, rows.line_num) for row in rows]
    except FileNotFoundError:
        raise UnreadableMeasurements(f"there is no file {path}") from None
    except OSError as error:
        raise UnreadableMeasurements(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableMeasurements(f"{path} is no CSV in UTF-8: {error}") from None


def _figure(row: dict[str, str], path: Path, line: int) -> PeerFigure:
    run_id, tool, metric, cell = ((row[name] or "").strip() for name in COLUMNS)
    for name, text in (("run_id", run_id), ("tool", tool)):
        if not text:
            raise UnreadableMeasurements(f"{path} line {line}: {name} is empty; accepted: a name")
    if metric not in METRICS:
        raise UnreadableMeasurements(
            f"{path} line {line}: metric is {metric[:60]!r}; accepted: {', '.join(METRICS)}"
        )
    try:
        value = float(cell) if cell else None
    except ValueError:
        value = math.nan
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise UnreadableMeasurements(
            f"{path} line {line}: value is {cell[:60]!r}; accepted: a number of at least 0, or empty"
        )
    return PeerFigure(run_id, tool, metric, value or None)
