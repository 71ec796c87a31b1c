"""Predictions made without a run are those of the calibration, where the run is the one it had."""

from pathlib import Path

import pytest

from estimates.accuracy.predictions import Predictions
from estimates.accuracy.report import current
from estimates.measured.runs import Run
from estimates.measured.validated_ranking import left_out


@pytest.fixture
def known(calibrated: Path) -> Predictions:
    report = current()
    assert report is not None
    return report.predictions


def run(**metrics: float) -> Run:
    return Run(
        run_id="r1",
        accelerator="nvidia-h100-sxm",
        n_accelerators=1,
        model="m",
        isl=1024,
        osl=1024,
        scenario="closed_loop",
        metrics=tuple(metrics.items()),
    )


def test_both_folds_of_a_run_that_was_calibrated_on(known: Predictions):
    # The report of the tests says 10.5 ms without the row and 12 ms without its group, of 10 ms measured.
    assert left_out([run(tpot_ms=10)], known) == {
        "rows": {"r1": {"tpot_ms": 10.5}},
        "groups": {"r1": {"tpot_ms": 12}},
    }


def test_another_measurement_by_that_name_has_none(known: Predictions):
    assert left_out([run(tpot_ms=10.1)], known) == {"rows": {}, "groups": {}}
