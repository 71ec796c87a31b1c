"""Batch and compare over the API: every answer on its own, causes of differences, faults by place."""

import json
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Offer
from estimates.models import Estimate
from tests.api.small_catalogue import problem_of

pytestmark = pytest.mark.django_db
MODEL, H100 = "llama-3.1-70b-instruct", "nvidia-h100-sxm-x8"


def post(client: Client, body: Any, address: str = "batch") -> Any:
    return client.post(f"/api/v1/estimates/{address}", json.dumps(body), content_type="application/json")


def answered(client: Client, body: Any) -> Any:
    response = post(client, body)
    assert response.status_code == 200, response.content[:800]
    return orjson.loads(response.content)


def test_models_are_crossed_with_offers_and_workloads(client: Client, catalogue: Any) -> None:
    found = answered(client, {"models": [MODEL], "offers": [H100], "workloads": ["chat", "batch"]})
    assert (found["count"], found["answered"], found["failed"]) == (2, 2, 0)
    assert [row["asked"]["workload"] for row in found["results"]] == ["chat", "batch"]
    assert [row["index"] for row in found["results"]] == [0, 1]


def test_an_answer_is_that_of_evaluate_without_its_explanation(client: Client, catalogue: Any) -> None:
    question = {"model": MODEL, "offer": H100, "deployment": {"weights": "fp8", "tp": 8, "concurrency": 64}}
    alone = orjson.loads(post(client, question, "evaluate").content)
    short = answered(client, {"questions": [question]})["results"][0]["answer"]
    assert short == {name: alone[name] for name in short}
    assert "formulas" not in short
    assert short["cost"]["quote"]["usd_per_hour"] == "28.8"
    whole = answered(client, {"questions": [question], "explained": True})["results"][0]["answer"]
    assert whole == alone


def test_overrides_and_counts_are_answered_from_the_same_facts(client: Client, catalogue: Any) -> None:
    faster = {
        "model": MODEL,
        "accelerator": "nvidia-h100-sxm",
        "count": 8,
        "overrides": {"memory_bandwidth_gbs": "+20%"},
        "deployment": {"weights": "fp8", "tp": 8, "concurrency": 64},
    }
    plain = faster | {"overrides": {}}
    results = answered(client, {"questions": [faster, plain]})["results"]
    alone = [orjson.loads(post(client, one, "evaluate").content) for one in (faster, plain)]
    assert [row["answer"]["results"] for row in results] == [one["results"] for one in alone]


def test_what_one_question_gets_wrong_takes_nothing_from_the_others(client: Client, catalogue: Any) -> None:
    found = answered(
        client,
        {
            "models": [MODEL, "llama-9"],
            "offers": [H100],
            "questions": [{"model": MODEL, "offer": H100, "count": 0}, {"model": MODEL}],
        },
    )
    assert (found["answered"], found["failed"]) == (1, 3)
    errors = [[error["pointer"] for error in row["errors"]] for row in found["results"]]
    assert errors == [[], ["/model"], ["/count"], ["/accelerator"]]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "", "batch_size"),
        ({"questions": []}, "", "batch_size"),
        ({"models": ["m"] * 15, "offers": ["o"] * 14}, "", "batch_size"),
        ({"questions": [{}] * 51, "explained": True}, "", "batch_size"),
        ({"models": [MODEL]}, "/offers", "empty"),
        ({"model": [MODEL]}, "/model", "extra_forbidden"),
        ({"questions": {}}, "/questions", "list_type"),
        ([], "", "not_an_object"),
    ],
)
def test_a_fault_of_the_batch_itself_refuses_it(
    body: Any, pointer: str, code: str, client: Client, catalogue: Any
) -> None:
    faults = problem_of(post(client, body), 400)["errors"]
    assert [(fault["pointer"], fault["code"]) for fault in faults] == [(pointer, code)]
    if code == "batch_size":
        assert "answers" in faults[0]["accepted"]


def test_more_questions_cost_no_more_queries(client: Client, catalogue: Any) -> None:
    offers = list(Offer.objects.values_list("slug", flat=True))
    assert len(offers) == 4
    counts = []
    for names in (offers[:1], offers):
        answered(client, {"models": [MODEL], "offers": names})
        with CaptureQueriesContext(connection) as captured:
            answered(client, {"models": [MODEL], "offers": names})
        counts.append(len(captured))
    assert counts[1] == counts[0]


def test_options_are_compared_with_causes(client: Client, catalogue: Any) -> None:
    faster = {
        "model": MODEL,
        "accelerator": "nvidia-h100-sxm",
        "count": 8,
        "deployment": {"weights": "fp8", "tp": 8, "concurrency": 64},
        "overrides": {"memory_bandwidth_gbs": "x2"},
    }
    response = post(client, {"options": [faster | {"overrides": {}}, faster]}, "compare")
    body = orjson.loads(response.content)
    assert [line["field"] for line in body["differences"]] == ["memory_bandwidth_gbs"]
    tpot = body["pairs"][0]["metrics"]["tpot_ms"]
    assert [cause["cause"] for cause in tpot["causes"]] == ["memory_bandwidth"]
    assert tpot["causes"][0]["part"] == 1


def test_stored_estimates_are_compared_by_their_ids(client: Client, catalogue: Any) -> None:
    rows = Estimate.objects.filter(offer__slug=H100).order_by("objective")
    ids = list(rows.values_list("pk", flat=True))[:2]
    body = orjson.loads(post(client, {"options": [{"estimate": key} for key in ids]}, "compare").content)
    assert [option["estimate"] for option in body["options"]] == ids
    assert body["options"][0]["answer"]["deployment"]["tp"] == 8


def test_nine_options_are_a_problem_with_the_bound(client: Client, catalogue: Any) -> None:
    fault = problem_of(post(client, {"options": [{}] * 9}, "compare"), 400)["errors"][0]
    assert (fault["pointer"], fault["accepted"]) == ("/options", "2 to 8 options")
