"""The economics of one estimate: price, tokens for money, and on request energy, sensitivity, endpoints.

Arithmetic over a throughput that was estimated or cached; nothing of it enters a cached result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from estimates.asked_hardware import Hardware
from estimates.economics.asked import EconomicsAsked
from estimates.economics.bases import BasisAsked, HourlyPrice
from estimates.economics.current_quotes import provider_prices
from estimates.economics.defaults import carbon
from estimates.economics.energy import TokenEnergy
from estimates.economics.hosted import Mix, break_even, hosted_prices, median
from estimates.economics.pricing import Priced, price_steps, rated_power, segment_of
from estimates.economics.sensitivity import Again, tornado
from estimates.economics.steps import Step, rounded
from estimates.economics.tokens import COUNTED, TokenPrices, exact, token_prices


@dataclass(frozen=True, slots=True)
class Case:
    """What was estimated: the hardware, the lengths, the rate with its interval, and how to ask again."""

    hardware: Hardware
    isl: float
    osl: float
    output_tok_s: float | None
    low_tok_s: float | None = None
    high_tok_s: float | None = None
    cached_share: float = 0.0
    prefill_share: float | None = None
    stored_model: str | None = None
    """Slug of the catalogue; None for a model that is not in it."""
    again: Again | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.low_tok_s or not self.high_tok_s:
            return None
        return self.low_tok_s, self.high_tok_s


def economics(case: Case, priced: Priced, basis: BasisAsked, asked: EconomicsAsked) -> dict[str, Any]:
    """Plain values for JSON; money as decimal text. Parts that were not asked for are absent."""
    price = priced.price
    use = _utilisation(price, asked)
    found: dict[str, Any] = {
        "as_of": basis.day.isoformat(),
        "basis": basis.basis if price is None or price.basis == basis.basis else price.basis,
        "price": price.as_json() if price else None,
        "missing": priced.missing or None,
        "utilisation": rounded(use),
        "tokens": None,
        "assumptions": list(price.owned.assumptions) if price and price.owned else [],
    }
    tokens = None
    if case.output_tok_s is None:
        found["missing"] = found["missing"] or "there is no throughput to divide by"
    elif price is not None:
        tokens = token_prices(price.usd_per_paid_hour, case.output_tok_s, case.isl, case.osl, use)
        found["tokens"] = _tokens(tokens, case)
        if case.prefill_share is not None:
            share_in, share_out = tokens.split(case.prefill_share)
            found["split"] = {
                "prefill_share": round(case.prefill_share, 4),
                "usd_per_mtok_input": rounded(share_in),
                "usd_per_mtok_output": rounded(share_out),
            }
    energy = _energy(case, price, basis, asked, use)
    if asked.energy is not None:
        found["energy"] = energy if isinstance(energy, dict) else energy.as_json()
    if asked.explain:
        found["steps"] = [step.as_json() for step in _steps(price, tokens, asked)]
        if isinstance(energy, TokenEnergy) and asked.energy is not None:
            found["steps"] += [step.as_json() for step in energy.steps(asked.counted)]
    if asked.sensitivity:
        found["sensitivity"] = _sensitivity(case, price, tokens, basis, asked)
    if asked.hosted:
        found["hosted"] = hosted(case.stored_model, mix_of(case), basis.day, tokens)
    return found


def _utilisation(price: HourlyPrice | None, asked: EconomicsAsked) -> Decimal:
    if price is not None and price.owned is not None:
        return price.owned.utilisation
    return asked.utilisation or Decimal(1)


def _tokens(tokens: TokenPrices, case: Case) -> dict[str, dict[str, Any]]:
    """Of each kind the cost, its 80% interval (cheap where the machine is fast) and the reciprocal."""
    found = tokens.as_json()
    if case.interval is None:
        return found
    slow, fast = (replace(tokens, output_tok_s=exact(rate)) for rate in case.interval)
    for counted in COUNTED:
        found[counted] |= {
            "low_usd_per_mtok": rounded(fast.usd_per_mtok(counted)),
            "high_usd_per_mtok": rounded(slow.usd_per_mtok(counted)),
        }
    return found


def _steps(price: HourlyPrice | None, tokens: TokenPrices | None, asked: EconomicsAsked) -> list[Step]:
    if price is None:
        return []
    return [*price_steps(price), *(tokens.steps(asked.counted) if tokens else [])]


def _energy(
    case: Case, price: HourlyPrice | None, basis: BasisAsked, asked: EconomicsAsked, use: Decimal
) -> TokenEnergy | dict[str, Any]:
    """The energy, or what is missing for it."""
    if asked.energy is None:
        return {}
    power = rated_power(case.hardware, basis.owned)
    if power is None or case.output_tok_s is None:
        lacking = "rated power of this hardware is unknown" if power is None else "there is no throughput"
        return {"tokens": None, "missing": lacking}
    country = asked.energy.country or (price.quote.country if price and price.quote else "")
    segment = segment_of(case.hardware)
    rates = token_prices(Decimal(1), case.output_tok_s, case.isl, case.osl, use)
    where = carbon(country) if country else None
    energy = TokenEnergy(
        power, basis.owned.term("pue", segment), basis.owned.term("power_share", segment), rates, where
    )
    if where is not None:
        return energy
    unknown = f"no figure of carbon is kept for {country.upper()}" if country else "no country is known"
    return energy.as_json() | {"missing": unknown}


def _sensitivity(
    case: Case,
    price: HourlyPrice | None,
    tokens: TokenPrices | None,
    basis: BasisAsked,
    asked: EconomicsAsked,
) -> dict[str, Any] | None:
    if price is None or tokens is None:
        return None
    span: tuple[Decimal, Decimal] | None = None
    if price.quote is not None and case.hardware.row is not None:
        asks = provider_prices(price.quote, case.hardware.row.pk, basis)
        if len(asks) > 1:
            span = min(asks[0].usd_per_hour, price.usd_per_hour), asks[-1].usd_per_hour
    return tornado(
        tokens,
        asked.counted,
        price_range=span,
        throughput_range=case.interval,
        again=case.again,
        owned=price.owned,
    ).as_json()


def mix_of(case: Case) -> Mix:
    return Mix(exact(case.isl), exact(case.osl), exact(case.cached_share))


def hosted(model: str | None, mix: Mix, day: date, tokens: TokenPrices | None) -> dict[str, Any]:
    """Endpoints that serve the model, cheapest first, each with the load at which the machine beats it."""
    prices = hosted_prices(model, mix, day) if model else []
    middle = median(prices)
    own: Fraction | None = tokens.usd_per_mtok("blended") if tokens else None
    return {
        "counted": "blended",
        "cached_share": rounded(mix.cached_share),
        "own_usd_per_mtok": None if own is None else rounded(own),
        "own_usd_per_mtok_at_full_load": (
            None if own is None or tokens is None else rounded(own * tokens.utilisation)
        ),
        "cheapest": prices[0].provider if prices else None,
        "median": middle.provider if middle else None,
        "endpoints": [
            price.as_json() | (break_even(tokens, price.blended_usd_per_mtok).as_json() if tokens else {})
            for price in prices
        ],
        "missing": None if prices else "no hosted price of this model is kept",
    }
