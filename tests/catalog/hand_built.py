"""Rows built by hand for tests of offers and prices: the fewest columns that a row needs."""

import itertools
from datetime import date
from decimal import Decimal
from typing import Any

from catalog.models import Accelerator, Link, Offer, PriceQuote, Provider, Source, System, Vendor

_numbers = itertools.count(1)


def vendor() -> Vendor:
    return Vendor.objects.get_or_create(slug="maker", defaults={"name": "Maker"})[0]


def source() -> Source:
    return Source.objects.get_or_create(slug="price-list", defaults={"title": "Price list"})[0]


def provider(slug: str = "cloud") -> Provider:
    return Provider.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0]


def accelerator(slug: str = "chip", link_gbs: float | None = None, domain: int | None = None) -> Accelerator:
    made = Accelerator.objects.create(
        slug=slug, name=slug, vendor=vendor(), kind="gpu", segment="datacentre", status="available"
    )
    if link_gbs is not None:
        Link.objects.create(accelerator=made, scope="scale_up", bandwidth_gbs=link_gbs, domain_size=domain)
    return made


def offer(chip: Accelerator, count: int = 1) -> Offer:
    return Offer.objects.create(slug=f"{chip.slug}-x{count}", accelerator=chip, count=count)


def system(chip: Accelerator, count: int, slug: str, **columns: Any) -> System:
    return System.objects.create(
        slug=slug,
        name=slug,
        vendor=vendor(),
        accelerator=chip,
        accelerator_count=count,
        form="server",
        **columns,
    )


def quote(
    chip: Accelerator,
    price: str,
    *,
    count: str = "1",
    by: str = "cloud",
    offering: str = "vm",
    region: str = "here",
    on: date | None = date(2026, 1, 1),
    **columns: Any,
) -> PriceQuote:
    return PriceQuote.objects.create(
        key=f"{next(_numbers):064d}",
        provider=provider(by),
        source=source(),
        accelerator=chip,
        accelerator_count=Decimal(count),
        offering=offering,
        region=region,
        price_per_hour=Decimal(price),
        observed_on=on,
        **{"pricing_model": "on_demand", **columns},
    )
