"""Load curves over the API: of a what-if and of a cached estimate; as JSON and as CSV of the same points."""

import csv
import io
import json
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import PeakRate
from estimates.api.curve import EXAMPLE
from estimates.curves import COLUMNS
from estimates.models import Estimate, Objective
from tests.api.small_catalogue import Catalogue, problem_of

pytestmark = pytest.mark.django_db
QUERIES_OF_A_STORED_CURVE = 7  # the row, the accelerator with its parts, the evidence
QUESTION = {
    "model": "llama-3.1-70b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "count": 8,
    "workload": "chat",
    "deployment": {"weights": "fp8", "tp": 8},
}


@pytest.fixture
def machine(catalogue: Catalogue) -> Catalogue:
    """The catalogue with the 16-bit rate that attention computes prompts with."""
    PeakRate.objects.create(accelerator=catalogue.h100, number_format="bf16", tera_ops=989)
    return catalogue


def ask(client: Client, body: Any, query: str = "") -> Any:
    return client.post(f"/api/v1/estimates/curve{query}", json.dumps(body), content_type="application/json")


def test_the_example_of_the_schema_is_answered(client: Client, machine: Catalogue) -> None:
    body = orjson.loads(ask(client, EXAMPLE).content)
    assert body["state"] == "ok"
    assert {point["axis"] for point in body["points"]} == {"requests_per_s"}
    assert len(body["points"]) == 12
    assert body["limits"][0] | {"ms": 500, "metric": "ttft", "at": "p95"} == body["limits"][0]
    assert body["limits"][0]["requests_per_s"] <= body["saturation"]["requests_per_s"]


def test_both_curves_say_where_they_end_and_what_the_first_wave_is(
    client: Client, machine: Catalogue
) -> None:
    before = Estimate.objects.count()
    body = orjson.loads(ask(client, QUESTION).content)
    closed = [point for point in body["points"] if point["axis"] == "concurrency"]
    poisson = [point for point in body["points"] if point["axis"] == "requests_per_s"]
    assert closed[-1]["state"] == poisson[-1]["state"] == "saturated"
    assert closed[-1]["ttft_mean_ms"] is None
    assert closed[-1]["ttft_saturated_mean_ms"] > 0
    assert poisson[-1]["ttft_mean_ms"] is None
    busy = closed[len(closed) // 2]
    assert busy["ttft_mean_ms"] > busy["ttft_median_ms"] + 0.9 * busy["ttft_first_wave_ms"] > 0
    assert all(point["ttft_first_wave_ms"] == 0 for point in poisson)
    assert any("first wave" in note for note in body["notes"])
    assert Estimate.objects.count() == before


def test_csv_has_the_points_of_json(client: Client, machine: Catalogue) -> None:
    body = orjson.loads(ask(client, QUESTION).content)
    response = ask(client, QUESTION, "?format=csv")
    assert response["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode())))
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == len(body["points"])
    assert float(rows[0]["tpot_p95_ms"]) == body["points"][0]["tpot_p95_ms"]


def test_values_are_the_loads_asked_for(client: Client, machine: Catalogue) -> None:
    curve = {"axis": "concurrency", "values": [64, 8]}
    body = orjson.loads(ask(client, QUESTION | {"curve": curve}).content)
    assert [point["concurrency"] for point in body["points"]] == [8, 64]
    fixed = QUESTION | {"deployment": {"weights": "fp8", "tp": 8, "concurrency": 64}}
    answer = client.post("/api/v1/estimates/evaluate", json.dumps(fixed), content_type="application/json")
    results = orjson.loads(answer.content)["results"]
    assert body["points"][1]["tpot_mean_ms"] == results["tpot_ms"]
    assert body["points"][1]["ttft_p95_ms"] == results["ttft_ms"]["loaded_p95"]
    assert body["points"][1]["throughput_tok_s"] == results["throughput_tok_s"]


def test_without_a_rate_for_prompts_there_is_a_word_in_place_of_the_second_curve(
    client: Client, catalogue: Any
) -> None:
    body = orjson.loads(ask(client, QUESTION).content)
    assert {point["axis"] for point in body["points"]} == {"concurrency"}
    assert body["points"][0]["tpot_mean_ms"] > 0
    assert body["points"][0]["throughput_tok_s"] is None
    assert any("without a rate" in note for note in body["notes"])
    assert body["missing_facts"] == ["peak rate for bf16"]


def test_what_does_not_fit_is_an_answer_without_points(client: Client, catalogue: Any) -> None:
    body = orjson.loads(ask(client, QUESTION | {"count": 1, "deployment": {"weights": "bf16"}}).content)
    assert (body["state"], body["points"], body["reason"]["code"]) == ("does_not_fit", [], "does_not_fit")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"curve": {"axis": "colour"}}, "/curve/axis"),
        ({"curve": {"points": 3}}, "/curve/points"),
        ({"curve": {"points": 10_000}}, "/curve/points"),
        ({"curve": {"values": [1, 2]}}, "/curve/axis"),
        ({"curve": {"axis": "concurrency", "values": [-1]}}, "/curve/values/0"),
        ({"curve": {"limits": [{"metric": "ttft", "at": "p99", "ms": 5}]}}, "/curve/limits/0/at"),
        ({"curve": {"shape": "round"}}, "/curve/shape"),
        ({"deployment": {"tp": 7}}, "/deployment/tp"),
        ({"workload": {"isl": 100, "osl": 100, "arrival": "static"}}, "/workload/arrival"),
        ({"workload_overrides": {"arrival": "saturating"}}, "/workload_overrides/arrival"),
    ],
)
def test_a_faulty_question_is_refused_by_its_field(
    change: dict[str, Any], pointer: str, client: Client, catalogue: Any
) -> None:
    errors = problem_of(ask(client, QUESTION | change), 400)["errors"]
    assert [error["pointer"] for error in errors] == [pointer]
    assert errors[0]["accepted"]


def test_what_is_no_question_is_refused(client: Client, catalogue: Any) -> None:
    assert problem_of(ask(client, [1, 2]), 400)["errors"][0]["code"] == "not_an_object"
    assert problem_of(ask(client, QUESTION, "?axis=concurrency"), 400)["status"] == 400


def test_a_cached_estimate_has_its_curves(client: Client, catalogue: Any) -> None:
    row = Estimate.objects.get(offer__slug="nvidia-h100-sxm-x8", objective=Objective.FASTEST)
    address = f"/api/v1/estimates/{row.pk}/curve"
    with CaptureQueriesContext(connection) as captured:
        body = orjson.loads(client.get(f"{address}?axis=concurrency&points=8").content)
    queries = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(queries) == QUERIES_OF_A_STORED_CURVE, queries
    assert body["estimate"] == row.pk
    assert (body["deployment"]["tp"], body["deployment"]["replicas"]) == (row.tp, row.replicas)
    assert len(body["points"]) in (8, 9)
    assert client.get(f"{address}?format=csv").content.startswith(b"axis,concurrency,")


@pytest.mark.parametrize(
    ("query", "status"), [("axis=colour", 400), ("points=x", 400), ("points=2", 400), ("shape=round", 400)]
)
def test_a_faulty_address_is_refused(query: str, status: int, client: Client, catalogue: Any) -> None:
    row = Estimate.objects.first()
    assert row is not None
    errors = problem_of(client.get(f"/api/v1/estimates/{row.pk}/curve?{query}"), status)["errors"]
    assert errors[0]["pointer"] == "?" + query.partition("=")[0]


def test_an_estimate_that_is_not_there(client: Client, catalogue: Any) -> None:
    problem_of(client.get("/api/v1/estimates/999999999/curve"), 404)
