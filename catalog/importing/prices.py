"""Reads hourly quotes (`price_quotes/<provider>.csv`) and purchase prices; marks impossible quotes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from django.utils import timezone
from pydantic import BaseModel, ConfigDict, Field

from catalog.importing.append_only import append_missing
from catalog.importing.errors import Problems
from catalog.importing.files import DataFile, read_csv, validated_row
from catalog.importing.kinds import Counts, Facts, Kind, Load, Record
from catalog.importing.natural_keys import digest, quote_key
from catalog.models import Accelerator, PriceQuote, Provider, PurchasePrice, Source
from catalog.quote_rules import suspects

Money = Annotated[Decimal, Field(gt=0, lt=Decimal("1e8"), allow_inf_nan=False)]


class QuoteEntry(BaseModel):
    """One line of a provider's quotes. The price is of the whole offering, whatever number it has."""

    model_config = ConfigDict(extra="forbid")

    observed_on: date
    offering: str = Field(max_length=200)
    accelerator: str
    count: Annotated[Decimal, Field(gt=0, lt=1_000_000, max_digits=9, decimal_places=3)]
    region: str = Field(default="", max_length=100)
    country: str = Field(default="", pattern=r"^([A-Z]{2})?$")
    price_per_hour: Money
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    pricing_model: Literal["on_demand", "spot", "reserved"]
    term: str = Field(default="", max_length=20)
    kind: Literal["list", "offer", "index"] = "list"
    valid_until: date | None = None
    source: str
    suspect: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote with its provider, which is the name of its file; reads as `catalog.quote_rules` wants it."""

    provider: str
    entry: QuoteEntry

    @property
    def offering(self) -> str:
        return self.entry.offering

    @property
    def accelerator(self) -> str:
        return self.entry.accelerator

    @property
    def accelerator_count(self) -> Decimal:
        return self.entry.count

    @property
    def region(self) -> str:
        return self.entry.region

    @property
    def pricing_model(self) -> str:
        return self.entry.pricing_model

    @property
    def price_per_hour(self) -> Decimal:
        return self.entry.price_per_hour

    @property
    def observed_on(self) -> date:
        return self.entry.observed_on

    @property
    def key(self) -> str:
        entry = self.entry
        return quote_key(self, term=entry.term, currency=entry.currency, source=entry.source)


def parse_quotes(file: DataFile, problems: Problems) -> Iterator[Record]:
    provider = file.path.stem
    for line, row in read_csv(file, problems):
        entry = validated_row(QuoteEntry, row, line, file, problems)
        if entry is not None:
            quote = Quote(provider, entry)
            yield Record(quote.key, quote, file.place(line))


def check_quotes(facts: Facts, problems: Problems) -> None:
    for record in facts.records("price_quotes"):
        quote: Quote = record.value
        facts.require("providers", quote.provider, record.place, "file name", problems)
        facts.require("accelerators", quote.accelerator, record.place, "accelerator", problems)
        facts.require("sources", quote.entry.source, record.place, "source", problems)


def review_quotes(facts: Facts) -> Iterator[str]:
    """Quotes that the rules across quotes keep out of use; those that their file marks itself go unsaid."""
    records = facts.records("price_quotes")
    for at, why in refused_by_rules([record.value for record in records]).items():
        quote: Quote = records[at].value
        where = f" in {quote.region}" if quote.region else ""
        yield f"{records[at].place}: {quote.offering}{where}: not used, {why}"


def refused_by_rules(quotes: list[Quote]) -> dict[int, str]:
    """Reason by position of the quotes that a rule refuses and their file does not."""
    return {at: why for at, why in suspects(quotes).items() if not quotes[at].entry.suspect}


def write_quotes(records: list[Record], load: Load) -> Counts:
    quotes: list[Quote] = [record.value for record in records]
    refused = refused_by_rules(quotes)
    providers, accelerators, sources = load.ids(Provider), load.ids(Accelerator), load.ids(Source)
    now = timezone.now()
    return append_missing(
        PriceQuote,
        "key",
        [
            {
                "key": record.key,
                "provider_id": providers[quote.provider],
                "offering": quote.offering,
                "accelerator_id": accelerators[quote.accelerator],
                "accelerator_count": quote.accelerator_count,
                "region": quote.region,
                "country": quote.entry.country,
                "price_per_hour": quote.price_per_hour,
                "currency": quote.entry.currency,
                "pricing_model": quote.pricing_model,
                "term": quote.entry.term,
                "kind": quote.entry.kind,
                "observed_on": quote.observed_on,
                "valid_until": quote.entry.valid_until,
                "source_id": sources[quote.entry.source],
                "suspect": quote.entry.suspect or refused.get(at, "")[:200],
                "created_at": now,
            }
            for at, (record, quote) in enumerate(zip(records, quotes, strict=True))
        ],
    )


class PurchaseEntry(BaseModel):
    """One line of purchase prices; `accelerator` only where the printed name means one part."""

    model_config = ConfigDict(extra="forbid")

    hardware_name: str = Field(min_length=1, max_length=200)
    accelerator: str = ""
    price: Money
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    year: int | None = Field(default=None, ge=1990, le=2100)
    basis: str = Field(default="", max_length=200)
    source: str


def parse_purchases(file: DataFile, problems: Problems) -> Iterator[Record]:
    for line, row in read_csv(file, problems):
        entry = validated_row(PurchaseEntry, row, line, file, problems)
        if entry is not None:
            key = digest(
                entry.hardware_name,
                entry.price.normalize(),
                entry.currency,
                entry.year,
                entry.basis,
                entry.source,
            )
            yield Record(key, entry, file.place(line))


def check_purchases(facts: Facts, problems: Problems) -> None:
    for record in facts.records("purchase_prices"):
        facts.require("accelerators", record.value.accelerator, record.place, "accelerator", problems)
        facts.require("sources", record.value.source, record.place, "source", problems)


def write_purchases(records: list[Record], load: Load) -> Counts:
    accelerators, sources, now = load.ids(Accelerator), load.ids(Source), timezone.now()
    return append_missing(
        PurchasePrice,
        "key",
        [
            {
                "key": record.key,
                "hardware_name": entry.hardware_name,
                "accelerator_id": accelerators.get(entry.accelerator),
                "price": entry.price,
                "currency": entry.currency,
                "basis": entry.basis,
                "year": entry.year,
                "source_id": sources[entry.source],
                "created_at": now,
            }
            for record in records
            for entry in [record.value]
        ],
        links=["accelerator_id"],
    )


KINDS = [
    Kind(
        "price_quotes",
        ("price_quotes/*.csv",),
        parse_quotes,
        write_quotes,
        after=("sources", "providers", "accelerators"),
        check=check_quotes,
        review=review_quotes,
    ),
    Kind(
        "purchase_prices",
        ("purchase_prices.csv",),
        parse_purchases,
        write_purchases,
        after=("sources", "accelerators"),
        check=check_purchases,
    ),
]
