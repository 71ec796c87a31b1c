"""What the data say of a chip under a scheme, a cache format and a software: rates, starts, coefficients.

Looked up once and remembered in the efficiency table. Rates enter as inverse effective rates, so that an
unpublished rate is a zero compute time, reported as missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from estimates.core.efficiency import EfficiencyTable, Fit
from estimates.core.facts import Chip
from estimates.core.formats import FORMATS, WeightScheme, rates_for

GEMM_GROUPS: tuple[str, ...] = (
    "attention",
    "dense_ffn",
    "shared_experts",
    "router",
    "head",
    "routed_experts",
)
_ACTIVATION_BYTES = {"fp4": 0.5 + 1 / 16, "fp6": 0.78, "fp8": 1.0, "int8": 1.0, "int4": 0.5}
_SLOT = ("weight_bytes", "activation_bytes", "inverse_compute", "inverse_memory", "start", "p")
_SCALARS: tuple[tuple[str, float], ...] = (  # coefficient of the data, factor to SI
    ("kernel_us", 1e-6),
    ("kernels_dense_layer", 1),
    ("kernels_expert_layer", 1),
    ("kernels_latent_layer", 1),
    ("kernels_recurrent_layer", 1),
    ("elementwise_share", 1),
    ("elementwise_bytes_per_hidden", 1),
    ("host_step_us", 1e-6),
    ("host_sequence_us", 1e-6),
    ("host_layer_us", 1e-6),
    ("layer_latency_us", 1e-6),
    ("prefill_layer_us", 1e-6),
    ("prefill_expert_layer_us", 1e-6),
    ("interference_share", 1),
    ("routing_skew", 1),
    ("expert_imbalance", 1),
    ("prefill_pipelining", 1),
    ("pipeline_alpha_us", 1e-6),
    ("pipeline_bubble", 1),
    ("request_us", 1e-6),
    ("burst_share", 1),
    ("burst_exponent", 1),
    ("rank_lockstep_share", 1),
    ("pool_burst_share", 1),
    ("saturation_share", 1),
    ("dispatch_bytes", 1),
    ("combine_bytes", 1),
    ("chunk_tokens", 1),
    ("usable_share", 1),
    ("cache_share", 1),
    ("reserve_fixed_bytes", 1),
    ("reserve_weight_share", 1),
    ("workspace_bytes_per_hidden", 1),
)


@dataclass(frozen=True, slots=True)
class ChipTerms:
    """Numbers of one (chip, scheme, KV format): a row of floats, what was inherited, what is missing."""

    values: tuple[float, ...]
    level: int
    computes: tuple[tuple[str, str | None], ...]  # tensor group -> rate it computes with
    origins: tuple[str, ...]
    missing_rates: tuple[str, ...]


def compute_rate(chip: Chip, storage: str, table: EfficiencyTable, activation: str = "bf16") -> str | None:
    """The native rate of a storage format or the narrowest wider one the chip has; None: no such rate.

    A rate of that width does not take every encoding of it (the data says which: NVFP4 or MXFP4); a product
    with integer activations runs in integers as wide as the wider operand.
    """
    rates = dict(chip.rates)
    order = rates_for(storage, activation)
    if order[0] == FORMATS[storage].compute[0] and not table.computes(chip, storage):
        order = order[1:]
    return next((name for name in order if name in rates), None)


def resolve(
    chip: Chip,
    operation: str,
    storage: str,
    table: EfficiencyTable,
    software: str | None,
    activation: str = "bf16",
) -> tuple[Fit, str | None]:
    """The efficiency of an operation and the rate it computes with.

    Where the measured kernel computes in another format than the chip's native one (weights unpacked to
    16 bit), the fit's own denominator stands.
    """
    native = compute_rate(chip, storage, table, activation)
    fit = table.fit(chip, operation, storage, native, software)
    if (
        fit.compute is not None
        and fit.level <= 1
        and chip.rate(fit.compute) is not None
        and operation == "experts"
    ):
        return fit, fit.compute
    return fit, native


def attention_rate(chip: Chip, scheme: WeightScheme, table: EfficiencyTable) -> str | None:
    """Scores and values are computed in 16 bit where the chip can, in integers where activations are such."""
    return compute_rate(chip, "bf16", table, scheme.activation)


CHIPS = 4096  # chips told apart as objects before their facts are compared again


def chip_number(chip: Chip, table: EfficiencyTable) -> int:
    """A number that equal chips share. Hashing a chip's facts takes longer than all else of a look-up, so

    that one met before is recognised as the object it is.
    """
    met = cast(dict[int, tuple[Chip, int]], table.cache.setdefault("chips met", {}))
    found = met.get(id(chip))
    if found is None:
        if len(met) >= CHIPS:
            met.clear()
        number = cast(int, table.cache.setdefault(("chip", chip), len(table.cache)))
        met[id(chip)] = found = (chip, number)  # held, so that no other object takes its identity
    return found[1]


def chip_terms(
    chip: Chip, scheme: WeightScheme, kv_format: str, table: EfficiencyTable, software: str | None
) -> ChipTerms:
    """Look up and invert every rate a lane needs; remembered in the table."""
    key = (chip_number(chip, table), scheme, kv_format, software)
    known = table.cache.get(key)
    if isinstance(known, ChipTerms):
        return known
    bandwidth = np.inf
    if chip.bandwidth is not None:
        # The fact where it is known, otherwise what published runs of the unit show.
        share = 1.0 if chip.npu_bandwidth_share else table.coefficient("unit_bandwidth_share", chip)
        bandwidth = chip.bandwidth * share
    values: list[float] = []
    levels: list[int] = []
    computes: list[tuple[str, str | None]] = []
    origins: list[str] = []
    missing: list[str] = []
    for group in GEMM_GROUPS:
        operation = "experts" if group == "routed_experts" else "gemm"
        storage = "bf16" if group == "router" else getattr(scheme, group)
        fit, compute = resolve(chip, operation, storage, table, software, scheme.activation)
        peak = chip.rate(compute) if compute else None
        if peak is None:
            missing.append(FORMATS[storage].compute[0])
        values += [
            FORMATS[storage].bytes if group == "router" else scheme.group(group).bytes,
            _ACTIVATION_BYTES.get(compute or "", 2.0),
            1 / (fit.eff_compute * peak) if peak else 0.0,
            1 / (fit.eff_memory * bandwidth),
            fit.t0_s,
            fit.p,
        ]
        computes.append((group, compute))
        if group not in ("router", "head"):
            levels.append(fit.level if fit.exact_format else max(1, fit.level))
            origins.append(f"{group}: {fit.origin}")
    rate_name = attention_rate(chip, scheme, table)
    peak = chip.rate(rate_name) if rate_name else None
    if peak is None:
        missing.append("bf16")
    decode = table.fit(chip, "attention_decode", kv_format, rate_name, software)
    prefill = table.fit(chip, "attention_prefill", "bf16", rate_name, software)
    inverse_peak = 1 / peak if peak else 0.0
    values += [
        FORMATS[kv_format].bytes,
        inverse_peak / decode.eff_compute,
        1 / (decode.eff_memory * bandwidth),
        decode.t0_s,
        decode.p,
        inverse_peak / prefill.eff_compute,
        prefill.p,
        1 / bandwidth,
    ]
    values += _scalars(chip, table, software)
    levels.append(decode.level)
    origins += [f"decode attention: {decode.origin}", f"prefill attention: {prefill.origin}"]
    terms = ChipTerms(
        tuple(values), max(levels), tuple(computes), tuple(origins), tuple(dict.fromkeys(missing))
    )
    table.cache[key] = terms
    return terms


def _scalars(chip: Chip, table: EfficiencyTable, software: str | None) -> tuple[float, ...]:
    """The coefficients of a chip under a software, whatever the formats; remembered in the table."""
    key = ("scalars", chip_number(chip, table), software)
    found = table.cache.get(key)
    if found is None:
        values = (table.coefficient(name, chip, software) * factor for name, factor in _SCALARS)
        found = table.cache[key] = tuple(values)
    return cast(tuple[float, ...], found)


COLUMNS: tuple[str, ...] = (
    *(f"{group}.{slot}" for group in GEMM_GROUPS for slot in _SLOT),
    "kv_bytes",
    "decode_inverse_compute",
    "decode_inverse_memory",
    "decode_start",
    "decode_p",
    "prefill_inverse_compute",
    "prefill_half",
    "inverse_bandwidth",
    *(name for name, _ in _SCALARS),
)
INDEX = {name: position for position, name in enumerate(COLUMNS)}  # of `ChipTerms.values`
