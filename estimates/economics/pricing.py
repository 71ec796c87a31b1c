"""The hourly price of the hardware of one question: its own, a quote's, or what owning it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from catalog.models import Offer as OfferRow
from catalog.prices import PriceFilter, QuoteUsed, offer_prices, plain
from estimates.asked_hardware import Hardware
from estimates.economics.bases import (
    GIVEN,
    Basis,
    BasisAsked,
    HourlyPrice,
    OwnedShape,
    hourly_prices,
    own_power,
    own_purchase,
    owned_of,
    rented,
    system_power,
)
from estimates.economics.defaults import ANY
from estimates.economics.owned import OwnedTerms, Power, owned_cost
from estimates.economics.steps import Step
from estimates.what_if import Fault, InvalidQuestion, PriceAsked, Question

#: Key of the one shape that is asked about.
THIS: Final = 0


@dataclass(frozen=True, slots=True)
class Priced:
    """The price found, or in words why there is none."""

    price: HourlyPrice | None
    missing: str = ""

    @property
    def quote(self) -> QuoteUsed | None:
        return self.price.quote if self.price else None

    @property
    def own(self) -> Decimal | None:
        """An hourly price that no quote states."""
        return self.price.usd_per_hour if self.price and self.price.quote is None else None


def basis_of(question: Question) -> BasisAsked:
    """The basis that a question asks for. Raises InvalidQuestion where it contradicts itself."""
    asked, wanted = question.price, question.economics.utilisation
    basis: Basis = asked.basis or asked.pricing_model
    if asked.basis and "pricing_model" in asked.model_fields_set and asked.pricing_model != basis:
        detail = f"basis is {asked.basis!r} and pricing_model {asked.pricing_model!r}"
        raise InvalidQuestion(Fault("/price/pricing_model", "conflict", detail, "one of both"))
    terms = asked.owned.terms()
    if wanted is not None and basis == "owned":
        if terms.utilisation not in (None, wanted):
            detail = (
                f"utilisation is {plain(wanted)} here and {plain(terms.utilisation or wanted)} in price.owned"
            )
            raise InvalidQuestion(Fault("/economics/utilisation", "conflict", detail, "one of both"))
        terms = replace(terms, utilisation=wanted)
    return BasisAsked(
        basis=basis,
        providers=(asked.provider,) if asked.provider else (),
        regions=(asked.region,) if asked.region else (),
        countries=(asked.country.upper(),) if asked.country else (),
        as_of=asked.as_of,
        owned=terms,
    )


def find_price(question: Question, hardware: Hardware) -> Priced:
    """The price of the question's hardware on the basis asked. Raises InvalidQuestion."""
    asked = basis_of(question)
    own = question.price.usd_per_hour
    if own is not None:
        return Priced(HourlyPrice(GIVEN, own))
    if asked.basis == "none":
        return Priced(None, "no price was asked for")
    if asked.basis == "owned":
        return _owned(asked, hardware)
    if hardware.row is None:
        return Priced(None, "hardware that is not in the catalogue has no quote; give usd_per_hour")
    counts = dict(OfferRow.objects.filter(accelerator=hardware.row).values_list("pk", "count"))
    price = price_among(hourly_prices(asked, list(counts)), counts, hardware)
    if price is not None:
        return Priced(price)
    return Priced(None, no_quote(asked, hardware))


def no_quote(asked: BasisAsked, hardware: Hardware) -> str:
    """That nothing rents this hardware on the basis asked, in words."""
    words = "to rent" if asked.basis == "any" else asked.basis.replace("_", " ")
    return f"no quote {words} for {hardware.shape.slug} as asked"


def price_among(
    prices: Mapping[int, HourlyPrice], counts: Mapping[int, int], hardware: Hardware
) -> HourlyPrice | None:
    """The rented price among those of the accelerator's offers; `counts`: accelerators by offer."""
    quotes = {pk: price.quote for pk, price in prices.items() if price.quote is not None}
    used = quote_among(quotes, counts, hardware)
    return None if used is None else rented(used)


def quote_among(
    prices: Mapping[int, QuoteUsed], counts: Mapping[int, int], hardware: Hardware
) -> QuoteUsed | None:
    """The offer's own quote, else the cheapest per chip of the accelerator's other offers, scaled."""
    if hardware.offer is not None:
        return prices.get(hardware.offer.pk)
    if not prices:
        return None
    pk, used = min(prices.items(), key=lambda item: item[1].usd_per_hour / counts[item[0]])
    return replace(
        used,
        usd_per_hour=used.usd_per_hour * hardware.shape.count / counts[pk],
        scaled_from=used.quoted_count,
    )


def price_filter_of(asked: PriceAsked) -> PriceFilter:
    """The quotes that a question about the price leaves, of its pricing model."""
    return PriceFilter(
        pricing_model=asked.pricing_model,
        providers=(asked.provider,) if asked.provider else (),
        regions=(asked.region,) if asked.region else (),
        countries=(asked.country.upper(),) if asked.country else (),
        as_of=asked.as_of,
    )


def find_quote(asked: PriceAsked, hardware: Hardware) -> QuoteUsed | None:
    """The quote of the pricing model asked, without regard to other bases."""
    if asked.usd_per_hour is not None or hardware.row is None:
        return None
    counts = dict(OfferRow.objects.filter(accelerator=hardware.row).values_list("pk", "count"))
    return quote_among(offer_prices(price_filter_of(asked), list(counts)), counts, hardware)


def _owned(asked: BasisAsked, hardware: Hardware) -> Priced:
    power = rated_power(hardware, asked.owned)
    if hardware.row is None:
        purchase = own_purchase(asked.owned, hardware.sheet.slug)
        if purchase is None or power is None:
            lacking = "owned.purchase_usd" if purchase is None else "owned.power_w"
            return Priced(None, f"hardware that is not in the catalogue is owned at a given {lacking}")
        cost = owned_cost(purchase, power, asked.owned)
        return Priced(HourlyPrice("owned", cost.usd_per_hour, owned=cost))
    shape = OwnedShape(THIS, hardware.row.pk, hardware.shape.count)
    found, missing = owned_of([shape], asked, {THIS: power} if power else {})
    return Priced(found.get(THIS), missing.get(THIS, ""))


def rated_power(hardware: Hardware, terms: OwnedTerms) -> Power | None:
    """Of the machine that is this offer, else of its accelerators; a given or overridden figure first."""
    given = own_power(terms)
    if given is not None:
        return given
    if hardware.offer is not None and "tdp_w" not in hardware.overridden:
        system = system_power([hardware.offer.pk]).get(hardware.offer.pk)
        if system is not None:
            return system
    each = hardware.sheet.quantities.get("tdp_w")
    if each is None:
        return None
    count = hardware.shape.count
    return Power(Decimal(repr(float(each))) * count, f"{count} x {hardware.sheet.slug}", False)


def segment_of(hardware: Hardware) -> str:
    """Whose defaults of owning apply."""
    return hardware.row.segment if hardware.row is not None else ANY


def price_steps(price: HourlyPrice) -> list[Step]:
    """How the price of an hour paid for comes about."""
    if price.owned is not None:
        return price.owned.steps()
    quote = price.quote
    if quote is None:
        return [Step("usd_per_hour", "as given", price.usd_per_hour, "USD/h")]
    expression = f"quoted by {quote.provider_name} for {plain(quote.quoted_count)}"
    if quote.scaled_from is not None:
        factor = quote.usd_per_hour / quote.quoted_usd_per_hour
        expression = f"{plain(quote.quoted_usd_per_hour)} {expression} x {plain(factor.normalize())}"
    return [Step("usd_per_hour", expression, price.usd_per_hour, "USD/h")]
