"""Lists: every resource answers; filters, ordering, pages, sparse fields and CSV come from its columns."""

import csv
import io
from typing import Any

import orjson
import pytest
from django.test import Client

from catalog.api.urls import RESOURCES
from catalog.models import Vendor
from config.rest.columns import Resource
from estimates.api.claims import CLAIMS
from estimates.api.estimates import ESTIMATES
from estimates.api.jobs import JOBS
from estimates.api.runs import RUNS
from tests.api.small_catalogue import problem_of, read

pytestmark = pytest.mark.django_db
EVERY = [*RESOURCES, CLAIMS, ESTIMATES, JOBS, RUNS]


@pytest.mark.parametrize("resource", EVERY, ids=lambda resource: resource.name)
class TestEveryResource:
    def test_lists_its_rows_with_their_columns(
        self, resource: Resource, client: Client, catalogue: Any
    ) -> None:
        body = read(client, resource.name)
        assert body["count"] == len(body["results"]) > 0
        assert list(body["results"][0]) == [column.name for column in resource.columns if column.listed]

    def test_shows_one_by_its_key(self, resource: Resource, client: Client, catalogue: Any) -> None:
        key = read(client, resource.name)["results"][0][resource.key]
        row = read(client, f"{resource.name}/{key}")
        assert row[resource.key] == key
        assert set(row) == {column.name for column in resource.columns} | set(resource.sections)

    def test_every_column_can_be_asked_for_alone(
        self, resource: Resource, client: Client, catalogue: Any
    ) -> None:
        for column in resource.columns:
            body = read(client, f"{resource.name}?fields={column.name}")
            assert list(body["results"][0]) == [column.name]

    def test_every_sortable_column_orders_both_ways(
        self, resource: Resource, client: Client, catalogue: Any
    ) -> None:
        for column in resource.columns:
            if column.sortable:
                read(client, f"{resource.name}?ordering={column.name}")
                read(client, f"{resource.name}?ordering=-{column.name}")

    def test_csv_has_the_rows_and_columns_of_the_json(
        self, resource: Resource, client: Client, catalogue: Any
    ) -> None:
        body = read(client, f"{resource.name}?limit=3")
        response = client.get(f"/api/v1/{resource.name}?limit=3&format=csv")
        assert response["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.reader(io.StringIO(response.content.decode())))
        assert rows[0] == list(body["results"][0])
        assert len(rows) - 1 == len(body["results"])

    def test_an_unknown_key_is_a_404(self, resource: Resource, client: Client, catalogue: Any) -> None:
        problem_of(client.get(f"/api/v1/{resource.name}/no-such-thing"), 404)

    def test_the_documented_query_is_accepted(
        self, resource: Resource, client: Client, catalogue: Any
    ) -> None:
        response = client.get(f"/api/v1/{resource.name}?{resource.example_query}")
        if response.status_code == 400:  # it may name a thing that this small catalogue has not
            assert {error["code"] for error in orjson.loads(response.content)["errors"]} == {"unknown"}


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("vendor=nvidia", ["nvidia-h100-sxm"]),
        ("vendor=nvidia&vendor=amd", ["amd-mi300x", "nvidia-h100-sxm"]),
        ("vendor__n=nvidia", ["amd-mi300x"]),
        ("memory_gb__gte=80", ["amd-mi300x", "nvidia-h100-sxm"]),
        ("memory_gb__gt=80", ["amd-mi300x"]),
        ("memory_gb__lt=192&memory_gb__gte=80", ["nvidia-h100-sxm"]),
        ("memory_gb=80", ["nvidia-h100-sxm"]),
        ("memory_bandwidth_gbs__isnull=true", ["amd-mi300x"]),
        ("generation__isnull=false", ["nvidia-h100-sxm"]),
        ("name__ic=h1", ["nvidia-h100-sxm"]),
        ("peak_fp8_tflops__gte=2000", ["amd-mi300x"]),
        ("scale_up_gbs__gte=400", ["nvidia-h100-sxm"]),
        ("kind=gpu&status=available", ["amd-mi300x", "nvidia-h100-sxm"]),
        ("memory_is_sram=true", []),
    ],
)
def test_filters(query: str, slugs: list[str], client: Client, catalogue: Any) -> None:
    assert [row["slug"] for row in read(client, f"accelerators?{query}")["results"]] == slugs


def test_the_unknown_comes_last_in_both_directions(client: Client, catalogue: Any) -> None:
    for ordering in ("memory_bandwidth_gbs", "-memory_bandwidth_gbs", "generation", "-generation"):
        rows = read(client, f"accelerators?ordering={ordering}")["results"]
        assert rows[-1]["slug"] == "amd-mi300x"


def test_pages_join_into_the_whole(client: Client, db: None) -> None:
    Vendor.objects.bulk_create(Vendor(slug=f"v{i:02}", name=f"V{i}") for i in range(5))
    address, seen = "/api/v1/vendors?limit=2&fields=slug", []
    while address:
        body = orjson.loads(client.get(address).content)
        assert body["count"] == 5
        seen += [row["slug"] for row in body["results"]]
        address = body["next"]
    assert seen == ["v00", "v01", "v02", "v03", "v04"]
    assert read(client, "vendors?limit=2&offset=2")["previous"].endswith("limit=2&offset=0")


def test_a_cursor_walks_all_rows_without_counting(client: Client, catalogue: Any) -> None:
    first = read(client, "price-quotes?cursor=start&limit=2&fields=id")
    assert first["count"] is None
    second = orjson.loads(client.get(first["next"]).content)
    assert len(first["results"] + second["results"]) == 3
    assert second["next"] is None


def test_limits_are_bounded(client: Client, catalogue: Any) -> None:
    for query in ("limit=0", "limit=1001", "limit=-1", "limit=x", "offset=-1", "limit=1&limit=2"):
        assert read(client, f"vendors?{query}", 400)["errors"][0]["pointer"].startswith("?")


def test_an_unknown_parameter_is_refused_with_the_accepted_ones(client: Client, catalogue: Any) -> None:
    error = read(client, "accelerators?memory_gb__min=80", 400)["errors"][0]
    assert error["code"] == "unknown_parameter"
    assert "memory_gb__gte" in error["accepted"]
    assert "memory_gb" in error["detail"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("memory_gb__gte=much", "invalid"),
        ("memory_gb__gte=nan", "invalid"),
        ("memory_gb__gte=inf", "invalid"),
        ("memory_bytes=99999999999999999999", "invalid"),
        ("kind=toaster", "choice"),
        ("vendor=nvdia", "unknown"),
        ("ordering=colour", "unknown_field"),
        ("ordering=notes,figures", "unknown_field"),
        ("fields=slug,colour", "unknown_field"),
        ("omit=colour", "unknown_field"),
        ("name=%00", "invalid"),
        ("memory_gb__gte=1&memory_gb__gte=2", "repeated"),
        ("memory_is_sram=perhaps", "invalid"),
        ("changed_at__gte=yesterday", "invalid"),
        ("changed_at__gte=0001-01-01T00:00:00%2B23:59", "invalid"),
        ("format=xml", "choice"),
        ("name=", "invalid"),
    ],
)
def test_bad_values_are_refused_with_their_place(
    query: str, code: str, client: Client, catalogue: Any
) -> None:
    body = problem_of(client.get(f"/api/v1/accelerators?{query}"), 400)
    assert body["errors"][0]["code"] == code
    assert body["errors"][0]["pointer"].startswith("?")


def test_an_unknown_slug_names_near_ones(client: Client, catalogue: Any) -> None:
    assert read(client, "accelerators?vendor=nvida", 400)["errors"][0]["accepted"] == ["nvidia"]


def test_a_model_is_found_by_its_repository_and_its_printed_name(client: Client, catalogue: Any) -> None:
    for name in ("meta-llama/llama-3.1-70b-instruct", "llama 3.1 70b"):
        assert read(client, "token-prices", 200) == read(client, f"token-prices?model={name}")


def test_omit_leaves_columns_out(client: Client, catalogue: Any) -> None:
    rows = read(client, "vendors?omit=website,changed_at")["results"]
    assert "website" not in rows[0]
    assert "slug" in rows[0]


def test_money_is_a_decimal_string_and_unknown_text_is_null(client: Client, catalogue: Any) -> None:
    row = read(client, "price-quotes?pricing_model=spot")["results"][0]
    assert row["price_per_hour"] == "14.4"
    assert row["price_per_accelerator_hour"] == "1.8"
    assert row["term"] is None


def test_csv_makes_formulas_harmless_and_leaves_numbers_alone(client: Client, catalogue: Any) -> None:
    response = client.get(
        "/api/v1/accelerators?fields=slug,notes,memory_gb&slug=amd-mi300x", headers={"accept": "text/csv"}
    )
    assert response.content.decode().splitlines() == [
        "slug,notes,memory_gb",
        "amd-mi300x,'=HYPERLINK(1),192.0",
    ]


def test_as_of_leaves_out_quotes_seen_later(client: Client, catalogue: Any) -> None:
    assert read(client, "price-quotes?as_of=2000-01-01")["count"] == 0
    assert read(client, "price-quotes?as_of=2999-01-01")["count"] == 3


def test_the_root_names_every_resource(client: Client, db: None) -> None:
    assert {resource.name for resource in EVERY} <= set(read(client, ""))
