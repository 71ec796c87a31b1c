"""Prices by basis: which is chosen, what is missing, how old it is, and how many queries it takes."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Accelerator, Offer, PriceQuote, PurchasePrice, Source
from estimates.economics import defaults
from estimates.economics.bases import BasisAsked, hourly_prices, owned_prices
from estimates.economics.owned import OwnedTerms
from tests.estimates.conftest import TinyCatalogue

pytestmark = pytest.mark.django_db


def offer(slug: str) -> int:
    return Offer.objects.get(slug=slug).pk


def buy(row: Accelerator, price: str, year: int | None, basis: str = "") -> PurchasePrice:
    source, _ = Source.objects.get_or_create(slug="shop", defaults={"title": "Shop"})
    return PurchasePrice.objects.create(
        key=f"{row.slug}-{price}-{year}-{basis}"[:64],
        hardware_name=row.name,
        accelerator=row,
        price=Decimal(price),
        year=year,
        basis=basis,
        source=source,
    )


def test_any_takes_the_cheapest_to_rent_and_none_prices_nothing(
    tiny: TinyCatalogue, quote: PriceQuote
) -> None:
    spot = PriceQuote.objects.get(pk=quote.pk)
    spot.pk, spot.key, spot.pricing_model, spot.price_per_hour = None, "spot", "spot", Decimal(10)
    spot.save()
    buy(tiny.h100, "1.00", 2024)  # owning would be cheaper still, and is not renting
    pk = offer("nvidia-h100-sxm-x8")
    assert hourly_prices(BasisAsked("any"), [pk])[pk].basis == "spot"
    assert hourly_prices(BasisAsked("none"), [pk]) == {}


def test_of_one_year_a_stated_price_goes_before_an_approximate_one(tiny: TinyCatalogue) -> None:
    buy(tiny.h100, "33600.00", 2022, "release price")
    buy(tiny.h100, "30000.00", 2022, "approximate launch MSRP or street price")
    pk = offer("nvidia-h100-sxm-x1")
    owned = hourly_prices(BasisAsked("owned"), [pk])[pk].owned
    assert owned is not None
    assert owned.purchase.usd_each == 33600
    assert (owned.purchase.low_usd_each, owned.purchase.high_usd_each) == (30000, 33600)


def test_a_price_of_a_later_year_is_not_known_yet(tiny: TinyCatalogue) -> None:
    buy(tiny.h100, "33600.00", 2022)
    buy(tiny.h100, "20000.00", 2025)
    pk = offer("nvidia-h100-sxm-x1")
    owned = hourly_prices(BasisAsked("owned", as_of=date(2024, 6, 1)), [pk])[pk].owned
    assert owned is not None
    assert owned.purchase.year == 2022


def test_the_launch_price_stands_where_no_row_is_kept(tiny: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=tiny.h100.pk).update(launch_price_usd=Decimal("29000.00"))
    pk = offer("nvidia-h100-sxm-x8")
    owned = hourly_prices(BasisAsked("owned"), [pk])[pk].owned
    assert owned is not None
    assert (owned.purchase.usd, owned.purchase.basis) == (Decimal("232000.00"), "launch price")
    # Eight chips of 700 W: no machine of this shape states its power, and the answer says so.
    assert owned.power.watts == 5600
    assert any("no machine of this shape" in line for line in owned.assumptions)


def test_what_is_missing_for_owning_is_named(tiny: TinyCatalogue) -> None:
    buy(tiny.l40s, "8500.00", 2023)  # the tiny L40S has no rated power
    found, missing = owned_prices(BasisAsked("owned"))
    assert found == {}
    assert missing[offer("nvidia-l40s-x1")] == "the rated power of nvidia-l40s is unknown"
    assert missing[offer("mystery-x1")] == "no purchase price of mystery is known"


def test_given_terms_replace_the_defaults_and_say_so(tiny: TinyCatalogue) -> None:
    buy(tiny.h100, "30000.00", 2024)
    pk = offer("nvidia-h100-sxm-x8")
    terms = OwnedTerms(years=Decimal(3), purchase_usd=Decimal(100_000), power_w=Decimal(9000))
    owned = hourly_prices(BasisAsked("owned", owned=terms), [pk])[pk].owned
    assert owned is not None
    assert (owned.purchase.usd, owned.power.watts) == (100_000, 9000)
    assert owned.terms["years"].provenance == "given"
    assert owned.terms["pue"].source.startswith("Uptime Institute")


def test_a_part_in_an_office_pays_neither_facility_nor_rent(tiny: TinyCatalogue) -> None:
    Accelerator.objects.filter(pk=tiny.h100.pk).update(segment="workstation")
    buy(tiny.h100, "30000.00", 2024)
    pk = offer("nvidia-h100-sxm-x1")
    owned = hourly_prices(BasisAsked("owned"), [pk])[pk].owned
    assert owned is not None
    assert owned.hosting_usd_per_hour == 0
    assert owned.energy_usd_per_hour == Decimal("0.7") * defaults.default("usd_per_kwh").known()


def test_all_offers_take_a_few_queries(tiny: TinyCatalogue) -> None:
    for price in ("1.00", "2.00"):
        buy(tiny.h100, price, 2024)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        hourly_prices(BasisAsked("owned"))
    assert len(captured) <= 6


def test_every_default_has_a_source_or_is_called_assumed() -> None:
    for name in defaults.NAMES:
        for segment in ("any", "pc", "edge", "workstation"):
            term = defaults.default(name, segment)
            assert term.provenance == "assumed" or (term.source and term.address and term.read_on)
            assert term.provenance != "assumed" or term.note
            if term.low is not None and term.high is not None:
                assert term.low <= term.known() <= term.high


def test_carbon_is_kept_by_country_and_unknown_elsewhere() -> None:
    france = defaults.carbon("fr")
    assert france is not None
    assert (france.name, france.year) == ("France", 2023)
    assert defaults.carbon("XX") is None
