"""A calculation shown with its numbers: one named step after the other."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from estimates.cost import rounded


@dataclass(frozen=True, slots=True)
class Step:
    """`name` = `expression` = `value`. A word in an expression names an earlier step."""

    name: str
    expression: str
    value: Decimal
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
