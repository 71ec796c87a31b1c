"""The search page's tables and charts: deployments and exclusions of an answer, ready to print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from estimates.core.demand import AT
from estimates.pages.compare.question import option_text
from estimates.pages.numbers import days_old, prefixed, significant
from estimates.pages.places import place_name
from estimates.pages.search.question import CONSTRAINTS
from estimates.pages.table import Cell, cell_of


@dataclass(frozen=True, slots=True)
class SearchLine:
    """One deployment. `tpot` and `ttft` are the figures that the limits are on, the others beside them."""

    rank: int
    offer: str
    option: str
    name: str
    also: str
    vendor: str
    systems: str
    status: str
    deployment: str
    each: str
    machines: str
    counts: str
    power: str
    speed: Cell
    tpot: str
    tpot_beside: list[str]
    ttft: str
    ttft_beside: list[str]
    ttft_mean: Cell
    throughput: Cell
    share: str
    usd: Cell
    hourly: str
    seller: str
    parts: str
    place: str
    quote_age: str
    quote_stale: bool
    limit: str
    grade: str
    slack: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Printing:
    """What lines need besides their rows: vendors' names, limits in force, objective, lengths asked for.

    `also`: by offer, the other sizes of its chip.
    """

    vendors: Mapping[str, str]
    limits: Mapping[str, Any]
    objective: str
    lengths: Mapping[str, int | None]
    also: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Out:
    """One offer that is out."""

    offer: str
    name: str
    vendor: str
    constraint: str
    words: str
    detail: str
    times: str
    change: str


def short_name(count: int, name: str, vendor: str) -> str:
    """Count and chip without the vendor's name in front: "8× H100 SXM"."""
    for prefix in (vendor, vendor.split()[0] if vendor else ""):
        if prefix and name.lower().startswith(prefix.lower() + " "):
            name = name[len(prefix) + 1 :]
            break
    return f"{count}× {name}"


def layout(row: Mapping[str, Any]) -> str:
    """Format and parallel sizes: "fp8 · TP 8 · PP 2"; with pools, those that compute prompts behind a +."""
    sizes = row["deployment"]
    parts = [sizes["weight_format"]]
    parts += [
        f"{name.upper()}\N{NO-BREAK SPACE}{sizes[name]}"
        for name in ("tp", "pp", "ep", "dp")
        if (sizes[name] or 1) > 1 or name == "tp"
    ]
    text = " · ".join(parts)
    if sizes["machines_per_replica"] > 1:
        text += f", over {sizes['machines_per_replica']} machines"
    pool = sizes.get("prefill")
    if pool:
        text += f" + prompts on {pool['workers']} × TP {pool['tp']}"
        text += f" PP {pool['pp']}" if pool["pp"] > 1 else ""
    return text


def best_of_each(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], dict[str, str]]:
    """The best size of each accelerator; by its offer the others with their ranks: "8× (9), 16× (20)"."""
    first: dict[str, Mapping[str, Any]] = {}
    others: dict[str, list[str]] = {}
    for row in rows:
        best = first.setdefault(row["accelerator"], row)
        if best is not row:
            size = f"{row['accelerators_per_machine']:,}× ({row['rank']})"
            others.setdefault(best["offer"], []).append(size)
    return list(first.values()), {offer: ", ".join(sizes) for offer, sizes in others.items()}


def lines(rows: Iterable[Mapping[str, Any]], printing: Printing) -> list[SearchLine]:
    """Deployments in the order given."""
    return [_line(row, printing) for row in rows]


def _line(row: Mapping[str, Any], printing: Printing) -> SearchLine:
    limits, vendor = printing.limits, printing.vendors.get(row["vendor"], row["vendor"])
    cost, price = row["cost"], (row["cost"] or {}).get("price") or {}
    quote = price.get("quote") or {}
    days = price.get("age_days")
    tpot, ttft, systems, each = row["tpot_ms"], row["ttft_ms"], row["systems"], row["concurrency_per_replica"]
    tpot_shown, tpot_beside = _at(tpot, limits["tpot_at"])
    ttft_shown, ttft_beside = _at(ttft, limits["ttft_at"]) if ttft else ("", [])
    return SearchLine(
        rank=row["rank"],
        offer=row["offer"],
        name=short_name(row["accelerators_per_machine"], row["accelerator_name"], vendor),
        also=printing.also.get(row["offer"], ""),
        option=_option(row, printing.lengths),
        vendor=vendor,
        systems=", ".join(systems[:2]) + (f" +{len(systems) - 2}" if len(systems) > 2 else ""),
        status=row["status"],
        deployment=layout(row),
        each=f"{each:,.3g} request{'' if each == 1 else 's'} each"
        if each < 1e3
        else f"{each:,.0f} requests each",
        machines=counted(row["machines"], "machine"),
        counts=_replicas(row),
        power="" if row["watts"] is None else prefixed(row["watts"], "W"),
        speed=cell_of(row["tok_s_per_user"], 1e3 / tpot["high"], 1e3 / tpot["low"], 1),
        tpot=tpot_shown,
        tpot_beside=tpot_beside,
        ttft=ttft_shown,
        ttft_beside=ttft_beside,
        ttft_mean=Cell(why=", ".join(row["missing_facts"]) or "no rate is published")
        if ttft is None
        else _spread(ttft, 0),
        throughput=_spread(row["throughput_tok_s"], 0),
        share=_share(row, printing.objective),
        usd=_cost(cost),
        hourly="" if cost is None else _hourly(float(cost["usd_per_hour"])),
        seller=str(quote.get("provider_name") or quote.get("provider") or ("owned" if cost else "")),
        parts=_owned_parts(price["owned"]) if price.get("owned") else "",
        place=quote.get("region") or (place_name(quote["country"]) if quote.get("country") else ""),
        quote_age="" if cost is None else "age unknown" if days is None else days_old(days),
        quote_stale=bool(price.get("stale")),
        limit=row["binding_limit"],
        grade=row["grade"],
        slack=_slack(row["slack"]),
    )


def _hourly(usd: float) -> str:
    """USD an hour to the cent; below one to three digits."""
    return significant(usd, 4, 2) if usd >= 1 else significant(usd)


def counted(number: int, noun: str) -> str:
    """ "1 machine", "1,200 machines"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _replicas(row: Mapping[str, Any]) -> str:
    """Replicas that carry the load and those to spare: "3 + 1 replicas"."""
    spare = f" + {row['spare']:,}" if row["spare"] else ""
    return f"{row['replicas']:,}{spare} replica{'' if row['replicas'] + row['spare'] == 1 else 's'}"


def _option(row: Mapping[str, Any], lengths: Mapping[str, int | None]) -> str:
    """The deployment of one machine as the compare page takes it; empty where it is not on one."""
    sizes, whole = row["deployment"], row["replicas"] + row["spare"]
    if sizes["machines_per_replica"] > 1 or sizes["prefill"]:
        return ""
    replicas = row["replicas"] if row["machines"] == 1 else -(-whole // row["machines"])
    parts = {
        "weights": sizes["weight_format"],
        "kv": sizes["kv_format"],
        **{name: sizes[name] for name in ("tp", "pp", "ep", "dp")},
        "replicas": replicas,
        "concurrency": max(1, round(row["concurrency_per_replica"] * replicas)),
        **lengths,
    }
    return option_text(row["model"], row["offer"], row["workload"], parts)


def _at(times: Mapping[str, Any], at: str) -> tuple[str, list[str]]:
    """The figure that the limit is on, and others that differ: "1,130", ["mean 1,230", "p95 2,040"]."""
    texts = {name: significant(times[name]) for name in AT if times[name] is not None}
    shown = texts.get(at, "")
    return shown, [f"{name} {text}" for name, text in texts.items() if name != "median" and text != shown]


def _share(row: Mapping[str, Any], objective: str) -> str:
    """Throughput a chip; what it is ranked by instead, where that is by the watt or by the rack."""
    name = {"throughput_per_watt": "watt", "throughput_per_rack": "rack"}.get(objective, "chip")
    rate = row[f"throughput_per_{name}_tok_s"]
    return f"unknown a {name}" if rate is None else f"{significant(rate)} a {name}"


def _owned_parts(owned: Mapping[str, Any]) -> str:
    """What an owner's hour of one machine is made of, and the purchase that it rests on."""
    bought = owned["purchase"]
    years = owned["terms"]["years"]["value"]
    parts = [
        f"{significant(float(owned[f'{key}_usd_per_hour']))} {name}"
        for key, name in (
            ("amortisation", f"for the purchase over {years} years"),
            ("energy", "for energy"),
            ("hosting", "for hosting"),
        )
        if float(owned[f"{key}_usd_per_hour"])
    ]
    year = f", {bought['year']}" if bought["year"] else ""
    return (
        f"USD an hour of a machine: {', '.join(parts)}. {bought['hardware_name']} at "
        f"{significant(float(bought['usd_each']))} USD each "
        f"({bought['basis']}{year}; {bought['source_title']})."
    )


def _spread(value: Mapping[str, Any], decimals: int) -> Cell:
    return cell_of(value["mean"], value["low"] or value["mean"], value["high"] or value["mean"], decimals)


def _cost(cost: Mapping[str, Any] | None) -> Cell:
    if cost is None or "usd_per_mtok_output" not in cost:
        return Cell(why="no price on these terms")
    low, high = cost["interval_80"].get("usd_per_mtok_output") or [None, None]
    value = float(cost["usd_per_mtok_output"])
    return cell_of(value, float(low or value), float(high or value), 3)


def _slack(slack: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str]]:
    """How much of each limit is left, the tightest first: [("TPOT", "3%"), ("chips", "50%")]."""
    left = sorted(
        (values["unused_share"], name) for name, values in slack.items() if values["unused_share"] is not None
    )
    names = {"tpot": "TPOT", "ttft": "TTFT", "usd_per_hour": "USD/h", "watts": "power"}
    return [(names.get(name.removesuffix("_ms"), name), f"{share:.0%}") for share, name in left]


def exclusions(
    rows: Iterable[Mapping[str, Any]], names: Mapping[str, str], vendors: Mapping[str, str]
) -> list[Out]:
    """Who is out, the nearest to the limit first."""
    found = []
    for row in rows:
        vendor = vendors.get(row["vendor"], row["vendor"])
        times, change = row["times_the_limit"], row["smallest_change"]
        found.append(
            Out(
                offer=row["offer"],
                name=offer_name(row["offer"], names.get(row["accelerator"], row["accelerator"]), vendor),
                vendor=vendor,
                constraint=row["constraint"],
                words=CONSTRAINTS.get(row["constraint"], row["constraint"]),
                detail=row["detail"],
                times="" if times is None else f"× {significant(times)}",
                change="" if change is None else change["detail"],
            )
        )
    return found


def offer_name(offer: str, name: str, vendor: str) -> str:
    """Count and chip of an offer by its slug: "nvidia-h100-sxm-x8" is "8× H100 SXM"."""
    count = offer.rpartition("-x")[2].partition("-")[0]
    return short_name(int(count), name, vendor) if count.isdecimal() else name
