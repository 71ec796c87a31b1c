"""The trial's own catalogue: six accelerators, three models, three workloads, about 250 estimates.

Figures are near those of parts that exist, so that models fit, fit in eight, or do not fit. Five accelerators
are entered as rows, the sixth is loaded from a data file with its price list, by the loader itself.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.apps import apps
from django.db import connection
from django.utils import timezone

from catalog.figures import accept_figure
from catalog.importing.load import load_files
from catalog.models import (
    Accelerator,
    Link,
    PriceQuote,
    Provider,
    Source,
    System,
    Vendor,
    Workload,
)
from catalog.offers import refresh_offers
from tests.estimates.conftest import accelerator, language_model, llama

VENDOR: Final = "trial-vendor"
SOURCE: Final = "trial-datasheets"
PROVIDER: Final = "trial-cloud"

#: Memory GB, GB/s, rates, GB/s of the fabric per direction (None: the host bus), chips of its system.
CHIPS: Final[dict[str, tuple[float, float, dict[str, float], float | None, int]]] = {
    "trial-a": (80, 2039, {"bf16": 312, "fp8": 624}, 300, 8),
    "trial-b": (192, 8000, {"bf16": 2250, "fp8": 4500}, 900, 8),
    "trial-h": (80, 3350, {"bf16": 989, "fp8": 1979}, 450, 8),
    "trial-l": (48, 864, {"bf16": 362, "fp8": 733}, 32, 4),
    "trial-m": (192, 5300, {"bf16": 1307, "fp8": 2615}, 448, 8),
}

SHARED_FILES: Final = {
    "vendors.yaml": f"- slug: {VENDOR}\n  name: Trial Vendor\n  makes_hardware: true\n",
    "providers.yaml": f"- slug: {PROVIDER}\n  name: Trial Cloud\n",
    "sources/trial.yaml": f"- slug: {SOURCE}\n  title: Datasheets of the trial\n"
    "  url: https://example.com/trial.pdf\n",
}
FILE_CHIP: Final = """slug: trial-file
name: Trial file
vendor: trial-vendor
generation: Ada Lovelace
kind: gpu
segment: datacentre
status: available
confidence: high
figures:
  memory_gb:
    - {{accepted: true, value: 48, unit: GB, kind: vendor_claim, source: trial-datasheets, date: "2026",
       confidence: high}}
  memory_bandwidth_gbs:
    - {{accepted: true, value: {bandwidth!r}, unit: GB/s, kind: vendor_claim, source: trial-datasheets,
       date: "2026", confidence: high}}
  peak_rate:bf16:
    - {{accepted: true, value: 362, unit: TFLOPS, kind: vendor_claim, source: trial-datasheets, date: "2026",
       confidence: high}}
  peak_rate:fp8:
    - {{accepted: true, value: 733, unit: TFLOPS, kind: vendor_claim, source: trial-datasheets, date: "2026",
       confidence: high}}
"""
QUOTES_HEAD: Final = "observed_on,offering,accelerator,count,price_per_hour,pricing_model,source\n"


def write_files(directory: Path, bandwidth: float, quotes: list[tuple[str, float]]) -> None:
    """The data files: the accelerator with this bandwidth, and these quotes (offering, USD an hour)."""
    day = timezone.now().date().isoformat()
    lines = [f"{day},{offering},trial-file,1,{price!r},on_demand,{SOURCE}\n" for offering, price in quotes]
    files = SHARED_FILES | {
        f"accelerators/{VENDOR}/trial-file.yaml": FILE_CHIP.format(bandwidth=bandwidth),
        f"price_quotes/{PROVIDER}.csv": QUOTES_HEAD + "".join(lines),
    }
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def empty() -> None:
    """Remove everything of the catalogue, its history and its estimates; logins and tokens stay."""
    tables = [
        model._meta.db_table
        for label in ("catalog", "estimates", "pghistory")
        for model in apps.get_app_config(label).get_models()
        if model._meta.managed and not model._meta.proxy
    ]
    names = ", ".join(connection.ops.quote_name(name) for name in sorted(set(tables)))
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} CASCADE")


def build(directory: Path) -> None:
    """Fill the empty catalogue."""
    write_files(directory, 864.0, [("first", 1.0)])
    load_files(directory)
    vendor = Vendor.objects.get(slug=VENDOR)
    source = Source.objects.get(slug=SOURCE)
    for slug, (memory, bandwidth, rates, fabric, count) in CHIPS.items():
        row = accelerator(slug, vendor, rates, generation="Hopper", tdp_w=700, pcie_generation=5)
        for quantity, value in (("memory_gb", memory), ("memory_bandwidth_gbs", bandwidth)):
            accept_figure(row, quantity, value, kind="vendor_claim", source=source)
        Link.objects.create(accelerator=row, scope="scale_up", bandwidth_gbs=fabric, domain_size=count)
        System.objects.create(
            slug=f"{slug}-server",
            name=f"{slug} server",
            vendor=vendor,
            accelerator=row,
            accelerator_count=count,
            form="server",
        )
        add_quote(row, count, Decimal("20"), "first")
    for slug, shape, parameters in (
        ("trial-8b", llama(4096, 32, 32, 8, 14336), 8_030_261_248),
        ("trial-32b", llama(5120, 64, 40, 8, 27648), 34_000_000_000),
        ("trial-70b", llama(8192, 80, 64, 8, 28672), 70_553_706_496),
    ):
        language_model(slug, shape, parameters)
    limits: dict[str, dict[str, Any]] = {
        "trial-chat": {"isl": 1024, "osl": 1024, "ttft_limit_ms": 2000, "tpot_limit_ms": 50},
        "trial-rag": {"isl": 8192, "osl": 1024, "ttft_limit_ms": 3000, "tpot_limit_ms": 50},
        "trial-batch": {"isl": 4096, "osl": 512, "ttft_limit_ms": 9000, "tpot_limit_ms": 200},
    }
    for position, (slug, columns) in enumerate(limits.items()):
        Workload.objects.create(slug=slug, name=slug, reason="trial", position=position, **columns)
    refresh_offers()


def add_quote(row: Accelerator, count: int, price: Decimal, offering: str) -> PriceQuote:
    return PriceQuote.objects.create(
        key=f"{row.slug}-{offering}",
        provider=Provider.objects.get(slug=PROVIDER),
        offering=offering,
        accelerator=row,
        accelerator_count=Decimal(count),
        price_per_hour=price,
        pricing_model="on_demand",
        observed_on=timezone.now().date(),
        source=Source.objects.get(slug=SOURCE),
    )
