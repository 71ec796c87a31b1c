"""GET /estimates: one ranked row an offer, cost by arithmetic over the quote used, filters of both."""

from typing import Any

import pytest
from django.test import Client

from catalog.models import Accelerator
from tests.api.small_catalogue import read

pytestmark = pytest.mark.django_db
QUESTION = "estimates?model=llama-3.1-70b-instruct&workload=chat"


def offers(client: Client, query: str = "") -> list[str]:
    return [row["offer"] for row in read(client, f"{QUESTION}{query}")["results"]]


def test_the_cheapest_comes_first_and_the_unpriced_last(client: Client, catalogue: Any) -> None:
    # MI300X x8: 18.00 / (8000 x 3600) x 1e6 = 0.625; x1: scaled 18/8 = 2.25 / (2000 x 3600) x 1e6 = 0.3125.
    # H100 x8: 28.80 / (8000 x 3600) x 1e6 = 1.
    rows = read(client, f"{QUESTION}&ordering=usd_per_mtok_output")["results"]
    assert [(row["offer"], row["usd_per_mtok_output"]) for row in rows] == [
        ("amd-mi300x-x1", "0.3125"),
        ("amd-mi300x-x8", "0.625"),
        ("nvidia-h100-sxm-x8", "1"),
    ]
    spot = read(client, f"{QUESTION}&ordering=usd_per_mtok_output&pricing_model=spot")["results"]
    # Spot H100 x8: 14.40 / (8000 x 3600) x 1e6 = 0.5; no spot quote for MI300X.
    assert [row["usd_per_mtok_output"] for row in spot] == ["0.5", None, None]


def test_costs_follow_input_and_output_lengths(client: Client, catalogue: Any) -> None:
    # 1,024 in, 1,024 out: as many input tokens as output tokens, twice as many of both.
    row = read(client, f"{QUESTION}&offer=nvidia-h100-sxm-x8")["results"][0]
    assert (row["usd_per_mtok_input"], row["usd_per_mtok_blended"]) == ("1", "0.5")


def test_an_offer_that_misses_the_service_level_shows_its_fastest_deployment_and_says_so(
    client: Client, catalogue: Any
) -> None:
    rows = {row["offer"]: row for row in read(client, QUESTION)["results"]}
    assert rows["amd-mi300x-x1"]["meets_service_level"] is False
    assert (rows["amd-mi300x-x1"]["objective"], rows["amd-mi300x-x1"]["tpot_ms"]) == ("fastest", 80.0)
    assert rows["amd-mi300x-x1"]["reason"].startswith("tpot_slo_missed")
    assert rows["nvidia-h100-sxm-x8"]["objective"] == "throughput_within"


def test_what_does_not_fit_is_shown_on_request_with_its_reason(client: Client, catalogue: Any) -> None:
    assert "nvidia-h100-sxm-x1" not in offers(client)
    row = read(client, f"{QUESTION}&state=does_not_fit")["results"][0]
    assert (row["offer"], row["shortfall_gb"], row["tpot_ms"]) == ("nvidia-h100-sxm-x1", 61.0, None)
    assert len(offers(client, "&state=all")) == 4


def test_a_row_carries_quote_costs_versions_systems_and_its_explanation(
    client: Client, catalogue: Any
) -> None:
    row = read(client, f"{QUESTION}&offer=nvidia-h100-sxm-x8")["results"][0]
    assert row["systems"] == ["DGX H100"]
    assert (row["quote"]["provider"], row["quote"]["usd_per_hour"]) == ("example-cloud", "28.8")
    assert (row["quote"]["stale"], row["quote"]["scaled_from"]) == (False, None)
    assert set(row["costs"]) == {"on_demand", "spot"}
    assert row["costs"]["spot"]["usd_per_mtok_output"] == "0.5"
    assert (row["grade"], row["binding_limit"]) == ("D", "bandwidth")
    assert row["accelerator_version"] == catalogue.h100.version
    assert row["explain"] == f"/api/v1/estimates/{row['id']}/explain"


def test_a_scaled_quote_says_what_it_was_scaled_from(client: Client, catalogue: Any) -> None:
    row = read(client, f"{QUESTION}&offer=amd-mi300x-x1")["results"][0]
    assert (row["quote"]["usd_per_hour"], row["quote"]["scaled_from"]) == ("2.25", "8")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("&vendor=amd", ["amd-mi300x-x1", "amd-mi300x-x8"]),
        ("&accelerator=nvidia-h100-sxm", ["nvidia-h100-sxm-x8"]),
        ("&kind=gpu&segment=edge", []),
        ("&count__lte=4", ["amd-mi300x-x1"]),
        ("&tpot_ms__lte=50", ["amd-mi300x-x8", "nvidia-h100-sxm-x8"]),
        ("&meets_service_level=true&ordering=-usd_per_mtok_output", ["nvidia-h100-sxm-x8", "amd-mi300x-x8"]),
        ("&concurrency__gte=1000", []),
        ("&usd_per_mtok_output__lte=0.7", ["amd-mi300x-x1", "amd-mi300x-x8"]),
        ("&ordering=-throughput_tok_s,offer", ["amd-mi300x-x8", "nvidia-h100-sxm-x8", "amd-mi300x-x1"]),
        ("&objective=fastest", ["amd-mi300x-x1", "amd-mi300x-x8", "nvidia-h100-sxm-x8"]),
    ],
)
def test_filters(query: str, expected: list[str], client: Client, catalogue: Any) -> None:
    assert offers(client, query) == expected


def test_prices_obey_their_filters(client: Client, catalogue: Any) -> None:
    def priced(query: str) -> list[str | None]:
        rows = read(client, f"{QUESTION}&offer=nvidia-h100-sxm-x8&{query}")["results"]
        return [row["usd_per_hour"] for row in rows]

    assert priced("country=US") == ["28.8"]
    assert priced("country=DE") == [None]
    assert priced("country=DE&pricing_model=spot") == ["14.4"]
    assert priced("region=elsewhere") == [None]
    assert priced("as_of=2000-01-01") == [None]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("model=llama-3.1-70b", "?model"),
        ("provider=nobody", "?provider"),
        ("country=Germany", "?country"),
        ("as_of=soon", "?as_of"),
        ("objective=best", "?objective"),
        ("state=fine", "?state"),
        ("pricing_model=stolen", "?pricing_model"),
        ("tpot_ms__lte=-inf", "?tpot_ms__lte"),
        ("price=1", "?price"),
    ],
)
def test_bad_parameters(query: str, pointer: str, client: Client, catalogue: Any) -> None:
    assert read(client, f"estimates?{query}", 400)["errors"][0]["pointer"] == pointer


def test_an_unknown_model_names_near_ones(client: Client, catalogue: Any) -> None:
    error = read(client, "estimates?model=llama-3.1-70b", 400)["errors"][0]
    assert error["accepted"] == ["llama-3.1-70b-instruct"]


def test_a_changed_fact_marks_its_estimates_stale(client: Client, catalogue: Any) -> None:
    def stale() -> bool:
        return bool(read(client, f"{QUESTION}&offer=nvidia-h100-sxm-x8")["results"][0]["stale"])

    assert stale() is False
    Accelerator.objects.filter(slug="nvidia-h100-sxm").update(memory_bandwidth_gbs=4020)
    assert stale() is True
