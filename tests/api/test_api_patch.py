"""PATCH of a fact: token, scope, If-Match, source and reason; estimates are told; all or nothing."""

from typing import Any

import orjson
import pytest
from celery import current_app
from django.contrib.auth.models import Permission, User
from django.test import Client
from kombu.exceptions import OperationalError

from catalog import hints
from catalog.models import Accelerator, Figure, Source
from estimates.models import Calculation
from estimates.staleness import is_stale
from tests.api.small_catalogue import problem_of, read

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/accelerators/nvidia-h100-sxm"
SOURCE = {"url": "https://example.com/new.pdf", "title": "Datasheet, revision 2"}
CHANGE = {
    "memory_bandwidth_gbs": 4020,
    "source": SOURCE,
    "kind": "vendor_claim",
    "change_reason": "a new revision",
}


def patch(
    client: Client, body: Any, token: str | None = None, etag: str | None = "", address: str = ADDRESS
) -> Any:
    """PATCH with the current ETag, unless another or none (None) is given."""
    headers = {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if etag is not None:
        headers["if-match"] = etag or client.get(address)["ETag"]
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return client.patch(address, data, content_type="application/json", headers=headers)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    """Hints that reach the broker."""
    found: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args=(): found.append((name, list(args))))
    return found


def test_the_new_value_stands_with_its_source_and_the_old_one_is_a_rival(
    client: Client, catalogue: Any, write_token: str
) -> None:
    response = patch(client, CHANGE, write_token)
    assert response.status_code == 200, response.content
    body = orjson.loads(response.content)
    assert body["memory_bandwidth_gbs"] == 4020
    figures = body["figures"]["memory_bandwidth_gbs"]
    assert figures["accepted"]["source"]["url"] == SOURCE["url"]
    assert (figures["accepted"]["kind"], figures["accepted"]["reason"]) == ("vendor_claim", "a new revision")
    assert sorted(rival["value"] for rival in figures["rivals"]) == [3000, 3350]
    again = client.get(ADDRESS)
    assert (again.content, again["ETag"]) == (response.content, response["ETag"])


def test_dependent_estimates_become_stale_and_are_hinted(
    client: Client, catalogue: Any, write_token: str, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        patch(client, CHANGE, write_token)
    assert sent == [(hints.RECALCULATE_ACCELERATOR, [catalogue.h100.pk])] * hints.WORKERS
    stale = Calculation.objects.filter(is_stale()).values_list("accelerator__slug", flat=True)
    assert list(stale) == ["nvidia-h100-sxm"]


def test_a_broker_that_is_down_does_not_fail_the_write(
    client: Client,
    catalogue: Any,
    write_token: str,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def down(*args: Any, **options: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(current_app, "send_task", down)
    with django_capture_on_commit_callbacks(execute=True):
        response = patch(client, CHANGE, write_token)
    assert response.status_code == 200
    assert Accelerator.objects.get(slug="nvidia-h100-sxm").memory_bandwidth_gbs == 4020
    assert Calculation.objects.filter(is_stale()).count() == 1


def test_the_change_is_in_the_history_with_who_why_and_which_request(
    client: Client, catalogue: Any, write_token: str
) -> None:
    etag = client.get(ADDRESS)["ETag"]
    response = client.patch(
        ADDRESS,
        orjson.dumps(CHANGE),
        content_type="application/json",
        headers={"authorization": f"Bearer {write_token}", "if-match": etag, "x-request-id": "request-7"},
    )
    assert response["X-Request-ID"] == "request-7"
    row = read(client, "changes?resource=accelerators&action=update&request_id=request-7")["results"][0]
    assert (row["before"], row["after"]) == (
        {"memory_bandwidth_gbs": 3350.0},
        {"memory_bandwidth_gbs": 4020.0},
    )
    assert (row["user"], row["reason"], row["request_id"]) == ("editor", "a new revision", "request-7")
    assert row["subject"] == "nvidia-h100-sxm"
    of_subject = read(client, "changes?subject=nvidia-h100-sxm&request_id=request-7&user=editor")["results"]
    assert {row["resource"] for row in of_subject} == {"accelerators", "figures"}
    assert read(client, "changes?request_id=request-7&user=nobody")["count"] == 0


def test_an_assumption_needs_no_source(client: Client, catalogue: Any, write_token: str) -> None:
    assert (
        patch(client, {"tdp_w": 650, "kind": "assumed", "change_reason": "what if"}, write_token).status_code
        == 200
    )
    assert Figure.objects.get(quantity="tdp_w", accepted=True).source is None


def test_child_figures_go_by_their_column_or_their_quantity(
    client: Client, catalogue: Any, write_token: str
) -> None:
    for name in ("peak_fp8_tflops", "peak_rate:fp8"):
        value = {"peak_fp8_tflops": 1900, "peak_rate:fp8": 1950}[name]
        body = orjson.loads(patch(client, {name: value, "kind": "assumed"}, write_token).content)
        assert body["peak_fp8_tflops"] == value
        assert body["figures"]["peak_rate:fp8"]["accepted"]["value"] == value


def test_a_known_source_goes_by_its_slug(client: Client, catalogue: Any, write_token: str) -> None:
    assert patch(client, {"tdp_w": 690, "source": {"slug": "datasheet"}}, write_token).status_code == 200
    assert Source.objects.count() == 1
    body = problem_of(patch(client, {"tdp_w": 1, "source": {"slug": "datashet"}}, write_token), 400)
    assert body["errors"][0]["accepted"] == ["datasheet"]


def test_a_system_can_be_changed_too(client: Client, catalogue: Any, write_token: str) -> None:
    address = "/api/v1/systems/nvidia-dgx-h100"
    body = {"power_kw": 10.2, "source": SOURCE, "change_reason": "as printed"}
    assert orjson.loads(patch(client, body, write_token, address=address).content)["power_kw"] == 10.2


class TestWhoMayWrite:
    def test_nobody_without_a_token(self, client: Client, catalogue: Any) -> None:
        response = patch(client, CHANGE)
        problem_of(response, 401)
        assert response["WWW-Authenticate"] == 'Bearer realm="inference-atlas"'

    @pytest.mark.parametrize(
        "token", ["wrong", "atlas_abcdefghij_wrong", "é", "atlas_abcdefghij_" + "x" * 5000]
    )
    def test_no_wrong_token(self, token: str, client: Client, catalogue: Any) -> None:
        response = patch(client, CHANGE, token.encode().decode("latin-1"))
        problem_of(response, 401)
        assert "WWW-Authenticate" in response

    def test_no_token_without_the_scope(self, client: Client, catalogue: Any, read_token: str) -> None:
        assert "write_facts" in problem_of(patch(client, CHANGE, read_token), 403)["detail"]

    def test_a_person_with_the_permission_in_a_session(
        self, client: Client, catalogue: Any, editor: User
    ) -> None:
        client.force_login(editor)
        problem_of(patch(client, CHANGE), 403)
        editor.user_permissions.add(Permission.objects.get(codename="change_figure"))
        assert patch(client, CHANGE).status_code == 200


class TestLostUpdates:
    def test_if_match_is_required(self, client: Client, catalogue: Any, write_token: str) -> None:
        response = patch(client, CHANGE, write_token, etag=None)
        problem_of(response, 428)
        assert response["ETag"] == client.get(ADDRESS)["ETag"]

    def test_a_stale_version_is_refused_with_the_current_one(
        self, client: Client, catalogue: Any, write_token: str
    ) -> None:
        stale = client.get(ADDRESS)["ETag"]
        assert patch(client, CHANGE, write_token).status_code == 200
        response = patch(client, {"memory_bandwidth_gbs": 1, "kind": "assumed"}, write_token, etag=stale)
        problem_of(response, 412)
        current = client.get(ADDRESS)
        assert response["ETag"] == current["ETag"]
        assert orjson.loads(current.content)["memory_bandwidth_gbs"] == 4020

    def test_any_representation_of_the_version_will_do(
        self, client: Client, catalogue: Any, write_token: str
    ) -> None:
        sparse = client.get(f"{ADDRESS}?fields=slug,version")["ETag"]
        assert patch(client, CHANGE, write_token, etag=sparse).status_code == 200


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b"{", "", "syntax"),
        (b'{"memory_gb": NaN, "kind": "assumed"}', "", "not_finite"),
        (b'{"memory_gb": 1e999, "kind": "assumed"}', "", "not_finite"),
        (b'{"memory_gb": 80, "memory_gb": 90, "kind": "assumed"}', "", "repeated_key"),
        (b"[" * 40, "", "too_deep"),
        (b"\xff\xfe", "", "encoding"),
        ([], "", "type"),
        ({}, "", "empty"),
        ({"memory_gb": -80, "kind": "assumed"}, "/memory_gb", "invalid"),
        ({"memory_gb": "80", "kind": "assumed"}, "/memory_gb", "invalid"),
        ({"memory_gb": True, "kind": "assumed"}, "/memory_gb", "invalid"),
        ({"memory_gb": None, "kind": "assumed"}, "/memory_gb", "invalid"),
        ({"memory_gb": 1e200, "kind": "assumed"}, "/memory_gb", "constraint"),
        ({"memory_size": 80, "kind": "assumed"}, "/memory_size", "unknown_field"),
        ({"memory_gb": 90}, "/source", "source_required"),
        ({"memory_gb": 90, "kind": "vendor_claim"}, "/source", "source_required"),
        ({"memory_gb": 90, "kind": "guess", "source": SOURCE}, "/kind", "choice"),
        ({"memory_gb": 90, "kind": ["assumed"], "source": SOURCE}, "/kind", "choice"),
        ({"memory_gb": 90, "source": "datasheet"}, "/source", "type"),
        ({"memory_gb": 90, "source": {"url": "https://x.example"}}, "/source", "incomplete"),
        ({"memory_gb": 90, "source": SOURCE | {"url": "javascript:1"}}, "/source/url", "invalid"),
        ({"memory_gb": 90, "kind": "assumed", "change_reason": 7}, "/change_reason", "invalid"),
        ({"memory_gb": 90, "kind": "assumed", "change_reason": "\x00"}, "", "text"),
        ({"peak_fp8_tflops": 1, "peak_rate:fp8": 2, "kind": "assumed"}, "/peak_rate:fp8", "repeated"),
    ],
)
def test_a_bad_body_is_refused_and_changes_nothing(
    body: Any, pointer: str, code: str, client: Client, catalogue: Any, write_token: str
) -> None:
    before = client.get(ADDRESS).content
    error = problem_of(patch(client, body, write_token), 400)["errors"][0]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert client.get(ADDRESS).content == before


def test_one_bad_figure_keeps_the_good_ones_out(client: Client, catalogue: Any, write_token: str) -> None:
    before = client.get(ADDRESS).content
    problem_of(patch(client, {"memory_gb": 90, "tdp_w": 1e200, "kind": "assumed"}, write_token), 400)
    assert client.get(ADDRESS).content == before


def test_other_refusals(client: Client, catalogue: Any, write_token: str, settings: Any) -> None:
    headers = {"authorization": f"Bearer {write_token}", "if-match": "*"}
    form = client.patch(
        ADDRESS, "memory_gb=90", content_type="application/x-www-form-urlencoded", headers=headers
    )
    problem_of(form, 415)
    large = client.patch(ADDRESS, b"1" * 10_000_000, content_type="application/json", headers=headers)
    problem_of(large, 413)
    problem_of(patch(client, CHANGE, write_token, etag="*", address=f"{ADDRESS}-9"), 404)
    problem_of(patch(client, CHANGE, write_token, etag="*", address=f"{ADDRESS}?dry_run=1"), 400)
