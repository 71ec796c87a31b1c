"""Machines, workloads and efficiency tables of the estimator's tests: datasheet figures, written out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from estimates.core.efficiency import CollectiveFit, EfficiencyTable, Fit, load_efficiency
from estimates.core.facts import Chip, Link, MemoryTier, Offer, Workload

GB = 1e9
NVLINK_4 = Link("scale_up", 450e9, None, 8)

H100 = Chip(
    "nvidia-h100-sxm",
    "NVIDIA",
    "Hopper",
    "gpu",
    (MemoryTier(85_520_809_984, None, 3350e9),),
    {"fp32": 66.9e12, "bf16": 989e12, "fp16": 989e12, "fp8": 1979e12, "int8": 1979e12},
    power_w=700,
)
A100 = Chip(
    "nvidia-a100-sxm4-80gb",
    "NVIDIA",
    "Ampere",
    "gpu",
    (MemoryTier(80 * GB, None, 2039e9),),
    {"bf16": 312e12, "fp16": 312e12, "int8": 624e12, "int4": 1248e12},
    power_w=400,
)
MI300X = Chip(
    "amd-mi300x",
    "AMD",
    "CDNA 3",
    "gpu",
    (MemoryTier(192 * GB, None, 5300e9),),
    {"bf16": 1307.4e12, "fp8": 2614.9e12},
    power_w=750,
)
B200 = Chip(
    "nvidia-b200-sxm",
    "NVIDIA",
    "Blackwell",
    "gpu",
    (MemoryTier(192 * GB, 180 * GB, 7700e9),),
    {"bf16": 2250e12, "fp8": 4500e12, "fp4": 9000e12},
)
MI350X = Chip(
    "amd-mi350x",
    "AMD",
    "CDNA 4",
    "gpu",
    (MemoryTier(288 * GB, None, 8000e9),),
    {"bf16": 2309.6e12, "fp8": 4614e12, "fp6": 9227.5e12, "fp4": 9227.5e12, "int8": 4614e12},
)
CORSAIR = Chip(
    "d-matrix-corsair",
    "d-Matrix",
    "DIMC",
    "asic",
    (MemoryTier(2 * GB, None, 150e12, "sram"),),
    {"int8": 2400e12, "int4": 9600e12},
)
WSE3 = Chip("cerebras-wse-3", "Cerebras", "WSE-3", "wafer", (MemoryTier(44 * GB, None, 21e15, "sram"),))
GROQ = Chip(
    "groq-lpu-v1",
    "Groq",
    "TSP",
    "asic",
    (MemoryTier(0.23 * GB, None, 80e12, "sram"),),
    {"fp16": 188e12, "int8": 750e12},
)
UNKNOWN_BANDWIDTH = Chip("d-matrix-raptor", "d-Matrix", None, "asic", (MemoryTier(32 * GB, None, None),))

CHAT = Workload("chat", 1000, 1000, ttft_slo_s=2.0, tpot_slo_s=0.05)


def offer(chip: Chip = H100, count: int = 8, scale_up: Link | None = NVLINK_4, **more: object) -> Offer:
    return Offer(f"{count}x{chip.slug}", chip, count, scale_up, **more)  # type: ignore[arg-type]


@cache
def efficiency() -> EfficiencyTable:
    """The project's own data, without what was learnt of measured groups: the physics alone."""
    return load_efficiency(calibrated=False)


@cache
def physics() -> EfficiencyTable:
    """The project's operators and coefficients, with nothing learnt from whole runs."""
    return load_efficiency(calibrated=False)


@cache
def calibrated() -> EfficiencyTable:
    """What answers questions: the physics with what was learnt of measured groups."""
    return load_efficiency()


def ideal(table: EfficiencyTable | None = None) -> EfficiencyTable:
    """All of every peak, no start, no overhead: times are bare rooflines."""
    table = table or efficiency()
    fit = Fit(1.0, 1.0, 0.0, 64.0, None)
    operators = {
        key: replace(value, eff_compute=1.0, eff_memory=1.0, t0_s=0.0, p=1e-9)
        if key[1] == "attention_prefill"
        else replace(fit, compute=value.compute)
        for key, value in table.operators.items()
    }
    collectives = {
        key: CollectiveFit((2, 8), (0.0, 0.0), (1.0, 1.0), value.level, value.origin)
        for key, value in table.collectives.items()
    }
    launches = ("prefill_layer_us", "prefill_expert_layer_us")
    silent = ("kernel_us", "host_step_us", "host_sequence_us", "request_us", "layer_latency_us", *launches)
    coefficients = {
        key: 0.0 if key[0] in silent or key[0] == "elementwise_bytes_per_hidden" else value
        for key, value in table.coefficients.items()
    }
    return EfficiencyTable("ideal", operators, collectives, coefficients, table.software)


def sped_up(table: EfficiencyTable, factor: float) -> EfficiencyTable:
    """Every start and overhead divided by `factor`."""
    return EfficiencyTable(
        f"{table.version} / {factor}",
        {
            key: replace(value, t0_s=value.t0_s / factor) if key[1] != "attention_prefill" else value
            for key, value in table.operators.items()
        },
        {
            key: replace(value, alpha_s=tuple(alpha / factor for alpha in value.alpha_s))
            for key, value in table.collectives.items()
        },
        {
            key: value / factor if key[0].endswith("_us") else value
            for key, value in table.coefficients.items()
        },
        table.software,
        table.defaults,
    )


def scaled(chip: Chip, *, bandwidth: float = 1.0, compute: float = 1.0, capacity: float = 1.0) -> Chip:
    tier = chip.memory
    assert tier.bandwidth is not None
    assert tier.capacity_bytes is not None
    return replace(
        chip,
        tiers=(
            replace(
                tier, bandwidth=tier.bandwidth * bandwidth, capacity_bytes=tier.capacity_bytes * capacity
            ),
        ),
        rates={name: rate * compute for name, rate in chip.rates},  # type: ignore[arg-type]
    )
