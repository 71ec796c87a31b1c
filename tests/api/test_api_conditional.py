"""ETags: strong, stable while nothing changes, answered with 304, new after a change."""

from typing import Any

import pytest
from django.test import Client

from catalog.models import Accelerator, Vendor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address", ["vendors", "accelerators/nvidia-h100-sxm", "estimates", "vendors?format=csv"]
)
def test_an_unchanged_answer_is_a_304_without_a_body(address: str, client: Client, catalogue: Any) -> None:
    first = client.get(f"/api/v1/{address}")
    assert first["ETag"].startswith('"')
    again = client.get(f"/api/v1/{address}", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    other = client.get(f"/api/v1/{address}", headers={"if-none-match": '"other"'})
    assert other.content == first.content


def test_a_change_makes_a_new_etag(client: Client, catalogue: Any) -> None:
    before = client.get("/api/v1/vendors")["ETag"]
    Vendor.objects.filter(slug="amd").update(name="Advanced Micro Devices")
    assert client.get("/api/v1/vendors", headers={"if-none-match": before}).status_code == 200


def test_the_etag_of_one_row_carries_its_version(client: Client, catalogue: Any) -> None:
    version = Accelerator.objects.get(slug="nvidia-h100-sxm").version
    assert client.get("/api/v1/accelerators/nvidia-h100-sxm")["ETag"].startswith(f'"v{version}-')


def test_formats_and_columns_have_etags_of_their_own(client: Client, catalogue: Any) -> None:
    addresses = ("vendors", "vendors?format=csv", "vendors?fields=slug")
    assert len({client.get(f"/api/v1/{address}")["ETag"] for address in addresses}) == 3
