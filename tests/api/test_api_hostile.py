"""Questions at the edge of sense and of work: a clear 400 with its place, never a 500, never minutes."""

import json
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.access.tokens import create_token
from estimates.jobs.models import Job
from tests.api.small_catalogue import problem_of

pytestmark = pytest.mark.django_db
MODEL, H100 = "llama-3.1-70b-instruct", "nvidia-h100-sxm-x8"
QUESTION = {"model": MODEL, "offer": H100}


def post(client: Client, address: str, body: Any) -> Any:
    return client.post(f"/api/v1/estimates/{address}", json.dumps(body), content_type="application/json")


def fault_of(client: Client, address: str, body: Any) -> dict[str, Any]:
    """The only fault of a refused body."""
    (fault,) = problem_of(post(client, address, body), 400)["errors"]
    return dict(fault)


class TestQuantities:
    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"bounds": {"rack_kw": 5e-324}}, "/bounds/rack_kw"),
            ({"bounds": {"watts": 1e-300}}, "/bounds/watts"),
            ({"demand": {"requests_per_s": 1e-300}}, "/demand/requests_per_s"),
            ({"demand": {"ttft_ms": 1e-12}}, "/demand/ttft_ms"),
        ],
    )
    def test_a_quantity_of_next_to_nothing_is_refused(
        self, client: Client, catalogue: Any, body: Any, pointer: str
    ) -> None:
        fault = fault_of(client, "search", {"model": MODEL} | body)
        assert (fault["pointer"], fault["code"], fault["accepted"]) == (
            pointer,
            "greater_than_equal",
            "at least 1e-09",
        )


class TestFaultsSayWhatWouldDo:
    def test_a_list_where_none_is_taken_is_named(self, client: Client, catalogue: Any) -> None:
        fault = fault_of(client, "evaluate", {"model": [None], "offer": H100})
        assert (fault["pointer"], fault["accepted"]) == ("/model", "a text")

    def test_an_unknown_name_like_no_other_still_says_what_is_accepted(
        self, client: Client, catalogue: Any
    ) -> None:
        fault = fault_of(client, "evaluate", {"model": MODEL, "offer": "q"})
        assert fault["accepted"] == "the slug of a known offer"
        body = problem_of(client.get("/api/v1/accelerators?vendor=q"), 400)
        assert body["errors"][0]["accepted"] == "a known vendor"

    def test_an_inline_workload_needs_its_lengths(self, client: Client, catalogue: Any) -> None:
        fault = fault_of(client, "evaluate", QUESTION | {"workload": {"isl": 1024}})
        assert (fault["pointer"], fault["accepted"]) == ("/workload/osl", "a whole number")

    def test_overrides_of_a_workload_given_whole_are_not_passed_over(
        self, client: Client, catalogue: Any
    ) -> None:
        body = QUESTION | {"workload": {"isl": 1024, "osl": 64}, "workload_overrides": {"isl": 4096}}
        assert fault_of(client, "evaluate", body)["pointer"] == "/workload_overrides"


class TestWork:
    """A prefill pool is the work of 10 plain questions, sensitivity of 4, both of 40."""

    POOL = QUESTION | {"deployment": {"prefill": {}}}
    BOTH = POOL | {"economics": {"sensitivity": True}}

    def test_a_list_of_questions_is_bounded_by_its_work(self, client: Client, catalogue: Any) -> None:
        fault = fault_of(client, "evaluate", [self.POOL] * 11)
        assert (fault["code"], fault["detail"]) == (
            "batch_work",
            "the batch is the work of 110 plain questions",
        )

    def test_a_batch_is_bounded_by_its_work(self, client: Client, catalogue: Any) -> None:
        fault = fault_of(client, "batch", {"questions": [self.BOTH] * 6})
        assert (fault["code"], fault["detail"]) == (
            "batch_work",
            "the batch is the work of 240 plain answers",
        )
        fault = fault_of(client, "batch", {"questions": [self.BOTH] * 2, "explained": True})
        assert fault["code"] == "batch_work"

    def test_many_loads_are_a_job_however_few_the_offers(self, client: Client, catalogue: Any) -> None:
        question: dict[str, Any] = {"model": MODEL, "hardware": {"offers": [H100]}, "limit": 1}
        question["workload"] = ["chat", "batch"]
        question["demand"] = {"concurrency": list(range(1, 52))}  # 2 x 51 > 100
        problem_of(post(client, "search", question), 401)
        nothing = question | {"hardware": {"vendors": ["amd"], "offers": [H100]}}
        problem_of(post(client, "search", nothing), 401)
        pools = {
            "model": MODEL,
            "demand": {"concurrency": list(range(1, 35))},  # 34 x 3 > 100
            "hardware": {"offers": [H100]},
            "bounds": {"serving": "either"},
        }
        problem_of(post(client, "search", pools), 401)

    def test_more_searches_than_a_job_holds_are_refused_before_they_are_listed(
        self, client: Client, catalogue: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("estimates.search.answering.MOST_CASES", 3)
        body = {"model": MODEL, "demand": {"concurrency": [1, 2, 3, 4]}}
        assert fault_of(client, "search", body)["code"] == "too_large"

    def test_a_load_far_below_the_limit_makes_no_noise(
        self, client: Client, catalogue: Any, recwarn: pytest.WarningsRecorder
    ) -> None:
        body = {"model": MODEL, "offer": H100, "curve": {"axis": "concurrency", "values": [1e-9, 1, 1e14]}}
        response = post(client, "curve", body)
        assert response.status_code == 200
        assert len(orjson.loads(response.content)["points"]) == 3
        assert not [one for one in recwarn if issubclass(one.category, RuntimeWarning)]

    def test_no_more_faults_are_told_than_anybody_reads(self, client: Client, catalogue: Any) -> None:
        unknown = {f"key{number}": 1 for number in range(5000)}
        for address in ("evaluate", "search", "batch"):
            faults = problem_of(post(client, address, {"model": MODEL} | unknown), 400)["errors"]
            assert len(faults) == 100
        names = [f"none-{number}" for number in range(500)]
        body = {"model": names}
        assert len(problem_of(post(client, "search", body), 400)["errors"]) == 100
        body = {"model": MODEL, "hardware": {"offers": names}}
        assert len(problem_of(post(client, "search", body), 400)["errors"]) == 100

    def test_answers_of_one_token_make_no_noise(
        self, client: Client, catalogue: Any, recwarn: pytest.WarningsRecorder
    ) -> None:
        for work in ({"isl": 1, "osl": 1}, {"isl": 1024, "osl": 1, "prefix_share": 0.999}):
            response = post(client, "evaluate", QUESTION | {"workload": work})
            assert response.status_code == 200
        assert not [one for one in recwarn if issubclass(one.category, RuntimeWarning)]


class TestJobs:
    @pytest.mark.parametrize(
        ("part", "pointer"),
        [
            ({"hardware": {"vendors": ["nvidya"]}}, "/hardware/vendors/0"),
            ({"bounds": {"formats": ["fp7"]}}, "/bounds/formats/0"),
            (
                {"bounds": {"speculation": {"method": "draft", "draft_model": "q"}}},
                "/bounds/speculation/draft_model",
            ),
            ({"model": {"name": "mine", "hf_config": {}}}, "/model/hf_config"),
        ],
    )
    def test_what_every_part_would_fail_on_makes_no_job(
        self, client: Client, catalogue: Any, editor: User, part: Any, pointer: str
    ) -> None:
        token, before = create_token(editor, ["run_jobs"])[0], Job.objects.count()
        body = {"model": MODEL, "job": True} | part
        response = client.post(
            "/api/v1/estimates/search",
            json.dumps(body),
            content_type="application/json",
            headers={"authorization": f"Bearer {token}"},
        )
        assert problem_of(response, 400)["errors"][0]["pointer"] == pointer
        assert Job.objects.count() == before

    def test_cancelling_takes_no_parameters(self, client: Client, catalogue: Any, editor: User) -> None:
        token = create_token(editor, ["run_jobs"])[0]
        response = client.post("/api/v1/jobs/1/cancel?x=1", headers={"authorization": f"Bearer {token}"})
        assert problem_of(response, 400)["errors"][0]["pointer"] == "?x"


def test_an_address_that_is_not_there_is_a_problem_to_a_browser_without_a_token(catalogue: Any) -> None:
    strict = Client(enforce_csrf_checks=True)
    problem_of(strict.post("/api/v1/jobs/-1/cancel", "{}", content_type="application/json"), 404)


def test_a_body_that_nests_too_deep_says_how_deep_it_may(client: Client) -> None:
    response = client.post("/api/v1/estimates/search", "[" * 100_000, content_type="application/json")
    assert problem_of(response, 400)["errors"][0]["accepted"] == "at most 64 levels"
