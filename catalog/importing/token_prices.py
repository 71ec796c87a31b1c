"""Reads hosted token prices: one file a snapshot, named by its source."""

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
from catalog.importing.natural_keys import digest
from catalog.models import LanguageModel, Provider, Source, TokenPrice

PerMillion = Annotated[Decimal, Field(ge=0, lt=Decimal("1e8"), allow_inf_nan=False)]
#: A date as exact as it is known: a year, a month or a day.
PARTIAL_DATE = r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"


class TokenPriceEntry(BaseModel):
    """One line of a snapshot. `listed_as` is the snapshot's own name for the provider where it differs.

    `language_model` stands only where the printed name means one model of the catalogue, or a fine-tune that
    differs from it in weights alone.
    """

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    provider: str
    listed_as: str = ""
    model: str = Field(min_length=1, max_length=200)
    language_model: str = ""
    open_weight: Literal["yes", "no"] | None = None
    input_usd_per_mtok: PerMillion | None = None
    output_usd_per_mtok: PerMillion | None = None
    cached_input_usd_per_mtok: PerMillion | None = None
    observed_on: str = Field(pattern=PARTIAL_DATE)
    effective_from: date | None = None
    suspect: str = Field(default="", max_length=200)


@dataclass(frozen=True, slots=True)
class Hosted:
    """A token price with its source, which is the name of its file."""

    source: str
    entry: TokenPriceEntry


def parse(file: DataFile, problems: Problems) -> Iterator[Record]:
    source = file.path.name.removesuffix(".csv")
    for line, row in read_csv(file, problems):
        entry = validated_row(TokenPriceEntry, row, line, file, problems)
        if entry is not None:
            key = digest(
                source,
                entry.provider,
                entry.listed_as,
                entry.model,
                entry.observed_on,
                entry.effective_from,
                *(
                    None if price is None else price.normalize()
                    for price in (
                        entry.input_usd_per_mtok,
                        entry.output_usd_per_mtok,
                        entry.cached_input_usd_per_mtok,
                    )
                ),
            )
            yield Record(key, Hosted(source, entry), file.place(line))


def check(facts: Facts, problems: Problems) -> None:
    for record in facts.records("token_prices"):
        hosted: Hosted = record.value
        facts.require("sources", hosted.source, record.place, "file name", problems)
        facts.require("providers", hosted.entry.provider, record.place, "provider", problems)
        facts.require("models", hosted.entry.language_model, record.place, "language_model", problems)


def write(records: list[Record], load: Load) -> Counts:
    providers, models, sources = load.ids(Provider), load.ids(LanguageModel), load.ids(Source)
    now = timezone.now()
    return append_missing(
        TokenPrice,
        "key",
        [
            {
                "key": record.key,
                "provider_id": providers[entry.provider],
                "model_name": entry.model,
                "language_model_id": models.get(entry.language_model),
                "open_weight": None if entry.open_weight is None else entry.open_weight == "yes",
                "input_usd_per_mtok": entry.input_usd_per_mtok,
                "output_usd_per_mtok": entry.output_usd_per_mtok,
                "cached_input_usd_per_mtok": entry.cached_input_usd_per_mtok,
                "currency": "USD",
                "observed_on": entry.observed_on,
                "effective_from": entry.effective_from,
                "suspect": entry.suspect,
                "source_id": sources[record.value.source],
                "created_at": now,
            }
            for record in records
            for entry in [record.value.entry]
        ],
        links=["language_model_id"],
    )


KINDS = [
    Kind(
        "token_prices",
        ("token_prices/*.csv",),
        parse,
        write,
        after=("sources", "providers", "models"),
        check=check,
    )
]
