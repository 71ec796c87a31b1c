"""The admin's history pages: every change with its diff, who and why, and a form that takes one back."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.history.events import histories
from catalog.models import Vendor
from tests.catalog.hand_built import accelerator, vendor

pytestmark = pytest.mark.django_db


def change_of(row: Vendor) -> str:
    events = histories()["vendors"].events._default_manager.filter(pgh_obj_id=row.pk)
    return f"vendors-{events.order_by('-pgh_id').values_list('pgh_id', flat=True)[0]}"


def edited() -> Vendor:
    row = vendor()
    Vendor.objects.filter(pk=row.pk).update(website="https://new.example")
    return row


def revert_address(row: Vendor, change: str) -> str:
    return reverse("admin:catalog_vendor_revert", args=[row.pk, change])


def test_the_history_shows_the_diff_and_where_to_take_it_back(admin_client: Client) -> None:
    row = edited()
    page = admin_client.get(reverse("admin:catalog_vendor_history", args=[row.pk])).content.decode()
    assert "https://new.example" in page
    assert revert_address(row, change_of(row)) in page
    assert f"/api/v1/changes/{change_of(row)}/effects" in page


def test_the_parts_of_an_accelerator_are_in_its_history(admin_client: Client) -> None:
    chip = accelerator(link_gbs=450)
    page = admin_client.get(reverse("admin:catalog_accelerator_history", args=[chip.pk])).content.decode()
    assert "insert in links" in page


def test_a_change_is_taken_back_with_its_reason(admin_client: Client, admin_user: Any) -> None:
    row = edited()
    address = revert_address(row, change_of(row))
    assert admin_client.get(address).status_code == 200
    assert admin_client.post(address, {"change_reason": ""}).status_code == 200
    row.refresh_from_db()
    assert row.website == "https://new.example"
    page = admin_client.post(address, {"change_reason": "wrong site"}, follow=True).content.decode()
    row.refresh_from_db()
    assert row.website == ""
    assert ": wrong site" in page
    assert f"by {admin_user.username}" in page


def test_what_changed_since_is_shown_and_may_be_overridden(admin_client: Client) -> None:
    row = edited()
    first = change_of(row)
    Vendor.objects.filter(pk=row.pk).update(website="https://newer.example")
    refused = admin_client.post(revert_address(row, first), {"change_reason": "late"})
    assert refused.status_code == 409
    assert "https://newer.example" in refused.content.decode()
    current = '{"website": "https://newer.example"}'
    admin_client.post(revert_address(row, first), {"change_reason": "late", "current": current})
    row.refresh_from_db()
    assert row.website == ""


def test_a_change_of_another_row_is_not_found(admin_client: Client) -> None:
    row = edited()
    other = Vendor.objects.create(slug="other", name="Other")
    assert admin_client.get(revert_address(row, change_of(other))).status_code == 404


def test_a_reader_of_the_admin_takes_nothing_back(client: Client, django_user_model: Any) -> None:
    client.force_login(django_user_model.objects.create_user("reader", is_staff=True))
    row = edited()
    assert client.post(revert_address(row, change_of(row)), {"change_reason": "x"}).status_code == 403
