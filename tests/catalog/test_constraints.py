"""What the database itself keeps: bounds, natural keys, versions and history, against raw SQL too."""

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from catalog.models import Accelerator, Figure, Link, MemoryTier, PeakRate, System
from tests.catalog.hand_built import accelerator, source, system

pytestmark = pytest.mark.django_db


def run(sql: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def versions() -> dict[str, int]:
    return dict(Accelerator.objects.values_list("slug", "version"))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "0", "-1"])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("catalog_accelerator", "memory_gb"),
        ("catalog_accelerator", "memory_bandwidth_gbs"),
        ("catalog_accelerator", "tdp_w"),
        ("catalog_peakrate", "tera_ops"),
        ("catalog_memorytier", "capacity_gb"),
        ("catalog_link", "bandwidth_gbs"),
        ("catalog_system", "power_kw"),
    ],
)
def test_a_quantity_is_positive_and_finite(table: str, column: str, value: str) -> None:
    chip = accelerator(link_gbs=450)
    PeakRate.objects.create(accelerator=chip, number_format="bf16", tera_ops=1)
    MemoryTier.objects.create(accelerator=chip, role="cache", capacity_gb=1)
    system(chip, 8, "box")
    with pytest.raises(IntegrityError), transaction.atomic():
        run(f"UPDATE {table} SET {column} = '{value}'")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1"])
def test_a_latency_is_finite_and_not_negative(value: str) -> None:
    accelerator(link_gbs=450)
    with pytest.raises(IntegrityError), transaction.atomic():
        run(f"UPDATE catalog_link SET latency_us = '{value}'")


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_figure_is_finite(value: str) -> None:
    chip = accelerator()
    Figure.objects.create(accelerator=chip, quantity="memory_gb", value=1, kind="assumed")
    with pytest.raises(IntegrityError), transaction.atomic():
        run(f"UPDATE catalog_figure SET value = '{value}'")


def test_one_figure_of_a_quantity_is_accepted() -> None:
    chip = accelerator()
    Figure.objects.create(accelerator=chip, quantity="memory_gb", value=1, kind="assumed", accepted=True)
    Figure.objects.create(accelerator=chip, quantity="memory_gb", value=2, kind="assumed")
    with pytest.raises(IntegrityError), transaction.atomic():
        Figure.objects.create(accelerator=chip, quantity="memory_gb", value=3, kind="assumed", accepted=True)


@pytest.mark.parametrize("kind", ["vendor_claim", "measured", "third_party"])
def test_a_claim_needs_a_source(kind: str) -> None:
    chip = accelerator()
    with pytest.raises(IntegrityError), transaction.atomic():
        Figure.objects.create(accelerator=chip, quantity="memory_gb", value=1, kind=kind)
    Figure.objects.create(accelerator=chip, quantity="memory_gb", value=1, kind=kind, source=source())


def test_a_figure_has_exactly_one_subject() -> None:
    chip = accelerator()
    box = system(chip, 8, "box")
    for subjects in ({}, {"accelerator": chip, "system": box}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Figure.objects.create(**subjects, quantity="memory_gb", value=1, kind="assumed")


def test_slugs_and_formats_are_natural_keys() -> None:
    chip = accelerator()
    PeakRate.objects.create(accelerator=chip, number_format="bf16", tera_ops=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        PeakRate.objects.create(accelerator=chip, number_format="bf16", tera_ops=2)
    with pytest.raises(IntegrityError), transaction.atomic():
        Accelerator.objects.create(
            slug=chip.slug, name="x", vendor=chip.vendor, kind="gpu", segment="edge", status="available"
        )


# ---- Versions --------------------------------------------------------------------------------------------


def test_raw_sql_bumps_the_version_of_the_rows_it_changes() -> None:
    accelerator("one")
    accelerator("two")
    before = versions()
    run("UPDATE catalog_accelerator SET memory_gb = 80 WHERE slug = 'one'")
    assert versions() == {"one": before["one"] + 1, "two": before["two"]}


def test_a_bulk_update_bumps_the_version() -> None:
    accelerator()
    before = versions()["chip"]
    Accelerator.objects.update(name="new")
    assert versions()["chip"] == before + 1
    Accelerator.objects.update(notes="no estimate reads them")
    assert versions()["chip"] == before + 1


def test_an_update_that_changes_nothing_bumps_no_version() -> None:
    chip = accelerator()
    before = versions()["chip"]
    run("UPDATE catalog_accelerator SET name = name")
    Link.objects.create(accelerator=chip, scope="host", bandwidth_gbs=63)
    changed = versions()["chip"]
    run("UPDATE catalog_link SET bandwidth_gbs = bandwidth_gbs")
    assert (changed, versions()["chip"]) == (before + 1, changed)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE catalog_peakrate SET tera_ops = 2",
        "UPDATE catalog_memorytier SET capacity_gb = 2",
        "UPDATE catalog_link SET bandwidth_gbs = 900",
        "DELETE FROM catalog_peakrate",
        "DELETE FROM catalog_link",
    ],
)
def test_a_change_of_a_child_row_bumps_its_accelerator_only(statement: str) -> None:
    chip = accelerator("one", link_gbs=450)
    PeakRate.objects.create(accelerator=chip, number_format="bf16", tera_ops=1)
    MemoryTier.objects.create(accelerator=chip, role="cache", capacity_gb=1)
    accelerator("two")
    before = versions()
    run(statement)
    assert versions() == {"one": before["one"] + 1, "two": before["two"]}


def test_a_system_has_a_version_and_its_offer_is_no_part_of_it() -> None:
    chip = accelerator()
    box = system(chip, 8, "box")
    run("UPDATE catalog_system SET power_kw = 10")
    changed = System.objects.get().version
    run(
        "INSERT INTO catalog_offer (slug, accelerator_id, count, retired) VALUES ('chip-x8', %s, 8, false)",
        chip.pk,
    )
    run("UPDATE catalog_system SET offer_id = (SELECT id FROM catalog_offer)")
    assert (changed, System.objects.get().version) == (box.version + 1, changed)


# ---- History ---------------------------------------------------------------------------------------------


def test_every_change_leaves_a_history_row_even_by_raw_sql() -> None:
    chip = accelerator()
    run("UPDATE catalog_accelerator SET memory_gb = 80")
    run("UPDATE catalog_accelerator SET memory_gb = 96")
    events = (
        apps.get_model("catalog", "AcceleratorEvent").objects.filter(pgh_obj_id=chip.pk).order_by("pgh_id")
    )
    assert list(events.values_list("pgh_label", "memory_gb")) == [
        ("insert", None),
        ("update", 80),
        ("update", 96),
    ]


def test_a_deleted_child_row_stays_in_history() -> None:
    chip = accelerator()
    rate = PeakRate.objects.create(accelerator=chip, number_format="bf16", tera_ops=989)
    pk = rate.pk
    run("DELETE FROM catalog_peakrate")
    event = apps.get_model("catalog", "PeakRateEvent").objects.filter(pgh_obj_id=pk).latest("pgh_id")
    assert (event.pgh_label, event.tera_ops) == ("delete", 989)
