"""The tornado: each input between its ends, the widest swing first, lengths asked of the estimator again."""

from decimal import Decimal
from fractions import Fraction

from estimates.economics.owned import OwnedTerms, Power, Purchase, owned_cost
from estimates.economics.sensitivity import Bar, tornado
from estimates.economics.tokens import token_prices

#: 36 USD/h at 10,000 output tokens a second: 1 USD per million.
BASE = token_prices(Decimal(36), 10_000, isl=3000, osl=1000)


def bars(**given: object) -> dict[str, Bar]:
    asked = {"price_range": None, "throughput_range": None, "again": None} | given
    return {bar.name: bar for bar in tornado(BASE, "output", **asked).bars}  # type: ignore[arg-type]


def test_price_and_rate_at_their_ends() -> None:
    """18 to 54 USD an hour are 0.5 to 1.5 USD per million; 8,000 to 12,500 tokens/s 1.25 to 0.8."""
    found = bars(price_range=(Decimal(18), Decimal(54)), throughput_range=(8000.0, 12_500.0))
    assert (found["price"].low.usd_per_mtok, found["price"].high.usd_per_mtok) == (
        Fraction(1, 2),
        Fraction(3, 2),
    )
    rate = found["throughput"]
    assert (rate.low.usd_per_mtok, rate.high.usd_per_mtok) == (Fraction(5, 4), Fraction(4, 5))
    assert rate.swing == Fraction(9, 20)


def test_the_widest_swing_comes_first() -> None:
    made = tornado(
        BASE, "output", price_range=(Decimal(35), Decimal(37)), throughput_range=(5e3, 2e4), again=None
    )
    # Half to twice the rate: 2 to 0.5 USD; half the use: 2 USD; a dollar either way: 0.056 USD.
    assert [bar.name for bar in made.bars] == ["throughput", "utilisation", "price"]
    assert made.as_json()["moves_most"] == "throughput"
    assert set(made.fixed) == {"isl", "osl"}


def test_lengths_are_answered_again_by_the_estimator() -> None:
    """A machine slowed by its prompts: 16,000 tokens/s at half of them, 7,000 at half as many again."""
    rates = {(1500, 1000): 16_000.0, (4500, 1000): 7_000.0, (3000, 500): 8_000.0, (3000, 1500): 12_000.0}
    found = bars(again=lambda isl, osl: rates[isl, osl])
    assert found["isl"].low.usd_per_mtok == Fraction(10, 16)
    assert found["isl"].high.usd_per_mtok == Fraction(10, 7)
    assert found["osl"].low.usd_per_mtok == Fraction(10, 8)


def test_a_length_that_cannot_be_answered_is_fixed_with_the_reason() -> None:
    made = tornado(BASE, "output", price_range=None, throughput_range=None, again=lambda isl, osl: None)
    assert set(made.fixed) == {"price", "throughput", "isl", "osl"}


def test_the_terms_of_owning_move_one_at_a_time() -> None:
    """87,660 USD over 5 years are 2 USD an hour, over 4 2.5 and over 6 1.667; nothing else costs anything."""
    purchase = Purchase(Decimal(87_660), 1, "chip", "", 2024, "s", "", "", Decimal(43_830), Decimal(175_320))
    free = OwnedTerms(pue=Decimal(1), usd_per_kwh=Decimal(0), hosting_usd_per_kw_month=Decimal(0))
    owned = owned_cost(purchase, Power(Decimal(1000), "chip", False), free)
    base = token_prices(owned.usd_per_owned_hour, 1e6 / 3600, 1000, 1000)
    made = tornado(base, "output", price_range=None, throughput_range=None, again=None, owned=owned)
    found = {bar.name: bar for bar in made.bars}
    years = found["years"]
    assert [round(float(end.usd_per_mtok), 6) for end in (years.low, years.high)] == [2.5, 1.666667]
    bought = found["purchase"]
    assert [round(float(end.usd_per_mtok), 6) for end in (bought.low, bought.high)] == [1, 4]
    assert "price" not in made.fixed
