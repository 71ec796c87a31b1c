"""A claim and its answer as a line of the page: sentences, and where ours lies relative to the claim."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from catalog.models import PublishedClaim
from estimates.claims.printed import SAID, claimed, figure, our_interval, our_number, over_words, verdict_line
from estimates.pages.claims.question import KIND_OF

#: The drawing spans factors of 16 below to 16 above the claim, on a logarithmic axis of this width.
SPAN: Final = math.log(16)
WIDTH: Final = 168.0
MIDDLE: Final = WIDTH / 2
#: A claimed number drawn at its place; everything else is drawn relative to it.
NARROWEST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Drawn:
    """Ours relative to the claim: the 80% interval and in it the range of the open conditions, as x."""

    low: float
    high: float
    start: float
    width: float
    below: bool  # beyond the left end
    above: bool


@dataclass(frozen=True, slots=True)
class RowLine:
    """One combination of the open conditions."""

    conditions: str
    value: str
    interval: str
    grade: str
    watts: str
    deployment: str
    detail: str


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One claim for people."""

    slug: str
    subject: str
    quantity: str
    claimed: str
    ours: str
    interval: str
    verdict: str
    said: str
    grade: str
    over: str
    kind: str
    vendor: str
    source: str
    source_url: str
    dated: str
    stale: bool
    fitted: str
    drawn: Drawn | None
    conditions: str = ""
    assumptions: list[str] = field(default_factory=list)
    rows: list[RowLine] = field(default_factory=list)
    combinations: int = 0


def line_of(claim: PublishedClaim, answer: Mapping[str, Any]) -> ClaimLine:
    asked = (claim.parameters or {}).get("answer") or {}
    by = asked.get("by", "") if isinstance(asked, dict) else ""
    vendor = claim.accelerator.vendor if claim.accelerator else None
    return ClaimLine(
        slug=claim.slug,
        subject=claim.subject,
        quantity=QUANTITIES.get(claim.quantity, claim.quantity.replace("_", " ")),
        claimed=claimed(claim),
        ours=our_number(answer, claim.unit, claim.quantity),
        interval=our_interval(answer),
        verdict=answer["verdict"],
        said=verdict_line(answer).removeprefix(SAID[answer["verdict"]]).lstrip(":, "),
        grade=answer["grade"] or "",
        over=over_words(answer),
        kind=KIND_OF.get(by, ""),
        vendor=vendor.slug if vendor else "",
        source=claim.source.title,
        source_url=claim.source.url,
        dated=claim.source_date,
        stale=answer["stale"],
        fitted=answer["fitted"],
        drawn=drawn(claim, answer) if by != "fit" else None,
        conditions=claim.conditions,
        assumptions=answer["assumptions"],
        rows=[row_line(row, claim.quantity) for row in answer["rows"]],
        combinations=answer["combinations"],
    )


#: Quantities of claims in words; others are their names.
QUANTITIES: Final = {
    "tok_s_per_user": "tokens a second for one user",
    "tpot": "time per output token",
    "ttft": "time to first token",
    "output_tok_s_total": "tokens a second of all users",
    "throughput_per_accelerator": "tokens a second per accelerator",
    "throughput_per_accelerator_ratio": "throughput per accelerator",
    "speed_per_user_ratio": "speed per user",
    "usd_per_mtok": "cost of a million tokens",
    "wait_seconds": "wait for the whole answer",
    "fits": "room for the weights and a request",
    "memory_total": "memory in all",
    "bandwidth_total": "bandwidth in all",
    "accelerator_count": "accelerators in one domain",
}


def drawn(claim: PublishedClaim, answer: Mapping[str, Any]) -> Drawn | None:
    """None where there is no claimed number, or none of ours."""
    low, high = answer["low"], answer["high"]
    if not claim.value or claim.value <= 0 or not low or not high or low <= 0:
        return None
    places = [place(value / claim.value) for value in (low, high, answer["value_from"], answer["value_to"])]
    start, end = places[2], places[3]
    if end - start < NARROWEST:
        start, end = (start + end - NARROWEST) / 2, (start + end + NARROWEST) / 2
    return Drawn(
        low=round(places[0], 1),
        high=round(places[1], 1),
        start=round(start, 1),
        width=round(end - start, 1),
        below=math.log(low / claim.value) < -SPAN,
        above=math.log(high / claim.value) > SPAN,
    )


def place(factor: float) -> float:
    """Where a factor of the claim is drawn."""
    share = max(-1.0, min(1.0, math.log(factor) / SPAN))
    return MIDDLE + share * (MIDDLE - 4)


def row_line(row: Mapping[str, Any], quantity: str) -> RowLine:
    if row["value"] is None:
        value = "–"
    elif quantity == "fits":
        value = "fits" if row["value"] else "does not fit"
    else:
        value = figure(row["value"])
    spread = row["low"] is not None and row["low"] != row["high"]
    return RowLine(
        conditions=", ".join(row["conditions"].values()) or "as stated",
        value=value,
        interval=f"{figure(row['low'])} to {figure(row['high'])}" if spread else "",
        grade=row["grade"] or "",
        watts=figure(row["watts"]) if row["watts"] else "",
        deployment=row["deployment"],
        detail=row["detail"],
    )
