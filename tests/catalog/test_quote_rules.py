"""Rules across quotes: each keeps one kind of error that real price lists carry out of use."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest

from catalog.quote_rules import suspects


@dataclass(frozen=True)
class Quote:
    price_per_hour: Decimal
    pricing_model: str = "on_demand"
    region: str = "r0"
    offering: str = "vm"
    accelerator_count: Decimal = Decimal(1)
    provider: str = "cloud"
    accelerator: str = "chip"
    observed_on: date | None = date(2026, 1, 1)


def listed(*prices: str, **columns: str) -> list[Quote]:
    """One offering over regions r0, r1, ..."""
    return [Quote(Decimal(price), region=f"r{at}", **columns) for at, price in enumerate(prices)]  # type: ignore[arg-type]


@pytest.mark.parametrize("price", ["700", "0.01"])
def test_a_marker_is_no_price(price: str) -> None:
    assert "sentinel" in suspects([Quote(Decimal(price))])[0]


def test_an_expensive_rack_is_no_sentinel() -> None:
    # 440 USD for 64 accelerators is 6.88 each.
    assert suspects([Quote(Decimal(440), accelerator_count=Decimal(64))]) == {}


def test_spot_above_on_demand_of_the_same_offering_region_and_day() -> None:
    on_demand, spot = Quote(Decimal(2)), Quote(Decimal("2.01"), "spot")

    assert suspects([on_demand, spot]) == {1: "spot above on demand (2.01 against 2)"}


def test_spot_above_the_dearest_on_demand_offering_of_the_same_shape() -> None:
    quotes = [
        Quote(Decimal("1.39"), offering="community"),
        Quote(Decimal("1.49"), offering="secure"),
        Quote(Decimal("2.17"), "spot", offering="spot"),
        Quote(Decimal("1.45"), "spot", offering="other spot"),
    ]

    assert list(suspects(quotes)) == [2]


def test_spot_in_another_region_or_on_another_day_is_not_compared() -> None:
    quotes = [
        Quote(Decimal(2), region="cheap"),
        Quote(Decimal(3), "spot", region="dear"),
        Quote(Decimal(3), "spot", region="cheap", observed_on=date(2025, 1, 1)),
    ]

    assert suspects(quotes) == {}


def test_one_region_far_from_the_others_is_an_outlier() -> None:
    # 42 is the median; 42 / 2.5 = 16.8.
    assert suspects(listed("40", "41", "42", "44", "7.692")) == {
        4: "outlier: 7.692 against 41 in the other regions"
    }
    assert suspects(listed("40", "41", "42", "44", "17")) == {}


def test_a_region_is_not_judged_by_fewer_than_five() -> None:
    assert suspects(listed("40", "7.692")) == {}


def test_a_part_far_below_the_providers_median_is_an_outlier() -> None:
    usual = [Quote(Decimal(4), offering=f"vm{at}", region="") for at in range(5)]
    slice_sold_as_card = Quote(Decimal("1.10"), offering="slice", region="")

    assert list(suspects([*usual, slice_sold_as_card])) == [5]


def test_a_large_host_may_make_a_card_dear_and_spot_may_be_cheap() -> None:
    cards = [Quote(Decimal(1), offering=f"vm{at}", region="") for at in range(5)]
    large_host = Quote(Decimal("5.6"), offering="64 vCPU", region="")
    spots = [Quote(Decimal(1), "spot", offering=f"spot{at}", region="elsewhere") for at in range(5)]
    bargain = Quote(Decimal("0.1"), "spot", offering="bargain", region="elsewhere")

    assert suspects([*cards, large_host, *spots, bargain]) == {}
