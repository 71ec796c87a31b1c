"""What hosted endpoints ask for the same model, blended as the question's tokens are, and the break-even.

Of each provider the rows last seen by the asked day that are not suspect, of those the cheapest for these
lengths. Cached prompt tokens cost the provider's price for cached input where it prints one, else the full
price. The own machine beats an endpoint once its paid hours are used to more than

    break-even utilisation = own USD per million blended tokens at full load / hosted USD per million
    break-even load        = break-even utilisation x tokens per second at full load

Above 1 there is no such load: at these prices tokens are cheaper bought.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from catalog.models import TokenPrice
from catalog.prices import CURRENCY, STALE_AFTER_DAYS, plain
from estimates.economics.steps import rounded
from estimates.economics.tokens import TokenPrices, exact

SECONDS_PER_DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class Mix:
    """The tokens of a request: prompt, of which a share is cached, and answer."""

    isl: Fraction
    osl: Fraction
    cached_share: Fraction = Fraction(0)


@dataclass(frozen=True, slots=True)
class HostedPrice:
    """What one provider asks for a model, and the same blended over a request's tokens."""

    provider: str
    provider_name: str
    model_name: str
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    cached_input_usd_per_mtok: Decimal | None
    blended_usd_per_mtok: Fraction
    observed_on: str
    age_days: int | None
    stale: bool
    source: str
    source_url: str

    def as_json(self) -> dict[str, Any]:
        cached = self.cached_input_usd_per_mtok
        return {
            "provider": self.provider,
            "provider_name": self.provider_name,
            "model_name": self.model_name,
            "input_usd_per_mtok": plain(self.input_usd_per_mtok),
            "output_usd_per_mtok": plain(self.output_usd_per_mtok),
            "cached_input_usd_per_mtok": None if cached is None else plain(cached),
            "blended_usd_per_mtok": rounded(self.blended_usd_per_mtok),
            "observed_on": self.observed_on,
            "age_days": self.age_days,
            "stale": self.stale,
            "source": self.source,
            "source_url": self.source_url or None,
        }


def hosted_prices(model: str, mix: Mix, day: date) -> list[HostedPrice]:
    """Of each provider the price in force on `day` for a model (slug), cheapest first; one query.

    Endpoints that ask nothing for the answer are free trials and left out.
    """
    rows = (
        TokenPrice.objects.filter(
            language_model__slug=model,
            suspect="",
            currency=CURRENCY,
            input_usd_per_mtok__isnull=False,
            output_usd_per_mtok__gt=0,
            observed_on__lte=day.isoformat(),
        )
        .exclude(effective_from__gt=day)
        .select_related("provider", "source")
        .order_by("provider__slug", "model_name", "pk")
    )
    newest: dict[str, list[HostedPrice]] = {}
    for row in rows:
        price = _hosted(row, mix, day)
        standing = newest.setdefault(price.provider, [])
        if standing and standing[0].observed_on < price.observed_on:
            standing.clear()
        if not standing or standing[0].observed_on == price.observed_on:
            standing.append(price)
    cheapest = [min(prices, key=lambda price: price.blended_usd_per_mtok) for prices in newest.values()]
    return sorted(cheapest, key=lambda price: (price.blended_usd_per_mtok, price.provider))


def _hosted(row: TokenPrice, mix: Mix, day: date) -> HostedPrice:
    asked_in, asked_out = row.input_usd_per_mtok, row.output_usd_per_mtok
    if asked_in is None or asked_out is None:
        raise ValueError(f"token price {row.pk} lacks a price")
    seen = first_day(row.observed_on)
    age = None if seen is None else (day - seen).days
    return HostedPrice(
        provider=row.provider.slug,
        provider_name=row.provider.name,
        model_name=row.model_name,
        input_usd_per_mtok=asked_in,
        output_usd_per_mtok=asked_out,
        cached_input_usd_per_mtok=row.cached_input_usd_per_mtok,
        blended_usd_per_mtok=blended(mix, asked_in, asked_out, row.cached_input_usd_per_mtok),
        observed_on=row.observed_on,
        age_days=age,
        stale=age is None or age > STALE_AFTER_DAYS,
        source=row.source.slug,
        source_url=row.source.url,
    )


def blended(mix: Mix, asked_in: Decimal, asked_out: Decimal, cached: Decimal | None) -> Fraction:
    """USD per million tokens of a request, prompt and answer counted alike."""
    full = exact(asked_in)
    part = full if cached is None else exact(cached)
    prompt = mix.isl * ((1 - mix.cached_share) * full + mix.cached_share * part)
    return (prompt + mix.osl * exact(asked_out)) / (mix.isl + mix.osl)


def first_day(text: str) -> date | None:
    """The first day that an ISO date, as exact as known, may mean: 2025-08 is 2025-08-01."""
    parts = text.split("-")
    if not all(part.isdigit() for part in parts) or not 1 <= len(parts) <= 3:
        return None
    year, month, day = (*map(int, parts), 1, 1)[:3]
    try:
        return date(year, month, day)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Where an own machine costs as much as a hosted price of blended tokens."""

    own_usd_per_mtok: Fraction
    """Blended, at full load in every paid hour."""
    hosted_usd_per_mtok: Fraction
    output_tok_s: Fraction
    """At full load."""
    osl: Fraction

    @property
    def utilisation(self) -> Fraction:
        return self.own_usd_per_mtok / self.hosted_usd_per_mtok

    @property
    def reached(self) -> bool:
        """Whether any load of this machine beats the price."""
        return self.utilisation <= 1

    @property
    def load_tok_s(self) -> Fraction:
        """Output tokens a second, averaged over all paid hours."""
        return self.utilisation * self.output_tok_s

    @property
    def requests_per_day(self) -> Fraction:
        return self.load_tok_s / self.osl * SECONDS_PER_DAY

    def as_json(self) -> dict[str, Any]:
        load = self.reached
        return {
            "beats_it": self.reached,
            "break_even_utilisation": rounded(self.utilisation),
            "break_even_output_tok_s": rounded(self.load_tok_s) if load else None,
            "break_even_requests_per_day": rounded(self.requests_per_day) if load else None,
        }


def break_even(tokens: TokenPrices, hosted_usd_per_mtok: Fraction) -> BreakEven:
    """Of a machine's tokens against a hosted price of blended tokens; its own utilisation is not read."""
    full = tokens.usd_per_mtok("blended") * tokens.utilisation
    return BreakEven(full, hosted_usd_per_mtok, tokens.output_tok_s, tokens.osl)


def median(prices: Iterable[HostedPrice]) -> HostedPrice | None:
    """The middle one of prices in order; of an even number the cheaper of both in the middle."""
    ordered = list(prices)
    return ordered[(len(ordered) - 1) // 2] if ordered else None
