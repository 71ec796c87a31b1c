"""Made-up hardware and workloads of a catalogue's size for the benchmark of the core: no database, no file.

Offers of graded chips: GPUs alone, in nodes of 8 and 16 and in racks of 72, TPUs in pods of 64, chips of PCs
and phones, machines that hold weights in SRAM.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from estimates.core.demand import Candidate
from estimates.core.facts import Chip, ChipKind, Link, MemoryTier, Offer, Workload

LOCAL: tuple[ChipKind, ...] = ("soc", "npu", "soc", "cpu")


def offers(count: int) -> list[Offer]:
    """The first so many. In thirty chips: five local, two or three TPUs, one of SRAM, else GPUs."""
    found: list[Offer] = []
    number = 0
    while len(found) < count:
        if number % 6 == 5:
            found += _local(number)
        elif number % 12 == 4:
            found += _pod(number)
        elif number % 30 == 15:
            found += _sram(number)
        else:
            found += _gpus(number)
        number += 1
    return found[:count]


def candidates(count: int) -> list[Candidate]:
    """Offers with a price and a rated power, both by their number of chips."""
    return [Candidate(offer, 2.5 * offer.count, 900.0 * offer.count) for offer in offers(count)]


def _chip(number: int, kind: ChipKind, tier: MemoryTier, rates: dict[str, float]) -> Chip:
    vendor, generation = f"vendor-{number % 20}", f"generation-{number % 60}"
    return Chip(f"chip-{number}", vendor, generation, kind, (tier,), tuple(rates.items()))


def _size(number: int) -> float:
    return 1 + (number % 40) / 10


def _gpus(number: int) -> Iterator[Offer]:
    """A third of them also in nodes of 8 and 16, some in racks of 72."""
    size = _size(number)
    rates = {"bf16": 400e12 * size}
    if number % 2:
        rates["fp8"] = 800e12 * size
    if number % 3 == 0:
        rates["fp4"] = 1600e12 * size
    tier = MemoryTier((16 + 6 * (number % 40)) * 1e9, None, 1e12 * size)
    chip = _chip(number, "gpu", tier, rates)
    up = Link("scale_up", 100e9 * size, None, 72 if number % 10 == 0 else 8)
    yield Offer(f"{number}-1", chip, 1, up)
    if number % 3 == 0:
        yield Offer(f"{number}-8", chip, 8, up)
        yield Offer(f"{number}-16", chip, 16, up, Link("scale_out", 50e9))
    if number % 10 == 0:
        yield Offer(f"{number}-72", replace(chip), 72, up)


def _pod(number: int) -> Iterator[Offer]:
    size = _size(number)
    tier = MemoryTier(32e9 * size, None, 1.2e12 * size)
    chip = _chip(number, "tpu", tier, {"bf16": 300e12 * size, "int8": 600e12 * size})
    up = Link("scale_up", 150e9 * size, None, 64, "torus")
    for chips in (1, 8, 64):
        yield Offer(f"{number}-{chips}", chip, chips, up)


def _local(number: int) -> Iterator[Offer]:
    """Unified memory; every other one runs models on a unit that draws a part of the bandwidth."""
    size = _size(number)
    tier = MemoryTier((8 + 3 * (number % 40)) * 1e9, None, 60e9 * size)
    kind = LOCAL[number // 6 % len(LOCAL)]
    rates = {"int8": 20e12 * size} if kind == "npu" else {"bf16": 10e12 * size, "int8": 20e12 * size}
    chip = _chip(number, kind, tier, rates)
    if number % 12 == 5:
        chip = replace(chip, npu_bandwidth_share=0.6)
    yield Offer(f"{number}-1", chip, 1)


def _sram(number: int) -> Iterator[Offer]:
    """Weights spread over many small chips, or over a few wafers."""
    if number % 60 == 15:
        wafer = _chip(number, "wafer", MemoryTier(44e9, None, 21e15, "sram"), {"bf16": 12e15})
        for chips in (1, 4):
            yield Offer(f"{number}-{chips}", wafer, chips)
        return
    chip = _chip(number, "asic", MemoryTier(0.5e9, None, 80e12, "sram"), {"bf16": 190e12, "int8": 750e12})
    for chips in (64, 576):
        yield Offer(f"{number}-{chips}", chip, chips)


WORKLOADS = [
    Workload("chat", 1024, 1024, 2.0, 0.05),
    Workload("rag", 8192, 1024, 3.0, 0.05, prefix_share=0.1),
    Workload("summary", 16_384, 512, 8.0, 0.1),
    Workload("code", 32_768, 1024, 5.0, 0.03, prefix_share=0.8),
    Workload("reasoning", 1024, 8192, 3.0, 0.04),
    Workload("batch", 4096, 512),
    Workload("edge", 512, 256, 2.0, 0.1),
]
