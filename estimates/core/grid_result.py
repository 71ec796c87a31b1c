"""The answer of a grid: columns of equal length, with codes into tuples of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from numpy.typing import NDArray

from estimates.core.deployments import REASON_CODES
from estimates.core.fit import CHANGE_KINDS
from estimates.core.grades import GRADES
from estimates.core.intervals import TIERS
from estimates.core.roofline import LIMITS

# Where nothing keeps the service level there is no second row, and the first is the one nearest to the level.
OBJECTIVES: tuple[str, ...] = ("fastest", "throughput_within_slo", "throughput")
STATES: tuple[str, ...] = ("ok", "does_not_fit", "refused")
BINDING: tuple[str, ...] = ("", *LIMITS, "capacity")
CODES = (
    "offer",
    "workload",
    "objective",
    "state",
    "reason",
    "slo_reason",
    "scheme",
    "kv_format",
    "missing_fact",
)
SIZES = (
    "tp",
    "pp",
    "ep",
    "dp",
    "replicas",
    "max_concurrency",
    "binding_limit",
    "grade",
    "tier",
    "change_kind",
)
NUMBERS = (
    "concurrency",  # requests in flight on the whole offer
    "batch",  # of them on one replica
    "running_batch",  # decoding on one rank and pipeline slot
    "tpot_s",
    "tpot_low_s",
    "tpot_high_s",
    "ttft_s",  # loaded mean
    "ttft_low_s",
    "ttft_high_s",
    "ttft_unloaded_s",
    "throughput_output_tok_s",  # whole offer; NaN where a rate is missing
    "throughput_low",
    "throughput_high",
    "decode_tok_s",  # whole offer, prefill not counted
    "tok_s_per_user",
    "prefill_share",  # of the machine's time
    "memory_used_bytes",  # fullest chip
    "memory_capacity_bytes",
    "shortfall_bytes",
    "change_value",
)


@dataclass(slots=True)
class GridResult:
    """Columns of equal length, codes into the tuples beside them. Numbers are float64, NaN where absent.

    `configurations` counts the (format, layout, pipeline depth, batch, workload) combinations evaluated on
    distinct chips with their links; offers that differ in count share them.
    """

    columns: dict[str, NDArray]
    offers: tuple[str, ...]
    workloads: tuple[str, ...]
    schemes: tuple[str, ...]
    kv_formats: tuple[str, ...]
    missing_facts: tuple[str, ...]
    configurations: int
    method_version: str
    efficiency_version: str

    def __len__(self) -> int:
        return len(self.columns["offer"])

    def __getitem__(self, name: str) -> NDArray:
        return self.columns[name]

    def decoded(self) -> dict[str, list[object]]:
        """Columns as plain lists with codes replaced by their texts and NaN by None."""
        texts: dict[str, Sequence[str]] = {
            "offer": self.offers,
            "workload": self.workloads,
            "objective": OBJECTIVES,
            "state": STATES,
            "reason": REASON_CODES,
            "slo_reason": REASON_CODES,
            "scheme": self.schemes,
            "kv_format": self.kv_formats,
            "missing_fact": self.missing_facts,
            "binding_limit": BINDING,
            "grade": ("", *GRADES),
            "tier": ("", *TIERS),
            "change_kind": CHANGE_KINDS,
        }
        result: dict[str, list[object]] = {}
        for name, values in self.columns.items():
            if name in texts:
                result[name] = [texts[name][code] for code in values.tolist()]
            elif values.dtype.kind == "f":
                result[name] = [None if value != value else value for value in values.tolist()]
            else:
                result[name] = values.tolist()
        return result

    def rows(self) -> Iterator[dict[str, object]]:
        """One dictionary a row, decoded."""
        decoded = self.decoded()
        names = list(decoded)
        for values in zip(*decoded.values(), strict=True):
            yield dict(zip(names, values, strict=True))
