"""One row opened: memory and time as bars, the formulas with their numbers, facts with sources, levers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from estimates import explanations
from estimates.models import Estimate
from estimates.pages.chart import per_cent
from estimates.pages.evidence import Standing, standing_of
from estimates.pages.numbers import duration, prefixed, significant
from estimates.pages.table import Line

SHADES = 6
SMALL_SHARE = 0.03
MEMORY = (
    ("weights", "weights", "weights"),
    ("cache", "KV cache", "kv"),
    ("workspace", "workspace", "workspace"),
    ("reserve", "runtime", "reserve"),
    ("outside_usable_share", "kept unused", "unused"),
    ("free", "free", "free"),
)
HARDWARE = {
    "memory_capacity": ("memory capacity", "capacity"),
    "memory_bandwidth": ("memory bandwidth", "bandwidth"),
    "compute": ("compute", "compute"),
}
QUANTITY_NAMES = {
    "memory_gb": "Memory",
    "memory_usable_gb": "Memory, usable",
    "memory_bytes": "Memory, as the device reports it",
    "memory_bandwidth_gbs": "Memory bandwidth",
    "tdp_w": "Power",
    "pcie_generation": "PCIe generation",
    "link:host:bandwidth_gbs": "Host bus, per direction",
    "link:scale_up:domain_size": "Scale-up domain",
    "link:scale_up:latency_us": "Scale-up latency",
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
class Lever:
    """What ten per cent more of a hardware number does to TPOT, TTFT and throughput."""

    name: str
    limit: str
    tpot: str
    ttft: str
    throughput: str


@dataclass(frozen=True)
class Detail:
    bars: list[Bar]
    formulas: list[str]
    facts: list[Fact]
    levers: list[Lever]
    most_helpful: str
    assumptions: list[str]
    as_stored: bool
    standing: Standing | None


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
    """What the core says about the very deployment of a row, in a fixed number of queries."""
    rows = Estimate.objects.select_related("offer__accelerator", "language_model", "workload", "calculation")
    story = explanations.explain(rows.get(pk=line.answer.pk))
    times = story["time_ms"]
    bars = [
        bar_
        for bar_ in (
            memory_bar(story["memory_gb"]),
            time_bar("One output token", times["tpot"], "by_limit"),
            time_bar("One output token, by operation", times["tpot"], "by_operation"),
            time_bar("First token, nobody waiting", times["ttft"], "by_limit"),
        )
        if bar_ is not None
    ]
    return Detail(
        bars=bars,
        formulas=story["formulas"],
        facts=[_fact(fact) for fact in story["facts"] if fact["value"] is not None],
        levers=_levers(story["elasticities"]),
        most_helpful=HARDWARE.get(story["most_helpful"] or "", ("", ""))[0],
        assumptions=story["assumptions"],
        as_stored=story["as_stored"],
        standing=standing_of(story),
    )


def memory_bar(memory: dict[str, float] | None) -> Bar | None:
    """Weights, KV cache, workspace, what the runtime keeps and what is free, of the fullest chip."""
    if not memory:
        return None
    pieces = [
        (name, f"{significant(memory[key])} GB", memory[key], look)
        for key, name, look in MEMORY
        if memory.get(key)
    ]
    return bar("Memory of the fullest chip", f"{significant(memory['capacity'])} GB", pieces)


def time_bar(title: str, splits: dict[str, dict[str, float]] | None, by: str) -> Bar | None:
    """Where the time goes: by limit in the limits' colours, by operation in shades, the longest first."""
    if not splits:
        return None
    sizes = sorted(splits[by].items(), key=lambda item: -item[1])
    whole = sum(size for _, size in sizes)
    if by == "by_operation":
        small = [item for item in sizes if item[1] < SMALL_SHARE * whole]
        sizes = [item for item in sizes if item not in small]
        if small:
            sizes.append((f"{len(small)} smaller ones", sum(size for _, size in small)))
    looks = [
        f"look-{name}" if by == "by_limit" else f"shade-{min(rank, SHADES - 1)}"
        for rank, (name, _) in enumerate(sizes)
    ]
    pieces = [
        (name, duration(size / 1e3), size, look) for (name, size), look in zip(sizes, looks, strict=True)
    ]
    return bar(title, duration(whole / 1e3), pieces)


def _levers(elasticities: dict[str, dict[str, float | None]]) -> list[Lever]:
    """Ten per cent more of each hardware number, from the elasticities."""

    def change(value: float | None) -> str:
        if value is None:
            return ""
        per_cent_change = 100 * (1.1**value - 1)
        return "0" if abs(per_cent_change) < 0.05 else f"{per_cent_change:+.1f}%".replace("-", "−")

    return [
        Lever(
            name, limit, *(change(elasticities[key].get(result)) for result in ("tpot", "ttft", "throughput"))
        )
        for key, (name, limit) in HARDWARE.items()
        if key in elasticities
    ]


def _fact(fact: dict[str, Any]) -> Fact:
    source = fact.get("source") or {}
    value, unit = fact["value"], fact["unit"]
    if unit == "B":
        text = prefixed(value, "B", 5)
    else:
        text = f"{value:,.6g} {unit}" if isinstance(value, int | float) else str(value)
    return Fact(
        name=quantity_name(fact["quantity"]),
        value=text.strip(),
        kind=fact["kind"].replace("_", " "),
        source=source.get("title") or "",
        url=source.get("url") or "",
        reason=fact.get("reason") or "",
    )


def quantity_name(quantity: str) -> str:
    """A column's name as words: "peak_rate:fp8" is "Peak rate, fp8, dense"."""
    if quantity.startswith("peak_rate:"):
        return f"Peak rate, {quantity.partition(':')[2]}, dense"
    return QUANTITY_NAMES.get(quantity, quantity.replace(":", " ").replace("_", " "))
