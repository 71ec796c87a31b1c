"""What owned hardware costs to keep, and the carbon of electricity: published figures, each with its source.

`estimates/data/economics.csv` has one figure a row; the row of a segment goes before that of `any`. An empty
value is unknown and the note says why. `economics_carbon.csv` has the carbon of a kilowatt-hour by country.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from catalog.prices import plain

DIRECTORY: Final = Path(__file__).resolve().parent.parent / "data"
FIGURES, CARBON = "economics.csv", "economics_carbon.csv"
ANY: Final = "any"
#: What `economics.csv` must state, in its units.
NAMES: Final = (
    "years",
    "residual_share",
    "utilisation",
    "pue",
    "usd_per_kwh",
    "hosting_usd_per_kw_month",
    "power_share",
)


class EconomicsDataError(Exception):
    """A file of figures cannot be read; the message names the file, the row and what is wrong."""


@dataclass(frozen=True, slots=True)
class Term:
    """One figure that a cost is calculated with: a default and its source, or as given in the question."""

    name: str
    value: Decimal | None
    unit: str
    provenance: str
    source: str = ""
    address: str = ""
    read_on: str = ""
    note: str = ""
    low: Decimal | None = None
    high: Decimal | None = None

    def known(self) -> Decimal:
        """The value; raises ValueError with the reason where it is unknown."""
        if self.value is None:
            raise ValueError(f"{self.name} is unknown: {self.note or 'no figure is kept'}")
        return self.value

    def as_json(self) -> dict[str, Any]:
        return {
            "value": None if self.value is None else plain(self.value),
            "low": None if self.low is None else plain(self.low),
            "high": None if self.high is None else plain(self.high),
            "unit": self.unit,
            "provenance": self.provenance,
            "source": self.source or None,
            "address": self.address or None,
            "read_on": self.read_on or None,
            "note": self.note or None,
        }


@dataclass(frozen=True, slots=True)
class Carbon:
    """Life-cycle emissions of a kilowatt-hour generated in a country (ISO 3166 alpha-2) in a year."""

    country: str
    name: str
    kg_co2e_per_kwh: Decimal
    year: int
    source: str
    address: str
    read_on: str

    def as_json(self) -> dict[str, Any]:
        return {
            "country": self.country,
            "name": self.name,
            "kg_co2e_per_kwh": plain(self.kg_co2e_per_kwh),
            "year": self.year,
            "source": self.source,
            "address": self.address,
            "read_on": self.read_on,
        }


def default(name: str, segment: str = ANY) -> Term:
    """The default of a figure for hardware of a segment. Raises KeyError for a name that is none."""
    table = _figures(DIRECTORY / FIGURES)
    return table.get((name, segment)) or table[name, ANY]


def given(name: str, value: Decimal) -> Term:
    """A figure as the question gave it, in the unit of its default."""
    return Term(name=name, value=value, unit=default(name).unit, provenance="given")


def carbon(country: str) -> Carbon | None:
    """The carbon of a country's electricity; None where no figure is kept."""
    return countries().get(country.upper())


def countries() -> dict[str, Carbon]:
    """Every country with a figure, by its two letters."""
    return _carbon(DIRECTORY / CARBON)


@lru_cache(maxsize=4)
def _figures(path: Path) -> dict[tuple[str, str], Term]:
    found: dict[tuple[str, str], Term] = {}
    for number, row in _rows(path):
        if row["name"] not in NAMES:
            raise EconomicsDataError(f"{path.name}, line {number}: {row['name']!r} is none of {NAMES}")
        found[row["name"], row["scope"]] = Term(
            name=row["name"],
            value=_decimal(path, number, row["value"]),
            unit=row["unit"],
            provenance=row["provenance"],
            source=row["source"],
            address=row["address"],
            read_on=row["read_on"],
            note=row["note"],
            low=_decimal(path, number, row["low"]),
            high=_decimal(path, number, row["high"]),
        )
    missing = [name for name in NAMES if (name, ANY) not in found]
    if missing:
        raise EconomicsDataError(f"{path.name}: no row of scope {ANY} for {', '.join(missing)}")
    return found


@lru_cache(maxsize=4)
def _carbon(path: Path) -> dict[str, Carbon]:
    found: dict[str, Carbon] = {}
    for number, row in _rows(path):
        value = _decimal(path, number, row["kg_co2e_per_kwh"])
        if value is None or value < 0:
            raise EconomicsDataError(f"{path.name}, line {number}: kg_co2e_per_kwh is not a number")
        found[row["country"]] = Carbon(
            country=row["country"],
            name=row["name"],
            kg_co2e_per_kwh=value,
            year=int(row["year"]),
            source=row["source"],
            address=row["address"],
            read_on=row["read_on"],
        )
    return found


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(enumerate(csv.DictReader(file), start=2))


def _decimal(path: Path, number: int, text: str) -> Decimal | None:
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise EconomicsDataError(f"{path.name}, line {number}: {text!r} is not a number") from None
    if not value.is_finite():
        raise EconomicsDataError(f"{path.name}, line {number}: {text!r} is not a finite number")
    return value
