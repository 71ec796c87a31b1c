"""A small catalogue for the API: two chips, one model, two workloads, quotes, estimates with round numbers.

Estimates are written by hand, so that an expected cost is arithmetic on one line: 1,000 tokens/s at 3.60 USD
an hour are 3.6 / (1000 x 3600) x 1e6 = 1 USD per million tokens.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from django.test import Client
from django.utils import timezone

from catalog.figures import accept_figure
from catalog.models import (
    Accelerator,
    Figure,
    LanguageModel,
    MeasuredValue,
    MeasurementRun,
    ModelAlias,
    Offer,
    PeakRate,
    PriceQuote,
    Provider,
    PublishedClaim,
    PurchasePrice,
    Source,
    System,
    TokenPrice,
    Vendor,
    Workload,
)
from estimates.from_catalog import read_workloads
from estimates.method import method_version
from estimates.models import (
    Calculation,
    CalculationRun,
    Estimate,
    Job,
    Limit,
    Objective,
    Schedule,
    ScheduledRun,
    State,
)


@dataclass
class Catalogue:
    """The rows that tests name."""

    h100: Accelerator
    mi300x: Accelerator
    llama: LanguageModel
    chat: Workload
    source: Source


ARCHITECTURE = {
    "role": "decoder",
    "hidden": 8192,
    "vocab": 128256,
    "layers": [
        {
            "count": 80,
            "mixers": [{"kind": "attention", "heads": 64, "kv_heads": 8, "head_dim": 128, "v_head_dim": 128}],
            "feed_forwards": [{"kind": "dense", "intermediate": 28672}],
            "norm_parameters": 2 * 8192,
        }
    ],
    "max_context": 131072,
    "tied_embeddings": False,
}


def build() -> Catalogue:
    nvidia = Vendor.objects.create(slug="nvidia", name="NVIDIA", makes_hardware=True)
    amd = Vendor.objects.create(slug="amd", name="AMD", makes_hardware=True)
    source = Source.objects.create(
        slug="datasheet", title="Datasheet", url="https://example.com/datasheet.pdf"
    )
    h100 = Accelerator.objects.create(
        slug="nvidia-h100-sxm",
        name="H100 SXM",
        vendor=nvidia,
        generation="Hopper",
        kind="gpu",
        segment="datacentre",
        status="available",
        tdp_w=700,
    )
    mi300x = Accelerator.objects.create(
        slug="amd-mi300x",
        name="MI300X",
        vendor=amd,
        kind="gpu",
        segment="datacentre",
        status="available",
        memory_gb=192,
        notes="=HYPERLINK(1)",
    )
    for quantity, value in (
        ("memory_gb", 80),
        ("memory_bandwidth_gbs", 3350),
        ("link:scale_up:bandwidth_gbs", 450),
    ):
        accept_figure(h100, quantity, value, kind="vendor_claim", source=source)
    Figure.objects.create(
        accelerator=h100,
        quantity="memory_bandwidth_gbs",
        value=3000,
        unit="GB/s",
        kind="third_party",
        source=source,
    )
    PeakRate.objects.create(accelerator=h100, number_format="fp8", tera_ops=1979)
    PeakRate.objects.create(accelerator=mi300x, number_format="fp8", tera_ops=2615)
    llama = LanguageModel.objects.create(
        slug="llama-3.1-70b-instruct",
        hf_id="meta-llama/Llama-3.1-70B-Instruct",
        name="Llama-3.1-70B-Instruct",
        role="decoder",
        architecture=ARCHITECTURE,
        native_format="bf16",
        max_context=131072,
        parameters_total=70_553_706_496,
        parameters_active=70_553_706_496,
        parameters_active_without_embedding=69_503_033_344,
        kv_growing_elements=163_840,
    )
    ModelAlias.objects.create(name="Llama 3.1 70B", language_model=llama)
    chat = Workload.objects.create(
        slug="chat",
        name="Chat",
        isl=1024,
        osl=1024,
        ttft_limit_ms=2000,
        tpot_limit_ms=50,
        reason="talk",
        position=0,
    )
    Workload.objects.create(slug="batch", name="Batch", isl=2048, osl=256, reason="overnight", position=1)
    offers = {}
    for row, count in ((h100, 1), (h100, 8), (mi300x, 1), (mi300x, 8)):
        slug = f"{row.slug}-x{count}"
        link = {"scale_up_gbs": 450, "scale_up_domain": 8} if count > 1 else {}
        offers[slug] = Offer.objects.create(slug=slug, accelerator=row, count=count, **link)
    System.objects.create(
        slug="nvidia-dgx-h100",
        name="DGX H100",
        vendor=nvidia,
        accelerator=h100,
        accelerator_count=8,
        form="server",
        offer=offers["nvidia-h100-sxm-x8"],
        total_memory_gb=640,
    )
    _prices(h100, mi300x, llama, source)
    run = MeasurementRun.objects.create(
        run_id="run-1",
        source=source,
        accelerator=h100,
        accelerator_as_printed="H100",
        language_model=llama,
        model_as_printed="Llama 70B",
        serving="aggregated",
        scenario="offline",
    )
    MeasuredValue.objects.create(run=run, metric="output_tok_s", value=2718)
    PublishedClaim.objects.create(
        slug="8-x-nvidia-h100-node-memory-total",
        subject="8 x H100",
        quantity="memory_total",
        value=640,
        unit="GB",
        relation="eq",
        kind="datasheet",
        source=source,
        accelerator=h100,
        parameters={"count": 8, "answer": {"by": "system_figure", "figure": "memory_total"}},
    )
    CalculationRun.objects.create(scope="all", reason="first calculation", state="done")
    Job.objects.create(kind="search", question={"model": "all"}, parts=4, parts_done=1)
    report, _ = Schedule.objects.get_or_create(
        slug="weekly-freshness-report",
        defaults={"title": "Report", "kind": "freshness_report", "cron": "7 5 * * MON"},
    )
    ScheduledRun.objects.create(schedule=report, state="done", outcome="all is fresh")
    for row in (h100, mi300x):
        row.refresh_from_db()
        _estimates(row, llama, chat, offers)
    return Catalogue(h100, mi300x, llama, chat, source)


def _prices(h100: Accelerator, mi300x: Accelerator, llama: LanguageModel, source: Source) -> None:
    cloud = Provider.objects.create(slug="example-cloud", name="Example Cloud")
    for row, count, price, basis, country in (
        (h100, 8, "28.80", "on_demand", "US"),
        (h100, 8, "14.40", "spot", "DE"),
        (mi300x, 8, "18.00", "on_demand", "US"),
    ):
        PriceQuote.objects.create(
            key=f"{row.slug}-{count}-{basis}",
            provider=cloud,
            offering=f"{count} x {row.slug}",
            accelerator=row,
            accelerator_count=Decimal(count),
            region="here",
            country=country,
            price_per_hour=Decimal(price),
            pricing_model=basis,
            observed_on=timezone.now().date(),
            source=source,
        )
    TokenPrice.objects.create(
        key="t1",
        provider=cloud,
        model_name="llama-70b",
        language_model=llama,
        open_weight=True,
        output_usd_per_mtok=Decimal("0.880000"),
        observed_on="2025-01",
        source=source,
    )
    PurchasePrice.objects.create(
        key="p1", hardware_name="H100 SXM", accelerator=h100, price=Decimal("25000"), source=source
    )


def _estimates(row: Accelerator, llama: LanguageModel, chat: Workload, offers: dict[str, Offer]) -> None:
    """Eight chips: 8,000 tokens/s within the service level; one H100: does not fit; one MI300X: too slow."""
    calculation = Calculation.objects.create(
        language_model=llama,
        accelerator=row,
        state="done",
        model_version=llama.version,
        accelerator_version=row.version,
        workloads_digest=read_workloads().digest,
        method_version=method_version(),
        calculated_at=timezone.now(),
    )
    common: dict[str, Any] = {"calculation": calculation, "language_model": llama, "workload": chat}
    fits: dict[str, Any] = {
        "state": State.OK,
        "weight_format": "fp8",
        "kv_format": "fp8",
        "tp": 8,
        "pp": 1,
        "ep": 1,
        "dp": 1,
        "replicas": 1,
        "concurrency": 256,
        "tpot_ms": 25.0,
        "tpot_low_ms": 20.0,
        "tpot_high_ms": 31.25,
        "ttft_ms": 500.0,
        "tok_s_per_user": 40.0,
        "binding_limit": Limit.BANDWIDTH,
        "grade": "D",
    }
    eight = offers[f"{row.slug}-x8"]
    for objective, throughput in (
        (Objective.FASTEST, 1000),
        (Objective.THROUGHPUT_WITHIN, 8000),
        (Objective.THROUGHPUT, 10000),
    ):
        Estimate.objects.create(
            **common,
            **fits,
            offer=eight,
            objective=objective,
            throughput_tok_s=throughput,
            meets_service_level=objective != Objective.THROUGHPUT,
        )
    one = offers[f"{row.slug}-x1"]
    if row.slug == "amd-mi300x":
        for objective, tpot_ms, throughput in (
            (Objective.FASTEST, 80.0, 2000),
            (Objective.THROUGHPUT, 5700.0, 2500),
        ):
            Estimate.objects.create(
                **common,
                **fits | {"tpot_ms": tpot_ms},
                offer=one,
                objective=objective,
                throughput_tok_s=throughput,
                reason="tpot_slo_missed: nothing keeps the limit per output token",
            )
    else:
        Estimate.objects.create(
            **common,
            offer=one,
            objective=Objective.THROUGHPUT,
            state=State.DOES_NOT_FIT,
            shortfall_gb=61.0,
            reason="does_not_fit: 61 GB more are needed",
            binding_limit=Limit.CAPACITY,
        )


def read(client: Client, address: str, status: int = 200, **headers: Any) -> Any:
    """The JSON of a GET below /api/v1/, after a look at its status."""
    response = client.get(f"/api/v1/{address}", **headers)
    assert response.status_code == status, response.content[:800]
    return orjson.loads(response.content)


def problem_of(response: Any, status: int) -> dict[str, Any]:
    """The problem details of an answer, with what every one of them must have."""
    assert response.status_code == status, response.content[:800]
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = orjson.loads(response.content)
    assert body["status"] == status
    assert body["request_id"] == response["X-Request-ID"]
    assert {"type", "title", "detail", "errors"} <= set(body)
    return body
