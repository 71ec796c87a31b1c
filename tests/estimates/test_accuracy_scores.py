"""The calibration's report as it is read and scored; every expected number is arithmetic on a few rows."""

from pathlib import Path

import pytest

from estimates.accuracy import report as reports
from estimates.accuracy.predictions import PredictionsError, read_predictions
from estimates.accuracy.report import Report, ReportError, read_report, worst_groups
from estimates.accuracy.scores import scores, slices
from tests.conftest import CALIBRATION


@pytest.fixture
def report() -> Report:
    found = read_report(CALIBRATION, "test")
    assert found is not None
    return found


def test_scores_of_rows_left_out(report: Report) -> None:
    """Errors of 10.5, 18, 44, 20 on 10, 20, 40, 25 are +5, -10, +10, -20%; 40 < 41 and 25 > 24 fall out.

    Upper over lower ends are 1.3333, 1.3125, 1.1707, 1.3333; their median is (1.3125 + 1.3333) / 2.
    """
    score = scores(report.predictions)["rows"]["tpot_ms"]
    assert (score.rows, score.answered) == (4, 4)
    assert score.mape_pct == pytest.approx(11.25)
    assert score.median_ape_pct == pytest.approx(10)
    assert score.bias_pct == pytest.approx(-3.75)
    assert score.within20_pct == 100
    assert score.coverage80_pct == 50
    assert score.interval_ratio == pytest.approx(1.3229, abs=1e-4)


def test_a_row_that_was_refused_counts_as_a_row_and_not_as_answered(report: Report) -> None:
    """+20, -25, +50, +100% and one without a prediction."""
    score = scores(report.predictions)["groups"]["tpot_ms"]
    assert (score.rows, score.answered) == (5, 4)
    assert score.mape_pct == pytest.approx(48.75)
    assert score.median_ape_pct == pytest.approx(37.5)


def test_rows_set_apart_come_only_when_asked_for(report: Report) -> None:
    """The speculative row is +200% off: (5 + 10 + 10 + 20 + 200) / 5 = 49."""
    everything = scores(report.predictions, complete=False)["rows"]["tpot_ms"]
    assert (everything.rows, everything.mape_pct) == (5, pytest.approx(49))


def test_filters_narrow_and_values_of_one_filter_are_alternatives(report: Report) -> None:
    one = scores(report.predictions, {"software": ["sglang"], "fold": ["rows"]})
    assert {fold: list(metrics) for fold, metrics in one.items()} == {"rows": ["tpot_ms"]}
    two = scores(report.predictions, {"software": ["sglang", "vllm"], "fold": ["rows"]})
    assert two["rows"]["tpot_ms"].rows == 4


def test_slices_have_the_most_rows_first_and_name_the_unknown_with_nothing(report: Report) -> None:
    found = slices(report.predictions, "weight_format", {"metric": ["tpot_ms"], "fold": ["groups"]})
    assert [(item.value, item.score.rows) for item in found] == [("bf16", 3), ("", 1), ("fp8", 1)]


def test_the_worst_groups_come_with_what_is_known_of_them(report: Report) -> None:
    assert [group["known"] for group in worst_groups(report)] == ["a single row at an unusual load"]


def test_the_report_is_read_once_for_a_version(tmp_path: Path) -> None:
    for name in (reports.REPORT, reports.PREDICTIONS):
        (tmp_path / name).write_bytes((CALIBRATION / name).read_bytes())
    first = read_report(tmp_path, "one")
    assert read_report(tmp_path, "one") is first
    assert read_report(tmp_path, "two") is not first


def test_without_a_calibration_there_is_no_report(tmp_path: Path) -> None:
    assert read_report(tmp_path, "none") is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("r2,tpot_ms,20,", "r2,tpot_ms,twenty,", "line 3, measured is 'twenty'"),
        ("r2,tpot_ms,20,", "r2,tpot_ms,,", "line 3, measured is ''"),
        ("r2,tpot_ms,20,18", "r2,tpot_ms,20,nan", "line 3, predicted is 'nan'"),
        ("measured,predicted", "measured,guess", "line 1 lacks the column predicted"),
    ],
)
def test_a_broken_file_is_refused_with_line_and_column(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "predictions.csv"
    path.write_text((CALIBRATION / "predictions.csv").read_text().replace(old, new))
    with pytest.raises(PredictionsError, match=said):
        read_predictions(path)


def test_a_report_that_is_no_json_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_bytes((CALIBRATION / "predictions.csv").read_bytes())
    (tmp_path / "report.json").write_text("{")
    with pytest.raises(ReportError, match=r"report\.json"):
        read_report(tmp_path, "broken")


def test_the_report_in_force_can_be_read() -> None:
    """The files that the efficiency data came with, where it came with any."""
    found = reports.current()
    if found is not None:
        assert len(found.predictions) > 0
        assert set(found.predictions.values["fold"]) <= {"rows", "groups"}
