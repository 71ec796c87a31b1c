"""Own cost of a million tokens against the share of hours in use, with hosted prices as level lines.

Both axes are logarithmic, so that own cost, which halves when use doubles, is a straight line, and the
interval of the throughput a band beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from estimates.economics.against_hosted import OfferEven
from estimates.economics.hosted import HostedPrice
from estimates.pages.chart import Axis, Tick, per_cent

SIDE = 1000.0
MARGIN = 1.3
#: The least use that is drawn; lower where a break-even lies there.
LEAST_USE = 0.02


@dataclass(frozen=True)
class Level:
    """A hosted price: its height, and the share of hours at which own cost meets it."""

    name: str
    look: str
    at: str
    text: str
    crossing: str
    """Place of the break-even from the left; empty where own cost never comes down to it."""


@dataclass(frozen=True)
class Plot:
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    own: str
    band: str
    levels: list[Level]
    others: list[str]


def draw(offer: OfferEven, endpoints: Sequence[HostedPrice], middle: HostedPrice | None) -> Plot:
    """The plot of one offer. Named are the cheapest, the median and the dearest endpoint."""
    full = float(offer.tokens.usd_per_mtok("blended"))
    low, high = _interval(offer, full)
    prices = [float(price.blended_usd_per_mtok) for price in endpoints]
    uses = [full / price for price in prices if full <= price]
    least = min([LEAST_USE, *(use / MARGIN for use in uses)])
    across = Axis(least, 1.0)
    up = Axis(min([low, *prices]) / MARGIN, max([high / least, *prices]) * MARGIN)
    named = _named(endpoints, middle)
    levels = []
    for price, look in named:
        value = float(price.blended_usd_per_mtok)
        levels.append(
            Level(
                name=price.provider_name,
                look=look,
                at=per_cent(1 - up.share(value)),
                text=f"{value:.3g} USD",
                crossing=per_cent(across.share(full / value)) if full <= value else "",
            )
        )
    shown = {id(price) for price, _ in named}
    return Plot(
        x_ticks=[Tick(tick.at, _share(tick.text), tick.major) for tick in across.ticks()],
        y_ticks=up.ticks(flipped=True),
        own=_path([(least, full / least), (1.0, full)], across, up),
        band=_path([(least, low / least), (1.0, low), (1.0, high), (least, high / least)], across, up) + "z",
        levels=levels,
        others=[
            per_cent(1 - up.share(float(price.blended_usd_per_mtok)))
            for price in endpoints
            if id(price) not in shown
        ],
    )


def _interval(offer: OfferEven, full: float) -> tuple[float, float]:
    """Cost at the fast and at the slow end of the throughput's interval."""
    rate = float(offer.tokens.output_tok_s)
    fast, slow = offer.answer.throughput_high_tok_s, offer.answer.throughput_low_tok_s
    return full * rate / fast if fast else full, full * rate / slow if slow else full


def _named(endpoints: Sequence[HostedPrice], middle: HostedPrice | None) -> list[tuple[HostedPrice, str]]:
    found: dict[int, tuple[HostedPrice, str]] = {}
    for price, look in (
        (endpoints[0] if endpoints else None, "cheapest"),
        (middle, "median"),
        (endpoints[-1] if endpoints else None, "dearest"),
    ):
        if price is not None:
            found.setdefault(id(price), (price, look))
    return list(found.values())


def _path(places: Sequence[tuple[float, float]], across: Axis, up: Axis) -> str:
    points = [f"{SIDE * across.share(x):.1f} {SIDE * (1 - up.share(y)):.1f}" for x, y in places]
    return "M" + "L".join(points)


def _share(text: str) -> str:
    """0.05 as 5%."""
    return f"{float(text) * 100:.10g}%" if text else ""


def share_text(value: Fraction) -> str:
    """A share of hours for people: 3.4%, 41%."""
    per = float(value) * 100
    return f"{per:.2g}%" if per < 10 else f"{per:.0f}%"
