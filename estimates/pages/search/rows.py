"""The search page's tables and charts: deployments and exclusions of an answer, ready to print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from estimates.pages.chart import Chart, Point, draw
from estimates.pages.numbers import age, significant
from estimates.pages.places import place_name
from estimates.pages.table import Cell, cell_of

#: Constraints in words, as the switch of the exclusions names them.
CONSTRAINTS: Final = {
    "tpot": "too slow per token",
    "ttft": "too late to the first token",
    "memory": "too small",
    "price": "without a price",
    "missing_fact": "lacking a fact",
    "chips": "too many chips",
    "machines": "too many machines",
    "watts": "too much power",
    "usd_per_hour": "too dear",
    "context": "beyond the context",
    "concurrency": "too many requests",
    "serving": "no pools",
    "layout": "no layout",
    "model": "not a generator",
}


@dataclass(frozen=True, slots=True)
class SearchLine:
    """One deployment."""

    rank: int
    offer: str
    name: str
    vendor: str
    systems: str
    status: str
    deployment: str
    counts: str
    spare: int
    users: str
    speed: Cell
    tpot: Cell
    ttft: Cell
    ttft_p95: str
    throughput: Cell
    per_chip: str
    watts: str
    usd: Cell
    hourly: str
    seller: str
    place: str
    quote_age: str
    quote_stale: bool
    limit: str
    grade: str
    slack: str


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
        f"{name.upper()} {sizes[name]}"
        for name in ("tp", "pp", "ep", "dp")
        if (sizes[name] or 1) > 1 or name == "tp"
    ]
    text = " · ".join(parts)
    pool = sizes.get("prefill")
    if pool:
        text += f" + prompts on {pool['workers']} × TP {pool['tp']}"
        text += f" PP {pool['pp']}" if pool["pp"] > 1 else ""
    return text


def lines(rows: Iterable[Mapping[str, Any]], vendors: Mapping[str, str], today: date) -> list[SearchLine]:
    """Deployments in the order given."""
    return [_line(row, vendors, today) for row in rows]


def _line(row: Mapping[str, Any], vendors: Mapping[str, str], today: date) -> SearchLine:
    vendor = vendors.get(row["vendor"], row["vendor"])
    cost, price = row["cost"], (row["cost"] or {}).get("price") or {}
    quote = price.get("quote") or {}
    tpot, ttft = row["tpot_ms"], row["ttft_ms"]
    observed = quote.get("observed_on")
    systems = row["systems"]
    return SearchLine(
        rank=row["rank"],
        offer=row["offer"],
        name=short_name(row["accelerators_per_machine"], row["accelerator_name"], vendor),
        vendor=vendor,
        systems=", ".join(systems[:2]) + (f" +{len(systems) - 2}" if len(systems) > 2 else ""),
        status=row["status"],
        deployment=layout(row),
        counts=_counts(row),
        spare=row["spare"],
        users=significant(row["concurrency_per_replica"]),
        speed=cell_of(row["tok_s_per_user"], 1e3 / tpot["high"], 1e3 / tpot["low"], 1),
        tpot=_spread(tpot, 1),
        ttft=Cell(why=", ".join(row["missing_facts"]) or "no rate is published")
        if ttft is None
        else _spread(ttft, 0),
        ttft_p95="" if ttft is None or ttft["p95"] is None else significant(ttft["p95"]),
        throughput=_spread(row["throughput_tok_s"], 0),
        per_chip=significant(row["throughput_per_chip_tok_s"]),
        watts="" if row["watts"] is None else significant(row["watts"] / 1e3),
        usd=_cost(cost),
        hourly="" if cost is None else significant(float(cost["usd_per_hour"]), 4, 2),
        seller=str(quote.get("provider_name") or quote.get("provider") or ("owned" if cost else "")),
        place=quote.get("region") or (place_name(quote["country"]) if quote.get("country") else ""),
        quote_age=age(date.fromisoformat(observed), today) if observed else ("age unknown" if cost else ""),
        quote_stale=bool(price.get("stale")),
        limit=row["binding_limit"],
        grade=row["grade"],
        slack=_slack(row["slack"]),
    )


def _counts(row: Mapping[str, Any]) -> str:
    """Machines and the replicas on them: "2 machines, 3 + 1 replicas"."""
    machines, replicas = row["machines"], row["replicas"]
    text = f"{machines:,} machine{'s' if machines != 1 else ''}, {replicas:,}"
    text += f" + {row['spare']}" if row["spare"] else ""
    return text + f" replica{'s' if replicas + row['spare'] != 1 else ''}"


def _spread(value: Mapping[str, Any], decimals: int) -> Cell:
    return cell_of(value["mean"], value["low"] or value["mean"], value["high"] or value["mean"], decimals)


def _cost(cost: Mapping[str, Any] | None) -> Cell:
    if cost is None or "usd_per_mtok_output" not in cost:
        return Cell(why="no price on these terms")
    low, high = cost["interval_80"].get("usd_per_mtok_output") or [None, None]
    value = float(cost["usd_per_mtok_output"])
    return cell_of(value, float(low or value), float(high or value), 3)


def _slack(slack: Mapping[str, Mapping[str, Any]]) -> str:
    """How much of each limit is left, the tightest first: "TPOT 3%, chips 50%"."""
    left = sorted(
        (values["unused_share"], name) for name, values in slack.items() if values["unused_share"] is not None
    )
    names = {"tpot_ms": "TPOT", "tpot": "TPOT", "ttft_ms": "TTFT", "ttft": "TTFT", "usd_per_hour": "USD/h"}
    return ", ".join(f"{names.get(name, name)} {share:.0%}" for share, name in left)


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
                name=_named(row["offer"], names.get(row["accelerator"], row["accelerator"]), vendor),
                vendor=vendor,
                constraint=row["constraint"],
                words=CONSTRAINTS.get(row["constraint"], row["constraint"]),
                detail=row["detail"],
                times="" if times is None else f"× {significant(times)}",
                change="" if change is None else change["detail"],
            )
        )
    return found


def _named(offer: str, name: str, vendor: str) -> str:
    count = offer.rpartition("-x")[2].partition("-")[0]
    return short_name(int(count), name, vendor) if count.isdecimal() else name


def charts(
    answer: Mapping[str, Any], names: Mapping[str, str], vendors: Mapping[str, str], chosen: Sequence[str]
) -> dict[str, Chart | None]:
    """Both fronts with the ranked deployments among them: speed against cost, and throughput a chip."""
    fronts = answer["front"] or {}
    found: dict[str, Chart | None] = {}
    for key, column, high in (
        ("speed_and_usd_per_mtok", "usd_per_mtok_output", False),
        ("speed_and_throughput_per_chip", "throughput_per_chip_tok_s", True),
    ):
        points = [
            Point(
                key=row["offer"],
                label=_named(row["offer"], names.get(row["accelerator"], ""), vendors.get(row["vendor"], "")),
                vendor=row["vendor"],
                x=row["tok_s_per_user"],
                y=float(row[column]),
                chosen=False,
            )
            for row in fronts.get(key, [])
            if row[column]
        ]
        points += [point for row in answer["results"] if (point := _point(row, column, vendors))]
        found[key] = draw(points, dict(vendors), chosen, high=high)
    return found


def _point(row: Mapping[str, Any], column: str, vendors: Mapping[str, str]) -> Point | None:
    vendor = vendors.get(row["vendor"], row["vendor"])
    label = short_name(row["accelerators_per_machine"], row["accelerator_name"], vendor)
    tpot, speed = row["tpot_ms"], row["tok_s_per_user"]
    if column == "usd_per_mtok_output":
        cost = row["cost"]
        if cost is None or column not in cost:
            return None
        y = float(cost[column])
        low, high = (float(end or y) for end in cost["interval_80"].get(column) or [y, y])
    else:
        y, rate = row[column], row["throughput_tok_s"]
        low, high = y * rate["low"] / rate["mean"], y * rate["high"] / rate["mean"]
    return Point(
        row["offer"], label, row["vendor"], speed, y, 1e3 / tpot["high"], 1e3 / tpot["low"], low, high
    )
