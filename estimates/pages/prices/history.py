"""Quotes of an accelerator over time: what each provider asked on each day, what is cheapest now, to buy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, F

from catalog.models import Accelerator, PriceQuote, PurchasePrice
from catalog.prices import CURRENCY, STALE_AFTER_DAYS
from estimates.pages.numbers import age


@dataclass(frozen=True)
class Quote:
    """One quote, for the whole offering and for one accelerator of it."""

    observed_on: date | None
    provider: str
    provider_name: str
    offering: str
    region: str
    term: str
    count: Decimal
    kind: str
    usd_per_hour: Decimal
    valid_until: date | None
    source: str
    source_title: str
    source_url: str

    @property
    def each(self) -> Decimal:
        return self.usd_per_hour / self.count


@dataclass(frozen=True)
class Standing:
    """What a provider asks now at the least, and how long its quotes go back."""

    quote: Quote
    age: str
    stale: bool
    quotes: int
    days: int
    first: date | None


@dataclass(frozen=True)
class Series:
    """The least that a provider asked for one accelerator on each day on which its quotes were seen."""

    provider: str
    name: str
    points: list[tuple[date, float]]


def quoted_accelerators() -> list[tuple[str, str, int]]:
    """(slug, name, quotes) of every accelerator with quotes, by name."""
    rows = (
        PriceQuote.objects.filter(suspect="", currency=CURRENCY)
        .order_by()
        .values_list("accelerator__slug", "accelerator__name")
        .annotate(quotes=Count("pk"))
    )
    return sorted(rows, key=lambda row: (row[1].lower(), row[0]))


def quoted_counts(accelerator: str) -> list[Decimal]:
    """The numbers of accelerators that its quotes are for."""
    rows = PriceQuote.objects.filter(accelerator__slug=accelerator, suspect="", currency=CURRENCY)
    return sorted(rows.order_by().values_list("accelerator_count", flat=True).distinct())


def read_quotes(accelerator: str, basis: str, count: Decimal | None, day: date) -> list[Quote]:
    """Every quote seen by that day that is not suspect, oldest first; one query."""
    rows = PriceQuote.objects.filter(
        accelerator__slug=accelerator, pricing_model=basis, currency=CURRENCY, suspect=""
    ).exclude(observed_on__gt=day)
    if count is not None:
        rows = rows.filter(accelerator_count=count)
    return [
        Quote(*values)
        for values in rows.order_by(F("observed_on").asc(nulls_first=True), "pk").values_list(
            "observed_on",
            "provider__slug",
            "provider__name",
            "offering",
            "region",
            "term",
            "accelerator_count",
            "kind",
            "price_per_hour",
            "valid_until",
            "source__slug",
            "source__title",
            "source__url",
        )
    ]


def standings(quotes: Iterable[Quote], day: date) -> list[Standing]:
    """Of each provider the cheapest accelerator among the newest quotes of its offerings; cheapest first."""
    by_provider: dict[str, list[Quote]] = {}
    for quote in quotes:
        by_provider.setdefault(quote.provider, []).append(quote)
    found = []
    for own in by_provider.values():
        newest = {(quote.offering, quote.region, quote.term, quote.count): quote for quote in own}
        valid = [quote for quote in newest.values() if quote.valid_until is None or quote.valid_until >= day]
        if not valid:
            continue
        cheapest = min(valid, key=lambda quote: quote.each)
        seen = cheapest.observed_on
        days = {quote.observed_on for quote in own if quote.observed_on}
        found.append(
            Standing(
                quote=cheapest,
                age=age(seen, day) if seen else "unknown",
                stale=seen is None or (day - seen).days > STALE_AFTER_DAYS,
                quotes=len(own),
                days=len(days),
                first=min(days, default=None),
            )
        )
    return sorted(found, key=lambda standing: (standing.quote.each, standing.quote.provider))


def series_of(quotes: Iterable[Quote]) -> list[Series]:
    """One series a provider, by the number of days it was seen on, most first."""
    least: dict[tuple[str, str], dict[date, float]] = {}
    for quote in quotes:
        if quote.observed_on is None:
            continue
        days = least.setdefault((quote.provider, quote.provider_name), {})
        price = float(quote.each)
        days[quote.observed_on] = min(price, days.get(quote.observed_on, price))
    made = [Series(slug, name, sorted(days.items())) for (slug, name), days in least.items()]
    return sorted(made, key=lambda series: (-len(series.points), series.points[-1][1], series.provider))


@dataclass(frozen=True)
class ToBuy:
    """A purchase price of one piece as a source has it."""

    hardware_name: str
    price: Decimal
    year: int | None
    basis: str
    source_title: str
    source_url: str


def purchase_prices(accelerator: Accelerator, day: date) -> list[ToBuy]:
    """Newest first."""
    rows = PurchasePrice.objects.filter(accelerator=accelerator, currency=CURRENCY)
    return [
        ToBuy(*values)
        for values in rows.exclude(year__gt=day.year)
        .order_by(F("year").desc(nulls_last=True), "pk")
        .values_list("hardware_name", "price", "year", "basis", "source__title", "source__url")
    ]
