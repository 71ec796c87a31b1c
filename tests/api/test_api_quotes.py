"""POST of price quotes: appended with a source, all or none, once for each Idempotency-Key; costs follow."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from celery import current_app
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from catalog.models import Offer, PriceQuote, Source
from config.access.models import IdempotentAnswer
from config.access.tokens import create_token
from estimates.models import Calculation
from estimates.staleness import is_stale
from tests.api.small_catalogue import problem_of, read

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/price-quotes"


def quote(**changes: Any) -> dict[str, Any]:
    """A price below the standing 28.80 USD an hour of eight H100 on demand."""
    return {
        "provider": "example-cloud",
        "offering": "8 x nvidia-h100-sxm",
        "accelerator": "nvidia-h100-sxm",
        "accelerator_count": 8,
        "region": "here",
        "country": "US",
        "price_per_hour": "27.60",
        "pricing_model": "on_demand",
        "observed_on": timezone.now().date().isoformat(),
        "source": "datasheet",
        **changes,
    }


def post(client: Client, body: Any, token: str | None, **headers: str) -> Any:
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = body if isinstance(body, bytes) else orjson.dumps(body)
    return client.post(ADDRESS, data, content_type="application/json", headers=headers)


@pytest.fixture
def price_token(editor: User) -> str:
    return create_token(editor, ["write_prices"])[0]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    found: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args=(): found.append((name, list(args))))
    return found


def test_a_quote_is_appended_and_the_next_ranked_list_costs_by_it(
    client: Client, catalogue: Any, price_token: str, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    question = "estimates?model=llama-3.1-70b-instruct&workload=chat&accelerator=nvidia-h100-sxm"
    # 8,000 tokens/s: 28.8 / (8,000 x 3,600) x 1e6 = 1 USD per million, and at 27.6 0.9583.
    assert float(read(client, question)["results"][0]["usd_per_mtok_output"]) == 1
    with django_capture_on_commit_callbacks(execute=True):
        response = post(client, quote(), price_token)
    assert response.status_code == 201, response.content
    row = orjson.loads(response.content)
    assert (row["price_per_hour"], row["source"], row["suspect"]) == ("27.6", "datasheet", None)
    assert response["Location"].endswith(f"{ADDRESS}/{row['id']}")
    assert read(client, f"price-quotes/{row['id']}") == row
    after = read(client, question)["results"][0]
    assert float(after["usd_per_mtok_output"]) == pytest.approx(0.95833, abs=1e-5)
    assert sent == []
    assert not Calculation.objects.filter(is_stale()).exists()


def test_a_list_is_appended_whole_and_a_known_quote_is_one_row(
    client: Client, catalogue: Any, price_token: str
) -> None:
    source = {"url": "https://example.com/prices", "title": "Price list"}
    body = [quote(source=source), quote(source=source, price_per_hour=27.5)]
    first = post(client, body, price_token)
    assert first.status_code == 201
    rows = orjson.loads(first.content)
    assert [row["price_per_hour"] for row in rows] == ["27.6", "27.5"]
    assert Source.objects.filter(url=source["url"]).count() == 1
    again = post(client, body, price_token)
    assert (again.status_code, orjson.loads(again.content)) == (200, rows)
    assert PriceQuote.objects.filter(source__url=source["url"]).count() == 2


def test_of_a_list_with_a_fault_nothing_is_kept(client: Client, catalogue: Any, price_token: str) -> None:
    before = PriceQuote.objects.count()
    source = {"url": "https://example.com/lost", "title": "Lost"}
    body = [quote(source=source), quote(accelerator="nvidia-h100-sxn"), quote(provider="nobody")]
    faults = problem_of(post(client, body, price_token), 400)["errors"]
    assert [(fault["pointer"], fault["code"]) for fault in faults] == [
        ("/1/accelerator", "unknown"),
        ("/2/provider", "unknown"),
    ]
    assert faults[0]["accepted"] == ["nvidia-h100-sxm"]
    assert PriceQuote.objects.count() == before
    assert not Source.objects.filter(url=source["url"]).exists()


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"price_per_hour": "0"}, "/price_per_hour", "invalid"),
        ({"price_per_hour": "-1"}, "/price_per_hour", "invalid"),
        ({"price_per_hour": 1e9}, "/price_per_hour", "invalid"),
        ({"price_per_hour": "NaN"}, "/price_per_hour", "invalid"),
        ({"price_per_hour": True}, "/price_per_hour", "invalid"),
        ({"price_per_hour": None}, "/price_per_hour", "invalid"),
        ({"accelerator_count": "0.0001"}, "/accelerator_count", "invalid"),
        ({"pricing_model": "rented"}, "/pricing_model", "choice"),
        ({"observed_on": 20000}, "/observed_on", "invalid"),
        ({"observed_on": "31/01/2025"}, "/observed_on", "invalid"),
        ({"valid_until": "2020-01-01"}, "/valid_until", "invalid"),
        ({"currency": "dollars"}, "/currency", "invalid"),
        ({"offering": " "}, "/offering", "invalid"),
        ({"source": None}, "/source", "invalid"),
        ({"source": {}}, "/source", "incomplete"),
        ({"source": "no-such-source"}, "/source", "unknown"),
        ({"source": {"slug": "no-such-source"}}, "/source/slug", "unknown"),
        ({"source": {"url": "ftp://example.com", "title": "A"}}, "/source/url", "invalid"),
        ({"price_per_hout": 3}, "/price_per_hout", "unknown_field"),
    ],
)
def test_a_fault_is_named_with_what_is_accepted(
    change: dict[str, Any], pointer: str, code: str, client: Client, catalogue: Any, price_token: str
) -> None:
    faults = problem_of(post(client, quote(**change), price_token), 400)["errors"]
    assert (faults[0]["pointer"], faults[0]["code"]) == (pointer, code), faults
    assert faults[0]["accepted"] is not None


def test_a_quote_needs_a_source_and_is_not_of_the_future(
    client: Client, catalogue: Any, price_token: str
) -> None:
    without = quote()
    del without["source"]
    (fault,) = problem_of(post(client, without, price_token), 400)["errors"]
    assert (fault["pointer"], fault["code"]) == ("/source", "source_required")
    later = (timezone.now().date() + timedelta(days=2)).isoformat()
    (fault,) = problem_of(post(client, quote(observed_on=later), price_token), 400)["errors"]
    assert (fault["pointer"], fault["code"]) == ("/observed_on", "future")


@pytest.mark.parametrize("body", [[], "text", 3, None, [[]], [quote] * 0])
def test_a_body_that_is_no_quote_is_refused(
    body: Any, client: Client, catalogue: Any, price_token: str
) -> None:
    assert problem_of(post(client, body, price_token), 400)["errors"]


def test_more_than_a_thousand_at_once_are_refused(client: Client, catalogue: Any, price_token: str) -> None:
    (fault,) = problem_of(post(client, [quote()] * 1001, price_token), 400)["errors"]
    assert (fault["code"], fault["accepted"]) == ("batch_size", "1 to 1000 quotes")


def test_a_price_that_fits_to_no_other_is_kept_out_of_use(
    client: Client, catalogue: Any, price_token: str
) -> None:
    row = orjson.loads(post(client, quote(price_per_hour="0.01"), price_token).content)
    assert row["suspect"].startswith("sentinel")
    assert post(client, quote(pricing_model="spot", price_per_hour="30"), price_token).status_code == 201
    spot = PriceQuote.objects.get(pricing_model="spot", price_per_hour=Decimal(30))
    assert spot.suspect.startswith("spot above on demand")  # 28.80 stands in use


def test_a_count_that_nobody_offered_becomes_an_offer_and_is_hinted(
    client: Client, catalogue: Any, price_token: str, sent: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = post(client, quote(accelerator_count=4, offering="4 x H100"), price_token)
    assert response.status_code == 201, response.content
    assert Offer.objects.filter(accelerator=catalogue.h100, count=4, retired=False).exists()
    assert ("estimates.recalculate_accelerator", [catalogue.h100.pk]) in sent


def test_the_same_request_under_its_key_answers_the_same_and_adds_nothing(
    client: Client, catalogue: Any, price_token: str
) -> None:
    first = post(client, quote(), price_token, **{"Idempotency-Key": "monday"})
    again = post(client, quote(), price_token, **{"Idempotency-Key": "monday"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.content, again["Location"]) == (first.content, first["Location"])
    assert (first.has_header("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (False, "true")
    assert PriceQuote.objects.filter(price_per_hour=Decimal("27.6")).count() == 1
    other = post(client, quote(price_per_hour="27.5"), price_token, **{"Idempotency-Key": "monday"})
    assert problem_of(other, 422)["errors"][0]["pointer"] == "header:Idempotency-Key"
    assert not PriceQuote.objects.filter(price_per_hour=Decimal("27.5")).exists()


def test_a_key_is_free_again_after_a_fault_and_after_two_days(
    client: Client, catalogue: Any, price_token: str
) -> None:
    key = {"Idempotency-Key": "k"}
    assert post(client, quote(provider="nobody"), price_token, **key).status_code == 400
    assert post(client, quote(), price_token, **key).status_code == 201
    IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(hours=49))
    assert post(client, quote(), price_token, **{"Idempotency-Key": "later"}).status_code == 200
    assert list(IdempotentAnswer.objects.values_list("key", flat=True)) == ["later"]


def test_posting_needs_the_scope(client: Client, catalogue: Any, write_token: str, read_token: str) -> None:
    assert post(client, quote(), None).status_code == 401
    assert post(client, quote(), write_token).status_code == 403
    assert post(client, quote(), read_token).status_code == 403
    assert not PriceQuote.objects.filter(price_per_hour=Decimal("27.6")).exists()


def test_quotes_are_answered_in_json_and_listed_as_csv(
    client: Client, catalogue: Any, price_token: str
) -> None:
    assert post(client, quote(), price_token, accept="text/csv").status_code == 406
    assert client.get(f"{ADDRESS}?format=csv")["Content-Type"].startswith("text/csv")
