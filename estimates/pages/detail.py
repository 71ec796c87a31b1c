"""One row opened: its memory and time as bars, the formula with its numbers, facts with sources, and levers."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from catalog.models import Figure
from estimates.pages.chart import per_cent
from estimates.pages.numbers import significant
from estimates.pages.table import Line

ACCELERATOR_QUANTITIES = ("memory_gb", "memory_usable_gb", "memory_bytes", "memory_bandwidth_gbs", "tdp_w")
QUANTITY_NAMES = {
    "memory_gb": "Memory",
    "memory_usable_gb": "Memory, usable",
    "memory_bytes": "Memory, as the device reports it",
    "memory_bandwidth_gbs": "Memory bandwidth",
    "tdp_w": "Power",
    "link:scale_up:bandwidth_gbs": "Scale-up link, per direction",
    "link:scale_out:bandwidth_gbs": "Scale-out link, per direction",
}


@dataclass(frozen=True)
class Part:
    """A piece of a bar: where it begins and how wide it is, in per cent of the bar."""

    name: str
    text: str
    x: str
    width: str
    look: str
    share: str


@dataclass(frozen=True)
class Bar:
    title: str
    total: str
    parts: list[Part]


@dataclass(frozen=True)
class Fact:
    name: str
    value: str
    kind: str
    source: str
    url: str
    reason: str


@dataclass(frozen=True)
class Term:
    """One line of the formula: what it is, how it is computed with its numbers, what comes out."""

    name: str
    formula: str
    value: str


@dataclass(frozen=True)
class Lever:
    """What one per cent more of a hardware number does to TPOT, TTFT and throughput, in per cent."""

    name: str
    limit: str
    tpot: str
    ttft: str
    throughput: str


@dataclass(frozen=True)
class Detail:
    bars: list[Bar]
    terms: list[Term]
    facts: list[Fact]
    levers: list[Lever]
    assumptions: list[str]


def bar(title: str, total: str, pieces: Sequence[tuple[str, str, float, str]]) -> Bar:
    """A bar of (name, text, size, look) pieces, to scale; pieces of no size are left out."""
    whole = sum(size for _, _, size, _ in pieces)
    parts, at = [], 0.0
    for name, text, size, look in pieces:
        if size > 0:
            share = size / whole
            parts.append(Part(name, text, per_cent(at), per_cent(share), look, f"{share:.0%}"))
            at += share
    return Bar(title, total, parts)


def explain(line: Line) -> Detail:
    """What is known about one row, in a fixed number of queries."""
    row = line.answer
    bars = []
    if row.memory_used_gb and row.memory_usable_gb:
        free = max(row.memory_usable_gb - row.memory_used_gb, 0.0)
        pieces = [
            ("used", f"{significant(row.memory_used_gb)} GB", row.memory_used_gb, "weights"),
            ("free", f"{significant(free)} GB", free, "free"),
        ]
        bars.append(bar("Memory of a chip", f"{significant(row.memory_usable_gb)} GB usable", pieces))
    return Detail(bars=bars, terms=[], facts=facts(row.accelerator), levers=[], assumptions=[])


def facts(accelerator: str) -> list[Fact]:
    """The accepted figures of an accelerator that an estimate rests on, with their sources."""
    wanted = Q(quantity__in=ACCELERATOR_QUANTITIES) | Q(quantity__startswith="peak_rate:")
    wanted |= Q(quantity__startswith="link:", quantity__endswith="bandwidth_gbs")
    rows = Figure.objects.filter(wanted, accelerator__slug=accelerator, accepted=True).select_related(
        "source"
    )
    return [
        Fact(
            name=quantity_name(row.quantity),
            value=f"{significant(row.value, 4) if row.value is not None else row.text} {row.unit}".strip(),
            kind=row.get_kind_display(),
            source=row.source.title if row.source else "",
            url=row.source.url if row.source and row.source.url.startswith(("http://", "https://")) else "",
            reason=row.reason,
        )
        for row in rows.order_by("quantity")
    ]


def quantity_name(quantity: str) -> str:
    """A column's name as words: "peak_rate:fp8" is "Peak rate, fp8, dense"."""
    if quantity.startswith("peak_rate:"):
        return f"Peak rate, {quantity.partition(':')[2]}, dense"
    return QUANTITY_NAMES.get(quantity, quantity)
