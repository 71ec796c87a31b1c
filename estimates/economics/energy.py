"""Energy and carbon of tokens: rated power at the facility's PUE over what the machine generates.

    kWh per million tokens = kW x share drawn x PUE / (tokens per second x 3600 x utilisation) x 1e6
    kg CO2e per million    = kWh per million x carbon of a kilowatt-hour where it runs

Rated power is drawn in idle hours too here, so the figure is an upper bound of the machine it counts; where
only the accelerators' power is known, host and network are not in it. Embodied carbon is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from catalog.prices import plain
from estimates.economics.defaults import Carbon, Term
from estimates.economics.owned import Power
from estimates.economics.steps import Step, rounded
from estimates.economics.tokens import COUNTED, MILLION, SECONDS_PER_HOUR, Counted, TokenPrices, exact

JOULES_PER_KWH = 3_600_000


@dataclass(frozen=True, slots=True)
class TokenEnergy:
    """Energy of tokens on one machine. `tokens` gives rates and utilisation; its price is not read."""

    power: Power
    pue: Term
    power_share: Term
    tokens: TokenPrices
    carbon: Carbon | None = None

    @property
    def facility_kw(self) -> Fraction:
        """Power at the facility's meter."""
        kilowatts = exact(self.power.watts) / 1000
        return kilowatts * exact(self.power_share.known()) * exact(self.pue.known())

    def kwh_per_mtok(self, counted: Counted) -> Fraction:
        hourly = self.tokens.tokens_per_s(counted) * SECONDS_PER_HOUR * self.tokens.utilisation
        return self.facility_kw / hourly * MILLION

    def joules_per_token(self, counted: Counted) -> Fraction:
        return self.kwh_per_mtok(counted) * JOULES_PER_KWH / MILLION

    def kg_co2e_per_mtok(self, counted: Counted) -> Fraction | None:
        if self.carbon is None:
            return None
        return self.kwh_per_mtok(counted) * exact(self.carbon.kg_co2e_per_kwh)

    def steps(self, counted: Counted) -> list[Step]:
        rate = rounded(self.tokens.tokens_per_s(counted))
        kilowatts, use = exact(self.power.watts) / 1000, rounded(self.tokens.utilisation)
        shown = [
            Step(
                "facility_kw",
                f"{rounded(kilowatts)} x {plain(self.power_share.known())} x {plain(self.pue.known())}",
                self.facility_kw,
                "kW",
            ),
            Step(
                f"kwh_per_mtok_{counted}",
                f"facility_kw / ({rate} x 3600 x {use}) x 1e6",
                self.kwh_per_mtok(counted),
                "kWh",
            ),
        ]
        kilograms = self.kg_co2e_per_mtok(counted)
        if self.carbon is not None and kilograms is not None:
            expression = f"kwh_per_mtok_{counted} x {plain(self.carbon.kg_co2e_per_kwh)}"
            shown.append(Step(f"kg_co2e_per_mtok_{counted}", expression, kilograms, "kg CO2e"))
        return shown

    def as_json(self) -> dict[str, Any]:
        figures: dict[str, Any] = {}
        for counted in COUNTED:
            kilograms = self.kg_co2e_per_mtok(counted)
            figures[counted] = {
                "kwh_per_mtok": rounded(self.kwh_per_mtok(counted)),
                "joules_per_token": rounded(self.joules_per_token(counted)),
                "kg_co2e_per_mtok": None if kilograms is None else rounded(kilograms),
            }
        return {
            "tokens": figures,
            "power": self.power.as_json(),
            "pue": self.pue.as_json(),
            "power_share": self.power_share.as_json(),
            "carbon": self.carbon.as_json() if self.carbon else None,
            "upper_bound": self.power.whole_system and self.power_share.known() == 1,
        }
