"""Offers: the distinct shapes behind systems, quotes and single cards."""

import pytest

from catalog.models import Accelerator, Link, Offer, System
from catalog.offers import Chip, Machine, Shape, distinct_shapes, refresh_offers
from tests.catalog import hand_built


def shapes_of(chip: Chip, *machines: Machine, quoted: tuple[int, ...] = ()) -> set[Shape]:
    return set(distinct_shapes({1: chip}, {1: machines}, {1: quoted}).scale_out)


def test_every_accelerator_is_offered_as_a_single_card_without_a_link() -> None:
    assert shapes_of(Chip("chip", 450, 8)) == {Shape(1, 1)}


def test_systems_of_one_shape_are_one_offer() -> None:
    shapes = distinct_shapes(
        {1: Chip("chip", 450, 8)},
        {1: [Machine(10, 8, 450), Machine(11, 8, 450, scale_out_gbs=50), Machine(12, 8, None)]},
        {1: [8]},
    )

    assert set(shapes.scale_out) == {Shape(1, 1), Shape(1, 8, 450, 8)}
    assert set(shapes.of_system.values()) == {Shape(1, 8, 450, 8)}
    assert shapes.scale_out[Shape(1, 8, 450, 8)] == 50


def test_near_identical_links_collapse_to_the_most_often_stated() -> None:
    # 525 and 537.5 differ by 2.3%: one link read from two sheets.
    assert shapes_of(Chip("chip"), Machine(1, 8, 525.0), Machine(2, 8, 537.5), Machine(3, 8, 537.5)) == {
        Shape(1, 1),
        Shape(1, 8, 537.5, 8),
    }


def test_links_that_differ_are_two_offers() -> None:
    assert shapes_of(Chip("chip", 450, 8), Machine(1, 8, 450), Machine(2, 8, 64)) == {
        Shape(1, 1),
        Shape(1, 8, 450, 8),
        Shape(1, 8, 64, 8),
    }


def test_a_quoted_count_takes_the_link_that_systems_of_the_count_have() -> None:
    # Gaudi 2: 24 ports on the chip (300 GB/s), 21 of them between the eight of a server (262.5 GB/s).
    assert shapes_of(Chip("gaudi", 300, 8), Machine(1, 8, 262.5), quoted=(8,)) == {
        Shape(1, 1),
        Shape(1, 8, 262.5, 8),
    }


def test_a_quoted_count_without_systems_takes_the_own_link_and_at_most_its_domain() -> None:
    assert shapes_of(Chip("bridged", 300, 2), quoted=(2, 4)) == {
        Shape(1, 1),
        Shape(1, 2, 300, 2),
        Shape(1, 4, 300, 2),
    }


def test_a_part_without_a_link_has_none_in_a_server() -> None:
    assert shapes_of(Chip("pcie card"), Machine(1, 8), quoted=(4,)) == {Shape(1, 1), Shape(1, 4), Shape(1, 8)}


@pytest.mark.django_db
def test_refreshing_derives_offers_and_points_systems_at_them() -> None:
    chip = hand_built.accelerator("chip", 450, 8)
    for name in ("node-a", "node-b"):
        hand_built.system(chip, 8, name, scale_up_gbs=450)
    hand_built.quote(chip, "6", count="4")
    hand_built.quote(chip, "0.3", count="0.5")
    hand_built.quote(chip, "9", count="2", suspect="sentinel")

    changes = refresh_offers()

    assert list(Offer.objects.values_list("slug", flat=True)) == ["chip-x1", "chip-x4", "chip-x8"]
    assert changes.added == changes.standing == 3
    assert set(System.objects.values_list("offer__slug", flat=True)) == {"chip-x8"}
    assert Offer.objects.get(slug="chip-x8").systems.count() == 2


@pytest.mark.django_db
def test_refreshing_again_changes_nothing_and_bumps_no_version() -> None:
    chip = hand_built.accelerator("chip", 450, 8)
    hand_built.system(chip, 8, "node", scale_up_gbs=450)
    refresh_offers()
    version = Accelerator.objects.get().version

    changes = refresh_offers()

    assert (changes.added, changes.changed, changes.retired, changes.systems_assigned) == (0, 0, 0, 0)
    assert Accelerator.objects.get().version == version


@pytest.mark.django_db
def test_pointing_a_system_at_its_offer_is_no_change_of_the_system() -> None:
    chip = hand_built.accelerator()
    node = hand_built.system(chip, 8, "node")

    refresh_offers()

    node.refresh_from_db()
    assert (node.version, node.offer is not None) == (1, True)


@pytest.mark.django_db
def test_an_offer_that_nothing_stands_behind_is_retired_and_comes_back_under_its_slug() -> None:
    chip = hand_built.accelerator()
    node = hand_built.system(chip, 8, "node")
    refresh_offers()
    first = Offer.objects.get(slug="chip-x8").pk
    node.delete()

    assert refresh_offers().retired == 1
    assert Offer.objects.get(slug="chip-x8").retired

    hand_built.system(chip, 8, "node again")
    refresh_offers()
    assert Offer.objects.get(slug="chip-x8", retired=False).pk == first


@pytest.mark.django_db
def test_a_corrected_link_keeps_the_offer_and_its_slug() -> None:
    chip = hand_built.accelerator("chip", 450, 8)
    hand_built.quote(chip, "20", count="8")
    refresh_offers()
    before = Offer.objects.get(slug="chip-x8")
    Link.objects.update(bandwidth_gbs=900)

    refresh_offers()

    after = Offer.objects.get(slug="chip-x8")
    assert (after.pk, after.scale_up_gbs, after.retired) == (before.pk, 900, False)


@pytest.mark.django_db
def test_two_links_of_one_count_have_slugs_that_tell_them_apart() -> None:
    chip = hand_built.accelerator("chip", 450, 8)
    hand_built.system(chip, 8, "a", scale_up_gbs=450)
    hand_built.system(chip, 8, "b", scale_up_gbs=64)

    refresh_offers()

    assert set(Offer.objects.filter(count=8).values_list("slug", flat=True)) == {"chip-x8", "chip-x8-64gbs"}
