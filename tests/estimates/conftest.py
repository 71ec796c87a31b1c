"""A tiny catalogue for the tests of the estimates: three accelerators, three models, two workloads.

Figures are those of the datasheets (H100 SXM: 80 GB, 3,350 GB/s, 989 TFLOPS bf16, 1,979 fp8, NVLink 450 GB/s
per direction; L40S: 48 GB, 864 GB/s, 362 TFLOPS bf16, PCIe 4) and of the published configurations (Llama 3.1
8B and 70B); `mystery` is an announced part whose bandwidth nobody has published.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import (
    Accelerator,
    LanguageModel,
    Link,
    Offer,
    PeakRate,
    PriceQuote,
    Provider,
    Source,
    Vendor,
    Workload,
)


@dataclass
class TinyCatalogue:
    """The rows that tests name."""

    h100: Accelerator
    l40s: Accelerator
    mystery: Accelerator
    llama_8b: LanguageModel
    llama_70b: LanguageModel
    embedder: LanguageModel
    chat: Workload
    edge: Workload


def llama(hidden: int, layers: int, heads: int, kv_heads: int, intermediate: int) -> dict[str, Any]:
    """A Llama 3.1 architecture: grouped queries, heads of 128, vocabulary 128,256, gated feed-forward."""
    return {
        "role": "decoder",
        "hidden": hidden,
        "vocab": 128256,
        "layers": [
            {
                "count": layers,
                "mixers": [
                    {
                        "kind": "attention",
                        "heads": heads,
                        "kv_heads": kv_heads,
                        "head_dim": 128,
                        "v_head_dim": 128,
                    }
                ],
                "feed_forwards": [{"kind": "dense", "intermediate": intermediate}],
                "norm_parameters": 2 * hidden,
            }
        ],
        "max_context": 131072,
        "tied_embeddings": False,
    }


def language_model(
    slug: str, architecture: dict[str, Any], parameters: int, role: str = "decoder"
) -> LanguageModel:
    return LanguageModel.objects.create(
        slug=slug,
        hf_id=f"example/{slug}",
        name=slug,
        role=role,
        architecture=architecture,
        native_format="bf16",
        max_context=131072,
        parameters_total=parameters,
        parameters_active=parameters,
        parameters_active_without_embedding=parameters,
        kv_growing_elements=1,
    )


def accelerator(slug: str, vendor: Vendor, rates: dict[str, float], **columns: Any) -> Accelerator:
    row = Accelerator.objects.create(
        slug=slug,
        name=slug,
        vendor=vendor,
        kind="gpu",
        segment="datacentre",
        **{"status": "available", **columns},
    )
    PeakRate.objects.bulk_create(
        PeakRate(accelerator=row, number_format=f, tera_ops=t) for f, t in rates.items()
    )
    return row


@pytest.fixture
def tiny(db: None) -> TinyCatalogue:
    """The catalogue, in the database of the test."""
    return build()


def build() -> TinyCatalogue:
    nvidia = Vendor.objects.create(slug="nvidia", name="NVIDIA", makes_hardware=True)
    h100 = accelerator(
        "nvidia-h100-sxm",
        nvidia,
        {"bf16": 989, "fp16": 989, "fp8": 1979, "int8": 1979},
        generation="Hopper",
        memory_gb=80,
        memory_bytes=85_520_809_984,
        memory_bandwidth_gbs=3350,
        tdp_w=700,
    )
    Link.objects.create(accelerator=h100, scope="scale_up", name="NVLink 4", bandwidth_gbs=450, domain_size=8)
    l40s = accelerator(
        "nvidia-l40s",
        nvidia,
        {"bf16": 362, "fp16": 362, "fp8": 733, "int8": 733},
        generation="Ada Lovelace",
        memory_gb=48,
        memory_bandwidth_gbs=864,
        pcie_generation=4,
    )
    mystery = accelerator("mystery", nvidia, {"fp8": 1000}, memory_gb=100, status="announced")
    for row, counts in ((h100, (1, 8)), (l40s, (1,)), (mystery, (1,))):
        for count in counts:
            Offer.objects.create(slug=f"{row.slug}-x{count}", accelerator=row, count=count)
    embedding = llama(1024, 2, 8, 8, 4096) | {"role": "embedding"}
    catalogue = TinyCatalogue(
        h100=h100,
        l40s=l40s,
        mystery=mystery,
        llama_8b=language_model("llama-3.1-8b-instruct", llama(4096, 32, 32, 8, 14336), 8_030_261_248),
        llama_70b=language_model("llama-3.1-70b-instruct", llama(8192, 80, 64, 8, 28672), 70_553_706_496),
        embedder=language_model("embedder", embedding, 300_000_000, role="embedding"),
        chat=Workload.objects.create(
            slug="chat",
            name="Chat",
            isl=1024,
            osl=1024,
            ttft_limit_ms=2000,
            tpot_limit_ms=50,
            reason="test",
            position=0,
        ),
        edge=Workload.objects.create(
            slug="edge", name="Edge", isl=512, osl=128, edge_only=True, reason="test", position=1
        ),
    )
    for row in (h100, l40s, mystery):
        row.refresh_from_db()
    return catalogue


@pytest.fixture
def quote(tiny: TinyCatalogue) -> PriceQuote:
    """Eight H100 for 24 USD an hour, on demand, seen today."""
    return add_quote(tiny.h100, 8, "24")


def add_quote(row: Accelerator, count: int, price: str) -> PriceQuote:
    provider, _ = Provider.objects.get_or_create(slug="example-cloud", defaults={"name": "Example Cloud"})
    source, _ = Source.objects.get_or_create(slug="example-prices", defaults={"title": "Example price list"})
    return PriceQuote.objects.create(
        key=f"{row.slug}-{count}-{price}",
        provider=provider,
        offering=f"{count} x {row.slug}",
        accelerator=row,
        accelerator_count=Decimal(count),
        price_per_hour=Decimal(price),
        pricing_model="on_demand",
        observed_on=timezone.now().date(),
        source=source,
    )
