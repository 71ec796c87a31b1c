"""Accepting a figure: the value reaches its column, the former one stays as a rival, bad figures are refused."""

# ruff: noqa: E501

import math
from typing import Any

import pytest

from catalog.figures import (
    FigureError,
    accept_figure,
    accepted_value,
    figures_of,
    provenance,
    provenance_of,
    quantities_of,
)
from catalog.models import Accelerator, Figure, Link, MemoryTier, PeakRate, Source, System, Workload
from tests.catalog.hand_built import accelerator, source, system

pytestmark = pytest.mark.django_db


def accepted(subject: Accelerator, quantity: str) -> list[float]:
    return list(
        Figure.objects.filter(accelerator=subject, quantity=quantity, accepted=True).values_list(
            "value", flat=True
        )
    )


def test_the_value_stands_in_its_column_and_on_the_instance() -> None:
    chip = accelerator()
    accept_figure(chip, "memory_bandwidth_gbs", 3350, kind="vendor_claim", source=source())
    assert chip.memory_bandwidth_gbs == 3350
    assert Accelerator.objects.get().memory_bandwidth_gbs == 3350


def test_the_former_figure_stays_as_a_rival() -> None:
    chip = accelerator()
    accept_figure(chip, "memory_gb", 80, kind="vendor_claim", source=source())
    accept_figure(chip, "memory_gb", 96, kind="assumed", reason="the larger card")
    assert list(figures_of(chip, "memory_gb").values_list("value", "accepted")) == [(96, True), (80, False)]
    assert accepted_value(chip, "memory_gb") == 96


def test_accepting_the_same_figure_again_adds_none_and_bumps_no_version() -> None:
    chip = accelerator()
    first = accept_figure(chip, "memory_gb", 80, kind="assumed", reason="r")
    version = Accelerator.objects.get().version
    assert accept_figure(chip, "memory_gb", 80, kind="assumed", reason="r").pk == first.pk
    assert Figure.objects.count() == 1
    assert Accelerator.objects.get().version == version


def test_a_figure_raises_the_version_of_its_subject() -> None:
    chip = accelerator()
    accept_figure(chip, "memory_gb", 80, kind="assumed")
    assert Accelerator.objects.get().version > chip.version


def test_the_same_value_with_a_better_source_changes_the_version_because_the_grade_rests_on_it() -> None:
    chip = accelerator()
    accept_figure(chip, "memory_gb", 80, kind="assumed")
    version = Accelerator.objects.get().version
    accept_figure(chip, "memory_gb", 80, kind="vendor_claim", source=source())
    assert accepted(chip, "memory_gb") == [80]
    assert Accelerator.objects.get().version > version


def test_accepting_what_is_accepted_already_changes_no_version() -> None:
    chip = accelerator()
    accept_figure(chip, "memory_gb", 80, kind="assumed")
    version = Accelerator.objects.get().version
    accept_figure(chip, "memory_gb", 80, kind="assumed")
    assert Accelerator.objects.get().version == version


def test_a_rate_makes_and_changes_its_child_row() -> None:
    chip = accelerator()
    accept_figure(chip, "peak_rate:fp8", 1979, kind="vendor_claim", source=source())
    accept_figure(chip, "peak_rate:fp8", 1400, kind="derived", reason="half")
    assert PeakRate.objects.values_list("number_format", "tera_ops", "kind").get() == ("fp8", 1400, "derived")


def test_a_link_and_a_tier_take_their_columns() -> None:
    chip = accelerator()
    accept_figure(chip, "link:scale_up:bandwidth_gbs", 450, kind="assumed")
    accept_figure(chip, "link:scale_up:domain_size", 8, kind="assumed")
    accept_figure(chip, "memory_tier:second:capacity_gb", 480, kind="assumed")
    accept_figure(chip, "memory_tier:second:bandwidth_gbs", 512, kind="assumed")
    assert Link.objects.values_list("bandwidth_gbs", "domain_size").get() == (450, 8)
    assert MemoryTier.objects.values_list("capacity_gb", "bandwidth_gbs").get() == (480, 512)


def test_a_tier_without_capacity_takes_no_bandwidth_and_keeps_no_figure() -> None:
    chip = accelerator()
    with pytest.raises(FigureError, match="capacity_gb first"):
        accept_figure(chip, "memory_tier:second:bandwidth_gbs", 512, kind="assumed")
    assert not Figure.objects.exists()


def test_money_is_kept_to_the_cent() -> None:
    chip = accelerator()
    accept_figure(chip, "launch_price_usd", 1599.99, kind="assumed")
    assert str(Accelerator.objects.get().launch_price_usd) == "1599.99"


def test_systems_and_workloads_take_figures() -> None:
    box: System = system(accelerator(), 8, "box")
    chat = Workload.objects.create(slug="chat", name="Chat", isl=1, osl=1, reason="r")
    accept_figure(box, "power_kw", 10.2, kind="assumed")
    accept_figure(chat, "isl", 1024, kind="assumed")
    assert (System.objects.get().power_kw, Workload.objects.get().isl) == (10.2, 1024)


@pytest.mark.parametrize(
    ("change", "field", "wanted"),
    [
        ({"value": math.nan}, "value", "a finite number above 0 (GB/s)"),
        ({"value": math.inf}, "value", "a finite number above 0 (GB/s)"),
        ({"value": 10**400}, "value", "a finite number above 0 (GB/s)"),
        ({"value": 0}, "value", "a finite number above 0 (GB/s)"),
        ({"value": -5}, "value", "a finite number above 0 (GB/s)"),
        ({"value": True}, "value", "a finite number above 0 (GB/s)"),
        ({"value": "fast"}, "value", "a finite number above 0 (GB/s)"),
        ({"unit": "TB/s"}, "unit", "GB/s"),
        ({"kind": "rumour"}, "kind", "one of vendor_claim, measured, third_party, derived, assumed"),
        ({"kind": "measured"}, "source", "a source, or kind 'assumed' or 'derived' without one"),
        ({"source": "nowhere"}, "source", "the slug of a source in the catalogue"),
        ({"confidence": "certain"}, "confidence", "one of high, medium, low"),
        ({"sparsity": "thin"}, "sparsity", "one of dense, sparse, unknown"),
        ({"quantity": "memory_bandwidth"}, "quantity", "memory_bandwidth_gbs"),
    ],
)  # fmt: skip
def test_a_bad_figure_is_refused_with_what_is_accepted(
    change: dict[str, Any], field: str, wanted: str
) -> None:
    chip = accelerator()
    given: dict[str, Any] = {"quantity": "memory_bandwidth_gbs", "value": 3350, "kind": "assumed"} | change
    with pytest.raises(FigureError) as caught:
        accept_figure(chip, given.pop("quantity"), given.pop("value"), **given)
    assert caught.value.field == field
    assert wanted in caught.value.accepted
    assert not Figure.objects.exists()


@pytest.mark.parametrize("value", [4.5, 10])
def test_a_whole_number_within_bounds_is_asked_of_a_generation(value: float) -> None:
    with pytest.raises(FigureError, match="a whole number above 0 and at most 9"):
        accept_figure(accelerator(), "pcie_generation", value, kind="assumed")


def test_a_source_may_be_named_by_its_slug() -> None:
    chip = accelerator()
    Source.objects.create(slug="sheet", title="Sheet")
    assert accept_figure(chip, "tdp_w", 700, kind="vendor_claim", source="sheet").source.slug == "sheet"


def test_provenance_names_source_kind_and_rivals() -> None:
    chip = accelerator()
    accept_figure(chip, "tdp_w", 600, kind="assumed")
    accept_figure(
        chip, "tdp_w", 700, kind="vendor_claim", source=source(), as_printed="0.7 kW", reason="datasheet"
    )
    found = provenance(chip)["tdp_w"]
    assert (found.value, found.unit, found.kind, found.source_slug, found.as_printed, found.rivals, found.origin) == (
        700, "W", "vendor_claim", "price-list", "0.7 kW", 1, "editor"
    )  # fmt: skip


def test_provenance_of_many_subjects_is_one_query(django_assert_num_queries: Any) -> None:
    chips = [accelerator("one"), accelerator("two")]
    for chip in chips:
        accept_figure(chip, "tdp_w", 600, kind="assumed")
    with django_assert_num_queries(1):
        found = provenance_of(chips)
    assert {pk: set(quantities) for pk, quantities in found.items()} == {chip.pk: {"tdp_w"} for chip in chips}


@pytest.mark.parametrize("subject", [Accelerator, System, Workload])
def test_every_quantity_stands_in_a_column_that_exists(subject: type[Any]) -> None:
    for quantity in quantities_of(subject).values():
        owner = (
            subject if quantity.child is None else subject._meta.get_field(quantity.child[0]).related_model
        )
        owner._meta.get_field(quantity.column)
