"""POST /estimates/diff: facts as they were, who changed them, what each change explains."""

import json
from datetime import UTC, datetime
from math import log
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import LanguageModel, Workload
from tests.api.small_catalogue import problem_of, read
from tests.api.test_api_patch import CHANGE, patch

#: History is kept by transaction: an edit must end one before the next instant.
pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = {
    "model": "llama-3.1-70b-instruct",
    "offer": "nvidia-h100-sxm-x8",
    "deployment": {"weights": "fp8", "tp": 8, "concurrency": 64},
}


def post(client: Client, body: Any, address: str = "diff") -> Any:
    return client.post(f"/api/v1/estimates/{address}", json.dumps(body), content_type="application/json")


def diff(client: Client, body: Any) -> Any:
    response = post(client, body)
    assert response.status_code == 200, response.content[:800]
    return orjson.loads(response.content)


def now() -> str:
    return timezone.now().isoformat()


def test_an_edit_explains_the_whole_change_and_says_who_made_it(
    client: Client, catalogue: Any, write_token: str
) -> None:
    before = orjson.loads(post(client, QUESTION, "evaluate").content)["results"]
    start = now()
    assert patch(client, CHANGE, write_token).status_code == 200
    after = orjson.loads(post(client, QUESTION, "evaluate").content)["results"]
    found = diff(client, {"question": QUESTION, "from": start})
    assert found["before"]["results"] == before
    assert found["after"]["results"] == after
    (fact,) = found["facts"]
    assert (fact["field"], fact["before"], fact["after"]) == ("memory_bandwidth_gbs", 3350.0, 4020.0)
    assert (fact["user"], fact["reason"]) == ("editor", "a new revision")
    assert fact["source"]["title"] == "Datasheet, revision 2"
    listed = {row["id"] for row in read(client, "changes?subject=nvidia-h100-sxm&user=editor")["results"]}
    assert set(fact["changes"]) <= listed
    tpot = found["metrics"]["tpot_ms"]
    assert [cause["cause"] for cause in tpot["causes"]] == ["figure:memory_bandwidth_gbs"]
    assert tpot["causes"][0]["log_share"] == pytest.approx(
        log(after["tpot_ms"] / before["tpot_ms"]), abs=1e-4
    )
    assert tpot["unexplained_log"] == 0


def test_each_of_two_edits_has_its_part(client: Client, catalogue: Any, write_token: str) -> None:
    start = now()
    assert patch(client, CHANGE, write_token).status_code == 200
    faster = {"peak_rate:fp8": 3000, "kind": "assumed", "change_reason": "overclocked"}
    assert patch(client, faster, write_token).status_code == 200
    found = diff(client, {"question": QUESTION, "from": start})
    assert {fact["field"]: fact["reason"] for fact in found["facts"]} == {
        "memory_bandwidth_gbs": "a new revision",
        "peak_rate:fp8": "overclocked",
    }
    for attribution in found["metrics"].values():
        parts = {cause["cause"]: cause["log_share"] for cause in attribution["causes"]}
        assert parts.keys() == {"figure:memory_bandwidth_gbs", "figure:peak_rate:fp8"}
        assert sum(parts.values()) == pytest.approx(attribution["log_ratio"], abs=1e-5)


def test_before_and_after_an_edit_each_side_has_its_own_facts(
    client: Client, catalogue: Any, write_token: str
) -> None:
    start = now()
    patch(client, CHANGE, write_token)
    between = now()
    patch(client, CHANGE | {"memory_bandwidth_gbs": 3350, "change_reason": "taken back"}, write_token)
    assert diff(client, {"question": QUESTION, "from": start})["facts"] == []
    first = diff(client, {"question": QUESTION, "from": start, "to": between})["facts"]
    second = diff(client, {"question": QUESTION, "from": between})["facts"]
    assert [(fact["after"], fact["reason"]) for fact in (*first, *second)] == [
        (4020.0, "a new revision"),
        (3350.0, "taken back"),
    ]


def test_models_and_workloads_have_a_history_too(client: Client, catalogue: Any) -> None:
    start = now()
    LanguageModel.objects.filter(pk=catalogue.llama.pk).update(native_format="fp8")
    Workload.objects.filter(pk=catalogue.chat.pk).update(osl=512)
    question = {key: value for key, value in QUESTION.items() if key != "deployment"}
    found = diff(client, {"question": question, "from": start})
    assert [(fact["what"], fact["field"], fact["before"], fact["after"]) for fact in found["facts"]] == [
        ("language model", "native_format", "bf16", "fp8"),
        ("workload", "osl", 1024, 512),
    ]
    assert {"model", "workload"} <= {c["cause"] for c in found["metrics"]["tpot_ms"]["causes"]}


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"from": "2001-01-01"}, "/from", "before_history"),
        ({"from": "2999-01-01"}, "/from", "future"),
        ({"from": "last week"}, "/from", "invalid"),
        ({"from": "2026-11-01", "to": "2026-10-01"}, "/from", "order"),
        ({}, "/from", "one_of"),
        ({"to": "2026-10-01"}, "/from", "missing"),
        ({"from": "2026-10-01", "from_method": "physics"}, "/from", "one_of"),
        ({"from_method": "alchemy"}, "/from_method", "unknown_method"),
        ({"from_method": "physics", "to_method": "physics"}, "/from_method", "same"),
        ({"to_method": "physics"}, "/from_method", "missing"),
        ({"from": "2026-10-01", "estimate": 1}, "/question", "one_of"),
        ({"from": "2026-10-01", "form": 1}, "/form", "extra_forbidden"),
    ],
)
def test_a_fault_is_named_by_its_place(
    change: Any, pointer: str, code: str, client: Client, catalogue: Any
) -> None:
    fault = problem_of(post(client, {"question": QUESTION} | change), 400)["errors"][0]
    assert (fault["pointer"], fault["code"]) == (pointer, code)


def test_before_the_history_the_earliest_instant_is_given_and_is_accepted(
    client: Client, catalogue: Any
) -> None:
    body = {"question": QUESTION, "from": "2001-01-01"}
    fault = problem_of(post(client, body), 400)["errors"][0]
    since = fault["accepted"].removesuffix(" or later")
    assert datetime.fromisoformat(since) <= datetime.now(UTC)
    for _ in range(4):  # accelerator, model and workload began one after the other
        response = post(client, body | {"from": since})
        if response.status_code == 200:
            break
        since = problem_of(response, 400)["errors"][0]["accepted"].removesuffix(" or later")
    assert response.status_code == 200


def test_the_calibration_against_the_physics_alone(client: Client, catalogue: Any) -> None:
    found = diff(client, {"question": QUESTION, "from_method": "physics"})
    tpot = found["metrics"]["tpot_ms"]
    assert [cause["cause"] for cause in tpot["causes"]] == ["method"]
    assert found["facts"] == []
    today = orjson.loads(post(client, QUESTION, "evaluate").content)
    assert found["after"]["results"] == today["results"]
    assert tpot["after"] == pytest.approx(today["results"]["tpot_ms"], rel=1e-4)
