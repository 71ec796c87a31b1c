"""What each provider asks now for hardware of a shape: the spread behind the one quote that is used.

Of each provider, offering, region and count the newest quote of the day that is not suspect and still valid,
as `catalog.prices` chooses among; of each provider the cheapest. Quotes of the count of the quote used are
compared, scaled like it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, Q

from catalog.models import PriceQuote
from catalog.prices import CURRENCY, STALE_AFTER_DAYS, QuoteUsed
from estimates.economics.bases import BasisAsked


@dataclass(frozen=True, slots=True)
class ProviderPrice:
    """The cheapest of what one provider asks, for the whole shape."""

    provider: str
    provider_name: str
    offering: str
    region: str
    usd_per_hour: Decimal
    observed_on: date | None
    age_days: int | None
    stale: bool


def provider_prices(quote: QuoteUsed, accelerator: int, asked: BasisAsked) -> list[ProviderPrice]:
    """Cheapest first. `quote` is the one used for the shape: its count and pricing model are compared."""
    day = asked.day
    rows = PriceQuote.objects.filter(
        Q(observed_on__isnull=True) | Q(observed_on__lte=day),
        accelerator=accelerator,
        accelerator_count=quote.quoted_count,
        pricing_model=quote.pricing_model,
        currency=CURRENCY,
        suspect="",
    ).exclude(kind="index")
    for lookup, values in (
        ("provider__slug__in", asked.providers),
        ("region__in", asked.regions),
        ("country__in", asked.countries),
    ):
        if values:
            rows = rows.filter(**{lookup: values})
    newest = rows.order_by(
        "provider_id", "offering", "region", "term", F("observed_on").desc(nulls_last=True), "-pk"
    ).distinct("provider_id", "offering", "region", "term")
    scale = quote.usd_per_hour / quote.quoted_usd_per_hour
    cheapest: dict[str, ProviderPrice] = {}
    for row in newest.select_related("provider"):
        age = (day - row.observed_on).days if row.observed_on else None
        too_old = asked.max_age_days is not None and (age is None or age > asked.max_age_days)
        if too_old or (row.valid_until is not None and row.valid_until < day):
            continue
        price = ProviderPrice(
            provider=row.provider.slug,
            provider_name=row.provider.name,
            offering=row.offering,
            region=row.region,
            usd_per_hour=row.price_per_hour * scale,
            observed_on=row.observed_on,
            age_days=age,
            stale=age is None or age > STALE_AFTER_DAYS,
        )
        standing = cheapest.get(price.provider)
        if standing is None or price.usd_per_hour < standing.usd_per_hour:
            cheapest[price.provider] = price
    return sorted(cheapest.values(), key=lambda price: (price.usd_per_hour, price.provider))
