"""The price page: quotes over time by provider, cheapest as of a day, stale ones marked, the same as CSV."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from catalog.models import Accelerator, PriceQuote, Provider, PurchasePrice, Source
from estimates.pages.chart import Axis
from estimates.pages.dates import DayAxis
from estimates.pages.prices.history import Quote, Series, series_of, standings
from estimates.pages.prices.plot import draw
from tests.estimates.conftest import TinyCatalogue

pytestmark = pytest.mark.django_db
TODAY = date(2026, 6, 1)


def quote(provider: str, price: str, days: int, count: int = 8, offering: str = "vm") -> Quote:
    return Quote(
        TODAY - timedelta(days=days),
        provider,
        provider.title(),
        offering,
        "",
        "",
        Decimal(count),
        "list",
        Decimal(price),
        None,
        "list",
        "List",
        "",
    )


def add(row: Accelerator, provider: str, count: int, price: str, days: int, **columns: object) -> None:
    source, _ = Source.objects.get_or_create(slug="list", defaults={"title": "List"})
    owner, _ = Provider.objects.get_or_create(slug=provider, defaults={"name": provider.title()})
    PriceQuote.objects.create(
        key=f"{provider}-{count}-{price}-{days}",
        provider=owner,
        offering=f"{count} x",
        accelerator=row,
        accelerator_count=Decimal(count),
        price_per_hour=Decimal(price),
        observed_on=timezone.now().date() - timedelta(days=days),
        source=source,
        **{"pricing_model": "on_demand", **columns},
    )


@pytest.fixture
def quoted(tiny: TinyCatalogue) -> TinyCatalogue:
    """Alpha asks 3 USD for one of eight, 4 a year ago; Beta asked 2 for a single card 200 days ago."""
    add(tiny.h100, "alpha", 8, "32.00", 365)
    add(tiny.h100, "alpha", 8, "24.00", 5)
    add(tiny.h100, "beta", 1, "2.00", 200)
    add(tiny.h100, "gamma", 1, "0.01", 1, suspect="a hundredth of the others")
    return tiny


def test_the_newest_quote_of_each_offering_stands_and_the_cheapest_comes_first() -> None:
    found = standings([quote("a", "32", 300), quote("a", "24", 10), quote("b", "2", 200, count=1)], TODAY)
    assert [(line.quote.provider, line.quote.each, line.stale) for line in found] == [
        ("b", 2, True),
        ("a", 3, False),
    ]
    assert (found[1].quotes, found[1].days) == (2, 2)


def test_a_line_holds_a_price_until_the_next_day_it_was_seen() -> None:
    """From 4 to 1 USD over 100 days on a log axis from 4 x 1.15 down to 1 / 1.15, the step at the end."""
    plot = draw([Series("a", "A", [(TODAY - timedelta(days=100), 4.0), (TODAY, 1.0)])], TODAY)
    assert plot is not None
    high, low = (1000 * (1 - plot.axis.share(price)) for price in (4.0, 1.0))
    assert plot.lines[0].path == f"M0.0 {high:.1f}H1000.0V{low:.1f}"
    assert isinstance(plot.axis, Axis)


def test_a_day_has_the_least_of_its_quotes() -> None:
    (series,) = series_of([quote("a", "32", 9), quote("a", "16", 9, offering="other")])
    assert series.points == [(TODAY - timedelta(days=9), 2.0)]


def test_ticks_of_days_are_firsts_of_months_and_few() -> None:
    ticks = DayAxis(date(2023, 9, 18), date(2026, 11, 22)).ticks()
    assert [tick.text for tick in ticks if tick.major] == ["2024", "2025", "2026"]
    assert len(ticks) <= 10


def test_the_page_names_the_cheapest_and_marks_the_stale(client: Client, quoted: TinyCatalogue) -> None:
    text = client.get("/prices/").content.decode()
    assert "3.00 USD an hour</b> at Alpha" in text
    assert '<span class="old">2.00</span>' in text
    assert "Gamma" not in text


def test_as_of_a_day_only_what_was_seen_by_then_counts(client: Client, quoted: TinyCatalogue) -> None:
    day = timezone.now().date() - timedelta(days=250)
    text = client.get(f"/prices/?as_of={day}").content.decode()
    assert "4.00 USD an hour</b> at Alpha" in text
    assert "Beta" not in text


def test_the_tables_are_csv_too(client: Client, quoted: TinyCatalogue) -> None:
    PurchasePrice.objects.create(
        key="p",
        hardware_name="H100",
        accelerator=quoted.h100,
        price=Decimal("30000.00"),
        year=2022,
        source=Source.objects.get(slug="list"),
    )
    tables = {
        name: list(
            csv.DictReader(io.StringIO(client.get(f"/prices/table.csv?table={name}").content.decode()))
        )
        for name in ("history", "now", "buy")
    }
    assert [row["usd_per_accelerator_hour"] for row in tables["history"]] == ["4", "2", "3"]
    assert [(row["provider"], row["stale"]) for row in tables["now"]] == [
        ("beta", "true"),
        ("alpha", "false"),
    ]
    assert tables["buy"][0]["usd"] == "30000"


@pytest.mark.parametrize(
    "query", ["accelerator=h100", "basis=owned", "as_of=soon", "colour=red", "count=many"]
)
def test_an_address_that_asks_nonsense_is_refused(client: Client, quoted: TinyCatalogue, query: str) -> None:
    assert client.get(f"/prices/?{query}").status_code == 400
    assert client.get(f"/prices/table.csv?{query}").status_code == 400


def test_without_a_quote_the_page_says_so(client: Client, tiny: TinyCatalogue) -> None:
    assert "No price is kept yet" in client.get("/prices/").content.decode()
