"""The price of an hour of an offer on any basis: on demand, spot, reserved, owned, or the cheapest to rent.

Rented bases take the quote that `catalog.prices` chooses. The owned basis takes the newest purchase price
that a source names for the accelerator by the asked day, once for each of the offer's accelerators, and what
keeping it costs (`estimates.economics.owned`). A few queries whatever the number of offers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

from django.utils import timezone

from catalog.models import Accelerator, Figure, Offer, PurchasePrice, System
from catalog.prices import (
    CURRENCY,
    STALE_AFTER_DAYS,
    PriceFilter,
    QuoteUsed,
    offer_prices,
    offer_prices_by_basis,
)
from estimates.economics.owned import OwnedCost, OwnedTerms, Power, Purchase, money, owned_cost

Basis = Literal["on_demand", "spot", "reserved", "owned", "any", "none"]
BASES: Final = ("on_demand", "spot", "reserved", "owned", "any", "none")
#: How prices begin that their own author calls approximate: they yield to a stated one of the same year.
APPROXIMATE: Final = "approximate"
#: The basis of a purchase price that the question states itself.
GIVEN: Final = "given"


@dataclass(frozen=True, slots=True)
class BasisAsked:
    """Which price counts. `any` is the cheapest to rent, `none` prices nothing; empty filters mean any."""

    basis: Basis = "on_demand"
    providers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    term: str | None = None
    as_of: date | None = None
    max_age_days: int | None = None
    owned: OwnedTerms = field(default_factory=OwnedTerms)

    @property
    def day(self) -> date:
        return self.as_of or timezone.now().date()


@dataclass(frozen=True, slots=True)
class HourlyPrice:
    """USD an hour of a whole offer (one machine) at full load, what it rests on and how old that is."""

    basis: str
    usd_per_hour: Decimal
    quote: QuoteUsed | None = None
    owned: OwnedCost | None = None
    age_days: int | None = None
    stale: bool = False

    @property
    def usd_per_paid_hour(self) -> Decimal:
        """Of an hour paid for, used or not: below `usd_per_hour` where own hardware idles."""
        return self.owned.usd_per_owned_hour if self.owned else self.usd_per_hour

    @property
    def utilisation(self) -> Decimal:
        """The share of paid hours that `usd_per_hour` already spreads the cost over."""
        return self.owned.utilisation if self.owned else Decimal(1)

    def as_json(self) -> dict[str, Any]:
        return {
            "basis": self.basis,
            "usd_per_hour": money(self.usd_per_hour),
            "age_days": self.age_days,
            "stale": self.stale,
            "quote": shown_quote(self.quote) if self.quote else None,
            "owned": self.owned.as_json() if self.owned else None,
        }


def shown_quote(quote: QuoteUsed) -> dict[str, Any]:
    """The quote with unknown text as null."""
    return {name: None if value == "" else value for name, value in quote.as_json().items()}


def hourly_prices(asked: BasisAsked, offers: Collection[int] | None = None) -> dict[int, HourlyPrice]:
    """The price by offer id; an offer without one is absent. `offers` None means all."""
    if asked.basis == "none":
        return {}
    if asked.basis == "owned":
        return owned_prices(asked, offers)[0]
    criteria = price_filter(asked)
    if asked.basis == "any":
        cheapest = {
            pk: min(quotes.values(), key=lambda quote: quote.usd_per_hour)
            for pk, quotes in offer_prices_by_basis(criteria, offers).items()
        }
        return {pk: rented(quote) for pk, quote in cheapest.items()}
    return {pk: rented(quote) for pk, quote in offer_prices(criteria, offers).items()}


def price_filter(asked: BasisAsked) -> PriceFilter:
    """The filter of a rented basis."""
    return PriceFilter(
        pricing_model=asked.basis,
        providers=asked.providers,
        regions=asked.regions,
        countries=asked.countries,
        term=asked.term,
        as_of=asked.as_of,
        max_age_days=asked.max_age_days,
    )


def rented(quote: QuoteUsed) -> HourlyPrice:
    return HourlyPrice(
        basis=quote.pricing_model,
        usd_per_hour=quote.usd_per_hour,
        quote=quote,
        age_days=quote.age_days,
        stale=quote.stale,
    )


def owned_prices(
    asked: BasisAsked, offers: Collection[int] | None = None
) -> tuple[dict[int, HourlyPrice], dict[int, str]]:
    """The price of owning by offer id, and for each offer without one the fact that is missing."""
    rows = Offer.objects.all() if offers is None else Offer.objects.filter(pk__in=offers)
    shapes = [
        OwnedShape(pk, accelerator, count)
        for pk, accelerator, count in rows.values_list("pk", "accelerator_id", "count")
    ]
    return owned_of(shapes, asked, system_power(None if offers is None else set(offers)))


@dataclass(frozen=True, slots=True)
class OwnedShape:
    """Hardware to own: `key` names it in the answer, stored offer or not."""

    key: int
    accelerator: int
    count: int


def owned_of(
    shapes: Collection[OwnedShape], asked: BasisAsked, systems: dict[int, Power]
) -> tuple[dict[int, HourlyPrice], dict[int, str]]:
    """The price of owning each shape by its key, or the missing fact. Power of `systems` goes by key too."""
    accelerators = {shape.accelerator for shape in shapes}
    parts = {
        pk: (name, segment, watts)
        for pk, name, segment, watts in Accelerator.objects.filter(pk__in=accelerators).values_list(
            "pk", "name", "segment", "tdp_w"
        )
    }
    purchases = purchase_prices(accelerators, asked.day)
    found: dict[int, HourlyPrice] = {}
    missing: dict[int, str] = {}
    for shape in shapes:
        name, segment, watts = parts[shape.accelerator]
        purchase = own_purchase(asked.owned, name) or purchases.get(shape.accelerator)
        power = own_power(asked.owned) or systems.get(shape.key)
        if power is None and watts is not None:
            power = Power(Decimal(repr(watts)) * shape.count, f"{shape.count} x {name}", False)
        if purchase is None:
            missing[shape.key] = f"no purchase price of {name} is known"
        elif power is None:
            missing[shape.key] = f"the rated power of {name} is unknown"
        else:
            if asked.owned.purchase_usd is None:
                purchase = replace(purchase, count=shape.count)
            age = age_of(purchase, asked.day)
            cost = owned_cost(purchase, power, asked.owned, segment)
            found[shape.key] = HourlyPrice(
                basis="owned",
                usd_per_hour=cost.usd_per_hour,
                owned=cost,
                age_days=age,
                stale=purchase.basis != GIVEN and (age is None or age > STALE_AFTER_DAYS),
            )
    return found, missing


def own_purchase(terms: OwnedTerms, name: str) -> Purchase | None:
    """The purchase price that the question gives, of the whole machine."""
    price = terms.purchase_usd
    return None if price is None else Purchase(price, 1, name, GIVEN, None, "", "", "", price, price)


def own_power(terms: OwnedTerms) -> Power | None:
    return None if terms.power_w is None else Power(terms.power_w, GIVEN, True)


def system_power(offers: Collection[int] | None) -> dict[int, Power]:
    """Rated power by offer of the machines that are this offer; where several say, the highest."""
    rows = System.objects.filter(power_kw__isnull=False, offer__isnull=False)
    if offers is not None:
        rows = rows.filter(offer__in=offers)
    highest: dict[int, Power] = {}
    for offer, name, kilowatts in rows.order_by("power_kw", "slug").values_list("offer", "name", "power_kw"):
        highest[offer] = Power(Decimal(repr(kilowatts)) * 1000, name, True)
    return highest


def purchase_prices(accelerators: Iterable[int], day: date) -> dict[int, Purchase]:
    """The purchase price of one piece by accelerator id: the newest that a source names by that day.

    Of one year a stated price goes before one that its author calls approximate. Where no row is kept the
    launch price of the datasheet stands.
    """
    wanted = set(accelerators)
    rows = list(
        PurchasePrice.objects.filter(accelerator__in=wanted, currency=CURRENCY)
        .exclude(year__gt=day.year)
        .order_by("pk")
        .select_related("source")
    )
    chosen: dict[int, PurchasePrice] = {}
    spread: dict[int, list[Decimal]] = {}
    for row in rows:
        key = row.accelerator_id
        if key is None:
            continue
        spread.setdefault(key, []).append(row.price)
        standing = chosen.get(key)
        if standing is None or _rank(row) > _rank(standing):
            chosen[key] = row
    found = {
        key: Purchase(
            usd_each=row.price,
            count=1,
            hardware_name=row.hardware_name,
            basis=row.basis,
            year=row.year,
            source=row.source.slug,
            source_title=row.source.title,
            source_url=row.source.url,
            low_usd_each=min(spread[key]),
            high_usd_each=max(spread[key]),
        )
        for key, row in chosen.items()
    }
    return found | launch_prices(wanted - found.keys(), day)


def _rank(row: PurchasePrice) -> tuple[int, bool, int]:
    return (row.year or 0, not row.basis.startswith(APPROXIMATE), row.pk)


def launch_prices(accelerators: Collection[int], day: date) -> dict[int, Purchase]:
    """The launch price of the datasheets with the source of its figure; a later launch does not count."""
    if not accelerators:
        return {}
    sources = {
        figure.accelerator_id: figure.source
        for figure in Figure.objects.filter(
            accelerator__in=accelerators, quantity="launch_price_usd", accepted=True
        ).select_related("source")
    }
    found: dict[int, Purchase] = {}
    rows = Accelerator.objects.filter(pk__in=accelerators, launch_price_usd__isnull=False)
    for pk, name, price, released in rows.values_list("pk", "name", "launch_price_usd", "release_date"):
        year = int(released[:4]) if released[:4].isdigit() else None
        if price is None or (year is not None and year > day.year):
            continue
        source = sources.get(pk)
        found[pk] = Purchase(
            usd_each=price,
            count=1,
            hardware_name=name,
            basis="launch price",
            year=year,
            source=source.slug if source else "",
            source_title=source.title if source else "",
            source_url=source.url if source else "",
            low_usd_each=price,
            high_usd_each=price,
        )
    return found


def age_of(purchase: Purchase, day: date) -> int | None:
    """Days since the end of the price's year, its least age; None where no year is known."""
    return None if purchase.year is None else max(0, (day - date(purchase.year, 12, 31)).days)
