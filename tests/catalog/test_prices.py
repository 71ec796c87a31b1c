"""Which quote stands for an offer, on which day, and what is said with its price."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import ProgrammingError, connection, transaction

from catalog.models import Offer, PriceQuote
from catalog.prices import (
    HistoryFilter,
    PriceFilter,
    cost_per_mtok,
    hourly_price,
    offer_prices,
    offer_prices_by_basis,
    plain,
    price_history,
    usd_per_mtok,
)
from tests.catalog import hand_built

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 30)
TODAY = PriceFilter(as_of=DAY)


def test_the_newest_quote_of_an_offering_replaces_the_older_even_when_dearer() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "2.00", on=date(2026, 1, 1))
    newest = hand_built.quote(chip, "3.00", on=date(2026, 6, 1))

    used = offer_prices(TODAY)[card.pk]

    assert (used.quote_id, used.usd_per_hour, used.age_days) == (newest.pk, Decimal("3.000000"), 29)


def test_of_two_quotes_of_one_day_the_later_recorded_counts() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "2.00", on=DAY)
    correction = hand_built.quote(chip, "2.20", on=DAY)

    assert offer_prices(TODAY)[card.pk].quote_id == correction.pk


def test_the_cheapest_of_providers_offerings_and_regions_counts() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "3.00", by="cloud")
    hand_built.quote(chip, "2.50", by="cloud", region="there")
    cheapest = hand_built.quote(chip, "1.99", by="rival")
    hand_built.quote(chip, "2.70", by="rival", offering="bigger vm")

    used = offer_prices(TODAY)[card.pk]

    assert (used.quote_id, used.provider, used.source) == (cheapest.pk, "rival", "price-list")


def test_a_list_price_comes_before_a_cheaper_index() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "1.00", by="aggregate", kind="index")
    hand_built.quote(chip, "3.00", by="cloud", kind="list")

    assert offer_prices(TODAY)[card.pk].provider == "cloud"


def test_an_index_counts_where_nobody_lists_a_price() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "1.00", by="aggregate", kind="index")

    assert offer_prices(TODAY)[card.pk].kind == "index"


def test_a_marketplace_offer_stands_beside_list_prices() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "3.00", by="cloud", kind="list")
    hand_built.quote(chip, "2.00", by="market", kind="offer")

    assert offer_prices(TODAY)[card.pk].provider == "market"


@pytest.mark.parametrize(("age", "stale"), [(180, False), (181, True)])
def test_a_quote_older_than_180_days_is_stale_and_not_hidden(age: int, stale: bool) -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "2.00", on=DAY - timedelta(days=age))

    used = offer_prices(TODAY)[card.pk]

    assert (used.age_days, used.stale) == (age, stale)


def test_a_quote_without_a_day_is_stale_and_older_than_any_other() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "2.00", on=None)

    used = offer_prices(TODAY)[card.pk]
    assert (used.age_days, used.stale) == (None, True)

    hand_built.quote(chip, "2.50", on=date(2020, 1, 1))
    assert offer_prices(TODAY)[card.pk].usd_per_hour == Decimal("2.5")


def test_a_question_may_be_asked_as_of_a_day() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "4.00", on=date(2024, 1, 1))
    hand_built.quote(chip, "3.00", on=date(2025, 1, 1))

    assert card.pk not in offer_prices(PriceFilter(as_of=date(2023, 12, 31)))
    assert offer_prices(PriceFilter(as_of=date(2024, 12, 31)))[card.pk].usd_per_hour == 4
    assert offer_prices(PriceFilter(as_of=date(2025, 1, 1)))[card.pk].usd_per_hour == 3


def test_a_quote_that_ran_out_is_not_replaced_by_an_older_one() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "4.00", on=date(2025, 1, 1))
    hand_built.quote(chip, "3.00", on=date(2026, 1, 1), valid_until=date(2026, 3, 31))

    assert offer_prices(PriceFilter(as_of=date(2026, 3, 31)))[card.pk].usd_per_hour == 3
    assert offer_prices(PriceFilter(as_of=date(2026, 4, 1))) == {}


def test_a_quote_of_the_count_comes_before_a_cheaper_scaled_one() -> None:
    chip = hand_built.accelerator()
    node = hand_built.offer(chip, 8)
    hand_built.quote(chip, "1.00", count="1")  # scaled: 8.00
    hand_built.quote(chip, "20.00", count="8")

    used = offer_prices(TODAY)[node.pk]

    assert (used.usd_per_hour, used.scaled_from) == (Decimal("20"), None)


def test_without_a_quote_of_the_count_another_is_scaled_per_accelerator_and_says_so() -> None:
    chip = hand_built.accelerator()
    node = hand_built.offer(chip, 8)
    hand_built.quote(chip, "10.00", count="4")

    used = offer_prices(TODAY)[node.pk]

    # 10.00 / 4 x 8 = 20.00
    assert used.usd_per_hour == Decimal("20.000000")
    assert (used.scaled_from, used.quoted_count, used.quoted_usd_per_hour) == (4, 4, Decimal("10"))


def test_the_nearest_smaller_count_is_scaled_though_single_cards_are_cheaper() -> None:
    chip = hand_built.accelerator()
    two_nodes = hand_built.offer(chip, 16)
    hand_built.quote(chip, "1.50", count="1", by="market")  # 24.00 as sixteen single cards
    hand_built.quote(chip, "40.00", count="8", by="cloud")
    hand_built.quote(chip, "70.00", count="32", by="cloud", offering="rack")

    used = offer_prices(TODAY)[two_nodes.pk]

    # two nodes of eight: 2 x 40.00
    assert (used.usd_per_hour, used.scaled_from) == (Decimal("80.000000"), 8)


def test_of_one_count_the_cheapest_is_scaled() -> None:
    chip = hand_built.accelerator()
    pair = hand_built.offer(chip, 2)
    hand_built.quote(chip, "3.00", by="cloud")
    hand_built.quote(chip, "2.00", by="rival")

    assert offer_prices(TODAY)[pair.pk].provider == "rival"


def test_a_whole_accelerator_is_scaled_before_a_fraction() -> None:
    chip = hand_built.accelerator()
    pair = hand_built.offer(chip, 2)
    hand_built.quote(chip, "0.10", count="0.167", by="slices")  # 0.60 each
    hand_built.quote(chip, "2.00", count="1", by="cards")

    assert offer_prices(TODAY)[pair.pk].scaled_from == 1


def test_only_a_fraction_is_scaled_with_its_count_said() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "0.45", count="0.125")

    used = offer_prices(TODAY)[card.pk]

    # 0.45 / 0.125 = 3.60
    assert (used.usd_per_hour, used.scaled_from) == (Decimal("3.600000"), Decimal("0.125"))


def test_a_suspect_quote_is_passed_over_for_the_one_before_it() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "3.00", on=date(2026, 1, 1))
    hand_built.quote(chip, "0.01", on=date(2026, 6, 1), suspect="sentinel")

    assert offer_prices(TODAY)[card.pk].usd_per_hour == 3


def test_the_filter_picks_provider_region_country_and_pricing_model() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "1.00", by="far", region="us-1", country="US")
    hand_built.quote(chip, "2.00", by="near", region="eu-1", country="DE")
    hand_built.quote(chip, "2.10", by="near", region="eu-2", country="FR")
    hand_built.quote(chip, "0.50", by="near", region="eu-2", country="FR", pricing_model="spot")

    def price(**criteria: object) -> Decimal:
        return offer_prices(PriceFilter(as_of=DAY, **criteria))[card.pk].usd_per_hour  # type: ignore[arg-type]

    assert price() == 1
    assert price(providers=("near",)) == 2
    assert price(countries=("FR", "DE")) == 2
    assert price(regions=("eu-2",)) == Decimal("2.1")
    assert price(pricing_model="spot") == Decimal("0.5")
    assert offer_prices(PriceFilter(as_of=DAY, pricing_model="reserved")) == {}
    assert offer_prices(PriceFilter(as_of=DAY, max_age_days=30)) == {}


def test_another_currency_is_not_taken_for_dollars() -> None:
    chip = hand_built.accelerator()
    hand_built.offer(chip)
    hand_built.quote(chip, "1.00", currency="EUR")

    assert offer_prices(TODAY) == {}


def test_each_basis_has_its_own_quote() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "3.00")
    hand_built.quote(chip, "1.00", pricing_model="spot")

    by_basis = offer_prices_by_basis(TODAY)[card.pk]

    assert {basis: plain(used.usd_per_hour) for basis, used in by_basis.items()} == {
        "on_demand": "3",
        "spot": "1",
    }


def test_all_offers_are_priced_in_one_statement(django_assert_num_queries: object) -> None:
    chip = hand_built.accelerator()
    offers = [hand_built.offer(chip, count) for count in (1, 2, 4, 8)]
    hand_built.quote(chip, "3.00")

    with django_assert_num_queries(1):  # type: ignore[operator]
        prices = offer_prices(TODAY)

    assert [plain(prices[offer.pk].usd_per_hour) for offer in offers] == ["3", "6", "12", "24"]


def test_a_list_is_priced_and_ordered_in_the_statement_that_reads_it() -> None:
    cheap, dear, unpriced = (hand_built.accelerator(slug) for slug in ("cheap", "dear", "unpriced"))
    for chip in (dear, cheap, unpriced):
        hand_built.offer(chip)
    hand_built.quote(cheap, "1.50")
    hand_built.quote(dear, "2.25")

    priced = Offer.objects.annotate(hourly=hourly_price(offer_prices(TODAY), "pk"))

    assert list(priced.order_by("hourly").values_list("accelerator__slug", "hourly")) == [
        ("cheap", Decimal("1.500000")),
        ("dear", Decimal("2.250000")),
        ("unpriced", None),
    ]


def test_cost_per_million_tokens_is_computed_in_the_statement_too() -> None:
    chip = hand_built.accelerator()
    card = hand_built.offer(chip)
    hand_built.quote(chip, "3.60")
    Offer.objects.filter(pk=card.pk).update(scale_up_gbs=1000)  # stands for 1,000 tokens a second

    price = usd_per_mtok(hourly_price(offer_prices(TODAY), "pk"), "scale_up_gbs")

    # 3.60 USD / 3.6 million tokens an hour
    assert Offer.objects.annotate(cost=price).get().cost == pytest.approx(1.0, rel=1e-12)


def test_cost_per_million_tokens_is_the_hourly_price_over_the_tokens_of_an_hour() -> None:
    # 3.60 USD an hour at 1,000 tokens a second: 3.6 million tokens an hour, 1.00 USD a million.
    assert cost_per_mtok(Decimal("3.60"), 1000.0) == 1
    with pytest.raises(ValueError, match="above 0"):
        cost_per_mtok(Decimal("3.60"), 0.0)
    with pytest.raises(ValueError, match="finite"):
        cost_per_mtok(Decimal("3.60"), float("nan"))


def test_history_is_every_quote_oldest_first_with_the_price_of_one_accelerator() -> None:
    chip = hand_built.accelerator()
    hand_built.quote(chip, "24.00", count="8", on=date(2026, 2, 1))
    hand_built.quote(chip, "4.00", on=date(2025, 2, 1))
    hand_built.quote(chip, "0.01", on=date(2025, 3, 1), suspect="sentinel")

    history = price_history("chip")

    assert [
        (point.observed_on.year, plain(point.usd_per_accelerator_hour))
        for point in history
        if point.observed_on
    ] == [
        (2025, "4"),
        (2026, "3"),
    ]
    assert len(price_history("chip", HistoryFilter(with_suspects=True))) == 3
    assert len(price_history("chip", HistoryFilter(since=date(2026, 1, 1)))) == 1


def test_quotes_refuse_update_and_delete() -> None:
    chip = hand_built.accelerator()
    made = hand_built.quote(chip, "3.00")

    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        PriceQuote.objects.filter(pk=made.pk).update(price_per_hour=1)
    with pytest.raises(ProgrammingError, match="Cannot update or delete"), transaction.atomic():
        PriceQuote.objects.filter(pk=made.pk).delete()
    with (
        pytest.raises(ProgrammingError, match="Cannot update or delete"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE catalog_pricequote SET suspect = 'x'")
    assert PriceQuote.objects.get().price_per_hour == 3
