"""Reading published runs: typed values, runs out of rows, one clear line for what cannot be read."""

from pathlib import Path

import pytest

from catalog.models import MeasuredValue, MeasurementRun, Source
from estimates.measured.runs import REQUIRED, UnreadableMeasurements, read_runs, stored_runs
from tests.estimates.conftest import TinyCatalogue
from tests.measured.measurement_files import COLUMNS, row, write_rows


def test_rows_of_one_run_become_one_run_with_its_metrics(tmp_path: Path):
    path = write_rows(tmp_path / "runs.csv", row(), row(metric="ttft_ms", value=80), row(run_id="two"))

    first, second = read_runs(path)

    assert (first.run_id, first.metrics) == ("one", (("tpot_ms", 10.0), ("ttft_ms", 80.0)))
    assert (second.run_id, second.metrics) == ("two", (("tpot_ms", 10.0),))


def test_cells_are_typed_and_an_empty_cell_is_not_stated(tmp_path: Path):
    path = write_rows(tmp_path / "runs.csv", row(ep="", concurrency="", flags="anomaly speculative"))

    (run,) = read_runs(path)

    assert (run.n_accelerators, run.tp, run.isl, run.osl) == (1, 1, 1024.0, 512.0)
    assert (run.ep, run.concurrency, run.kv_format, run.notes) == (None, None, None, None)
    assert run.flags == {"anomaly", "speculative"}
    assert run.serving == "aggregated"


def test_a_version_that_was_printed_as_not_a_number_is_not_stated(tmp_path: Path):
    (run,) = read_runs(write_rows(tmp_path / "runs.csv", row(framework_version="nan")))
    assert run.framework_version is None


def test_descriptive_columns_may_be_left_out_and_others_added(tmp_path: Path):
    columns = (*REQUIRED, "metric", "value", "colour")

    (run,) = read_runs(write_rows(tmp_path / "runs.csv", row(colour="red"), columns=columns))

    assert (run.workers, run.source, run.metrics) == (None, None, (("tpot_ms", 10.0),))


@pytest.mark.parametrize("name", ["run_id", "concurrency", "value", "flags"])
def test_a_missing_column_is_named(tmp_path: Path, name: str):
    path = write_rows(tmp_path / "runs.csv", row(), columns=tuple(set(COLUMNS) - {name}))
    with pytest.raises(UnreadableMeasurements, match=f"lacks columns of the schema: {name}$"):
        read_runs(path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tp": "two"}, "line 3: tp is 'two'; accepted: a whole number of at least 1, or empty"),
        ({"tp": "1.5"}, "line 3: tp is '1.5'"),
        ({"isl": "-1"}, "line 3: isl is '-1'; accepted: a number of at least 0, or empty"),
        ({"value": ""}, "line 3: value is ''; accepted: a positive number"),
        ({"value": "nan"}, "line 3: value is 'nan'"),
        ({"value": "inf"}, "line 3: value is 'inf'"),
        ({"concurrency": "0"}, "line 3: concurrency is '0'; accepted: a positive number, or empty"),
        ({"metric": "speed"}, "line 3: metric is 'speed'; accepted: ttft_ms, tpot_ms"),
        ({"scenario": ""}, "line 3: scenario is ''; accepted: closed_loop"),
        ({"flags": "odd"}, "line 3: flags is 'odd'; accepted: words among"),
        ({"run_id": ""}, "line 3: run_id is ''; accepted: a name"),
    ],
)
def test_a_bad_value_is_named_with_its_line_and_what_is_accepted(tmp_path: Path, changes: dict, said: str):
    path = write_rows(tmp_path / "runs.csv", row(run_id="before"), row(**changes))
    with pytest.raises(UnreadableMeasurements) as raised:
        read_runs(path)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_metric_comes_once_a_run(tmp_path: Path):
    path = write_rows(tmp_path / "runs.csv", row(), row(value=11))
    with pytest.raises(UnreadableMeasurements, match="line 3: run 'one' has tpot_ms twice"):
        read_runs(path)


def test_rows_of_one_run_agree(tmp_path: Path):
    path = write_rows(tmp_path / "runs.csv", row(), row(metric="ttft_ms", tp=2))
    with pytest.raises(UnreadableMeasurements, match="line 3: tp of run 'one' is '2'; line 2 differs"):
        read_runs(path)


def test_cells_beyond_the_columns_are_refused(tmp_path: Path):
    path = write_rows(tmp_path / "runs.csv", row())
    path.write_text(path.read_text().rstrip("\r\n") + ",,,\r\n")
    with pytest.raises(UnreadableMeasurements, match="line 2: more cells than the 33 columns"):
        read_runs(path)


def test_a_file_without_rows_holds_no_measurement(tmp_path: Path):
    with pytest.raises(UnreadableMeasurements, match="holds no measurement"):
        read_runs(write_rows(tmp_path / "runs.csv"))


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(UnreadableMeasurements, match="there is no file"):
        read_runs(tmp_path / "absent.csv")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    path = tmp_path / "runs.csv"
    path.write_bytes(b"\xff\xfe\x00run")
    with pytest.raises(UnreadableMeasurements, match="is no CSV in UTF-8"):
        read_runs(path)


def test_a_stored_run_reads_like_the_row_of_a_file(tiny: TinyCatalogue):
    source = Source.objects.create(slug="a-benchmark", title="A benchmark")
    stored = MeasurementRun.objects.create(
        run_id="one",
        source=source,
        accelerator=tiny.h100,
        accelerator_as_printed="H100",
        accelerator_count=1,
        language_model=tiny.llama_8b,
        model_as_printed="Llama 3.1 8B",
        weight_format="bf16",
        framework="vLLM",
        serving="aggregated",
        tp=1,
        isl=1024,
        osl=512,
        concurrency=16,
        scenario="closed_loop",
        flags=["anomaly"],
    )
    MeasuredValue.objects.create(run=stored, metric="tpot_ms", value=10)

    (run,) = stored_runs()

    assert (run.run_id, run.accelerator, run.n_accelerators) == ("one", "nvidia-h100-sxm", 1)
    assert (run.model, run.weight_format, run.kv_format) == ("llama-3.1-8b-instruct", "bf16", None)
    assert (run.isl, run.concurrency, run.flags) == (1024, 16, {"anomaly"})
    assert (run.source, run.metrics) == ("A benchmark", (("tpot_ms", 10.0),))
