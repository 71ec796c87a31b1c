"""The break-even page: own tokens against hosted ones by the share of hours in use; tables and CSV."""

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client

from catalog.models import PriceQuote, Provider, Source, TokenPrice
from estimates import sweeper
from estimates.models import Estimate, Objective
from tests.estimates.conftest import TinyCatalogue

pytestmark = pytest.mark.django_db
ADDRESS = "/break-even/?model=llama-3.1-8b-instruct&workload=chat"


@pytest.fixture
def served(tiny: TinyCatalogue, quote: PriceQuote) -> TinyCatalogue:
    """Estimates of the tiny catalogue, and two endpoints: one that asks a fortune, one next to nothing."""
    sweeper.sweep()
    source = Source.objects.get(slug="example-prices")
    for name, price in (("fortune", "1000.00"), ("nothing", "0.000001")):
        TokenPrice.objects.create(
            key=name,
            provider=Provider.objects.create(slug=name, name=name.title()),
            model_name="llama",
            language_model=tiny.llama_8b,
            input_usd_per_mtok=Decimal(price),
            output_usd_per_mtok=Decimal(price),
            observed_on="2026-01-01",
            source=source,
        )
    return tiny


def test_the_page_says_from_what_use_a_machine_beats_an_endpoint(
    client: Client, served: TinyCatalogue
) -> None:
    response = client.get(ADDRESS)
    text = response.content.decode()
    assert response.status_code == 200
    assert "never beats the cheapest endpoint" in text
    assert "1 of 1 offers beat" not in text
    assert 'class="own"' in text
    assert text.count('class="hosted named') == 2
    assert text.count('class="cross"') == 1  # of the fortune alone


def test_the_csv_has_the_break_even_in_full(client: Client, served: TinyCatalogue) -> None:
    """24 USD/h over the throughput of both kinds of tokens, divided by 1,000 USD per million."""
    answer = client.get(ADDRESS.replace("/?", "/table.csv?") + "&table=endpoints").content.decode()
    rows = {row["provider"]: row for row in csv.DictReader(io.StringIO(answer))}
    best = Estimate.objects.get(
        offer__slug="nvidia-h100-sxm-x8",
        language_model=served.llama_8b,
        workload=served.chat,
        objective=Objective.THROUGHPUT_WITHIN,
    )
    assert best.throughput_tok_s is not None
    own = 24 / (2 * best.throughput_tok_s * 3600) * 1e6
    assert float(rows["fortune"]["offer_usd_per_mtok_at_full_load"]) == pytest.approx(own, rel=1e-4)
    assert float(rows["fortune"]["break_even_utilisation"]) == pytest.approx(own / 1000, rel=1e-4)
    assert rows["nothing"]["break_even_output_tok_s"] == ""
    offers = client.get(ADDRESS.replace("/?", "/table.csv?") + "&table=offers").content.decode()
    assert "nvidia-h100-sxm-x8" in {row["offer"] for row in csv.DictReader(io.StringIO(offers))}


def test_an_offer_that_has_no_price_is_refused_with_those_that_have(
    client: Client, served: TinyCatalogue
) -> None:
    response = client.get(ADDRESS + "&offer=mystery-x1")
    assert response.status_code == 400
    assert "nvidia-h100-sxm-x8" in response.content.decode()


def test_a_basis_without_prices_is_said(client: Client, served: TinyCatalogue) -> None:
    text = client.get(ADDRESS + "&basis=spot").content.decode()
    assert "has a price so" in text


@pytest.mark.parametrize("query", ["model=llama", "workload=x", "basis=leased", "as_of=soon", "colour=red"])
def test_an_address_that_asks_nonsense_is_refused(client: Client, served: TinyCatalogue, query: str) -> None:
    assert client.get(f"/break-even/?{query}").status_code == 400


def test_without_hosted_prices_the_page_says_so(client: Client, tiny: TinyCatalogue) -> None:
    assert "No hosted price is kept yet" in client.get("/break-even/").content.decode()
