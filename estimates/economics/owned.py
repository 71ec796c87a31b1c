"""What an hour of one's own machine costs: the purchase spread over its years, power, hosting. Pure decimals.

    amortisation = purchase price x (1 - residual share) / (years x 8,766 h)
    energy       = rated power x share drawn x PUE x price of electricity
    hosting      = rated power x rent per kW and month / 730.5 h
    per hour of use = (amortisation + energy + hosting) / utilisation

Power and rent are paid in every hour of ownership, so utilisation divides the whole: with rated power drawn
in idle hours too this is an upper bound. A year has 365.25 days, a month a twelfth of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from catalog.prices import plain
from estimates.economics.defaults import ANY, NAMES, Term, default, given
from estimates.economics.steps import Step

HOURS_PER_YEAR: Final = Decimal(8766)
HOURS_PER_MONTH: Final = HOURS_PER_YEAR / 12
#: Stored and printed money: a millionth of a USD, as quotes have it.
SIX_PLACES: Final = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class OwnedTerms:
    """What owning costs besides the purchase. None: the default of the hardware's segment, with its source.

    `purchase_usd` and `power_w` are of one whole machine and replace what the catalogue says.
    """

    years: Decimal | None = None
    utilisation: Decimal | None = None
    pue: Decimal | None = None
    usd_per_kwh: Decimal | None = None
    hosting_usd_per_kw_month: Decimal | None = None
    residual_share: Decimal | None = None
    power_share: Decimal | None = None
    purchase_usd: Decimal | None = None
    power_w: Decimal | None = None

    def term(self, name: str, segment: str = ANY) -> Term:
        own = getattr(self, name)
        return default(name, segment) if own is None else given(name, own)


@dataclass(frozen=True, slots=True)
class Purchase:
    """The purchase price used: of one accelerator as a source has it, times their number."""

    usd_each: Decimal
    count: int
    hardware_name: str
    basis: str
    year: int | None
    source: str
    source_title: str
    source_url: str
    low_usd_each: Decimal
    """The lowest and highest that sources name for the accelerator."""
    high_usd_each: Decimal

    @property
    def usd(self) -> Decimal:
        return self.usd_each * self.count

    def as_json(self) -> dict[str, Any]:
        return {
            "usd": plain(self.usd),
            "usd_each": plain(self.usd_each),
            "count": self.count,
            "hardware_name": self.hardware_name,
            "basis": self.basis or None,
            "year": self.year,
            "source": self.source or None,
            "source_title": self.source_title or None,
            "source_url": self.source_url or None,
            "low_usd_each": plain(self.low_usd_each),
            "high_usd_each": plain(self.high_usd_each),
        }


@dataclass(frozen=True, slots=True)
class Power:
    """Rated power of one machine: of a system that is this offer, else of its accelerators alone."""

    watts: Decimal
    of: str
    whole_system: bool

    def as_json(self) -> dict[str, Any]:
        return {"watts": plain(self.watts), "of": self.of, "whole_system": self.whole_system}


@dataclass(frozen=True, slots=True)
class OwnedCost:
    """An hour of one's own machine in its parts. Money is exact; JSON rounds to a millionth of a USD."""

    purchase: Purchase
    power: Power
    terms: dict[str, Term]
    amortisation_usd_per_hour: Decimal
    energy_usd_per_hour: Decimal
    hosting_usd_per_hour: Decimal
    segment: str = ANY
    """Whose defaults the terms are."""

    @property
    def usd_per_owned_hour(self) -> Decimal:
        """Of any hour, used or not."""
        return self.amortisation_usd_per_hour + self.energy_usd_per_hour + self.hosting_usd_per_hour

    @property
    def utilisation(self) -> Decimal:
        return self.terms["utilisation"].known()

    @property
    def usd_per_hour(self) -> Decimal:
        """Of an hour of use: what a rented hour is to be compared with."""
        return self.usd_per_owned_hour / self.utilisation

    @property
    def assumptions(self) -> list[str]:
        each = f"{self.purchase.count} x " if self.purchase.count > 1 else ""
        lines = [
            f"the purchase is {each}{self.purchase.hardware_name} alone; chassis, host and network are in it "
            "only where the price quoted includes them"
        ]
        if not self.power.whole_system:
            lines.append("power is the accelerators' rated power; no machine of this shape states its own")
        lines += [
            f"{term.name.replace('_', ' ')} {plain(term.known())}: {term.note}"
            for term in self.terms.values()
            if term.provenance == "assumed"
        ]
        return lines

    def steps(self) -> list[Step]:
        """The calculation with its numbers."""
        value = {name: term.known() for name, term in self.terms.items()}
        kilowatts = self.power.watts / 1000
        bought = self.purchase.usd
        return [
            Step("purchase", f"{self.purchase.count} x {plain(self.purchase.usd_each)}", bought, "USD"),
            Step(
                "amortisation",
                f"{plain(bought)} x (1 - {plain(value['residual_share'])}) / "
                f"({plain(value['years'])} x 8766)",
                self.amortisation_usd_per_hour,
                "USD/h",
            ),
            Step(
                "energy",
                f"{plain(kilowatts)} x {plain(value['power_share'])} x {plain(value['pue'])} x "
                f"{plain(value['usd_per_kwh'])}",
                self.energy_usd_per_hour,
                "USD/h",
            ),
            Step(
                "hosting",
                f"{plain(kilowatts)} x {plain(value['hosting_usd_per_kw_month'])} / 730.5",
                self.hosting_usd_per_hour,
                "USD/h",
            ),
            Step("usd_per_owned_hour", "amortisation + energy + hosting", self.usd_per_owned_hour, "USD/h"),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "purchase": self.purchase.as_json(),
            "power": self.power.as_json(),
            "terms": {name: term.as_json() for name, term in self.terms.items()},
            "amortisation_usd_per_hour": money(self.amortisation_usd_per_hour),
            "energy_usd_per_hour": money(self.energy_usd_per_hour),
            "hosting_usd_per_hour": money(self.hosting_usd_per_hour),
            "usd_per_owned_hour": money(self.usd_per_owned_hour),
            "utilisation": plain(self.utilisation),
            "usd_per_hour": money(self.usd_per_hour),
            "assumptions": self.assumptions,
        }


def owned_cost(purchase: Purchase, power: Power, terms: OwnedTerms, segment: str = ANY) -> OwnedCost:
    """The cost of an hour. Raises ValueError where a term has neither a given value nor a default."""
    return calculate(purchase, power, {name: terms.term(name, segment) for name in NAMES}, segment)


def again(cost: OwnedCost) -> OwnedCost:
    """The parts of a cost whose purchase, power or terms were replaced."""
    return calculate(cost.purchase, cost.power, cost.terms, cost.segment)


def calculate(purchase: Purchase, power: Power, terms: dict[str, Term], segment: str) -> OwnedCost:
    value = {name: term.known() for name, term in terms.items()}
    kilowatts = power.watts / 1000
    kept = purchase.usd * (1 - value["residual_share"])
    return OwnedCost(
        purchase=purchase,
        power=power,
        terms=terms,
        amortisation_usd_per_hour=kept / (value["years"] * HOURS_PER_YEAR),
        energy_usd_per_hour=kilowatts * value["power_share"] * value["pue"] * value["usd_per_kwh"],
        hosting_usd_per_hour=kilowatts * value["hosting_usd_per_kw_month"] / HOURS_PER_MONTH,
        segment=segment,
    )


def money(amount: Decimal) -> str:
    """USD as text, rounded to a millionth as quotes are stored."""
    return plain(amount.quantize(SIX_PLACES))
