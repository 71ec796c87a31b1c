"""Rows of the catalogue as facts of the core: the only place where one becomes the other, units included.

The catalogue keeps units as datasheets print them (GB, GB/s, TFLOPS, ms), the core works in bytes, bytes/s,
FLOP/s and seconds. What a row cannot say stays None; the core then refuses by the name of the missing fact.

Versions are read before the values they stand for. A value that changes in between is then used under the
older version, and the calculation stays stale until it is made again: never the other way round.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.db.models import Case, F, IntegerField, Max, Prefetch, QuerySet, Value, When

from catalog.models import Accelerator, Figure, LanguageModel, Workload
from catalog.models import Offer as OfferRow
from catalog.models.accelerators import LinkScope, TierRole
from catalog.models.sources import FigureKind
from estimates.core.architecture_json import ArchitectureError, architecture_from_json
from estimates.core.facts import Chip, InvalidFact, Link, MemoryTier, ModelFacts, Offer, Provenance
from estimates.core.facts import Workload as CoreWorkload

GIGA: Final = 1e9
TERA: Final = 1e12
MILLI: Final = 1e-3
MICRO: Final = 1e-6

#: Usable GB/s per lane and direction. PCI-SIG: 8, 16, 32 GT/s at 128b/130b; generation 6 is 64 GT/s in
#: 256-byte flits of which 242 carry data.
PCIE_GBS_PER_LANE: Final = {1: 0.25, 2: 0.5, 3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}
PCIE_LANES: Final = 16

#: Kinds of figure in the core's words, strongest first.
PROVENANCE_OF: Final[dict[str, Provenance]] = {
    FigureKind.MEASURED: "measured",
    FigureKind.VENDOR_CLAIM: "vendor",
    FigureKind.THIRD_PARTY: "derived",
    FigureKind.DERIVED: "derived",
    FigureKind.ASSUMED: "assumed",
}
_STRENGTH: Final[dict[Provenance, int]] = {"measured": 0, "vendor": 1, "derived": 2, "assumed": 3}

#: The figures whose weakest kind is the chip's: those that decide nearly every estimate on it.
DECIDING_QUANTITIES: Final = (
    "memory_gb",
    "memory_bandwidth_gbs",
    "peak_rate:bf16",
    "peak_rate:fp16",
    "peak_rate:fp8",
)


@dataclass(frozen=True, slots=True)
class AcceleratorFacts:
    """One accelerator as the core sees it, its offers by their row, and the version they were read at."""

    pk: int
    slug: str
    version: int
    segment: str
    chip: Chip | None
    offers: tuple[tuple[int, Offer], ...]
    digest: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One language model as the core sees it; `problem` where its architecture cannot be read."""

    pk: int
    slug: str
    version: int
    role: str
    facts: ModelFacts | None
    digest: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """One workload as the core sees it."""

    pk: int
    slug: str
    edge_only: bool
    facts: CoreWorkload


@dataclass(frozen=True, slots=True)
class Workloads:
    """All workloads in their order, and the digest that a calculation stores of them."""

    rows: tuple[WorkloadRow, ...]
    digest: str


def digest_of(*values: Any) -> str:
    """SHA-256 of values written as JSON with sorted keys; core facts are dataclasses, which it takes whole."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


def scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else float(value) * unit


# ---- Accelerators and their offers -----------------------------------------------------------------------


def memory_tiers(row: Accelerator) -> tuple[MemoryTier, ...]:
    """Main memory first, then the memory behind it. Caches hold no weights and are left out.

    Usable is what the device reports, else what the maker prints as usable.
    """
    main = MemoryTier(
        capacity_bytes=scaled(row.memory_gb, GIGA),
        usable_bytes=float(row.memory_bytes) if row.memory_bytes else scaled(row.memory_usable_gb, GIGA),
        bandwidth=scaled(row.memory_bandwidth_gbs, GIGA),
        kind="sram" if row.memory_is_sram else "dram",
    )
    behind = [
        MemoryTier(
            capacity_bytes=scaled(tier.capacity_gb, GIGA),
            usable_bytes=scaled(tier.usable_gb, GIGA),
            bandwidth=scaled(tier.bandwidth_gbs, GIGA),
        )
        for tier in row.memory_tiers.all()
        if tier.role == TierRole.SECOND
    ]
    return (main, *behind)


def chip_of(row: Accelerator, weakest: Provenance = "vendor") -> Chip:
    """The chip of an accelerator row, whose rates, tiers and vendor are prefetched. Raises InvalidFact."""
    return Chip(
        slug=row.slug,
        vendor=row.vendor.slug,
        generation=row.generation or None,
        kind=row.kind,  # type: ignore[arg-type]  # same words; the core checks them
        tiers=memory_tiers(row),
        rates={rate.number_format: rate.tera_ops * TERA for rate in row.peak_rates.all()},  # type: ignore[arg-type]
        power_w=row.tdp_w,
        weakest_provenance=weakest,
    )


def pcie_bytes_per_s(generation: int | None) -> float | None:
    """A slot of 16 lanes, per direction; None for a generation that is not known."""
    lane = PCIE_GBS_PER_LANE.get(generation or 0)
    return None if lane is None else lane * PCIE_LANES * GIGA


def scale_up_of(offer: OfferRow, row: Accelerator) -> Link | None:
    """What ties the offer's chips together: its own fabric, else the accelerator's, else the host bus."""
    if offer.count == 1:
        return None
    links = {link.scope: link for link in row.links.all()}
    fabric, host = links.get(LinkScope.SCALE_UP), links.get(LinkScope.HOST)
    bandwidth = offer.scale_up_gbs or (fabric.bandwidth_gbs if fabric else None)
    if bandwidth:
        return Link(
            scope="scale_up",
            bytes_per_s=bandwidth * GIGA,
            latency_s=scaled(fabric.latency_us, MICRO) if fabric and fabric.latency_us else None,
            domain_size=offer.scale_up_domain or (fabric.domain_size if fabric else None),
        )
    bus = scaled(host.bandwidth_gbs, GIGA) if host else None
    bus = bus or pcie_bytes_per_s(row.pcie_generation)
    if bus is None:
        return None
    return Link(scope="pcie", bytes_per_s=bus, topology="host")


def scale_out_of(offer: OfferRow, row: Accelerator) -> Link | None:
    """The network between domains: the offer's own, else the accelerator's."""
    links = {link.scope: link for link in row.links.all()}
    network = links.get(LinkScope.SCALE_OUT)
    bandwidth = offer.scale_out_gbs or (network.bandwidth_gbs if network else None)
    if not bandwidth:
        return None
    latency = scaled(network.latency_us, MICRO) if network and network.latency_us else None
    return Link(scope="scale_out", bytes_per_s=bandwidth * GIGA, latency_s=latency)


def offer_of(offer: OfferRow, row: Accelerator, chip: Chip) -> Offer:
    """The core's offer of an offer row. Raises InvalidFact."""
    return Offer(
        slug=offer.slug,
        chip=chip,
        count=offer.count,
        scale_up=scale_up_of(offer, row),
        scale_out=scale_out_of(offer, row),
    )


def weakest_provenance(accelerators: Collection[int]) -> dict[int, Provenance]:
    """The weakest kind among the accepted deciding figures of each accelerator, in one query."""
    strength = Case(
        *[When(kind=kind, then=Value(_STRENGTH[word])) for kind, word in PROVENANCE_OF.items()],
        default=Value(_STRENGTH["assumed"]),
        output_field=IntegerField(),
    )
    rows = (
        Figure.objects.filter(accelerator__in=accelerators, accepted=True, quantity__in=DECIDING_QUANTITIES)
        .order_by()
        .values("accelerator")
        .annotate(weakest=Max(strength))
        .values_list("accelerator", "weakest")
    )
    words = {number: word for word, number in _STRENGTH.items()}
    return {pk: words[number] for pk, number in rows}


def accelerator_rows(accelerators: QuerySet[Accelerator]) -> QuerySet[Accelerator]:
    """The rows with everything that `chip_of` and `offer_of` read: five queries, however many rows."""
    offers = OfferRow.objects.filter(retired=False).order_by("count", "slug")
    return accelerators.select_related("vendor").prefetch_related(
        "memory_tiers", "peak_rates", "links", Prefetch("offers", queryset=offers)
    )


def accelerator_facts(row: Accelerator, weakest: Provenance = "vendor") -> AcceleratorFacts:
    """An accelerator and its offers; a row with an impossible value carries the problem in place of facts."""
    common: dict[str, Any] = {"pk": row.pk, "slug": row.slug, "version": row.version, "segment": row.segment}
    try:
        chip = chip_of(row, weakest)
        offers = tuple((offer.pk, offer_of(offer, row, chip)) for offer in row.offers.all())
    except InvalidFact as error:
        return AcceleratorFacts(**common, chip=None, offers=(), digest="", problem=f"{row.slug}: {error}")
    return AcceleratorFacts(**common, chip=chip, offers=offers, digest=digest_of(chip, offers, row.segment))


# ---- Language models and workloads -----------------------------------------------------------------------


def model_facts(row: LanguageModel) -> ModelFacts:
    """Raises ArchitectureError or UnknownFormat."""
    return ModelFacts(slug=row.slug, architecture=architecture_from_json(row.architecture))


def model_row(row: LanguageModel) -> ModelRow:
    """A language model; a row whose architecture cannot be read carries the problem in place of facts."""
    common: dict[str, Any] = {"pk": row.pk, "slug": row.slug, "version": row.version, "role": row.role}
    try:
        facts = model_facts(row)
    except (ArchitectureError, InvalidFact) as error:
        return ModelRow(**common, facts=None, digest="", problem=f"{row.slug}: {error}")
    return ModelRow(**common, facts=facts, digest=digest_of(row.role, facts))


def workload_facts(row: Workload) -> CoreWorkload:
    """Raises InvalidFact."""
    return CoreWorkload(
        slug=row.slug,
        isl=float(row.isl),
        osl=float(row.osl),
        ttft_slo_s=scaled(row.ttft_limit_ms, MILLI),
        tpot_slo_s=scaled(row.tpot_limit_ms, MILLI),
        prefix_share=row.prefix_share,
    )


def read_workloads() -> Workloads:
    """All workloads, most used first. The digest is of their values: a new wording of a reason keeps it."""
    rows = tuple(
        WorkloadRow(pk=row.pk, slug=row.slug, edge_only=row.edge_only, facts=workload_facts(row))
        for row in Workload.objects.order_by("position", "slug")
    )
    return Workloads(rows=rows, digest=digest_of([(row.pk, row.edge_only, row.facts) for row in rows])[:32])


# ---- Read once, use until the version changes ------------------------------------------------------------


class FactCache:
    """Facts of this process by (row, version, time of the change): a chunk reads only what has changed.

    The time is the database's clock at the write, so that a version that was rolled back and given again
    to another write is another key.
    """

    def __init__(self) -> None:
        self._accelerators: dict[Hashable, AcceleratorFacts] = {}
        self._models: dict[Hashable, ModelRow] = {}

    def accelerators(self, pks: Collection[int]) -> list[AcceleratorFacts]:
        """Facts of these accelerators in the order of their slug; missing rows are left out."""
        return _cached(self._accelerators, Accelerator.objects.filter(pk__in=pks), _read_accelerators)

    def models(self, pks: Collection[int]) -> list[ModelRow]:
        """Facts of these models in the order of their slug; missing rows are left out."""
        return _cached(self._models, LanguageModel.objects.filter(pk__in=pks), _read_models)


def _read_accelerators(pks: list[int]) -> Iterable[AcceleratorFacts]:
    weakest = weakest_provenance(pks)
    for row in accelerator_rows(Accelerator.objects.filter(pk__in=pks)):
        yield accelerator_facts(row, weakest.get(row.pk, "assumed"))


def _read_models(pks: list[int]) -> Iterable[ModelRow]:
    return map(model_row, LanguageModel.objects.filter(pk__in=pks))


def _cached[T: (AcceleratorFacts, ModelRow)](
    cache: dict[Hashable, T], rows: QuerySet[Any], read: Callable[[list[int]], Iterable[T]]
) -> list[T]:
    keys = list(rows.order_by("slug").annotate(at=F("changed_at")).values_list("pk", "version", "at"))
    missing = {key[0]: key for key in keys if key not in cache}
    if missing:
        outdated = [key for key in cache if isinstance(key, tuple) and key[0] in missing]
        for key in outdated:
            del cache[key]
        for facts in read(list(missing)):
            # Under the version read first; values of a later one are used, never marked as it.
            cache[missing[facts.pk]] = facts
    return [cache[key] for key in keys if key in cache]
