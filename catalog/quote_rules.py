"""Rules across price quotes that keep impossible ones out of use: sentinels, spot above on demand, outliers.

Each rule caught errors that real price lists carry: 700.0 for "not offered", a bid floor of 0.01, a spot
column swapped with another, one region five times cheaper than its neighbours, half a card listed as one.
A suspect quote is kept with the reason and used by no estimate.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from statistics import median
from typing import Final, Protocol

#: USD an accelerator-hour outside of which a price is a marker, not a price.
SENTINEL_AT_MOST: Final = Decimal("0.01")
SENTINEL_AT_LEAST: Final = Decimal(200)
#: Against the provider's median for the accelerator. Large hosts make one card dear (64 vCPUs beside one T4
#: cost 5.6 times the median), nothing makes it three times cheaper; spot discounts reach nine tenths.
DEARER_THAN_MEDIAN: Final = 6
CHEAPER_THAN_MEDIAN: Final = {"on_demand": 3, "reserved": 5, "spot": 12}
#: Against the same offering in the other regions on the same day.
REGION_FACTOR: Final = Decimal("2.5")
ENOUGH_QUOTES: Final = 5


class Quoted(Protocol):
    """What the rules read of a quote."""

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
    def price_per_hour(self) -> Decimal: ...
    @property
    def observed_on(self) -> date | None: ...


def suspects(quotes: Sequence[Quoted]) -> dict[int, str]:
    """Reason by position of every quote that a rule refuses; the first rule that fires gives the reason."""
    found: dict[int, str] = {}
    for rule in (sentinels, spot_above_on_demand, far_from_other_regions, far_from_provider_median):
        kept = [(at, quote) for at, quote in enumerate(quotes) if at not in found]
        for at, reason in rule(kept):
            found.setdefault(at, reason)
    return found


type Numbered = Sequence[tuple[int, Quoted]]
type Findings = Iterable[tuple[int, str]]


def sentinels(quotes: Numbered) -> Findings:
    """Prices that stand for "not offered" or for a bid floor."""
    for at, quote in quotes:
        each = per_accelerator(quote)
        if quote.price_per_hour <= SENTINEL_AT_MOST or each >= SENTINEL_AT_LEAST:
            yield at, f"sentinel: {quote.price_per_hour:f} an hour is a marker, not a price"


def spot_above_on_demand(quotes: Numbered) -> Findings:
    """A spot price above the dearest on-demand price of the same provider, shape, region and day."""
    dearest: dict[tuple[object, ...], Decimal] = {}
    for _, quote in quotes:
        if quote.pricing_model == "on_demand":
            for shape in _shapes(quote):
                dearest[shape] = max(dearest.get(shape, Decimal(0)), quote.price_per_hour)
    for at, quote in quotes:
        if quote.pricing_model == "spot":
            limits = [dearest[shape] for shape in _shapes(quote) if shape in dearest]
            if limits and quote.price_per_hour > min(limits):
                yield at, f"spot above on demand ({quote.price_per_hour:f} against {min(limits):f})"


def far_from_other_regions(quotes: Numbered) -> Findings:
    """On-demand prices of one offering on one day hardly differ by region; 2.5 times is an error."""
    by_offering: dict[tuple[object, ...], list[tuple[int, Quoted]]] = defaultdict(list)
    for at, quote in quotes:
        if quote.pricing_model == "on_demand" and quote.region:
            by_offering[quote.provider, quote.offering, quote.observed_on].append((at, quote))
    for same in by_offering.values():
        if len(same) < ENOUGH_QUOTES:
            continue
        middle = median(quote.price_per_hour for _, quote in same)
        for at, quote in same:
            if not middle / REGION_FACTOR <= quote.price_per_hour <= middle * REGION_FACTOR:
                yield at, f"outlier: {quote.price_per_hour:f} against {middle:f} in the other regions"


def far_from_provider_median(quotes: Numbered) -> Findings:
    """Prices per accelerator far from the provider's median for the part."""
    by_part: dict[tuple[str, str, str], list[tuple[int, Quoted]]] = defaultdict(list)
    for at, quote in quotes:
        by_part[quote.provider, quote.accelerator, quote.pricing_model].append((at, quote))
    for (_, _, pricing_model), same in by_part.items():
        if len(same) < ENOUGH_QUOTES:
            continue
        middle = median(per_accelerator(quote) for _, quote in same)
        lowest, highest = middle / CHEAPER_THAN_MEDIAN[pricing_model], middle * DEARER_THAN_MEDIAN
        for at, quote in same:
            each = per_accelerator(quote)
            if not lowest <= each <= highest:
                yield at, f"outlier: {each:.3f} an accelerator against the provider's median of {middle:.3f}"


def per_accelerator(quote: Quoted) -> Decimal:
    """USD an hour for one accelerator."""
    return quote.price_per_hour / quote.accelerator_count


def _shapes(quote: Quoted) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """The same offering, and the same accelerators under whatever name."""
    where = (quote.provider, quote.region, quote.observed_on)
    return (*where, "offering", quote.offering), (*where, quote.accelerator, quote.accelerator_count)
