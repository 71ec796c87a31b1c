"""Digests that serve as natural keys of append-only rows."""

import hashlib
from datetime import date
from decimal import Decimal
from typing import Any, Protocol


def digest(*parts: Any) -> str:
    """SHA-256 over the parts as text, 64 hexadecimal digits; None and "" are the same absence.

    Parts are joined with a byte that no text file holds, so that ("ab", "c") and ("a", "bc") differ.
    """
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()


class ObservedPrice(Protocol):
    """What a quote is known by."""

    @property
    def provider(self) -> str: ...
    @property
    def offering(self) -> str: ...
    @property
    def accelerator(self) -> str: ...
    @property
    def accelerator_count(self) -> Decimal: ...
    @property
    def region(self) -> str: ...
    @property
    def pricing_model(self) -> str: ...
    @property
    def observed_on(self) -> date: ...
    @property
    def price_per_hour(self) -> Decimal: ...


def quote_key(quote: ObservedPrice, *, term: str, currency: str, source: str) -> str:
    """Everything that was observed; a corrected price is another row, and the later row counts.

    Of a price imported and of one posted, so that one observed twice is one row. `source` is its slug.
    """
    return digest(
        quote.provider,
        quote.offering,
        quote.accelerator,
        quote.accelerator_count.normalize(),
        quote.region,
        quote.pricing_model,
        term,
        quote.observed_on,
        quote.price_per_hour.normalize(),
        currency,
        source,
    )
