"""POST /estimates/evaluate answers a what-if and saves nothing; /explain follows a row to its facts."""

import json
from typing import Any

import orjson
import pytest
from django.test import Client

from catalog.models import Accelerator
from estimates.models import Estimate
from tests.api.small_catalogue import problem_of, read

pytestmark = pytest.mark.django_db
QUESTION = {
    "model": "llama-3.1-70b-instruct",
    "accelerator": "nvidia-h100-sxm",
    "count": 8,
    "workload": "chat",
}


def ask(client: Client, body: Any, content_type: str = "application/json") -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body)
    return client.post("/api/v1/estimates/evaluate", data, content_type=content_type)


def test_a_question_is_answered_with_its_facts_and_nothing_is_saved(client: Client, catalogue: Any) -> None:
    before = Estimate.objects.count()
    body = orjson.loads(ask(client, QUESTION).content)
    assert body["state"] == "ok"
    assert body["results"]["tpot_ms"] > 0
    bandwidth = next(fact for fact in body["facts"] if fact["quantity"] == "memory_bandwidth_gbs")
    assert (bandwidth["value"], bandwidth["source"]["slug"]) == (3350.0, "datasheet")
    assert Estimate.objects.count() == before


def test_an_override_is_used_and_stays_out_of_the_catalogue(client: Client, catalogue: Any) -> None:
    fixed = QUESTION | {"deployment": {"weights": "fp8", "tp": 8, "concurrency": 8}}
    plain = orjson.loads(ask(client, fixed).content)
    faster = orjson.loads(ask(client, fixed | {"overrides": {"memory_bandwidth_gbs": "+20%"}}).content)
    assert faster["results"]["tpot_ms"] < plain["results"]["tpot_ms"]
    assert Accelerator.objects.get(slug="nvidia-h100-sxm").memory_bandwidth_gbs == 3350


def test_a_batch_is_answered_in_its_order(client: Client, catalogue: Any) -> None:
    body = orjson.loads(ask(client, [QUESTION | {"count": count} for count in (8, 4)]).content)
    assert [answer["count"] for answer in body] == [8, 4]


def test_a_batch_with_a_fault_says_which_question_has_it(client: Client, catalogue: Any) -> None:
    error = problem_of(ask(client, [QUESTION, QUESTION | {"count": -1}]), 400)["errors"][0]
    assert error["pointer"] == "/1/count"


def test_too_large_a_model_is_an_answer_with_the_shortfall_and_a_way_out(
    client: Client, catalogue: Any
) -> None:
    # 70.6e9 parameters in bf16 are 141 GB against 80 GB.
    body = orjson.loads(ask(client, QUESTION | {"count": 1, "deployment": {"weights": "bf16"}}).content)
    assert body["state"] == "does_not_fit"
    assert body["does_not_fit"]["shortfall_gb"] > 141 - 80
    assert body["does_not_fit"]["smallest_change"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"model": "llama-3.1-70b"}, "/model"),
        ({"accelerator": "h100"}, "/accelerator"),
        ({"workload": "chatting"}, "/workload"),
        ({"count": -8}, "/count"),
        ({"count": 0}, "/count"),
        ({"count": 10**20}, "/count"),
        ({"count": "eight"}, "/count"),
        ({"deployment": {"tp": 7}}, "/deployment/tp"),
        ({"deployment": {"tp": 16}}, "/count"),
        ({"deployment": {"weights": "fp5"}}, "/deployment/weights"),
        ({"deployment": {"concurrency": -1}}, "/deployment/concurrency"),
        ({"overrides": {"memory_bandwidth_gbs": -1}}, "/overrides/memory_bandwidth_gbs"),
        ({"overrides": {"clock": 1}}, "/overrides/clock"),
        ({"hardware": "nvidia-h100-sxm"}, "/hardware"),
        ({"workload": {"isl": 0, "osl": 1}}, "/workload/isl"),
    ],
)
def test_a_bad_question_is_refused_at_its_place(
    change: dict[str, Any], pointer: str, client: Client, catalogue: Any
) -> None:
    errors = problem_of(ask(client, QUESTION | change), 400)["errors"]
    assert pointer in [error["pointer"] for error in errors]


def test_an_unknown_model_names_near_ones(client: Client, catalogue: Any) -> None:
    error = problem_of(ask(client, QUESTION | {"model": "llama-3.1-70b-instrct"}), 400)["errors"][0]
    assert error["accepted"] == ["llama-3.1-70b-instruct"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"model": "m", "count": NaN}', "not_finite"),
        (b'{"model": "m", "count": Infinity}', "not_finite"),
        (b'{"model": "m", "count": -1e400}', "not_finite"),
        (b'{"model": "a", "model": "b"}', "repeated_key"),
        (b"[" * 40 + b"]" * 40, "too_deep"),
        (b'{"model": "\\ud800"}', "text"),
        (b'{"model": "\\u0000"}', "text"),
        (b"1" * 5000, "too_large"),
        (b"", "missing"),
    ],
)
def test_what_is_not_acceptable_json_is_refused(
    body: bytes, code: str, client: Client, catalogue: Any
) -> None:
    assert problem_of(ask(client, body), 400)["errors"][0]["code"] == code


@pytest.mark.parametrize(
    "body", [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000]
)
def test_a_hundred_thousand_levels_are_too_deep(body: bytes, client: Client, catalogue: Any) -> None:
    assert "deep" in problem_of(ask(client, body), 400)["detail"]


def test_other_refusals(client: Client, catalogue: Any) -> None:
    problem_of(ask(client, b"model=x", "application/x-www-form-urlencoded"), 415)
    problem_of(ask(client, b'"' + b"x" * 10_000_000 + b'"'), 413)
    problem_of(ask(client, []), 400)
    problem_of(ask(client, [QUESTION] * 51), 400)
    problem_of(ask(client, b"7"), 400)
    problem_of(client.get("/api/v1/estimates/evaluate"), 405)


def test_a_cached_row_is_explained_with_formulas_facts_and_quote(client: Client, catalogue: Any) -> None:
    row = read(client, "estimates?model=llama-3.1-70b-instruct&offer=nvidia-h100-sxm-x8&workload=chat")[
        "results"
    ][0]
    body = orjson.loads(client.get(row["explain"]).content)
    assert body["formulas"]
    assert body["cost"]["quote"]["provider"] == "example-cloud"
    assert any(fact["source"] for fact in body["facts"])
    assert body["estimate"] == row["id"]


def test_an_unknown_row_has_no_explanation(client: Client, catalogue: Any) -> None:
    for key in ("0", "first", "9" * 30):
        problem_of(client.get(f"/api/v1/estimates/{key}/explain"), 404)
    row = Estimate.objects.first()
    assert row is not None
    problem_of(client.get(f"/api/v1/estimates/{row.pk}/explain?pricing_model=free&x=1"), 400)
