"""Laws of the prices of tokens, over any prices, rates, lengths and utilisations."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimates.economics.defaults import given as given_term
from estimates.economics.energy import TokenEnergy
from estimates.economics.hosted import break_even
from estimates.economics.owned import OwnedTerms, Power, Purchase, owned_cost
from estimates.economics.tokens import COUNTED, MILLION, Counted, TokenPrices, token_prices

money = st.decimals(Decimal("0.01"), Decimal("100000"), places=2)
rates = st.floats(0.1, 1e7, allow_nan=False)
lengths = st.integers(1, 1_000_000)
shares = st.decimals(Decimal("0.01"), Decimal(1), places=2)
kinds = st.sampled_from(COUNTED)


@st.composite
def prices(draw: st.DrawFn) -> TokenPrices:
    return token_prices(draw(money), draw(rates), draw(lengths), draw(lengths), draw(shares))


@given(prices(), kinds)
def test_tokens_per_usd_is_the_exact_reciprocal(tokens: TokenPrices, counted: Counted) -> None:
    assert tokens.usd_per_mtok(counted) * tokens.tokens_per_usd(counted) == MILLION


@given(prices(), kinds, st.integers(2, 1000))
def test_cost_is_linear_in_the_price_of_an_hour(tokens: TokenPrices, counted: Counted, times: int) -> None:
    dearer = replace(tokens, usd_per_hour=tokens.usd_per_hour * times)
    assert dearer.usd_per_mtok(counted) == times * tokens.usd_per_mtok(counted)


@given(prices(), kinds)
def test_half_the_use_costs_twice(tokens: TokenPrices, counted: Counted) -> None:
    idle = replace(tokens, utilisation=tokens.utilisation / 2)
    assert idle.usd_per_mtok(counted) == 2 * tokens.usd_per_mtok(counted)


@given(prices())
def test_each_view_recovers_the_same_bill(tokens: TokenPrices) -> None:
    """Tokens of a kind in a request x their price is the price of the request."""
    bill = tokens.usd_per_request() * MILLION
    of = {"output": tokens.osl, "input": tokens.isl, "blended": tokens.isl + tokens.osl}
    assert {of[counted] * tokens.usd_per_mtok(counted) for counted in COUNTED} == {bill}


@given(prices(), st.floats(0, 1, allow_nan=False))
def test_a_split_recovers_the_bill(tokens: TokenPrices, share: float) -> None:
    of_input, of_output = tokens.split(share)
    bill = of_input * tokens.isl + of_output * tokens.osl
    assert bill == tokens.usd_per_request() * MILLION


@given(prices(), st.fractions(Fraction(1, 1000), Fraction(1000)))
def test_at_the_break_even_both_cost_the_same(tokens: TokenPrices, hosted: Fraction) -> None:
    even = break_even(tokens, hosted)
    at = replace(tokens, utilisation=even.utilisation)
    assert at.usd_per_mtok("blended") == hosted


@given(prices(), money)
def test_a_machine_drawing_twice_as_much_uses_twice_the_energy(tokens: TokenPrices, watts: Decimal) -> None:
    one = TokenEnergy(
        Power(watts, "machine", True),
        given_term("pue", Decimal("1.2")),
        given_term("power_share", Decimal(1)),
        tokens,
    )
    two = replace(one, power=Power(2 * watts, "machine", True))
    assert two.kwh_per_mtok("output") == 2 * one.kwh_per_mtok("output")


@given(money, st.decimals(Decimal(1), Decimal(10), places=1))
def test_years_only_spread_the_purchase(price: Decimal, years: Decimal) -> None:
    purchase = Purchase(price, 1, "chip", "", None, "", "", "", price, price)
    free = OwnedTerms(years=years, usd_per_kwh=Decimal(0), hosting_usd_per_kw_month=Decimal(0))
    cost = owned_cost(purchase, Power(Decimal(1000), "chip", False), free)
    assert abs(cost.usd_per_hour * years * 8766 - price) < Decimal("1e-15") * price


@pytest.mark.parametrize("share", [0, -1, 1.1, float("nan")])
def test_a_utilisation_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="utilisation must be above 0 and at most 1"):
        token_prices(Decimal(1), 1, 1, 1, share)
