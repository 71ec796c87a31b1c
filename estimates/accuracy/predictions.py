"""Predictions of measured figures, each made without the row it predicts: the columns of predictions.csv.

A measured figure may be predicted twice: with its row left out (`fold` rows) and with its whole group left
out (`fold` groups), which is chip, software, architecture, format and serving.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.measured.plausibility import APART

TEXTS: Final = (
    "run_id",
    "metric",
    "grade",
    "tier",
    "fold",
    "accelerator",
    "software",
    "model",
    "weight_format",
    "serving",
    "flags",
)
#: Columns that the file names otherwise: over the API `format` chooses between JSON and CSV.
IN_FILE: Final = {"weight_format": "format"}
NUMBERS: Final = ("measured", "predicted", "low", "high")
#: Columns that scores are sliced by and filtered with.
DIMENSIONS: Final = (
    "metric",
    "accelerator",
    "software",
    "model",
    "weight_format",
    "serving",
    "tier",
    "grade",
    "fold",
)
FOLDS: Final = ("rows", "groups")
TIERS: Final = ("measured", "kin", "none")
METRICS: Final = (
    "tpot_ms",
    "ttft_ms",
    "output_tok_s_total",
    "output_tok_s_per_accel",
    "total_tok_s",
    "decode_tok_s_per_user",
    "prefill_tok_s",
    "e2e_latency_s",
)


class PredictionsError(Exception):
    """The file of predictions cannot be read; the message has its line and column."""


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    texts: Mapping[str, NDArray[np.object_]]
    numbers: Mapping[str, NDArray[np.float64]]


class Predictions:
    """All predictions, by column; a row is known by its position. Unknown numbers are NaN."""

    def __init__(
        self, texts: Mapping[str, Collection[str]], numbers: Mapping[str, Collection[float]]
    ) -> None:
        self._columns = _Columns(
            {name: np.array(list(texts[name]), dtype=object) for name in TEXTS},
            {name: np.array(list(numbers[name]), dtype=np.float64) for name in NUMBERS},
        )

    def __len__(self) -> int:
        return len(self._columns.numbers["measured"])

    def texts(self, column: str) -> NDArray[np.object_]:
        return self._columns.texts[column]

    def numbers(self, column: str) -> NDArray[np.float64]:
        return self._columns.numbers[column]

    @cached_property
    def whole(self) -> NDArray[np.bool_]:
        """Whether a row is complete: none of the flags that set it apart."""
        return np.array([APART.isdisjoint(flags) for flags in self.flags], dtype=bool)

    @cached_property
    def flags(self) -> NDArray[np.object_]:
        """The flags of each row, a list."""
        found = np.empty(len(self), dtype=object)
        found[:] = [flags.split() for flags in self.texts("flags")]
        return found

    @cached_property
    def error(self) -> NDArray[np.float64]:
        """Signed relative error, predicted over measured less one; NaN where nothing was predicted."""
        return self.numbers("predicted") / self.numbers("measured") - 1.0

    @cached_property
    def of_run(self) -> Mapping[str, list[int]]:
        """Positions of each run's rows."""
        found: dict[str, list[int]] = {}
        for position, run in enumerate(self.texts("run_id")):
            found.setdefault(run, []).append(position)
        return found

    @cached_property
    def values(self) -> Mapping[str, list[str]]:
        """The distinct values of each dimension; those of no value are left out."""
        known = {"metric": METRICS, "fold": FOLDS, "tier": TIERS}
        found = {}
        for name in DIMENSIONS:
            present = set(self.texts(name)) - {""}
            order = known.get(name, ())
            found[name] = [value for value in order if value in present] + sorted(present - set(order))
        return found

    def select(self, wanted: Mapping[str, Collection[str]], complete: bool = True) -> NDArray[np.intp]:
        """Positions of the rows whose dimensions have one of the wanted values; empty wants everything."""
        chosen = self.whole.copy() if complete else np.ones(len(self), dtype=bool)
        for name, accepted in wanted.items():
            if accepted:
                chosen &= np.isin(self.texts(name), list(accepted))
        return np.flatnonzero(chosen)

    def row(self, position: int) -> dict[str, Any]:
        """One row as plain values: unknown is None, the error in per cent."""
        found: dict[str, Any] = {name: self.texts(name)[position] or None for name in TEXTS}
        for name in NUMBERS:
            value = float(self.numbers(name)[position])
            found[name] = None if math.isnan(value) else value
        error = float(self.error[position])
        found["error_pct"] = None if math.isnan(error) else round(100 * error, 2)
        found["flags"] = self.flags[position]
        return found


def read_predictions(path: Path) -> Predictions:
    """Read predictions.csv. Raises PredictionsError with line and column."""
    texts: dict[str, list[str]] = {name: [] for name in TEXTS}
    numbers: dict[str, list[float]] = {name: [] for name in NUMBERS}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        wanted = [IN_FILE.get(name, name) for name in (*TEXTS, *NUMBERS)]
        missing = [name for name in wanted if name not in (reader.fieldnames or ())]
        if missing:
            raise PredictionsError(f"{path.name}: line 1 lacks the column {', '.join(missing)}")
        for row in reader:
            for name in TEXTS:
                texts[name].append(row[IN_FILE.get(name, name)] or "")
            for name in NUMBERS:
                numbers[name].append(_number(path, reader.line_num, name, row[name] or ""))
    return Predictions(texts, numbers)


def _number(path: Path, line: int, column: str, text: str) -> float:
    """A positive number; NaN for an empty cell, which a measured value may not be."""
    if not text and column != "measured":
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise PredictionsError(f"{path.name}: line {line}, {column} is {text!r}, not a number above zero")
    return value
