"""Engines of chips that have several, read from `data/units.csv`: rates, and their part of the bandwidth."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from typing import Final

from estimates.core.facts import Unit

FILE: Final = Path(__file__).resolve().parent / "data" / "units.csv"
TERA: Final = 1e12


@lru_cache(maxsize=1)
def known_units() -> dict[str, tuple[Unit, ...]]:
    """Slug of an accelerator -> its engines. Raises InvalidFact or ValueError for a broken row."""
    shares: dict[tuple[str, str], float] = {}
    rates: dict[tuple[str, str], dict[str, float]] = {}
    with FILE.open(newline="", encoding="utf-8") as handle:
        for line, row in enumerate(csv.DictReader(handle), start=2):
            key, quantity = (row["accelerator"], row["unit"]), row["quantity"]
            if not row["source"]:
                raise ValueError(f"{FILE.name} line {line}: a figure without its source")
            if quantity == "bandwidth_share":
                shares[key] = float(row["value"])
            elif quantity.startswith("peak_rate:"):
                rates.setdefault(key, {})[quantity.removeprefix("peak_rate:")] = float(row["value"]) * TERA
            else:
                accepted = "bandwidth_share, peak_rate:FORMAT"
                raise ValueError(f"{FILE.name} line {line}: quantity is {quantity!r}; accepted: {accepted}")
    found: dict[str, tuple[Unit, ...]] = {}
    for chip, name in sorted(shares.keys() | rates.keys()):
        unit = Unit(name, tuple(rates.get((chip, name), {}).items()), shares.get((chip, name)))
        found[chip] = (*found.get(chip, ()), unit)
    return found
