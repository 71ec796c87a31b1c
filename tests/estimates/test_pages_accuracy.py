"""The accuracy page without a script: complete in its markup, its address holds the question, never a 500."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from estimates import sweeper
from estimates.accuracy import report as reports
from estimates.accuracy.report import read_report
from estimates.measured.scoring import Score
from estimates.pages.accuracy.plot import draw_plot
from estimates.pages.accuracy.tables import chance_band, coverage_fault, score_line
from tests.conftest import CALIBRATION
from tests.estimates.conftest import TinyCatalogue, add_quote
from tests.measured_runs import add_runs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calibrated")]


def get(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, response.status_code
    return response.content.decode()


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def row_of(page: str, heading: str) -> list[str]:
    """The cells of the first table row with this heading."""
    row = next(row for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL) if heading in text_of(row))
    return [text_of(cell) for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)]


def test_the_headline_has_both_folds(client: Client) -> None:
    """Median, mean, within 20%, in the interval, rows: 10, 11.25, 100, 50, 4 and 37.5, 48.75, 25, 100, 5."""
    page = get(client, "/accuracy/")
    assert row_of(page, "Time per output token") == [
        "Time per output token",
        *["10.0", "11.2", "100", "50", "4"],
        *["37.5", "48.8", "25", "100", "5"],
    ]
    assert "plausible rows alone" in text_of(page)


def test_the_order_of_systems_has_its_table(client: Client) -> None:
    page = get(client, "/accuracy/")
    assert row_of(page, "best, by chip") == ["best, by chip", "row left out", "12", "1,036", "54", "−0.25"]
    assert row_of(page, "as a search finds them") == ["load", "as a search finds them", "1", "3", "3", ""]


def test_slices_follow_the_question(client: Client) -> None:
    page = get(client, "/accuracy/?fold=rows&by=software")
    assert row_of(page, "vLLM")[:3] == ["vLLM", "3", "10.0"]
    assert row_of(page, "SGLang")[:3] == ["SGLang", "1", "20.0"]
    narrowed = get(client, "/accuracy/?fold=rows&by=software&software=sglang")
    assert "vLLM</a></th>" not in narrowed


def test_every_table_and_the_plot_are_there_without_a_script(client: Client, tiny: TinyCatalogue) -> None:
    page = text_of(get(client, "/accuracy/"))
    for words in (
        "Predicted against measured",
        "Do the intervals hold?",
        "What each stage of the calibration buys",
        "What each term of the physics buys",
        "The worst group, and what is known of it",
        "a single row at an unusual load",
        "llama-3.1-70b-instruct on nvidia-h100-sxm",
    ):
        assert words in page
    assert 'class="points tier-kin" d="M' in get(client, "/accuracy/")


def test_the_dearest_term_comes_first(client: Client) -> None:
    page = text_of(get(client, "/accuracy/"))
    assert page.index("distinct experts") < page.index("collectives")
    assert row_of(get(client, "/accuracy/"), "distinct experts")[1:] == ["28.0", "19.0", "+8.0"]


def test_another_estimator_stands_beside_ours_on_the_same_rows(client: Client) -> None:
    page = get(client, "/accuracy/")
    assert row_of(page, "another tool")[1:] == ["TPOT", "2", "30.0", "30.0", "50"]
    assert row_of(page, "Inference Atlas, rows left out")[1:] == ["TPOT", "2", "15.0", "15.0", "100"]
    assert row_of(page, "Inference Atlas, groups left out")[1:] == ["TPOT", "2", "60.0", "60.0", "50"]


def test_nothing_on_the_page_is_inline(client: Client) -> None:
    page = get(client, "/accuracy/")
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert " style=" not in page
    assert "<style" not in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?metric=speed", "“speed” is none of the values"),
        ("?colour=red", "is not a parameter of this page"),
        ("?by=software&by=model", "is given more than once"),
    ],
)
def test_a_mistake_in_the_address_is_a_400_that_says_what_is_accepted(
    query: str, said: str, client: Client
) -> None:
    assert said in text_of(get(client, f"/accuracy/{query}", 400))


def test_filters_that_leave_nothing_say_so(client: Client) -> None:
    page = text_of(get(client, "/accuracy/?metric=ttft_ms&software=sglang"))
    assert "No measured time to first token is left under these filters" in page


def test_without_a_calibration_the_page_says_how_to_get_one(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reports, "DIRECTORY", tmp_path)
    assert "manage.py calibrate" in text_of(get(client, "/accuracy/"))
    assert client.get("/accuracy/points.json").status_code == 404


def test_the_script_gets_the_points_of_the_plot(client: Client) -> None:
    points = json.loads(get(client, "/accuracy/points.json?fold=rows&software=vllm"))
    assert points["measured"] == [10, 20, 40]
    assert points["predicted"] == [10.5, 18, 44]
    assert points["tier"] == ["measured"] * 3


@pytest.mark.parametrize(
    ("table", "header", "rows"),
    [
        ("runs", "run_id,metric,measured,predicted", 5),
        ("slices", "accelerator,rows,answered", 2),
        ("tiers", "fold,tier,rows", 5),
        ("stages", "stage,rows_out_tpot_ms_mape_pct", 2),
        ("ablation", "term,tpot_mape_before,tpot_mape_after", 3),
        ("worst_groups", "metric,accelerator,software", 1),
    ],
)
def test_every_table_is_a_csv(table: str, header: str, rows: int, client: Client) -> None:
    text = get(client, f"/accuracy/table.csv?table={table}")
    assert text.startswith(header)
    assert len(list(csv.reader(io.StringIO(text)))) == rows + 1


def test_an_unknown_table_is_named(client: Client) -> None:
    assert "runs, slices" in get(client, "/accuracy/table.csv?table=chairs", 404)


def test_the_page_costs_few_queries(client: Client, tiny: TinyCatalogue) -> None:
    get(client, "/accuracy/")
    with CaptureQueriesContext(connection) as captured:
        get(client, "/accuracy/")
    assert len(captured) == 4  # names of models and accelerators, and the two of the frame


def test_a_row_of_the_finder_shows_its_slice_and_the_nearest_runs(
    client: Client, tiny: TinyCatalogue
) -> None:
    add_runs()
    add_quote(tiny.h100, 1, "4")
    sweeper.sweep()
    page = text_of(get(client, "/?model=llama-3.1-8b-instruct&open=nvidia-h100-sxm-x1"))
    assert "How wrong it may be" in page
    assert "Nearest measurements" in page
    assert "Example lab" in page


# ---- Geometry and coverage -------------------------------------------------------------------------------


def test_a_point_lies_where_its_logarithms_are() -> None:
    """Measured 10, predicted 12: both axes go from 10 / 1.25 = 8 to 12 x 1.25 = 15."""
    report = read_report(CALIBRATION, "test")
    assert report is not None
    predictions = report.predictions
    chosen = np.flatnonzero((predictions.texts("run_id") == "r1") & (predictions.texts("fold") == "groups"))
    plot = draw_plot(predictions, chosen[predictions.texts("metric")[chosen] == "tpot_ms"])
    assert plot is not None
    assert (plot.axis.low, plot.axis.high) == (8, 15)
    across, down = map(float, re.findall(r"[\d.]+", plot.marks[0].path)[:2])
    assert across == pytest.approx(1000 * np.log(10 / 8) / np.log(15 / 8), abs=0.1)
    assert 1000 - down == pytest.approx(1000 * np.log(12 / 8) / np.log(15 / 8), abs=0.1)


def test_a_plot_of_nothing_is_none() -> None:
    report = read_report(CALIBRATION, "test")
    assert report is not None
    assert draw_plot(report.predictions, np.array([], dtype=np.intp)) is None


def test_the_band_of_chance_is_the_binomial_one() -> None:
    """Of one row 0 or 1 are likely enough (0.2, 0.8); of 10, P(at most 4) = 0.0064, P(at most 3) = 0.0009."""
    assert chance_band(1) == (0, 100)
    assert chance_band(10) == (40, 100)


@pytest.mark.parametrize(
    ("rows", "covered", "fault"),
    [(10, 40, False), (10, 30, True), (400, 75, False), (400, 74, True), (400, 88, True), (1, 0, False)],
)
def test_coverage_is_faulted_beyond_chance_alone(rows: int, covered: float, fault: bool) -> None:
    assert bool(coverage_fault(Score(rows, rows, coverage80_pct=covered))) is fault


def test_a_line_of_nothing_predicted_has_no_numbers() -> None:
    line = score_line("x", "x", Score(3, 0))
    assert (line.median, line.covered, line.gauge) == ("", "", "")
