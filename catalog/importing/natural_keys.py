"""Digests that serve as natural keys of append-only rows."""

import hashlib
from datetime import date
from typing import Any, Protocol

from catalog.quote_rules import Quoted


def digest(*parts: Any) -> str:
    """SHA-256 over the parts as text, 64 hexadecimal digits; None and "" are the same absence.

    Parts are joined with a byte that no text file holds, so that ("ab", "c") and ("a", "bc") differ.
    """
    text = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()


class ObservedPrice(Quoted, Protocol):
    """What a quote is known by: what the rules read of it, on a day."""

    @property
    def observed_on(self) -> date: ...


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
