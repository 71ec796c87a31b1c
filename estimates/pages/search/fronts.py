"""The search page's charts: both Pareto fronts with the ranked deployments among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from estimates.pages.chart import Chart, Point, Room, draw, per_cent
from estimates.pages.search.rows import offer_name, short_name

#: Two charts stand side by side: each has about this much to draw in.
HALF: Final = Room(width=520, height=300, corner=True)


@dataclass(frozen=True, slots=True)
class Front:
    """A chart, and where the limit per token stands: per cent from the left, empty where it does not."""

    chart: Chart | None
    limit: str


def charts(
    answer: Mapping[str, Any],
    rows: Iterable[Mapping[str, Any]],
    names: Mapping[str, str],
    vendors: Mapping[str, str],
    chosen: Sequence[str],
) -> dict[str, Front]:
    """Both fronts with the deployments of `rows` among them: speed against cost, and throughput a chip."""
    fronts = answer["front"] or {}
    found: dict[str, Front] = {}
    rows = list(rows)
    for key, column, high in (
        ("speed_and_usd_per_mtok", "usd_per_mtok_output", False),
        ("speed_and_throughput_per_chip", "throughput_per_chip_tok_s", True),
    ):
        points = [point for row in rows if (point := _point(row, column, vendors))]
        ranked = {(point.key, f"{point.x:.3g}", f"{point.y:.3g}") for point in points}
        for row in fronts.get(key, []):
            if not row[column] or (x := row["tok_s_per_user"]) is None:
                continue
            y = float(row[column])
            if (row["offer"], f"{x:.3g}", f"{y:.3g}") not in ranked:  # else it would cover the ranked one
                name = names.get(row["accelerator"], "")
                label = offer_name(row["offer"], name, vendors.get(row["vendor"], ""))
                points.append(Point(row["offer"], label, row["vendor"], x, y, chosen=False))
        chart = draw(points, dict(vendors), chosen, high=high, room=HALF)
        found[key] = Front(chart, _limit_at(chart, answer["limits"]))
    return found


def _limit_at(chart: Chart | None, limits: Mapping[str, Any]) -> str:
    """The speed that a limit on the mean time per token asks for; limits on others are no line."""
    if chart is None or limits["tpot_ms"] is None or limits["tpot_at"] != "mean":
        return ""
    speed = 1e3 / limits["tpot_ms"]
    inside = chart.x_axis.low < speed < chart.x_axis.high
    return per_cent(chart.x_axis.share(speed)) if inside else ""


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
