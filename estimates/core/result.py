"""The answer to one question: figures, explanation, plain values for JSON."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np

from estimates.core.deployments import Reason
from estimates.core.fingerprint import METHOD_VERSION
from estimates.core.fit import SmallestChange

SCENARIOS: tuple[str, ...] = ("closed_loop", "static", "disaggregated")
State = Literal["ok", "does_not_fit", "refused", "saturated"]


@dataclass(frozen=True, slots=True)
class Interval:
    """80% interval of a positive quantity."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The answer and its explanation. Seconds, bytes, tokens/s; None where it cannot be said.

    A saturated state has no loaded TTFT but, under `saturated_mean`, what a closed population makes of it.
    """

    state: State
    model: str
    offer: str
    workload: str
    deployment: dict[str, object] = field(default_factory=dict)
    reason: Reason | None = None
    missing_facts: tuple[str, ...] = ()
    tpot_s: float | None = None
    scenario: str = "closed_loop"  # closed_loop, static or disaggregated
    ttft_s: dict[str, float | None] = field(default_factory=dict)  # unloaded, loaded mean, median, p95
    e2e_s: float | None = None  # mean time of a request to its last token
    throughput_output_tok_s: float | None = None  # whole offer, Little's law
    throughput_total_tok_s: float | None = None  # whole offer, input and output tokens
    prefill_tok_s: float | None = None  # whole offer, prompt tokens; of a static batch while it is computed
    decode_tok_s: float | None = None  # whole offer, concurrency / TPOT: prefill not counted
    throughput_per_chip: float | None = None
    tok_s_per_user: float | None = None
    prefill_share: float | None = None  # share of the machine's time that prompts take
    concurrency: float | None = None  # asked for, whole offer
    running_batch: float | None = None  # decoding on one rank and pipeline slot
    max_concurrency: int | None = None
    max_context: int | None = None
    memory: dict[str, float] = field(default_factory=dict)  # bytes on the fullest chip
    second_tier: dict[str, float] = field(default_factory=dict)  # bytes behind its first tier, bytes/s
    speculation: dict[str, object] = field(default_factory=dict)  # tokens a step, seconds of its parts
    time_by_operation: dict[str, float] = field(default_factory=dict)  # of one TPOT
    time_by_limit: dict[str, float] = field(default_factory=dict)
    ttft_by_operation: dict[str, float] = field(default_factory=dict)  # of the unloaded TTFT
    ttft_by_limit: dict[str, float] = field(default_factory=dict)
    binding_limit: str | None = None
    elasticities: dict[str, dict[str, float | None]] = field(default_factory=dict)
    most_helpful: str | None = None
    energy_j_per_output_token: float | None = None  # at rated power of the chips used
    grade: str | None = None
    tier: str = "none"  # how new the configuration is to the calibration: measured, kin or none
    tiers: dict[str, str] = field(default_factory=dict)  # the same by metric: tpot, ttft, throughput
    correction: dict[str, float] = field(
        default_factory=dict
    )  # factor on the physics' tpot, ttft, throughput
    interval: dict[str, Interval] = field(default_factory=dict)
    inherited: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    formulas: tuple[str, ...] = ()
    shortfall_bytes: float | None = None  # on the fullest chip
    smallest_change: SmallestChange | None = None
    method_version: str = METHOD_VERSION
    fingerprint: str = ""

    def to_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {entry.name: _plain(getattr(self, entry.name)) for entry in fields(self)}


def _plain(value: object) -> object:
    if isinstance(value, Reason | SmallestChange):
        return value.to_dict()
    if isinstance(value, Interval):
        return {"low": value.low, "high": value.high}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, float | np.floating):
        number = float(value)
        return number if np.isfinite(number) else None
    return value
