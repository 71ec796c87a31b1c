"""What every request meets before a view: its id, the limits of its body, an absent database."""

import json

import pytest
from django.conf import settings
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from django.urls import path
from psycopg import errors

from config import urls
from config.middleware import MAX_JSON_DEPTH, nested_deeper_than, unavailable


def no_database(request):
    raise OperationalError("connection refused")


def reads_the_body(request):
    return HttpResponse(str(len(request.body)))


def fails(request):
    raise RuntimeError("a bug")


urlpatterns = [
    *urls.urlpatterns,
    path("no-database", no_database),
    path("reads-the-body", reads_the_body),
    path("fails", fails),
]
handler500 = urls.handler500
pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def client():
    return Client(raise_request_exception=False)


def test_a_request_id_is_taken_over_and_returned(client):
    assert client.get("/healthz", headers={"X-Request-ID": "abc-123"})["X-Request-ID"] == "abc-123"


@pytest.mark.parametrize("offered", ["", "a b", "x" * 65, "<script>"])
def test_a_request_id_that_could_do_harm_is_replaced(client, offered):
    answered = client.get("/healthz", headers={"X-Request-ID": offered})["X-Request-ID"]
    assert answered != offered
    assert len(answered) == 32


def test_an_absent_database_is_503_and_says_that_nothing_changed(client):
    response = client.get("/no-database", headers={"X-Request-ID": "r1"})
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"] == "5"
    assert response.json()["detail"] == "The database cannot be reached; nothing was changed. Try again."
    assert response.json()["request_id"] == "r1"


def test_an_absent_database_found_by_a_middleware_is_503_too(client, monkeypatch):
    def refuse(*arguments, **options):
        raise OperationalError("connection refused")

    monkeypatch.setattr("django.contrib.sessions.middleware.SessionMiddleware.process_request", refuse)
    assert client.get("/healthz").status_code == 503


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (None, 503),  # libpq could not connect: no SQLSTATE
        (errors.AdminShutdown(), 503),  # 57P01
        (errors.TooManyConnections(), 503),  # 53300
        (errors.DeadlockDetected(), None),  # 40P01: the statement's own failure
        (errors.QueryCanceled(), None),  # 57014
    ],
)
def test_only_the_absence_of_the_server_counts_as_unavailable(cause, expected):
    exception = OperationalError("failed")
    exception.__cause__ = cause
    response = unavailable(exception)
    assert (response.status_code if response else None) == expected


def test_an_error_of_the_service_shows_its_request_id_and_no_trace(client):
    response = client.get("/fails", headers={"X-Request-ID": "r2"})
    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["request_id"] == "r2"
    assert "a bug" not in response.text


def test_a_body_of_ten_megabytes_is_413(client):
    response = client.post("/reads-the-body", b"x" * 10_000_000, content_type="application/json")
    assert response.status_code == 413
    assert response.json()["detail"] == (
        f"The body has 10,000,000 bytes; at most {settings.ATLAS_MAX_BODY_BYTES:,} are accepted."
    )


def test_a_body_within_the_limit_reaches_the_view(client):
    assert client.post("/reads-the-body", b"x" * 100, content_type="text/plain").text == "100"


def test_a_body_without_a_length_is_refused(client):
    response = client.post(
        "/reads-the-body", b"x", content_type="text/plain", HTTP_TRANSFER_ENCODING="chunked"
    )
    assert response.status_code == 411


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000])
def test_json_a_hundred_thousand_deep_is_400(client, body):
    response = client.post("/reads-the-body", body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["type"].endswith(":json-too-deep")


@pytest.mark.parametrize(
    ("body", "limit", "expected"),
    [
        (b"[[]]", 2, False),
        (b"[[]]", 1, True),
        (b"[[],[],[]]", 2, False),  # many brackets, two deep
        (json.dumps({"a": "[[[["}).encode(), 1, False),  # brackets inside a string
        (rb'["\"[[["]', 1, False),  # an escaped quote does not end the string
        (b'["[[[', 1, False),  # nor does the end of the body
    ],
)
def test_depth_counts_brackets_outside_strings(body, limit, expected):
    assert nested_deeper_than(body, limit) is expected


def test_json_at_the_limit_passes(client):
    body = b"[" * MAX_JSON_DEPTH + b"]" * MAX_JSON_DEPTH
    assert client.post("/reads-the-body", body, content_type="application/json").status_code == 200


def test_the_content_policy_allows_no_inline_code(client):
    policy = client.get("/healthz")["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
