"""Made-up facts of a catalogue's size for the benchmark of the core: no database, no file is read.

Models of the usual kinds, dense to hybrid; offers of graded chips, alone, in nodes of 8 and 16, in racks of
72.
"""

from __future__ import annotations

from dataclasses import replace

from estimates.core.architecture import (
    Architecture,
    Attention,
    DenseFeedForward,
    LatentAttention,
    LayerGroup,
    Mamba2,
    MixtureOfExperts,
)
from estimates.core.facts import Chip, Link, MemoryTier, ModelFacts, Offer, Workload


def decoder(hidden: int, layers: tuple[LayerGroup, ...]) -> Architecture:
    return Architecture("decoder", hidden, 128_256, layers, 131_072, False)


def models() -> list[ModelFacts]:
    """Four dense sizes, a mixture of experts, latent attention with experts, a hybrid."""
    dense = [
        decoder(
            h,
            (LayerGroup(count, (Attention(h // 128, 8, 128, 128),), (DenseFeedForward(7 * h // 2),), 2 * h),),
        )
        for h, count in ((4096, 32), (5120, 48), (8192, 80), (16_384, 126))
    ]
    experts = MixtureOfExperts(128, 8, 1536)
    mixed = decoder(4096, (LayerGroup(94, (Attention(64, 4, 128, 128),), (experts,), 8192),))
    latent = LatentAttention(128, 1536, 512, 128, 64, 128)
    deep = decoder(
        7168,
        (
            LayerGroup(3, (latent,), (DenseFeedForward(18_432),), 14_336),
            LayerGroup(58, (latent,), (MixtureOfExperts(256, 8, 2048, 2048),), 14_336),
        ),
    )
    hybrid = decoder(
        4096,
        (
            LayerGroup(36, (Mamba2(128, 64, 128, 8, 4),), (experts,), 8192),
            LayerGroup(4, (Attention(32, 8, 128, 128, window=4096),), (experts,), 8192),
        ),
    )
    return [ModelFacts(f"model-{n}", a) for n, a in enumerate([*dense, mixed, deep, hybrid])]


def offers(count: int) -> list[Offer]:
    """Chips of graded size; a third of them also in nodes of 8 and 16, some in racks of 72."""
    found: list[Offer] = []
    number = 0
    while len(found) < count:
        size = 1 + (number % 40) / 10
        rates = {"bf16": 400e12 * size}
        if number % 2:
            rates["fp8"] = 800e12 * size
        if number % 3 == 0:
            rates["fp4"] = 1600e12 * size
        tier = MemoryTier((16 + 6 * (number % 40)) * 1e9, None, 1e12 * size)
        chip = Chip(
            f"chip-{number}",
            f"vendor-{number % 20}",
            f"generation-{number % 60}",
            "gpu",
            (tier,),
            tuple(rates.items()),
        )
        up = Link("scale_up", 100e9 * size, None, 72 if number % 10 == 0 else 8)
        found.append(Offer(f"{number}-1", chip, 1, up))
        if number % 3 == 0:
            found.append(Offer(f"{number}-8", chip, 8, up))
            found.append(Offer(f"{number}-16", chip, 16, up, Link("scale_out", 50e9)))
        if number % 10 == 0:
            found.append(Offer(f"{number}-72", replace(chip), 72, up))
        number += 1
    return found[:count]


WORKLOADS = [
    Workload("chat", 1024, 1024, 2.0, 0.05),
    Workload("rag", 8192, 1024, 3.0, 0.05, prefix_share=0.1),
    Workload("summary", 16_384, 512, 8.0, 0.1),
    Workload("code", 32_768, 1024, 5.0, 0.03, prefix_share=0.8),
    Workload("reasoning", 1024, 8192, 3.0, 0.04),
    Workload("batch", 4096, 512),
    Workload("edge", 512, 256, 2.0, 0.1),
]
