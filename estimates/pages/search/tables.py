"""The tables behind the search page as flat lines: deployments, both fronts, what is out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from estimates.search.table import COLUMNS, flat

FRONTS: Final = {
    "front_cost": "speed_and_usd_per_mtok",
    "front_chip": "speed_and_throughput_per_chip",
}
TABLES: Final = ("results", *FRONTS, "excluded")
FRONT_COLUMNS: Final = (
    "offer",
    "accelerator",
    "vendor",
    "weight_format",
    "tp",
    "pp",
    "ep",
    "dp",
    "concurrency_per_replica",
    "replicas",
    "machines",
    "tok_s_per_user",
    "throughput_per_chip_tok_s",
    "usd_per_mtok_output",
    "tpot_ms",
    "ttft_ms",
    "within_limits",
)
OUT_COLUMNS: Final = (
    "offer",
    "accelerator",
    "vendor",
    "constraint",
    "value",
    "limit",
    "unit",
    "times_the_limit",
    "detail",
)


def table_rows(answer: Mapping[str, Any], table: str) -> tuple[list[str], Iterable[list[object]]]:
    """Header and rows of one of TABLES, with full figures."""
    if table == "results":
        return COLUMNS, ([flat(row)[column] for column in COLUMNS] for row in answer["results"])
    if table == "excluded":
        return [*OUT_COLUMNS, "change", "change_value", "change_detail"], _out(answer["excluded"])
    points = (answer["front"] or {}).get(FRONTS[table], [])
    return list(FRONT_COLUMNS), ([row[column] for column in FRONT_COLUMNS] for row in points)


def _out(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[object]]:
    for row in rows:
        change = row["smallest_change"] or {}
        yield [*(row[name] for name in OUT_COLUMNS), *(change.get(n) for n in ("kind", "value", "detail"))]
