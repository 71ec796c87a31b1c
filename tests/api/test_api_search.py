"""Searching over the API: ranked rows as JSON and CSV, faults with pointers, large ones as jobs."""

import csv
import io
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import User
from django.test import Client

from config.access.tokens import create_token
from estimates.api.search import EXAMPLE
from estimates.jobs import work
from estimates.jobs.models import Job
from tests.api.small_catalogue import problem_of, read

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/estimates/search"
QUESTION = {"model": "llama-3.1-70b-instruct", "workload": "chat", "demand": {"concurrency": 32}}
LARGE = QUESTION | {"demand": {"concurrency": [1, 8, 32]}, "job": True}


@pytest.fixture
def planner(db: None) -> User:
    return User.objects.create_user("planner")


@pytest.fixture
def job_token(planner: User) -> str:
    return create_token(planner, ["run_jobs"])[0]


def post(client: Client, body: Any, address: str = ADDRESS, token: str = "", **headers: str) -> Any:
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return client.post(address, orjson.dumps(body), content_type="application/json", headers=headers)


def faults(response: Any) -> dict[str, Any]:
    return {error["pointer"]: error for error in problem_of(response, 400)["errors"]}


class TestAnswer:
    def test_the_documented_example_is_answered(self, client: Client, catalogue: Any) -> None:
        response = post(client, EXAMPLE)
        assert response.status_code == 200, response.content[:500]
        body = orjson.loads(response.content)
        assert body["counts"]["offers"] == 4
        assert [row["rank"] for row in body["results"]] == list(range(1, len(body["results"]) + 1))

    def test_a_row_carries_replicas_spare_money_as_text_and_its_quote(
        self, client: Client, catalogue: Any
    ) -> None:
        """Eight H100 are 28.80 USD an hour; one replica and one spare are two machines, 57.60 USD."""
        body = orjson.loads(post(client, QUESTION).content)
        row = next(row for row in body["results"] if row["offer"] == "nvidia-h100-sxm-x8")
        assert row["machines"] * row["accelerators_per_machine"] >= row["chips"]
        assert row["spare"] == 1
        price = row["cost"]["price"]
        assert (price["usd_per_hour"], price["quote"]["provider"]) == ("28.8", "example-cloud")
        assert row["cost"]["usd_per_hour"] == f"{28.8 * row['machines']:.10g}"
        assert row["systems"] == ["DGX H100"]
        assert row["slack"]["tpot"]["limit"] == 50.0  # the workload's own

    def test_what_is_excluded_says_by_which_constraint(self, client: Client, catalogue: Any) -> None:
        body = orjson.loads(post(client, QUESTION).content)
        out = {row["offer"]: row for row in body["excluded"]}
        assert out["amd-mi300x-x1"]["constraint"] == "missing_fact"
        assert "bandwidth" in out["amd-mi300x-x1"]["detail"]
        assert sum(body["counts"]["excluded"].values()) + body["counts"]["feasible"] == 4

    def test_csv_has_the_ranked_rows(self, client: Client, catalogue: Any) -> None:
        body = orjson.loads(post(client, QUESTION).content)
        response = post(client, QUESTION, f"{ADDRESS}?format=csv")
        rows = list(csv.DictReader(io.StringIO(response.content.decode())))
        assert [row["offer"] for row in rows] == [row["offer"] for row in body["results"]]
        assert rows[0]["usd_per_mtok_output"] == body["results"][0]["cost"]["usd_per_mtok_output"]

    def test_the_front_has_both_pairs_of_axes(self, client: Client, catalogue: Any) -> None:
        front = orjson.loads(post(client, QUESTION).content)["front"]
        assert set(front) == {"speed_and_throughput_per_chip", "speed_and_usd_per_mtok"}
        speeds = [point["tok_s_per_user"] for point in front["speed_and_throughput_per_chip"]]
        assert speeds == sorted(speeds, reverse=True)
        without = orjson.loads(post(client, QUESTION | {"front": False}).content)
        assert without["front"] is None


class TestFaults:
    @pytest.mark.parametrize(
        ("change", "pointer", "code", "accepted"),
        [
            ({"model": "llama-3.1-70b"}, "/model", "unknown_language_model", "llama-3.1-70b-instruct"),
            ({"workload": "chatt"}, "/workload", "unknown_workload", "chat"),
            ({"hardware": {"vendors": ["nvidya"]}}, "/hardware/vendors/0", "unknown_vendor", "nvidia"),
            ({"hardware": {"offers": "nvidia-h100"}}, "/hardware/offers/0", "unknown_offer", "h100"),
            ({"price": {"providers": "exampel-cloud"}}, "/price/providers/0", "unknown_provider", "example"),
            ({"price": {"regions": ["her"]}}, "/price/regions/0", "unknown_region", "here"),
            ({"bounds": {"formats": ["fp9"]}}, "/bounds/formats/0", "unknown_format", "fp8"),
            ({"bounds": {"software": "vlm"}}, "/bounds/software", "unknown_software", "vllm"),
            ({"objective": "cheapest"}, "/objective", "literal_error", "usd_per_mtok"),
            ({"demand": {"tpot_ms": 0}}, "/demand/tpot_ms", "greater_than", "above 0"),
            ({"demand": {"concurrency": 0}}, "/demand/concurrency", "greater_than_equal", "at least 1"),
            ({"colour": "red"}, "/colour", "extra_forbidden", "objective"),
            (
                {"demand": {"concurrency": 1, "requests_per_s": 1}},
                "/demand/requests_per_s",
                "one_of",
                "concurrency",
            ),
            (
                {"price": {"basis": "none"}, "bounds": {"usd_per_hour": "5"}},
                "/price/basis",
                "needs_a_price",
                "on_demand",
            ),
        ],
    )
    def test_a_fault_says_where_and_what_would_do(
        self, client: Client, catalogue: Any, change: Any, pointer: str, code: str, accepted: str
    ) -> None:
        fault = faults(post(client, QUESTION | change))[pointer]
        assert fault["code"] == code
        assert accepted in str(fault["accepted"])

    def test_a_parameter_that_is_none_is_refused(self, client: Client, catalogue: Any) -> None:
        assert "?limit" in faults(post(client, QUESTION, f"{ADDRESS}?limit=5"))


class TestJobs:
    def test_a_large_search_is_a_job_with_progress_and_result(
        self, client: Client, catalogue: Any, job_token: str
    ) -> None:
        response = post(client, LARGE, token=job_token)
        assert response.status_code == 202
        address = response["Location"].removeprefix("http://testserver/api/v1/")
        job = orjson.loads(response.content)
        assert (job["state"], job["parts"], job["owner"]) == ("queued", 3, "planner")
        early = problem_of(client.get(f"/api/v1/{address}/result"), 409)
        assert early["detail"] == "The job is queued: 0 of 3 parts have ended."
        work.work(60, int(job["id"]))
        job = read(client, address)
        assert (job["state"], job["progress"], job["parts_done"]) == ("done", 1.0, 3)
        assert job["result"] == f"/api/v1/{address}/result"
        result = read(client, f"{address}/result")
        assert result["configurations"] == job["configurations"] > 0
        assert len(result["parts"]) == 3
        text = client.get(f"/api/v1/{address}/result?format=csv").content.decode()
        assert len(text.splitlines()) == 1 + len(result["results"])

    def test_a_job_needs_a_token_with_the_scope(
        self, client: Client, catalogue: Any, read_token: str
    ) -> None:
        before = Job.objects.count()
        assert problem_of(post(client, LARGE), 401)["type"].endswith("authentication-required")
        assert "run_jobs" in problem_of(post(client, LARGE, token=read_token), 403)["detail"]
        assert Job.objects.count() == before

    def test_many_searches_are_a_job_without_being_asked(
        self, client: Client, catalogue: Any, job_token: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("estimates.search.answering.AT_ONCE", 8)  # two searches on four offers
        three = QUESTION | {"demand": {"concurrency": [1, 2, 3]}}
        two = QUESTION | {"demand": {"concurrency": [1, 2]}}
        assert post(client, three, token=job_token).status_code == 202
        assert post(client, two).status_code == 200

    def test_a_key_makes_one_job(self, client: Client, catalogue: Any, job_token: str) -> None:
        first = post(client, LARGE, token=job_token, **{"Idempotency-Key": "monday"})
        again = post(client, LARGE, token=job_token, **{"Idempotency-Key": "monday"})
        assert first["Location"] == again["Location"]
        other = post(client, LARGE | {"limit": 3}, token=job_token, **{"Idempotency-Key": "monday"})
        assert problem_of(other, 422)["errors"][0]["pointer"] == "header:Idempotency-Key"

    def test_a_job_is_cancelled_by_its_owner_or_an_admin(
        self, client: Client, catalogue: Any, job_token: str, editor: User
    ) -> None:
        address = post(client, LARGE, token=job_token)["Location"].removeprefix("http://testserver")
        stranger = create_token(editor, ["run_jobs"])[0]
        assert client.post(f"{address}/cancel").status_code == 401
        problem_of(post(client, {}, f"{address}/cancel", stranger), 403)
        response = post(client, {}, f"{address}/cancel", job_token)
        assert orjson.loads(response.content)["state"] == "cancelled"
        problem_of(client.get(f"{address}/result"), 409)
        second = post(client, LARGE, token=job_token)["Location"].removeprefix("http://testserver")
        admin = create_token(editor, ["admin"])[0]
        assert post(client, {}, f"{second}/cancel", admin).status_code == 200

    def test_an_unknown_job_is_a_404(self, client: Client, catalogue: Any, job_token: str) -> None:
        problem_of(client.get("/api/v1/jobs/999999/result"), 404)
        problem_of(post(client, {}, "/api/v1/jobs/none/cancel", job_token), 404)
