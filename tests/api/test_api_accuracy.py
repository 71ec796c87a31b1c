"""The error of the estimates over the API: filters, slices, single predictions, faults by name."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from estimates.accuracy import report as reports
from tests.api.small_catalogue import problem_of, read
from tests.measured_runs import add_runs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calibrated")]


def test_scores_of_both_folds_with_what_the_calibration_reports(client: Client) -> None:
    found = read(client, "accuracy")
    assert found["made"] == "2026-11-22"
    assert found["scores"]["rows"]["tpot_ms"]["mape_pct"] == pytest.approx(11.25)
    assert found["scores"]["groups"]["tpot_ms"]["mape_pct"] == pytest.approx(48.75)
    assert found["report"]["groups"]["tpot_ms"]["plausible"]["rows"] == 3
    assert list(found["report"]["groups"]) == ["tpot_ms"]  # its slices and lists have addresses of their own
    assert [(row["tool"], sorted(row["ours"])) for row in found["peers"]] == [
        ("another tool", ["groups", "rows"])
    ]
    assert [stage["stage"] for stage in found["stages"]] == ["datasheet", "group offsets"]
    assert found["worst_groups"][0]["known"] == "a single row at an unusual load"


def test_the_order_of_systems_with_what_is_swapped_where_it_is_poor(client: Client) -> None:
    ranking = read(client, "accuracy")["ranking"]
    assert [(one["view"], one["order"], one["tau"]) for one in ranking["means"]] == [
        ("best, by chip", "rows", -0.25),
        ("load", "search", None),
    ]
    (low,) = ranking["low_groups"]
    assert low["orders"]["rows"]["swapped"][0]["better"] == "nvidia-l40s"


def test_slices_by_a_dimension_under_filters(client: Client) -> None:
    found = read(client, "accuracy?metric=tpot_ms&fold=rows&by=software")
    assert [(row["value"], row["rows"]) for row in found["slices"]] == [("vllm", 3), ("sglang", 1)]
    assert {row["fold"] for row in found["slices"]} == {"rows"}


def test_incomplete_rows_come_when_asked_for(client: Client) -> None:
    found = read(client, "accuracy?metric=tpot_ms&fold=rows&complete=false")
    assert found["scores"]["rows"]["tpot_ms"]["rows"] == 5


def test_slices_as_csv(client: Client) -> None:
    response = client.get("/api/v1/accuracy?by=tier&metric=tpot_ms&fold=groups&format=csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert [(row["value"], row["answered"]) for row in rows] == [("kin", "3"), ("", "0"), ("none", "1")]


@pytest.mark.parametrize(
    ("query", "pointer", "code", "accepted"),
    [
        ("metric=tpot", "?metric", "unknown", "tpot_ms"),
        ("accelerator=h100", "?accelerator", "unknown", "nvidia-h100-sxm"),
        ("by=colour", "?by", "choice", "software"),
        ("by=software&by=model", "?by", "choice", "software"),
        ("tier=new", "?tier", "unknown", "measured"),
        ("complete=perhaps", "?complete", "invalid", "true or false"),
        ("colour=red", "?colour", "unknown_parameter", "software"),
    ],
)
def test_a_fault_of_the_query_is_named(
    query: str, pointer: str, code: str, accepted: str, client: Client
) -> None:
    fault = problem_of(client.get(f"/api/v1/accuracy?{query}"), 400)["errors"][0]
    assert (fault["pointer"], fault["code"]) == (pointer, code)
    assert accepted in fault["accepted"]


def test_without_a_calibration_the_answer_says_how_to_get_one(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(reports, "DIRECTORY", tmp_path)
    for address in ("accuracy", "accuracy/runs"):
        assert "manage.py calibrate" in problem_of(client.get(f"/api/v1/{address}"), 404)["detail"]


def test_an_unchanged_answer_is_a_304(client: Client) -> None:
    for address in ("accuracy", "accuracy/runs?limit=2"):
        etag = client.get(f"/api/v1/{address}")["ETag"]
        assert client.get(f"/api/v1/{address}", headers={"if-none-match": etag}).status_code == 304


def test_every_prediction_with_the_run_it_is_of(client: Client, catalogue: Any) -> None:
    add_runs()
    found = read(client, "accuracy/runs?metric=tpot_ms&fold=groups&ordering=-ape_pct&limit=2")
    assert found["count"] == 5  # the speculative one stays out
    first = found["results"][0]
    assert (first["run_id"], first["error_pct"], first["tier"]) == ("r4", 100.0, "none")
    assert (first["isl"], first["concurrency"], first["source"]) == (1024.0, 64.0, "example-lab")
    assert "offset=2" in found["next"]


def test_predictions_are_filtered_like_any_list(client: Client, catalogue: Any) -> None:
    def ids(query: str) -> list[str]:
        return [row["run_id"] for row in read(client, f"accuracy/runs?fields=run_id&{query}")["results"]]

    assert ids("metric=tpot_ms&fold=rows&ape_pct__gte=10&ordering=-measured") == ["r3", "r4", "r2"]
    assert ids("metric=tpot_ms&fold=rows&error_pct__lt=-10") == ["r4"]
    assert ids("fold=rows&software__ic=SGL") == ["r4"]
    assert ids("fold=rows&model=Llama 3.1 70B&metric__n=tpot_ms") == ["r7"]  # by a printed name
    assert ids("predicted__isnull=true") == ["r6"]
    assert ids("metric=tpot_ms&fold=groups&ordering=predicted") == ["r1", "r2", "r4", "r3", "r6"]
    assert ids("metric=tpot_ms&fold=groups&ordering=-predicted") == ["r3", "r4", "r2", "r1", "r6"]
    assert ids("fold=rows&metric=tpot_ms&complete=false&software=vllm&grade=A") == ["r1", "r2", "r3", "r5"]


def test_predictions_as_csv_have_the_same_columns(client: Client, catalogue: Any) -> None:
    response = client.get("/api/v1/accuracy/runs?format=csv&fields=run_id,measured,flags&metric=ttft_ms")
    assert response.content.decode().splitlines() == ["run_id,measured,flags", "r1,100.0,", "r1,100.0,"]


def test_a_fault_of_the_list_is_named(client: Client, catalogue: Any) -> None:
    errors = problem_of(client.get("/api/v1/accuracy/runs?accelerator=h200&limit=0"), 400)["errors"]
    assert {fault["pointer"] for fault in errors} == {"?accelerator", "?limit"}
