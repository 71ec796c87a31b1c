"""`manage.py calibrate`: what it writes, that it is the same every time, one clear line for what is wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from estimates.accuracy.predictions import read_predictions
from estimates.core.calibration import FILE, load_calibration
from estimates.measured.runs import Run
from tests.estimates.calibration.published import measured, run, store, sweeps, write
from tests.estimates.conftest import TinyCatalogue


@pytest.fixture
def published(tiny: TinyCatalogue) -> list[Run]:
    """The closed loops of two groups, Llama 8B under vLLM and SGLang: twenty of each metric."""
    return measured([one for one in sweeps() if one.run_id[0] in "01" and "static" not in one.run_id])


def calibrate(output: Path, **options: Any) -> str:
    """What is printed; files in `output`."""
    out = StringIO()
    call_command("calibrate", output=str(output), made="2026-04-01", stdout=out, **options)
    return out.getvalue()


def from_file(tmp_path: Path, runs: Sequence[Run], **options: Any) -> tuple[str, Path]:
    measurements = write(tmp_path / "runs.csv", runs)
    output = tmp_path / "data" / "calibration"
    return calibrate(output, measurements=str(measurements), **options), output


def test_the_core_reads_back_what_was_written(published: list[Run], tmp_path: Path):
    printed, output = from_file(tmp_path, published)
    assert "20 runs, 40 figures learnt from" in printed
    assert [path.name for path in output.iterdir()] == [FILE]
    found = load_calibration(output.parent)
    assert found is not None
    assert found.made == "2026-04-01"
    assert len(found.residuals.points) == 40
    assert found.intervals.knows("tpot", "kin")


def test_two_runs_write_the_same_bytes(published: list[Run], tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        page = str(tmp_path / name / "accuracy.md")
        from_file(tmp_path / name, published, cross_validate=True, markdown=page)
    for path in ("data/calibration/calibration.json", "data/calibration/report.json"):
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()
    for path in ("data/calibration/predictions.csv", "accuracy.md"):
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_runs_of_the_catalogue_teach_as_those_of_a_file(published: list[Run], tmp_path: Path):
    """What an editor enters is what a file says: the same calibration."""
    _, output = from_file(tmp_path, published)
    store(published)
    calibrate(tmp_path / "stored")
    assert (tmp_path / "stored" / FILE).read_bytes() == (output / FILE).read_bytes()


def test_a_run_that_is_added_joins_at_the_next_calibration(published: list[Run], tmp_path: Path):
    """Another chip's run, of which nothing was known: its group is measured then, and moved towards it."""
    store(published)
    calibrate(tmp_path / "before" / "calibration")
    added = measured(
        [
            run(
                "added",
                accelerator="nvidia-l40s",
                weight_format="fp8",
                metrics=(("tpot_ms", 1.0), ("ttft_ms", 1.0)),
            )
        ]
    )
    store(added)
    printed = calibrate(tmp_path / "after" / "calibration")
    assert "21 runs, 42 figures" in printed
    before, after = (load_calibration(tmp_path / name) for name in ("before", "after"))
    points = after.residuals.points
    (row,) = (
        n
        for n, (metric, name) in enumerate(zip(points.metrics, points.identities, strict=True))
        if (metric, name.chip) == ("tpot", "nvidia-l40s")
    )
    identity, where = points.identities[row], points.features[row]
    assert before.residuals.tier("tpot", identity) == "none"
    assert after.residuals.tier("tpot", identity) == "measured"
    # It took 0.95 x 1.1 = 1.045 of the physics' time, vLLM's others 0.95: what is said rises.
    said = [
        float(one.residuals.correction("tpot", identity, where)) + one.residuals.lean("tpot", identity)
        for one in (before, after)
    ]
    assert said[1] > said[0] + 0.01


def test_a_flagged_run_of_the_catalogue_teaches_nothing(published: list[Run], tmp_path: Path):
    store(published)
    calibrate(tmp_path / "before" / "calibration")
    wrong = replace(
        published[0], run_id="wrong", flags=frozenset({"anomaly"}), metrics=(("tpot_ms", 9999.0),)
    )
    store([wrong])
    calibrate(tmp_path / "after" / "calibration")
    before, after = (load_calibration(tmp_path / name) for name in ("before", "after"))
    assert len(after.residuals.points) == len(before.residuals.points)
    assert after.residuals.points.weights == pytest.approx(before.residuals.points.weights)


def test_cross_validation_writes_the_report_the_predictions_and_the_page(
    published: list[Run], tmp_path: Path
):
    page = tmp_path / "docs" / "accuracy.md"
    peers = tmp_path / "peers.csv"
    peers.write_text(
        "run_id,tool,metric,value,error\n"
        f"{published[0].run_id},Another tool,tpot_ms,12,\n"
        f"{published[1].run_id},Another tool,tpot_ms,,refused\n"
    )
    printed, output = from_file(
        tmp_path, published, cross_validate=True, markdown=str(page), peers=str(peers)
    )
    assert {path.name for path in output.iterdir()} == {FILE, "report.json", "predictions.csv"}
    report = json.loads((output / "report.json").read_text())
    assert set(report) == {
        "made",
        "measurements",
        "rows_out",
        "groups_out",
        "stages",
        "ablation",
        "worst_groups",
    }
    assert report["rows_out"]["tpot_ms"]["complete"]["rows"] == 20
    predictions = read_predictions(output / "predictions.csv")
    assert len(predictions) == 80  # 40 figures without their row, and without their group
    assert np.isfinite(predictions.numbers("low")).all()
    for table in ("80 % interval holds", "without", "stage"):
        assert table in printed
    text = page.read_text()
    assert text.startswith("# Accuracy\n\nMade on 2026-04-01 by\n")
    command = "python manage.py calibrate --cross-validate --measurements runs.csv --peers peers.csv"
    assert f"    {command} --markdown accuracy.md\n" in text
    assert "| Another tool | tpot_ms | 1 of 2 |" in text


def test_predictions_are_of_figures_as_they_were_published(published: list[Run], tmp_path: Path):
    _, output = from_file(tmp_path, published, cross_validate=True)
    with (output / "predictions.csv").open() as file:
        found = {(row["run_id"], row["metric"]): float(row["measured"]) for row in csv.DictReader(file)}
    expected = {(one.run_id, metric): value for one in published for metric, value in one.metrics}
    assert found == pytest.approx(expected, rel=1e-5)


# ---- What is wrong ---------------------------------------------------------------------------------------


def refused(tmp_path: Path, **options: Any) -> str:
    """The one line that the command ends with; nothing is written."""
    output = tmp_path / "refused"
    with pytest.raises(CommandError) as error:
        call_command("calibrate", **{"output": str(output), "stdout": StringIO()} | options)
    assert error.value.returncode != 0
    assert not output.exists() or not list(output.iterdir())
    message = str(error.value)
    assert "\n" not in message
    return message


def test_too_few_runs_are_one_line(tiny: TinyCatalogue, tmp_path: Path):
    assert refused(tmp_path) == "no metric has 20 usable figures: 0 in all"


def test_too_few_runs_of_a_file_leave_what_was_there(published: list[Run], tmp_path: Path):
    _, output = from_file(tmp_path, published)
    before = (output / FILE).read_bytes()
    few = write(tmp_path / "few.csv", published[:5])
    with pytest.raises(CommandError, match="no metric has 20 usable figures: 10 in all"):
        call_command("calibrate", measurements=str(few), output=str(output))
    assert (output / FILE).read_bytes() == before


@pytest.mark.parametrize("date", ["yesterday", "2026-13-01", "2026-02-30"])
def test_a_date_that_is_none_is_refused(tiny: TinyCatalogue, tmp_path: Path, date: str):
    assert refused(tmp_path, made=date) == f"--made {date} is no date; accepted: YYYY-MM-DD"


def test_a_file_that_is_not_there_is_refused(tiny: TinyCatalogue, tmp_path: Path):
    path = tmp_path / "nowhere.csv"
    assert refused(tmp_path, measurements=str(path)) == f"there is no file {path}"
    assert refused(tmp_path, peers=str(path)) == f"there is no file {path}"


def test_a_file_in_another_schema_is_refused_by_its_columns(tiny: TinyCatalogue, tmp_path: Path):
    path = tmp_path / "other.csv"
    path.write_text("model,speed\nllama,fast\n")
    assert refused(tmp_path, measurements=str(path)).startswith(f"{path} lacks columns of the schema: run_id")


def test_a_wrong_cell_is_refused_with_its_line(published: list[Run], tmp_path: Path):
    path = write(tmp_path / "wrong.csv", [replace(published[0], metrics=(("tpot_ms", -1.0),))])
    assert refused(tmp_path, measurements=str(path)) == (
        f"{path} line 2: value is '-1.0'; accepted: a positive number"
    )


def test_an_output_that_cannot_be_written_is_refused_before_anything_is_learnt(
    tiny: TinyCatalogue, tmp_path: Path
):
    """It says so although there are no runs to learn from either."""
    (tmp_path / "file").write_text("here")
    output = tmp_path / "file" / "calibration"
    assert refused(tmp_path, output=str(output)) == f"{output} cannot be written: Not a directory"
    page = tmp_path / "file" / "accuracy.md"
    assert refused(tmp_path, cross_validate=True, markdown=str(page)) == (
        f"{tmp_path / 'file'} cannot be written: File exists"
    )


def test_a_page_in_the_place_of_a_directory_is_refused(tiny: TinyCatalogue, tmp_path: Path):
    assert refused(tmp_path, cross_validate=True, markdown=str(tmp_path)) == (
        f"{tmp_path} cannot be written: it is a directory"
    )


def test_files_that_fail_to_be_written_leave_the_former_ones_whole(published: list[Run], tmp_path: Path):
    """The place beside the report is taken by a directory: nothing is put in its place."""
    _, output = from_file(tmp_path, published)
    before = (output / FILE).read_bytes()
    (output / ".report.json.new").mkdir()
    other = [replace(published[0], metrics=(("tpot_ms", 20.0), ("ttft_ms", 200.0))), *published[1:]]
    with pytest.raises(CommandError, match=r"report\.json cannot be written: Is a directory"):
        from_file(tmp_path, other, cross_validate=True)
    assert (output / FILE).read_bytes() == before
    assert {path.name for path in output.iterdir()} == {FILE, ".report.json.new"}


def test_a_page_without_cross_validation_is_refused(tiny: TinyCatalogue, tmp_path: Path):
    assert refused(tmp_path, markdown=str(tmp_path / "page.md")) == (
        "--markdown needs --cross-validate: it is the report that it writes"
    )
