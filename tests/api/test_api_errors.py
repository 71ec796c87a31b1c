"""Every error below /api/ is problem details with a request id, and never a 500."""

from typing import Any

import pytest
from django.test import Client

from config.rest import views
from tests.api.small_catalogue import problem_of

pytestmark = pytest.mark.django_db


def test_an_unknown_address_is_a_problem(client: Client) -> None:
    problem_of(client.get("/api/v1/nothing/here"), 404)
    problem_of(client.post("/api/elsewhere"), 404)


def test_a_slash_too_many_is_redirected_with_its_query(client: Client) -> None:
    response = client.get("/api/v1/vendors/?limit=1")
    assert response.status_code == 308
    assert response["Location"] == "/api/v1/vendors?limit=1"


def test_an_unknown_slug_is_a_404_with_near_ones(client: Client, catalogue: Any) -> None:
    body = problem_of(client.get("/api/v1/accelerators/nvidia-h100"), 404)
    assert body["errors"][0]["accepted"] == ["nvidia-h100-sxm"]


def test_a_method_that_is_not_there_names_those_that_are(client: Client, catalogue: Any) -> None:
    response = client.delete("/api/v1/vendors")
    assert problem_of(response, 405)["errors"][0]["accepted"] == ["GET", "HEAD", "OPTIONS"]
    assert "GET" in response["Allow"]


def test_a_media_type_that_is_not_there_names_those_that_are(client: Client, catalogue: Any) -> None:
    response = client.get("/api/v1/vendors", headers={"accept": "application/xml"})
    assert problem_of(response, 406)["errors"][0]["accepted"] == ["application/json", "text/csv"]


def test_reading_asks_for_a_token_where_it_is_not_open(
    client: Client, catalogue: Any, settings: Any, read_token: str
) -> None:
    settings.ATLAS_ANONYMOUS_READ = False
    response = client.get("/api/v1/vendors")
    problem_of(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert client.get("/api/v1/vendors", headers={"authorization": f"Bearer {read_token}"}).status_code == 200


def test_too_many_requests_say_when_to_come_back(
    client: Client, catalogue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config.rest.throttling import ClientThrottle

    monkeypatch.setitem(ClientThrottle.THROTTLE_RATES, "anonymous", "2/min")
    responses = [client.get("/api/v1/vendors") for _ in range(3)]
    assert [response.status_code for response in responses[:2]] == [200, 200]
    problem_of(responses[2], 429)
    assert 0 < int(responses[2]["Retry-After"]) <= 60


def test_a_fault_of_the_service_tells_nothing_of_itself(
    client: Client, catalogue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(views, "read_list", broken)
    client.raise_request_exception = False
    response = client.get("/api/v1/vendors")
    problem_of(response, 500)
    assert b"secret" not in response.content


def test_the_request_id_of_the_client_is_kept(client: Client) -> None:
    response = client.get("/api/v1/nothing", headers={"x-request-id": "mine-1"})
    assert problem_of(response, 404)["request_id"] == "mine-1"


def test_head_and_options_are_answered(client: Client, catalogue: Any) -> None:
    head = client.head("/api/v1/vendors")
    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == client.get("/api/v1/vendors")["ETag"]
    assert client.options("/api/v1/vendors").status_code == 200
