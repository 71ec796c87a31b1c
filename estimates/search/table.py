"""A ranked row as one flat line: the columns of the CSV and of the table on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Column -> the path of its value in a row.
PATHS: Final[dict[str, tuple[str, ...]]] = {
    **{
        name: (name,)
        for name in (
            "rank",
            "model",
            "workload",
            "concurrency",
            "asked_requests_per_s",
            "offer",
            "accelerator",
            "vendor",
            "kind",
            "segment",
            "status",
        )
    },
    **{
        name: ("deployment", name)
        for name in (
            "weight_format",
            "kv_format",
            "tp",
            "pp",
            "ep",
            "dp",
            "machines_per_replica",
            "software",
        )
    },
    **{name: (name,) for name in ("replicas", "spare", "machines", "chips", "watts", "racks")},
    "concurrency_per_replica": ("concurrency_per_replica",),
    "requests_per_s": ("requests_per_s",),
    "tpot_ms": ("tpot_ms", "mean"),
    "tpot_low_ms": ("tpot_ms", "low"),
    "tpot_high_ms": ("tpot_ms", "high"),
    "tpot_p95_ms": ("tpot_ms", "p95"),
    "ttft_ms": ("ttft_ms", "mean"),
    "ttft_low_ms": ("ttft_ms", "low"),
    "ttft_high_ms": ("ttft_ms", "high"),
    "ttft_median_ms": ("ttft_ms", "median"),
    "ttft_p95_ms": ("ttft_ms", "p95"),
    "throughput_tok_s": ("throughput_tok_s", "mean"),
    "throughput_low_tok_s": ("throughput_tok_s", "low"),
    "throughput_high_tok_s": ("throughput_tok_s", "high"),
    "tok_s_per_user": ("tok_s_per_user",),
    "throughput_per_chip_tok_s": ("throughput_per_chip_tok_s",),
    "throughput_per_watt_tok_s": ("throughput_per_watt_tok_s",),
    "throughput_per_rack_tok_s": ("throughput_per_rack_tok_s",),
    "memory_used_gb": ("memory_gb", "used"),
    "memory_usable_gb": ("memory_gb", "usable"),
    "binding_limit": ("binding_limit",),
    "grade": ("grade",),
    "tier": ("tier",),
    "usd_per_hour": ("cost", "usd_per_hour"),
    "usd_per_mtok_output": ("cost", "usd_per_mtok_output"),
    "usd_per_mtok_input": ("cost", "usd_per_mtok_input"),
    "usd_per_mtok_blended": ("cost", "usd_per_mtok_blended"),
    "price_basis": ("cost", "price", "basis"),
    "price_provider": ("cost", "price", "quote", "provider"),
    "price_region": ("cost", "price", "quote", "region"),
    "price_age_days": ("cost", "price", "age_days"),
    "price_stale": ("cost", "price", "stale"),
}
COLUMNS: Final = list(PATHS)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row's values by column; null where a part of the path is unknown."""
    return {column: _at(row, path) for column, path in PATHS.items()}


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
