"""Dollars for tokens and tokens for a dollar, as exact fractions: one is the reciprocal of the other.

Which tokens are counted is a field of every figure: `output` puts the whole bill on the generated tokens,
`input` on the prompt tokens (cached ones included), `blended` on both together. They are three views of one
bill and do not add up; `split` divides it between both kinds by the machine's time.

    USD per million = USD per paid hour / (tokens per second x 3600 x utilisation) x 1e6
    tokens per USD  = 1e6 / USD per million
    input tokens per second = output tokens per second x ISL / OSL
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal

from estimates.economics.steps import Step, rounded

Counted = Literal["output", "input", "blended"]
COUNTED: Final[tuple[Counted, ...]] = ("output", "input", "blended")
MILLION: Final = 1_000_000
SECONDS_PER_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """What tokens cost at a price of an hour, a rate and a share of paid hours at that rate."""

    usd_per_hour: Fraction
    """Of an hour paid for, used or not."""
    output_tok_s: Fraction
    isl: Fraction
    osl: Fraction
    utilisation: Fraction = Fraction(1)

    def tokens_per_s(self, counted: Counted) -> Fraction:
        """Tokens of the kind while the machine is in use."""
        if counted == "output":
            return self.output_tok_s
        of_one = self.isl if counted == "input" else self.isl + self.osl
        return self.output_tok_s * of_one / self.osl

    def usd_per_mtok(self, counted: Counted) -> Fraction:
        paid = self.tokens_per_s(counted) * SECONDS_PER_HOUR * self.utilisation
        return self.usd_per_hour / paid * MILLION

    def tokens_per_usd(self, counted: Counted) -> Fraction:
        return MILLION / self.usd_per_mtok(counted)

    def usd_per_request(self) -> Fraction:
        """One prompt of ISL and its answer of OSL tokens."""
        return self.usd_per_mtok("output") * self.osl / MILLION

    def split(self, prefill_share: float) -> tuple[Fraction, Fraction]:
        """(USD per million input, per million output) where prompts bear `prefill_share` of the time.

        ISL x the one + OSL x the other is the price of a request.
        """
        share = exact(prefill_share)
        return self.usd_per_mtok("input") * share, self.usd_per_mtok("output") * (1 - share)

    def steps(self, counted: Counted) -> list[Step]:
        """The figure of one kind with its numbers."""
        rate, hour = self.tokens_per_s(counted), rounded(self.usd_per_hour)
        shown: list[Step] = []
        if counted == "output":
            shown.append(Step("tokens_per_s", "output throughput", rate, "tok/s"))
        else:
            lengths = (
                rounded(self.isl) if counted == "input" else f"({rounded(self.isl)} + {rounded(self.osl)})"
            )
            shown.append(
                Step(
                    "tokens_per_s",
                    f"{rounded(self.output_tok_s)} x {lengths} / {rounded(self.osl)}",
                    rate,
                    "tok/s",
                )
            )
        hourly = rate * SECONDS_PER_HOUR * self.utilisation
        return [
            *shown,
            Step("tokens_per_hour", f"tokens_per_s x 3600 x {rounded(self.utilisation)}", hourly, "tokens/h"),
            Step(
                f"usd_per_mtok_{counted}",
                f"{hour} / tokens_per_hour x 1e6",
                self.usd_per_mtok(counted),
                "USD",
            ),
            Step(
                f"{counted}_tokens_per_usd",
                f"1e6 / usd_per_mtok_{counted}",
                self.tokens_per_usd(counted),
                "tokens",
            ),
        ]

    def as_json(self) -> dict[str, dict[str, Any]]:
        return {
            counted: {
                "usd_per_mtok": rounded(self.usd_per_mtok(counted)),
                "tokens_per_usd": rounded(self.tokens_per_usd(counted)),
            }
            for counted in COUNTED
        }


def token_prices(
    usd_per_hour: Decimal,
    output_tok_s: float,
    isl: float,
    osl: float,
    utilisation: Decimal | float = 1,
) -> TokenPrices:
    """Raises ValueError unless rate and lengths are finite and above 0 and utilisation is within (0, 1]."""
    if not (0 < isl < math.inf and 0 < osl < math.inf):
        raise ValueError(f"lengths must be finite and above 0, got ISL {isl!r}, OSL {osl!r}")
    if not (0 < output_tok_s < math.inf):
        raise ValueError(f"tokens per second must be finite and above 0, got {output_tok_s!r}")
    if not 0 < utilisation <= 1:
        raise ValueError(f"utilisation must be above 0 and at most 1, got {utilisation!r}")
    return TokenPrices(exact(usd_per_hour), exact(output_tok_s), exact(isl), exact(osl), exact(utilisation))


def exact(value: Decimal | float | int | Fraction) -> Fraction:
    """The number as it is written: 0.1 is a tenth, not the binary fraction nearest to it."""
    return Fraction(repr(float(value))) if isinstance(value, float) else Fraction(value)
