"""Five cases by hand, from the quote to USD per million tokens, each step written beside its number.

Prices are rows of the database; arithmetic is exact, so that every figure is compared to the last digit of
what a pocket calculator shows and money to the cent.
"""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from catalog.models import (
    Accelerator,
    Offer,
    PriceQuote,
    Provider,
    PurchasePrice,
    Source,
    System,
    TokenPrice,
)
from estimates.economics.bases import BasisAsked, HourlyPrice, hourly_prices
from estimates.economics.defaults import carbon, given
from estimates.economics.energy import TokenEnergy
from estimates.economics.hosted import Mix, break_even, hosted_prices
from estimates.economics.owned import OwnedTerms
from estimates.economics.steps import rounded
from estimates.economics.tokens import token_prices
from tests.estimates.conftest import TinyCatalogue

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 1)


@pytest.fixture
def source() -> Source:
    return Source.objects.create(slug="price-list", title="Price list")


def add_quote(row: Accelerator, count: int, price: str, source: Source, **columns: object) -> PriceQuote:
    provider, _ = Provider.objects.get_or_create(slug="cloud", defaults={"name": "Cloud"})
    return PriceQuote.objects.create(
        key=f"{row.slug}-{count}-{price}-{columns}"[:64],
        provider=provider,
        offering=f"{count} x {row.slug}",
        accelerator=row,
        accelerator_count=Decimal(count),
        price_per_hour=Decimal(price),
        source=source,
        **{"pricing_model": "on_demand", "observed_on": TODAY - timedelta(days=10), **columns},
    )


def price_of(slug: str, asked: BasisAsked) -> HourlyPrice:
    offer = Offer.objects.get(slug=slug)
    return hourly_prices(asked, [offer.pk])[offer.pk]


def own_h100(tiny: TinyCatalogue, source: Source) -> HourlyPrice:
    """Eight H100 bought at 30,000 USD each, in a machine of 10.2 kW, used 60% of the hours."""
    for year, price in ((2022, "33600.00"), (2024, "30000.00")):
        PurchasePrice.objects.create(
            key=f"h100-{year}",
            hardware_name="H100",
            accelerator=tiny.h100,
            price=Decimal(price),
            year=year,
            source=source,
        )
    offer = Offer.objects.get(slug="nvidia-h100-sxm-x8")
    System.objects.create(
        slug="dgx-h100",
        name="DGX H100",
        vendor=tiny.h100.vendor,
        accelerator=tiny.h100,
        accelerator_count=8,
        form="server",
        power_kw=10.2,
        offer=offer,
    )
    terms = OwnedTerms(
        years=Decimal(5),
        utilisation=Decimal("0.6"),
        pue=Decimal("1.5"),
        usd_per_kwh=Decimal("0.10"),
        hosting_usd_per_kw_month=Decimal("146.10"),
        residual_share=Decimal(0),
        power_share=Decimal(1),
    )
    return price_of(offer.slug, BasisAsked("owned", as_of=TODAY, owned=terms))


def test_eight_h100_on_demand(tiny: TinyCatalogue, source: Source) -> None:
    add_quote(tiny.h100, 8, "24.00", source)
    price = price_of("nvidia-h100-sxm-x8", BasisAsked("on_demand", as_of=TODAY))
    # Step 1: the quote is for exactly eight, 24.00 USD an hour, ten days old.
    assert price.usd_per_hour == Decimal("24.00")
    assert price.quote is not None
    assert (price.quote.scaled_from, price.age_days, price.stale) == (None, 10, False)
    # Step 2: 5,000 output tokens a second are 5000 x 3600 = 18,000,000 an hour.
    tokens = token_prices(price.usd_per_paid_hour, 5000, isl=3000, osl=1000)
    # Step 3: 24.00 / 18 million = 1.333333 USD per million output tokens; a dollar buys 750,000.
    assert tokens.usd_per_mtok("output") == Fraction(4, 3)
    assert tokens.tokens_per_usd("output") == 750_000
    # Step 4: each output token comes with three of input, 54 million an hour: 0.444444 USD per million.
    assert tokens.usd_per_mtok("input") == Fraction(4, 9)
    # Step 5: both kinds are 72 million an hour: 0.333333 USD per million, three million a dollar.
    assert tokens.usd_per_mtok("blended") == Fraction(1, 3)
    assert tokens.tokens_per_usd("blended") == 3_000_000
    # Step 6: a request of 3,000 in and 1,000 out takes 1,000 / 5,000 = 0.2 s of 24.00 USD/h: 0.133 cents.
    assert tokens.usd_per_request() == Fraction(24) * Fraction(2, 10) / 3600


def test_four_l40s_on_spot_scaled_from_two(tiny: TinyCatalogue, source: Source) -> None:
    Offer.objects.create(slug="nvidia-l40s-x4", accelerator=tiny.l40s, count=4)
    seen = TODAY - timedelta(days=200)
    add_quote(tiny.l40s, 2, "1.10", source, pricing_model="spot", observed_on=seen)
    add_quote(tiny.l40s, 4, "4.00", source, pricing_model="on_demand")  # another basis, not read
    price = price_of("nvidia-l40s-x4", BasisAsked("spot", as_of=TODAY))
    # Step 1: nobody asks a spot price of four; two cost 1.10 USD an hour, so four cost 1.10 x 4 / 2 = 2.20.
    assert price.usd_per_hour == Decimal("2.20")
    assert price.quote is not None
    assert price.quote.scaled_from == 2
    # Step 2: it is 200 days old, more than the 180 after which a price is stale.
    assert (price.age_days, price.stale) == (200, True)
    # Step 3: 800 tokens a second are 2.88 million an hour; 2.20 / 2.88 = 0.763889 USD per million.
    tokens = token_prices(price.usd_per_paid_hour, 800, isl=1000, osl=1000)
    assert rounded(tokens.usd_per_mtok("output")) == "0.763889"
    # Step 4: as many again of input: 2.20 / 5.76 = 0.381944.
    assert rounded(tokens.usd_per_mtok("blended")) == "0.381944"


def test_eight_h100_reserved_for_a_year_as_of_a_day(tiny: TinyCatalogue, source: Source) -> None:
    before = TODAY - timedelta(days=60)
    add_quote(tiny.h100, 8, "18.00", source, pricing_model="reserved", term="1 year", observed_on=before)
    add_quote(tiny.h100, 8, "16.20", source, pricing_model="reserved", term="1 year", observed_on=TODAY)
    add_quote(tiny.h100, 8, "14.40", source, pricing_model="reserved", term="3 years", observed_on=before)
    # Step 1: a year's commitment cost 18.00 an hour sixty days ago, 16.20 now; three years cost 14.40.
    then = price_of("nvidia-h100-sxm-x8", BasisAsked("reserved", term="1 year", as_of=before))
    now = price_of("nvidia-h100-sxm-x8", BasisAsked("reserved", term="1 year", as_of=TODAY))
    longest = price_of("nvidia-h100-sxm-x8", BasisAsked("reserved", as_of=TODAY))
    assert [price.usd_per_hour for price in (then, now, longest)] == [
        Decimal("18.00"),
        Decimal("16.20"),
        Decimal("14.40"),
    ]
    # Step 2: reserved hours are paid whether used or not. 4,000 tokens a second in half of them are
    # 4000 x 3600 x 0.5 = 7.2 million an hour paid.
    tokens = token_prices(now.usd_per_paid_hour, 4000, isl=1000, osl=500, utilisation=Decimal("0.5"))
    # Step 3: 16.20 / 7.2 = 2.25 USD per million output tokens, 444,444 tokens a dollar.
    assert tokens.usd_per_mtok("output") == Fraction(9, 4)
    assert rounded(tokens.tokens_per_usd("output")) == "444444"
    # Step 4: two of input to each of output: 2.25 / 3 = 0.75 blended.
    assert tokens.usd_per_mtok("blended") == Fraction(3, 4)


def test_eight_h100_owned_at_sixty_per_cent(tiny: TinyCatalogue, source: Source) -> None:
    price = own_h100(tiny, source)
    owned = price.owned
    assert owned is not None
    # Step 1: the newest price is that of 2024: 8 x 30,000.00 = 240,000.00 USD.
    assert (owned.purchase.year, owned.purchase.usd) == (2024, Decimal("240000.00"))
    # Step 2: over 5 years of 8,766 h, 43,830 h in all: 5.4757 USD an hour.
    assert owned.amortisation_usd_per_hour == Decimal("240000.00") / Decimal(43830)
    assert rounded(owned.amortisation_usd_per_hour) == "5.4757"
    # Step 3: 10.2 kW at a PUE of 1.5 are 15.3 kW at the meter; at 0.10 USD/kWh 1.53 USD an hour.
    assert owned.energy_usd_per_hour == Decimal("1.53")
    # Step 4: 10.2 kW x 146.10 USD a month of 730.5 h: 2.04 USD an hour.
    assert owned.hosting_usd_per_hour == Decimal("2.04")
    # Step 5: 5.475702 + 1.53 + 2.04 = 9.045702 USD in every hour owned; an hour of use at 60% is 15.08.
    assert owned.usd_per_owned_hour.quantize(Decimal("0.000001")) == Decimal("9.045702")
    assert price.usd_per_hour.quantize(Decimal("0.01")) == Decimal("15.08")
    # Step 6: 6,000 tokens a second in 60% of the hours are 12.96 million an hour owned; 9.045702 / 12.96.
    tokens = token_prices(price.usd_per_paid_hour, 6000, 3000, 1000, utilisation=price.utilisation)
    assert rounded(tokens.usd_per_mtok("output")) == "0.697971"
    # Step 7: a price of 2024 was at least 517 days old on 1 June 2026 (31 December 2024 to then): stale.
    assert (price.age_days, price.stale) == (517, True)


def test_energy_carbon_and_the_load_at_which_owning_beats_an_endpoint(
    tiny: TinyCatalogue, source: Source
) -> None:
    price = own_h100(tiny, source)
    assert price.owned is not None
    tokens = token_prices(price.usd_per_paid_hour, 6000, 3000, 1000, utilisation=price.utilisation)
    energy = TokenEnergy(
        price.owned.power,
        given("pue", Decimal("1.5")),
        given("power_share", Decimal(1)),
        tokens,
        carbon("FR"),
    )
    # Step 1: 15.3 kW over 12.96 million output tokens an hour: 1.180556 kWh per million, 4.25 J a token.
    assert rounded(energy.kwh_per_mtok("output")) == "1.18056"
    assert energy.joules_per_token("output") == Fraction(17, 4)
    # Step 2: French electricity of 2023 at 0.056039 kg CO2e/kWh: 0.066157 kg per million output tokens.
    assert rounded(energy.kg_co2e_per_mtok("output") or Fraction(0)) == "0.0661572"
    # Step 3: an endpoint asks 0.20 for input, 0.10 for cached input, 0.60 for output. 3,000 tokens in, half
    # of them cached, cost 3000 x (0.5 x 0.20 + 0.5 x 0.10) = 450 millionths, 1,000 out 600: 1,050 over 4,000
    # tokens, 0.2625 USD per million blended. An older, cheaper row of the same provider is history.
    provider = Provider.objects.create(slug="endpoint", name="Endpoint")
    for day, ask in (("2026-05-01", "0.60"), ("2025-05-01", "0.10")):
        TokenPrice.objects.create(
            key=day,
            provider=provider,
            model_name="llama",
            language_model=tiny.llama_70b,
            input_usd_per_mtok=Decimal("0.20"),
            output_usd_per_mtok=Decimal(ask),
            cached_input_usd_per_mtok=Decimal("0.10"),
            observed_on=day,
            source=source,
        )
    mix = Mix(Fraction(3000), Fraction(1000), Fraction(1, 2))
    (hosted,) = hosted_prices(tiny.llama_70b.slug, mix, TODAY)
    assert hosted.blended_usd_per_mtok == Fraction("0.2625")
    # Step 4: the own machine at full load makes 6,000 x 4 = 24,000 tokens of both kinds a second,
    # 86.4 million an hour: 9.045702 / 86.4 = 0.1046956 USD per million blended.
    even = break_even(tokens, hosted.blended_usd_per_mtok)
    assert rounded(even.own_usd_per_mtok) == "0.104696"
    # Step 5: 0.1046956 / 0.2625 = 0.398840 of the hours, 2,393.04 output tokens a second on average,
    # 2.39304 requests a second, 206,759 a day.
    assert rounded(even.utilisation) == "0.39884"
    assert rounded(even.load_tok_s) == "2393.04"
    assert rounded(even.requests_per_day) == "206759"
    assert even.reached
