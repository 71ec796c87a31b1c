"""Price quotes as they are observed: checked, held against the rules across quotes, appended.

A quote that a rule refuses is kept with the reason and used by no estimate, as in the catalogue's files. One
that was observed before is the row that stands. No estimate is made again: cost is arithmetic over cached
throughput, asked for with the quotes as they are. Only a count that nobody offered before makes a new offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Q

from catalog import hints
from catalog.importing.natural_keys import quote_key
from catalog.models import Accelerator, Offer, PriceQuote, Provider, Source
from catalog.offers import refresh_offers
from catalog.quote_rules import suspects


@dataclass(frozen=True, slots=True)
class NewQuote:
    """One observed price; reads as `catalog.quote_rules` wants it."""

    provider_row: Provider
    accelerator_row: Accelerator
    source: Source
    offering: str
    accelerator_count: Decimal
    region: str
    price_per_hour: Decimal
    pricing_model: str
    observed_on: date
    country: str = ""
    currency: str = "USD"
    term: str = ""
    kind: str = "list"
    valid_until: date | None = None

    @property
    def provider(self) -> str:
        return self.provider_row.slug

    @property
    def accelerator(self) -> str:
        return self.accelerator_row.slug

    @property
    def key(self) -> str:
        return quote_key(self, term=self.term, currency=self.currency, source=self.source.slug)


@dataclass(frozen=True, slots=True)
class Standing:
    """A quote in the database, as the rules read it."""

    provider: str
    offering: str
    accelerator: str
    accelerator_count: Decimal
    region: str
    pricing_model: str
    price_per_hour: Decimal
    observed_on: date | None


@dataclass(slots=True)
class Added:
    """Primary keys of the quotes in the order given, and how many of them are new."""

    pks: list[int] = field(default_factory=list)
    new: int = 0


def add_quotes(quotes: Sequence[NewQuote]) -> Added:
    """Append what is not known yet. Must run inside a transaction."""
    keys = [quote.key for quote in quotes]
    known = set(PriceQuote.objects.filter(key__in=keys).values_list("key", flat=True))
    fresh = {key: quote for key, quote in zip(keys, quotes, strict=True) if key not in known}
    reasons = refused_by_rules(list(fresh.values()))
    PriceQuote.objects.bulk_create(
        [
            PriceQuote(
                key=key,
                provider=quote.provider_row,
                offering=quote.offering,
                accelerator=quote.accelerator_row,
                accelerator_count=quote.accelerator_count,
                region=quote.region,
                country=quote.country,
                price_per_hour=quote.price_per_hour,
                currency=quote.currency,
                pricing_model=quote.pricing_model,
                term=quote.term,
                kind=quote.kind,
                observed_on=quote.observed_on,
                valid_until=quote.valid_until,
                source=quote.source,
                suspect=reasons.get(at, "")[:200],
            )
            for at, (key, quote) in enumerate(fresh.items())
        ],
        ignore_conflicts=True,  # somebody else observed the same meanwhile
    )
    in_use = [quote for at, quote in enumerate(fresh.values()) if at not in reasons]
    _offer_new_counts(in_use)
    pk_of = dict(PriceQuote.objects.filter(key__in=keys).values_list("key", "pk"))
    return Added([pk_of[key] for key in keys], len(fresh))


def refused_by_rules(quotes: Sequence[NewQuote]) -> dict[int, str]:
    """Reason by position of the new quotes that do not fit to each other and to what stands in use."""
    if not quotes:
        return {}
    near = Q()
    for provider, accelerator, offering in {
        (quote.provider_row.pk, quote.accelerator_row.pk, quote.offering) for quote in quotes
    }:
        near |= Q(provider=provider) & (Q(accelerator=accelerator) | Q(offering=offering))
    rows = PriceQuote.objects.filter(near, suspect="").values_list(
        "provider__slug",
        "offering",
        "accelerator__slug",
        "accelerator_count",
        "region",
        "pricing_model",
        "price_per_hour",
        "observed_on",
    )
    found = suspects([*quotes, *(Standing(*row) for row in rows)])
    return {at: reason for at, reason in found.items() if at < len(quotes)}


def _offer_new_counts(quotes: Sequence[NewQuote]) -> None:
    """Make offers of whole counts that had none, and let their accelerators be estimated."""
    counts = {
        (quote.accelerator_row.pk, int(quote.accelerator_count))
        for quote in quotes
        if quote.accelerator_count == quote.accelerator_count.to_integral_value()
    }
    offered = set(
        Offer.objects.filter(retired=False, accelerator__in={pk for pk, _ in counts}).values_list(
            "accelerator", "count"
        )
    )
    if missing := counts - offered:
        refresh_offers()
        for pk in sorted({pk for pk, _ in missing}):
            hints.accelerator_changed(pk)
