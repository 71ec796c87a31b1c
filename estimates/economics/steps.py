"""A calculation shown with its numbers: one named step after the other, money as text of six digits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

#: Significant digits of a cost: more than any throughput has.
DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Step:
    """`name` = `expression` = `value`. A word in an expression names an earlier step."""

    name: str
    expression: str
    value: Decimal | Fraction
    unit: str

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "expression": self.expression,
            "value": rounded(self.value),
            "unit": self.unit,
        }

    def __str__(self) -> str:
        return f"{self.name} = {self.expression} = {rounded(self.value)} {self.unit}"


def decimal(amount: Decimal | Fraction) -> Decimal:
    """The amount to 28 digits."""
    if isinstance(amount, Decimal):
        return amount
    return Decimal(amount.numerator) / Decimal(amount.denominator)


def rounded(amount: Decimal | Fraction) -> str:
    """Decimal text without exponent, at most `DIGITS` significant digits."""
    value = decimal(amount)
    if value.is_zero():
        return "0"
    places = DIGITS - 1 - value.adjusted()
    text = f"{value:.{max(places, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
