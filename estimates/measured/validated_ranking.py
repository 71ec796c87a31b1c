"""The ranking of a validation: in sample, with rows and groups left out of the calibration, and by search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from estimates.accuracy.predictions import FOLDS, Predictions
from estimates.accuracy.report import current
from estimates.core.efficiency import EfficiencyTable
from estimates.fact_book import FactBook
from estimates.measured.architectures import architectures
from estimates.measured.predictions import Prediction
from estimates.measured.questions import Names
from estimates.measured.ranked_search import searched_order
from estimates.measured.ranking import Ranking, ranking_of
from estimates.measured.runs import Run
from estimates.method import efficiency

IN_SAMPLE, SEARCH = "in_sample", "search"
#: A measured figure is the one that was calibrated on where both are the same to this share.
SAME: Final = 1e-4


def validated_ranking(
    runs: Sequence[Run],
    predictions: Sequence[Prediction],
    book: FactBook,
    names: Names,
    table: EfficiencyTable | None = None,
) -> Ranking:
    """Every group of these runs in every order that there is.

    `in_sample` is what the estimator says now, `rows` and `groups` what it said with the row, or the whole
    group of chip, software, architecture, format and serving, left out; those only of runs that the
    calibration had. `search`: `ranked_search`.
    """
    report = current()
    predicted = {IN_SAMPLE: figures_of(predictions)}
    if report is not None:
        predicted |= left_out(runs, report.predictions)
    return ranking_of(
        runs,
        predicted,
        architectures((run.model for run in runs), names),
        impossible={one.run_id for one in predictions if not one.possible},
        others={SEARCH: searched_order(book, names, table or efficiency())},
    )


def figures_of(predictions: Iterable[Prediction]) -> dict[str, dict[str, float]]:
    """Run -> metric -> predicted value."""
    found: dict[str, dict[str, float]] = {}
    for one in predictions:
        if one.predicted is not None:
            found.setdefault(one.run_id, {})[one.metric] = one.predicted
    return found


def left_out(runs: Iterable[Run], known: Predictions) -> dict[str, dict[str, dict[str, float]]]:
    """Fold -> run -> metric -> the value predicted without it, of the runs that were calibrated on."""
    measured, predicted = known.numbers("measured"), known.numbers("predicted")
    folds, metrics = known.texts("fold"), known.texts("metric")
    found: dict[str, dict[str, dict[str, float]]] = {fold: {} for fold in FOLDS}
    for run in runs:
        values = dict(run.metrics)
        for at in known.of_run.get(run.run_id, ()):
            value = values.get(metrics[at])
            if value is None or abs(value / measured[at] - 1) > SAME or predicted[at] != predicted[at]:
                continue
            found[folds[at]].setdefault(run.run_id, {})[metrics[at]] = float(predicted[at])
    return found
