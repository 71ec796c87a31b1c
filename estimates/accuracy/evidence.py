"""The measured runs nearest to an estimate, with the estimator's error on each of them.

Distance is counted in steps of what changes a speed: another chip or model outweighs another format or
software, and lengths, load and number of chips count by the doublings that separate them. The weights order
the evidence for a reader; no estimate is made of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from estimates.accuracy.measured_runs import MeasuredRuns, current_runs
from estimates.accuracy.report import Report
from estimates.measured.software import software_key

#: Steps away: a chip of the generation, of the vendor, of the kind, any other.
CHIP_STEPS: Final = ((0.0, "accelerator"), (1.5, "generation"), (3.0, "vendor"), (4.0, "kind"))
OTHER_CHIP: Final = 6.0
SAME_SHAPE: Final = 0.1
OTHER_MODEL: Final = 1.0
OTHER_FORMAT, OTHER_SOFTWARE, OTHER_SERVING, NOT_STATED = 1.0, 0.75, 1.0, 0.4
DOUBLINGS: Final = {"count": 0.4, "tp": 0.3, "isl": 0.5, "osl": 0.25, "concurrency": 0.4}
SET_APART: Final = 2.0
#: Beyond this a run says nothing of the estimate: another chip of the kind with another model.
FARTHEST: Final = 6.0
MOST: Final = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What an estimate is of. Texts are empty and numbers None where they are unknown or do not apply."""

    accelerator: str
    model: str
    shape: str = ""
    active_parameters: float | None = None
    vendor: str = ""
    generation: str = ""
    kind: str = ""
    software: str = ""
    weight_format: str = ""
    serving: str = "aggregated"
    count: float | None = None
    tp: float | None = None
    isl: float | None = None
    osl: float | None = None
    concurrency: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column of texts as numbers, so that thousands of them are compared at once."""

    number_of: dict[str, int]
    codes: NDArray[np.intp]

    def equal(self, text: str) -> NDArray[np.bool_]:
        return self.codes == self.number_of.get(text, -1)


def coded(texts: NDArray[np.object_]) -> Coded:
    number_of: dict[str, int] = {}
    codes = [number_of.setdefault(text, len(number_of)) for text in texts]
    return Coded(number_of, np.array(codes, dtype=np.intp))


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """Runs that have a prediction, and what the report says of each: positions of its rows."""

    runs: MeasuredRuns
    positions: tuple[tuple[int, ...], ...]
    software: NDArray[np.object_]
    columns: dict[str, Coded]
    apart: NDArray[np.bool_]
    has: dict[str, NDArray[np.bool_]]


@lru_cache(maxsize=2)
def base_of(report: Report, runs: MeasuredRuns) -> Base:
    """Join runs and predictions; a run measured since the calibration has none and is no evidence yet."""
    predictions = report.predictions
    answered = np.isfinite(predictions.error)
    metrics = predictions.texts("metric")
    positions = tuple(
        tuple(at for at in predictions.of_run.get(run, ()) if answered[at]) for run in runs.texts["run_id"]
    )
    software = np.array([software_of(name) for name in runs.texts["software"]], dtype=object)
    apart = np.zeros(len(runs), dtype=bool)
    has = {metric: np.zeros(len(runs), dtype=bool) for metric in predictions.values["metric"]}
    for number, found in enumerate(positions):
        for at in found:
            has[metrics[at]][number] = True
        if found:
            apart[number] = not predictions.whole[found[0]]
    texts = {name: runs.texts[name] for name in ("accelerator", "vendor", "generation", "kind", "model")}
    texts |= {name: runs.texts[name] for name in ("weight_format", "serving")}
    texts |= {"software": software, "shape": runs.shape}
    columns = {name: coded(values) for name, values in texts.items()}
    return Base(runs, positions, software, columns, apart, has)


def evidence_for(
    report: Report, asked: Asked, metrics: Sequence[tuple[str, ...]] = ((),), most: int = MOST
) -> list[dict[str, Any]]:
    """The measured runs nearest to what is asked, nearest first; empty where nothing near was measured.

    For each group of metrics the `most` nearest that report one of them, of any where the group is empty.
    Each run has its figures, measured and predicted without the run, the error in per cent, its source, and
    how it compares in words.
    """
    base = base_of(report, current_runs())
    if not len(base.runs):
        return []
    far = distances(base, asked)
    chosen: set[int] = set()
    for group in metrics:
        reports = [base.has[name] for name in group or base.has if name in base.has]
        if not reports:
            continue
        distance = np.where(np.logical_or.reduce(reports), far, np.inf)
        chosen |= {int(at) for at in np.argsort(distance, kind="stable")[:most] if distance[at] <= FARTHEST}
    order = sorted(chosen, key=lambda number: (far[number], number))
    return [_shown(report, base, asked, number, float(far[number])) for number in order]


def distances(base: Base, asked: Asked) -> NDArray[np.float64]:
    """Steps between what is asked and each run."""
    numbers, columns = base.runs.numbers, base.columns
    chip = np.full(len(base.runs), OTHER_CHIP)
    for steps, name in reversed(CHIP_STEPS):
        given = getattr(asked, name)
        if given:
            same = columns[name].equal(given)
            if name == "generation":
                same &= columns["vendor"].equal(asked.vendor)
            chip[same] = steps
    model = OTHER_MODEL + np.minimum(_doublings(numbers["active_parameters"], asked.active_parameters), 4.0)
    if asked.shape:
        model[columns["shape"].equal(asked.shape)] = SAME_SHAPE
    if asked.model:
        model[columns["model"].equal(asked.model)] = 0.0
    total = chip + model
    total += _differs(columns["weight_format"], asked.weight_format, OTHER_FORMAT)
    total += _differs(columns["software"], software_of(asked.software), OTHER_SOFTWARE)
    total += _differs(columns["serving"], asked.serving, OTHER_SERVING)
    for name, weight in DOUBLINGS.items():
        total += weight * np.minimum(_doublings(numbers[name], getattr(asked, name)), 5.0)
    return total + SET_APART * base.apart


def _differs(column: Coded, wanted: str, steps: float) -> NDArray[np.float64]:
    if not wanted:
        return np.zeros(len(column.codes))
    return np.where(column.equal(wanted), 0.0, np.where(column.equal(""), NOT_STATED, steps))


def _doublings(values: NDArray[np.float64], wanted: float | None) -> NDArray[np.float64]:
    """How often one doubles into the other; one where either is unknown."""
    if not wanted:
        return np.ones(len(values))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.abs(np.log2(values / wanted))
    return np.where(np.isfinite(found), found, 1.0)


def software_of(name: str) -> str:
    """The key of serving software, as printed where it is not listed."""
    return software_key(name) or name


# ---- In words --------------------------------------------------------------------------------------------


def _shown(report: Report, base: Base, asked: Asked, number: int, distance: float) -> dict[str, Any]:
    texts, numbers = base.runs.texts, base.runs.numbers
    found: dict[str, Any] = {name: texts[name][number] or None for name in texts if name not in _HIDDEN}
    found["software"] = base.software[number] or None
    for name in ("count", "tp", "isl", "osl", "concurrency"):
        value = float(numbers[name][number])
        found[name] = None if np.isnan(value) else value
    return found | {
        "flags": report.predictions.flags[base.positions[number][0]],
        "figures": figures(report, base.positions[number]),
        "distance": round(distance, 2),
        "compared": words(base, asked, number),
    }


_HIDDEN: Final = frozenset({"vendor", "generation", "kind"})


def figures(report: Report, positions: tuple[int, ...]) -> list[dict[str, Any]]:
    """The figures of a run with the prediction made without the run, else without its whole group."""
    chosen: dict[str, dict[str, Any]] = {}
    for at in positions:
        row = report.predictions.row(at)
        if row["metric"] not in chosen or row["fold"] == "rows":
            chosen[row["metric"]] = row
    names = ("metric", "measured", "predicted", "low", "high", "error_pct", "tier", "fold")
    return [{name: row[name] for name in names} for _, row in sorted(chosen.items())]


def words(base: Base, asked: Asked, number: int) -> list[str]:
    """What is the same and what differs, the weightiest first."""
    texts, numbers = base.runs.texts, base.runs.numbers
    said = [_chip_words(base, asked, number), _model_words(base, asked, number)]
    said.append(_text_words(texts["weight_format"][number], asked.weight_format, "weights"))
    said.append(_text_words(base.software[number], software_of(asked.software), "software"))
    said.append(_text_words(texts["serving"][number], asked.serving, "serving"))
    for name, label in (
        ("count", "chips"),
        ("tp", "TP"),
        ("isl", "ISL"),
        ("osl", "OSL"),
        ("concurrency", "load"),
    ):
        said.append(_number_words(float(numbers[name][number]), getattr(asked, name), label))
    if base.apart[number]:
        said.append("reported apart: its deployment is not fully stated or not comparable")
    return [text for text in said if text]


def _chip_words(base: Base, asked: Asked, number: int) -> str:
    texts = base.runs.texts
    if texts["accelerator"][number] == asked.accelerator:
        return "same chip"
    name = texts["accelerator"][number] or "a chip that is not in the catalogue"
    if texts["vendor"][number] == asked.vendor and asked.vendor:
        generation = texts["generation"][number]
        kin = "same generation" if generation and generation == asked.generation else "same vendor"
        return f"{name}, {kin}"
    return f"{name}, another vendor"


def _model_words(base: Base, asked: Asked, number: int) -> str:
    model = base.runs.texts["model"][number]
    if asked.model and model == asked.model:
        return "same model"
    if asked.shape and base.runs.shape[number] == asked.shape:
        return f"{model}, same architecture"
    ratio = float(base.runs.numbers["active_parameters"][number]) / (asked.active_parameters or np.nan)
    size = f" with {times(ratio)} the active parameters" if np.isfinite(ratio) else ""
    return f"{model or 'a model that is not in the catalogue'}{size}"


def _text_words(value: str, wanted: str, label: str) -> str:
    if not wanted:
        return ""
    if value == wanted:
        return f"same {label}"
    return f"{label} {value}, not {wanted}" if value else f"{label} not stated"


def _number_words(value: float, wanted: float | None, label: str) -> str:
    if wanted is None:
        return ""
    if np.isnan(value):
        return "load saturating or not stated" if label == "load" else f"{label} not stated"
    if abs(value - wanted) <= 0.005 * wanted:
        return f"same {label}"
    return f"{label} {value:,.6g}, {times(value / wanted)}" if wanted else f"{label} {value:,.6g}"


def times(ratio: float) -> str:
    """A ratio as a factor: "1.5×", "0.25×"."""
    return f"{float(f'{ratio:.2g}'):,g}×"
