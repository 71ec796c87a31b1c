"""Which input moves the cost most: each from its low to its high end, the others as they stand.

The ends are what is known of the input, not a uniform per cent: prices that providers ask, the interval of
the estimate, the spread of sources, half and one and a half times the lengths. Lengths are answered by the
estimator again, since they change speed and not only the count of tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from estimates.economics.defaults import default
from estimates.economics.owned import OwnedCost
from estimates.economics.owned import again as recalculated
from estimates.economics.steps import rounded
from estimates.economics.tokens import Counted, TokenPrices, exact

#: Lengths go from half to one and a half times themselves.
LENGTH_FACTORS: Final = (Fraction(1, 2), Fraction(3, 2))
#: Terms of owning that have a range of their own, utilisation apart.
OWNED_TERMS: Final = ("years", "pue", "usd_per_kwh", "hosting_usd_per_kw_month", "power_share")


@dataclass(frozen=True, slots=True)
class End:
    """One end of an input and the cost there."""

    value: Fraction
    usd_per_mtok: Fraction


@dataclass(frozen=True, slots=True)
class Bar:
    """One input of the tornado. `low` is where the input is low, whichever way the cost goes."""

    name: str
    unit: str
    value: Fraction
    low: End
    high: End
    range_of: str

    @property
    def swing(self) -> Fraction:
        return abs(self.high.usd_per_mtok - self.low.usd_per_mtok)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "unit": self.unit,
            "value": rounded(self.value),
            "low": {"value": rounded(self.low.value), "usd_per_mtok": rounded(self.low.usd_per_mtok)},
            "high": {"value": rounded(self.high.value), "usd_per_mtok": rounded(self.high.usd_per_mtok)},
            "swing_usd_per_mtok": rounded(self.swing),
            "range_of": self.range_of,
        }


@dataclass(frozen=True, slots=True)
class Tornado:
    """The inputs by their swing, widest first, and those that could not be moved with the reason."""

    counted: Counted
    usd_per_mtok: Fraction
    bars: list[Bar]
    fixed: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return {
            "counted": self.counted,
            "usd_per_mtok": rounded(self.usd_per_mtok),
            "moves_most": self.bars[0].name if self.bars else None,
            "inputs": [bar.as_json() for bar in self.bars],
            "fixed": self.fixed,
        }


#: Output tokens a second at lengths (ISL, OSL); None where nothing can be said there.
Again = Callable[[int, int], float | None]


def tornado(
    base: TokenPrices,
    counted: Counted,
    *,
    price_range: tuple[Decimal, Decimal] | None,
    throughput_range: tuple[float, float] | None,
    again: Again | None,
    owned: OwnedCost | None = None,
) -> Tornado:
    """Move every input that has a range. `price_range` is of a rented hour, from one provider to another."""
    bars: list[Bar] = []
    fixed: dict[str, str] = {}

    def add(name: str, unit: str, value: Fraction, ends: list[tuple[Fraction, TokenPrices]], of: str) -> None:
        (low, at_low), (high, at_high) = ends
        bars.append(
            Bar(
                name,
                unit,
                value,
                End(low, at_low.usd_per_mtok(counted)),
                End(high, at_high.usd_per_mtok(counted)),
                of,
            )
        )

    if owned is None and price_range is None:
        fixed["price"] = "one price only: no other is known for this hardware on this basis"
    elif price_range is not None:
        ends = [(exact(price), replace(base, usd_per_hour=exact(price))) for price in price_range]
        add("price", "USD/h", base.usd_per_hour, ends, "the cheapest to the dearest provider")
    if throughput_range is None:
        fixed["throughput"] = "the estimate has no interval"
    else:
        ends = [(exact(rate), replace(base, output_tok_s=exact(rate))) for rate in throughput_range]
        add("throughput", "output tok/s", base.output_tok_s, ends, "80% interval of the estimate")
    shares = utilisation_range(base.utilisation)
    ends = [(share, replace(base, utilisation=share)) for share in shares]
    add("utilisation", "share of paid hours", base.utilisation, ends, default("utilisation").note)
    if owned is not None:
        _move_owned(owned, base, add, fixed)
    _move_lengths(base, again, add, fixed)
    bars.sort(key=lambda bar: (-bar.swing, bar.name))
    return Tornado(counted, base.usd_per_mtok(counted), bars, fixed)


def utilisation_range(value: Fraction) -> tuple[Fraction, Fraction]:
    """The default's range, widened to hold the value."""
    term = default("utilisation")
    low = exact(term.low if term.low is not None else 1)
    high = exact(term.high if term.high is not None else 1)
    return min(low, value), max(high, value)


_Add = Callable[[str, str, Fraction, list[tuple[Fraction, TokenPrices]], str], None]


def _move_owned(owned: OwnedCost, base: TokenPrices, add: _Add, fixed: dict[str, str]) -> None:
    """The purchase between the prices that sources name, each term between the ends of its default."""
    bought = owned.purchase
    if bought.low_usd_each == bought.high_usd_each:
        fixed["purchase"] = "one price only: no other source names one"
    else:
        ends = []
        for price in (bought.low_usd_each, bought.high_usd_each):
            at = recalculated(replace(owned, purchase=replace(bought, usd_each=price)))
            ends.append(
                (exact(price * bought.count), replace(base, usd_per_hour=exact(at.usd_per_owned_hour)))
            )
        add("purchase", "USD", exact(bought.usd), ends, "the lowest to the highest that sources name")
    for name in OWNED_TERMS:
        term, about = owned.terms[name], default(name, owned.segment)
        value = term.known()
        if about.low is None or about.high is None:
            fixed[name] = about.note or "no range is known"
            continue
        ends = []
        for end in (min(about.low, value), max(about.high, value)):
            moved = recalculated(replace(owned, terms=owned.terms | {name: replace(term, value=end)}))
            ends.append((exact(end), replace(base, usd_per_hour=exact(moved.usd_per_owned_hour))))
        add(name, term.unit, exact(value), ends, about.note or about.source)


def _move_lengths(base: TokenPrices, again: Again | None, add: _Add, fixed: dict[str, str]) -> None:
    """Half and one and a half times each length, answered by the estimator again."""
    for name in ("isl", "osl"):
        ends = []
        for factor in LENGTH_FACTORS:
            length = max(1, round(getattr(base, name) * factor))
            moved = replace(base, **{name: Fraction(length)})
            rate = None if again is None else again(int(moved.isl), int(moved.osl))
            if rate is None:
                break
            ends.append((Fraction(length), replace(moved, output_tok_s=exact(rate))))
        if len(ends) == 2:
            add(name, "tokens", getattr(base, name), ends, "half to one and a half times, estimated again")
        else:
            fixed[name] = "no estimate at half or one and a half times the length"
