"""Accelerators, the systems built from them, and the offers that estimates are made for."""

from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.db.models.expressions import Combinable

from catalog.api.figures import FIGURES_MEANING, figures_section
from catalog.api.references import ACCELERATOR, OFFER, VENDOR
from catalog.models import Accelerator, Link, MemoryTier, Offer, PeakRate, PublishedClaim, System
from catalog.models.accelerators import AcceleratorKind, LinkScope, Segment, Status, TierRole
from catalog.models.sources import Confidence
from catalog.quantities import NUMBER_FORMATS
from config.rest.columns import Column, Resource, boolean, choice, integer, money, number, slug, text, time

#: Columns of the accelerator that stand in child rows, by the quantity their figures have.
CHILD_QUANTITIES = {
    f"peak_{name}_{'tops' if name.startswith('int') else 'tflops'}": f"peak_rate:{name}"
    for name in NUMBER_FORMATS
} | {
    "second_memory_gb": "memory_tier:second:capacity_gb",
    "second_memory_bandwidth_gbs": "memory_tier:second:bandwidth_gbs",
    "cache_gb": "memory_tier:cache:capacity_gb",
    "cache_bandwidth_gbs": "memory_tier:cache:bandwidth_gbs",
    "scale_up_gbs": "link:scale_up:bandwidth_gbs",
    "scale_up_domain": "link:scale_up:domain_size",
    "scale_out_gbs": "link:scale_out:bandwidth_gbs",
    "host_link_gbs": "link:host:bandwidth_gbs",
}


def _child(quantity: str) -> Combinable:
    """The value of a child row of the accelerator, null where there is none."""
    kind, key, *rest = quantity.split(":")
    mine = Q(accelerator=OuterRef("pk"))
    rows: Any
    if kind == "peak_rate":
        rows = PeakRate.objects.filter(mine, number_format=key).values("tera_ops")
    elif kind == "memory_tier":
        rows = MemoryTier.objects.filter(mine, role=TierRole(key)).values(rest[0])
    else:
        rows = Link.objects.filter(mine, scope=LinkScope(key)).values(rest[0])
    return Subquery(rows.order_by()[:1])


def _child_column(name: str) -> Column:
    quantity = CHILD_QUANTITIES[name]
    make = integer if name == "scale_up_domain" else number
    if name.startswith("peak_"):
        meaning = f"peak dense rate in {quantity.split(':')[1]}, 1e12 a second"
    else:
        meaning = {
            "second_memory_gb": "memory behind the main one",
            "scale_up_gbs": "scale-up fabric, all links of one accelerator, per direction",
            "scale_up_domain": "accelerators in one scale-up domain",
            "scale_out_gbs": "scale-out network, per accelerator and direction",
            "host_link_gbs": "host bus, per direction",
            "cache_gb": "on-chip memory besides the main one",
        }.get(name, "")
    return make(name, meaning, source=lambda: _child(quantity), nullable=True)


def _systems(pk: int) -> list[dict[str, Any]]:
    rows = System.objects.filter(accelerator=pk).order_by("accelerator_count", "slug")
    return [
        {"slug": slug, "name": name, "accelerator_count": count, "offer": offer}
        for slug, name, count, offer in rows.values_list("slug", "name", "accelerator_count", "offer__slug")
    ]


def _offers(pk: int) -> list[dict[str, Any]]:
    names = ("slug", "count", "scale_up_gbs", "scale_up_domain", "scale_out_gbs")
    return list(Offer.objects.filter(accelerator=pk, retired=False).order_by("count", "slug").values(*names))


def _claims(pk: int) -> list[str]:
    return list(PublishedClaim.objects.filter(accelerator=pk).values_list("slug", flat=True))


ACCELERATORS = Resource(
    name="accelerators",
    noun="accelerator",
    meaning="One chip, card or SoC as its maker sells it. Rates are dense, links per direction, units SI.",
    rows=Accelerator.objects.all,
    ordering=("slug",),
    columns=(
        slug("slug", example="nvidia-h100-sxm"),
        text("name", nullable=False, example="H100 SXM"),
        slug("vendor", source="vendor__slug", reference=VENDOR, example="nvidia"),
        text("family"),
        text("generation", example="Hopper"),
        choice("kind", AcceleratorKind),
        choice("segment", Segment),
        text("form_factor", example="SXM5"),
        choice("status", Status),
        text("release_date", "ISO date, as exact as known", example="2022-09"),
        text("process_node"),
        text("memory_type", example="HBM3"),
        number("memory_gb", "capacity as printed", example=80.0),
        integer("memory_bytes", "bytes the device reports", nullable=True, example=85899345920),
        number("memory_usable_gb"),
        number("memory_bandwidth_gbs", example=3350.0),
        boolean("memory_is_sram", "the main memory is on-chip SRAM", example=False),
        boolean("shares_memory_with_host", example=False),
        *(_child_column(name) for name in CHILD_QUANTITIES),
        number("tdp_w", example=700.0),
        money("launch_price_usd"),
        integer("pcie_generation", nullable=True, example=5),
        choice("confidence", Confidence),
        text("notes", listed=False),
        integer("version", "raised by every change", example=3),
        time("changed_at"),
    ),
    sections={
        "figures": figures_section("accelerator"),
        "systems": _systems,
        "offers": _offers,
        "claims": _claims,
    },
    section_meanings={
        "figures": FIGURES_MEANING,
        "systems": "machines built from it",
        "offers": "shapes it is estimated in",
        "claims": "slugs of published claims about it",
    },
    example_query="vendor=nvidia&vendor=amd&memory_gb__gte=80&ordering=-memory_bandwidth_gbs&limit=5",
)

SYSTEMS = Resource(
    name="systems",
    noun="system",
    meaning="A server, rack or pod: one accelerator type, a count and a fabric.",
    rows=System.objects.all,
    ordering=("slug",),
    columns=(
        slug("slug", example="nvidia-dgx-h100"),
        text("name", nullable=False, example="DGX H100"),
        slug("vendor", source="vendor__slug", reference=VENDOR, example="nvidia"),
        slug("accelerator", source="accelerator__slug", reference=ACCELERATOR),
        integer("accelerator_count"),
        text("form", "card, server, rack, pod or pc", nullable=False, example="server"),
        choice("status", Status),
        text("fabric", example="NVLink 4"),
        number("scale_up_gbs", "per accelerator and direction", example=450.0),
        integer("scale_up_domain", nullable=True),
        number("scale_out_gbs", "per accelerator and direction", example=50.0),
        number("total_memory_gb", example=640.0),
        text("host_cpu"),
        number("host_memory_gb", example=2000.0),
        number("power_kw", example=10.2),
        slug(
            "offer",
            "the shape it is estimated in",
            source="offer__slug",
            reference=OFFER,
            nullable=True,
            example="nvidia-h100-sxm-x8",
        ),
        text("notes", listed=False),
        integer("version", "raised by every change", example=1),
        time("changed_at"),
    ),
    sections={"figures": figures_section("system")},
    section_meanings={"figures": FIGURES_MEANING},
    example_query="accelerator_count__gte=72&ordering=-total_memory_gb",
)


def _offer_systems(pk: int) -> list[Any]:
    return list(System.objects.filter(offer=pk).order_by("slug").values("slug", "name"))


OFFERS = Resource(
    name="offers",
    noun="offer",
    meaning="A distinct shape of hardware (accelerator, count, link) that gets one estimate, whatever its "
    "product names.",
    rows=Offer.objects.all,
    ordering=("slug",),
    columns=(
        slug("slug", example="nvidia-h100-sxm-x8"),
        slug("accelerator", source="accelerator__slug", reference=ACCELERATOR),
        slug("vendor", source="accelerator__vendor__slug", reference=VENDOR, example="nvidia"),
        choice("kind", AcceleratorKind, source="accelerator__kind"),
        choice("segment", Segment, source="accelerator__segment"),
        integer("count", "accelerators"),
        number("scale_up_gbs", example=450.0),
        integer("scale_up_domain", nullable=True),
        number("scale_out_gbs", example=50.0),
        boolean("retired", "nothing stands behind it any more", example=False),
    ),
    sections={"systems": _offer_systems},
    section_meanings={"systems": "machines of this shape"},
    example_query="vendor=amd&count__gte=8",
)
