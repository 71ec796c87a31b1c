"""Cost per million tokens: the arithmetic by hand, and the same in SQL."""

import random
from decimal import Decimal

import pytest
from django.db.models import F

from catalog.models import PriceQuote
from catalog.prices import offer_prices
from estimates import sweeper
from estimates.cost import prefill_share, split, token_cost, token_cost_texts, with_costs
from estimates.economics.steps import rounded
from estimates.models import Estimate
from tests.estimates.conftest import TinyCatalogue


def test_each_figure_divides_the_whole_price_by_the_tokens_of_its_name() -> None:
    """36 USD/h at 10,000 output tok/s: 36e6 output tokens an hour, so 1 USD per million.

    With 3 input tokens to each output token the same bill is 1/3 USD per million input tokens and 1/4 per
    million of both.
    """
    cost = token_cost(Decimal(36), 10_000, isl=3000, osl=1000)
    assert cost.usd_per_mtok_output == 1
    assert rounded(cost.usd_per_mtok_input) == "0.333333"
    assert cost.usd_per_mtok_blended == Decimal("0.25")


def test_tokens_per_usd_are_the_reciprocal() -> None:
    cost = token_cost(Decimal(36), 10_000, isl=3000, osl=1000)
    assert cost.output_tokens_per_usd == 1_000_000
    assert cost.blended_tokens_per_usd == 4_000_000


def test_a_split_bill_recovers_the_cost_of_a_request() -> None:
    """1,000 output tokens at 10,000 tok/s take 0.1 s of the offer; a prefill of 0.08 s on one of four

    replicas is 0.02 s of it: a fifth. A request costs 36 / 3600 x 0.1 = 0.001 USD, of which 0.0002 for 3,000
    input tokens (0.0667 USD per million) and 0.0008 for 1,000 output tokens (0.8).
    """
    cost = token_cost(Decimal(36), 10_000, isl=3000, osl=1000)
    share = prefill_share(ttft_unloaded_s=0.08, replicas=4, output_tokens_per_s=10_000, osl=1000)
    parts = split(cost, share)
    assert parts.prefill_share == pytest.approx(0.2)
    assert float(parts.usd_per_mtok_input) == pytest.approx(0.2 / 3)
    assert float(parts.usd_per_mtok_output) == pytest.approx(0.8)
    request = float(parts.usd_per_mtok_input) * 3000e-6 + float(parts.usd_per_mtok_output) * 1000e-6
    assert request == pytest.approx(0.001)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="finite and above 0"):
        token_cost(Decimal(1), rate, 1, 1)


@pytest.mark.parametrize(
    ("amount", "text"),
    [("12.290000", "12.29"), ("0.000012345678", "0.0000123457"), ("1234567.8", "1234568"), ("0", "0")],
)
def test_money_is_decimal_text_with_six_significant_digits(amount: str, text: str) -> None:
    assert rounded(Decimal(amount)) == text


def test_sql_and_python_agree_and_rows_without_a_quote_have_no_cost(
    tiny: TinyCatalogue, quote: PriceQuote
) -> None:
    sweeper.sweep()
    rows = with_costs(Estimate.objects.all(), offer_prices()).filter(throughput_tok_s__isnull=False)
    priced = rows.filter(offer__slug="nvidia-h100-sxm-x8").order_by(
        F("usd_per_mtok_output").asc(nulls_last=True)
    )
    assert priced
    for row in priced:
        assert row.usd_per_hour == 24
        cost = token_cost(Decimal(24), row.throughput_tok_s, row.workload.isl, row.workload.osl)
        assert row.usd_per_mtok_output == pytest.approx(float(cost.usd_per_mtok_output), rel=1e-5)
        assert row.usd_per_mtok_input == pytest.approx(float(cost.usd_per_mtok_input), rel=1e-5)
        assert row.usd_per_mtok_blended == pytest.approx(float(cost.usd_per_mtok_blended), rel=1e-5)
    costs = [row.usd_per_mtok_output for row in priced]
    assert costs == sorted(costs)
    unpriced = rows.filter(offer__slug="nvidia-l40s-x1").first()
    assert unpriced is not None
    assert (unpriced.usd_per_hour, unpriced.usd_per_mtok_output) == (None, None)


def test_floating_point_writes_the_same_texts_as_exact_fractions() -> None:
    """Prices of six decimals and rates of single precision, as they are stored; ties of a digit too."""
    chance = random.Random(1)
    cases = [(Decimal("12.345675"), 1000.0), (Decimal("3.6"), 1000.0), (Decimal("0.000001"), 3e6)]
    for _ in range(3000):
        hour = Decimal(chance.randrange(1, 10 ** chance.randrange(1, 10))).scaleb(-6)
        cases.append((hour, float(f"{10 ** chance.uniform(-2, 7):.7g}")))
    for hour, rate in cases:
        assert token_cost_texts(hour, rate, 2048, 256) == token_cost(hour, rate, 2048, 256).as_json()
