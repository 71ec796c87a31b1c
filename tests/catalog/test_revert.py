"""Taking changes back: as new changes, twice is back again, and refused where it would lose another's."""

from typing import Any

import pghistory
import pytest
from django.db import connection

from catalog.figures import accept_figure, accepted_value
from catalog.history.events import change_named, histories
from catalog.history.revert import ChangedSinceError, RevertRefusedError, revert_change
from catalog.models import Accelerator, Figure, PeakRate, PriceQuote, Source, Vendor
from tests.catalog.hand_built import accelerator, offer, quote, source, system, vendor

pytestmark = pytest.mark.django_db


def latest(resource: str, row: Any, **columns: Any) -> str:
    """Id of the last change of this row."""
    events = histories()[resource].events._default_manager.filter(pgh_obj_id=row.pk, **columns)
    return f"{resource}-{events.order_by('-pgh_id').values_list('pgh_id', flat=True)[0]}"


def accepted(chip: Accelerator, quantity: str, value: float, kind: str = "vendor_claim") -> Figure:
    """A figure accepted in a change of its own, as a request makes it."""
    with pghistory.context(reason=f"{quantity} is {value}"):
        return accept_figure(chip, quantity, value, kind=kind, source=source())


def back(change: str, **options: Any) -> str:
    """Take a change back; the id of the change made to the same kind of row."""
    done = revert_change(change, reason="a mistake", **options)
    assert done is not None
    resource = change.rpartition("-")[0]
    made = [change_named(name) for name in done.made if name.rpartition("-")[0] == resource]
    return [one.id for one in made if one is not None and (one.changed or one.action != "update")][-1]


def columns(chip: Accelerator) -> tuple[Any, ...]:
    chip.refresh_from_db()
    return chip.memory_bandwidth_gbs, accepted_value(chip, "memory_bandwidth_gbs")


def test_a_plain_column_is_brought_back_with_the_reason() -> None:
    row = vendor()
    Vendor.objects.filter(pk=row.pk).update(website="https://wrong.example")
    made = change_named(back(latest("vendors", row)))
    row.refresh_from_db()
    assert row.website == ""
    assert made is not None
    assert made.context["reason"].startswith("revert of vendors-")
    assert made.context["reason"].endswith(": a mistake")


def test_a_revert_taken_back_is_the_state_before_it() -> None:
    row = vendor()
    Vendor.objects.filter(pk=row.pk).update(website="https://new.example")
    first = back(latest("vendors", row))
    back(first)
    row.refresh_from_db()
    assert row.website == "https://new.example"


def test_a_figure_of_an_accelerator_is_accepted_again() -> None:
    chip = accelerator()
    old = accepted(chip, "memory_bandwidth_gbs", 3350)
    accepted(chip, "memory_bandwidth_gbs", 4020)
    assert columns(chip) == (4020, 4020)
    back(columns_changed(chip)[0])
    assert columns(chip) == (3350, 3350)
    old.refresh_from_db()
    assert old.accepted
    back(columns_changed(chip)[0])
    assert columns(chip) == (4020, 4020)


def columns_changed(chip: Accelerator) -> list[str]:
    """Changes of the accelerator's bandwidth, newest first."""
    numbers = histories()["accelerators"].events._default_manager.filter(pgh_obj_id=chip.pk)
    names = [f"accelerators-{pk}" for pk in numbers.order_by("-pgh_id").values_list("pgh_id", flat=True)]
    found = [change_named(name) for name in names]
    return [c.id for c in found if c is not None and "memory_bandwidth_gbs" in c.changed]


def test_the_first_figure_taken_back_leaves_the_value_unknown() -> None:
    chip = accelerator()
    figure = accepted(chip, "memory_bandwidth_gbs", 3350)
    back(columns_changed(chip)[0])
    figure.refresh_from_db()
    assert columns(chip) == (None, None)
    assert not figure.accepted


def test_a_figures_own_insert_taken_back_gives_way_to_the_one_before() -> None:
    chip = accelerator()
    accepted(chip, "memory_bandwidth_gbs", 3350)
    figure = accepted(chip, "memory_bandwidth_gbs", 4020)
    back(latest("figures", figure))
    assert columns(chip) == (3350, 3350)
    assert not Figure.objects.filter(pk=figure.pk).exists()
    back(latest("figures", figure))  # its deletion
    assert columns(chip) == (4020, 4020)
    assert Figure.objects.get(pk=figure.pk).accepted


def test_a_rate_goes_back_with_its_figure() -> None:
    chip = accelerator()
    accepted(chip, "peak_rate:fp8", 1979)
    accepted(chip, "peak_rate:fp8", 3958)
    rate = PeakRate.objects.get(accelerator=chip)
    back(latest("peak-rates", rate))
    rate.refresh_from_db()
    assert (rate.tera_ops, accepted_value(chip, "peak_rate:fp8")) == (1979, 1979)


def test_a_rate_that_came_goes_with_its_figures_acceptance() -> None:
    chip = accelerator()
    accepted(chip, "peak_rate:fp8", 1979)
    rate = PeakRate.objects.get(accelerator=chip)
    back(latest("peak-rates", rate))
    assert not PeakRate.objects.filter(accelerator=chip).exists()
    assert accepted_value(chip, "peak_rate:fp8") is None
    back(latest("peak-rates", rate))  # its deletion
    assert PeakRate.objects.get(pk=rate.pk).tera_ops == accepted_value(chip, "peak_rate:fp8") == 1979


def test_a_column_overwritten_past_its_figure_goes_back_to_the_figure() -> None:
    chip = accelerator()
    accepted(chip, "memory_bandwidth_gbs", 3350)
    with pghistory.context(reason="raw"), connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_accelerator SET memory_bandwidth_gbs = 1 WHERE id = %s", [chip.pk])
    back(columns_changed(chip)[0])
    assert columns(chip) == (3350, 3350)


def test_what_changed_since_is_refused_with_the_present_value() -> None:
    row = vendor()
    Vendor.objects.filter(pk=row.pk).update(website="https://one.example")
    first = latest("vendors", row)
    Vendor.objects.filter(pk=row.pk).update(website="https://two.example")
    with pytest.raises(ChangedSinceError) as refused:
        revert_change(first, reason="late")
    assert refused.value.fields == {"website": "https://two.example"}
    row.refresh_from_db()
    assert row.website == "https://two.example"


def test_naming_the_present_state_takes_it_back_all_the_same() -> None:
    row = vendor()
    Vendor.objects.filter(pk=row.pk).update(website="https://one.example")
    first = latest("vendors", row)
    Vendor.objects.filter(pk=row.pk).update(website="https://two.example")
    back(first, current={"website": "https://two.example"})
    row.refresh_from_db()
    assert row.website == ""


def test_a_change_in_another_field_since_is_kept() -> None:
    row = vendor()
    Vendor.objects.filter(pk=row.pk).update(website="https://one.example")
    first = latest("vendors", row)
    Vendor.objects.filter(pk=row.pk).update(makes_hardware=True)
    back(first)
    row.refresh_from_db()
    assert (row.website, row.makes_hardware) == ("", True)


def test_a_deleted_row_is_there_again_with_its_number_and_its_parts() -> None:
    chip = accelerator(link_gbs=450, domain=8)
    accepted(chip, "peak_rate:fp8", 1979)
    key, version = chip.pk, Accelerator.objects.get(pk=chip.pk).version
    with pghistory.context(reason="gone"):
        chip.delete()
    chip.pk = key
    made = back(latest("accelerators", chip))
    again = Accelerator.objects.get(pk=key)
    assert again.version > version
    assert (again.links.count(), again.peak_rates.get().tera_ops) == (1, 1979)
    assert accepted_value(again, "peak_rate:fp8") == 1979
    back(made)
    assert not Accelerator.objects.filter(pk=key).exists()  # its insert, taken back with the parts


def test_a_row_that_others_need_is_not_deleted() -> None:
    chip = accelerator()
    inserted = latest("accelerators", chip)
    system(chip, 8, "box")
    with pytest.raises(RevertRefusedError, match=r"systems depend on the row|changed since"):
        revert_change(inserted, reason="no")
    assert Accelerator.objects.filter(pk=chip.pk).exists()


def test_a_row_without_its_parent_is_not_inserted() -> None:
    chip = accelerator(link_gbs=450)
    link = chip.links.get()
    key = link.pk
    link.delete()
    link.pk = key
    deleted = latest("links", link)
    chip.delete()
    with pytest.raises(RevertRefusedError) as refused:
        revert_change(deleted, reason="no")
    assert refused.value.code == "parent-gone"


def test_a_taken_name_is_refused() -> None:
    row = Source.objects.create(slug="paper", title="Paper")
    key = row.pk
    row.delete()
    row.pk = key
    deleted = latest("sources", row)
    Source.objects.create(slug="paper", title="Another")
    with pytest.raises(RevertRefusedError) as refused:
        revert_change(deleted, reason="no")
    assert refused.value.code == "constraint"


def test_what_is_only_appended_stays() -> None:
    price = quote(accelerator(), "2.00")
    with pytest.raises(RevertRefusedError) as refused:
        revert_change(latest("price-quotes", price), reason="no")
    assert refused.value.code == "append-only"
    assert PriceQuote.objects.filter(pk=price.pk).exists()


def test_what_follows_from_other_rows_is_refused() -> None:
    made = offer(accelerator())
    with pytest.raises(RevertRefusedError) as refused:
        revert_change(latest("offers", made), reason="no")
    assert refused.value.code == "derived"


@pytest.mark.parametrize("name", ["vendors-999999", "vendors-x", "nothing-1", "1", "-", "vendors-٣"])
def test_an_unknown_change_is_none(name: str) -> None:
    assert revert_change(name, reason="no") is None
