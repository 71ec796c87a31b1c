"""Rows of the catalogue as facts of the core: the only place where one becomes the other, units included.

The catalogue keeps units as datasheets print them (GB, GB/s, TFLOPS, ms), the core works in bytes, bytes/s,
FLOP/s and seconds. What a row cannot say stays None; the core then refuses by the name of the missing fact.

Versions are read before the values they stand for. A value that changes in between is then used under the
older version, and the calculation stays stale until it is made again: never the other way round.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from django.db.models import Case, F, IntegerField, Prefetch, QuerySet, Value, When

from catalog.models import Accelerator, Figure, LanguageModel, Workload
from catalog.models import Offer as OfferRow
from catalog.models.sources import FigureKind
from catalog.quantities import QUANTITIES
from estimates.checkpoints import published_schemes, stored_groups
from estimates.core.architecture import Architecture
from estimates.core.architecture_json import ArchitectureError, architecture_from_json
from estimates.core.facts import Chip, InvalidFact, Link, MemoryTier, ModelFacts, Offer, Provenance
from estimates.core.facts import Workload as CoreWorkload
from estimates.core.formats import UnknownFormat, WeightScheme
from estimates.core.weight_schemes import NAMED_SCHEMES, named_scheme
from estimates.units import known_units

GIGA: Final = 1e9
TERA: Final = 1e12
MILLI: Final = 1e-3
MICRO: Final = 1e-6

#: Usable GB/s per lane and direction. PCI-SIG: 8, 16, 32 GT/s at 128b/130b; generation 6 is 64 GT/s in
#: 256-byte flits of which 242 carry data.
PCIE_GBS_PER_LANE: Final = {1: 0.25, 2: 0.5, 3: 0.985, 4: 1.969, 5: 3.938, 6: 7.563}
PCIE_LANES: Final = 16
#: Cards that one host's slots take; beyond them a replica needs a network.
HOST_BUS_CHIPS: Final = 8
#: No slot is faster: a wider host link (NVLink-C2C) ties a chip to its own processor, not to other chips.
FASTEST_SLOT_GBS: Final = 16 * PCIE_GBS_PER_LANE[6]

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


#: Figures that make an estimate grade D where nobody published them.
MEMORY_BANDWIDTH: Final = "memory_bandwidth_gbs"
SCALE_UP: Final = "link:scale_up:bandwidth_gbs"
SECOND_TIER: Final = "memory_tier:second:bandwidth_gbs"  # only where something lies there
BESIDE: Final = (SCALE_UP, SECOND_TIER)  # do not weigh on estimates that do without


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well a chip is known: the weakest kind of its deciding figures, which bandwidths are assumed."""

    weakest: Provenance = "assumed"
    assumed: frozenset[str] = frozenset()


VENDOR_EVIDENCE: Final = Evidence("vendor")


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
    """SHA-256 of values written as JSON with sorted keys; the core's dataclasses are taken whole."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


def scaled(value: float | None, unit: float) -> float | None:
    return None if value is None else float(value) * unit


# ---- Accelerators and their offers -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Datasheet:
    """What is known of a chip, in the catalogue's units and under the names that its figures have.

    A what-if changes `quantities`; an inline chip is one that no row stands behind.
    """

    slug: str
    vendor: str
    kind: str
    generation: str = ""
    segment: str = "datacentre"
    memory_is_sram: bool = False
    quantities: Mapping[str, float] = field(default_factory=dict)
    weakest: Provenance = "vendor"
    assumed: frozenset[str] = frozenset()

    def get(self, quantity: str, unit: float = 1.0) -> float | None:
        """The quantity in the core's unit, None where it is unknown."""
        value = self.quantities.get(quantity)
        return None if value is None else float(value) * unit


@dataclass(frozen=True, slots=True)
class Shape:
    """How many chips are sold together and what ties them, as far as the offer itself says so."""

    slug: str
    count: int
    scale_up_gbs: float | None = None
    scale_up_domain: int | None = None
    scale_out_gbs: float | None = None


def datasheet_of(row: Accelerator, evidence: Evidence = VENDOR_EVIDENCE) -> Datasheet:
    """The datasheet of a row whose vendor, rates, tiers and links are fetched (`accelerator_rows`)."""
    quantities: dict[str, float] = {}
    for name, quantity in QUANTITIES["accelerator"].items():
        if quantity.child is None and getattr(row, quantity.column) is not None:
            quantities[name] = float(getattr(row, quantity.column))
    for rate in row.peak_rates.all():
        quantities[f"peak_rate:{rate.number_format}"] = rate.tera_ops
    for tier in row.memory_tiers.all():
        for column in ("capacity_gb", "usable_gb", "bandwidth_gbs"):
            if getattr(tier, column) is not None:
                quantities[f"memory_tier:{tier.role}:{column}"] = getattr(tier, column)
    for link in row.links.all():
        for column in ("bandwidth_gbs", "latency_us", "domain_size"):
            if getattr(link, column) is not None:
                quantities[f"link:{link.scope}:{column}"] = getattr(link, column)
    return Datasheet(
        slug=row.slug,
        vendor=row.vendor.slug,
        kind=row.kind,
        generation=row.generation,
        segment=row.segment,
        memory_is_sram=row.memory_is_sram,
        quantities=quantities,
        weakest=evidence.weakest,
        assumed=evidence.assumed,
    )


def shape_of(offer: OfferRow) -> Shape:
    """The shape of an offer row."""
    return Shape(offer.slug, offer.count, offer.scale_up_gbs, offer.scale_up_domain, offer.scale_out_gbs)


def memory_tiers(sheet: Datasheet) -> tuple[MemoryTier, ...]:
    """Main memory first, then the memory behind it. Caches hold no weights and are left out.

    Usable is what the device reports, else what the maker prints as usable.
    """
    main = MemoryTier(
        capacity_bytes=sheet.get("memory_gb", GIGA),
        usable_bytes=sheet.get("memory_bytes") or sheet.get("memory_usable_gb", GIGA),
        bandwidth=sheet.get("memory_bandwidth_gbs", GIGA),
        kind="sram" if sheet.memory_is_sram else "dram",
        assumed=MEMORY_BANDWIDTH in sheet.assumed,
    )
    if sheet.get("memory_tier:second:capacity_gb") is None:
        return (main,)
    behind = MemoryTier(
        capacity_bytes=sheet.get("memory_tier:second:capacity_gb", GIGA),
        usable_bytes=sheet.get("memory_tier:second:usable_gb", GIGA),
        bandwidth=_behind_bytes_per_s(sheet),
        assumed=SECOND_TIER in sheet.assumed,
    )
    return (main, behind)


def _behind_bytes_per_s(sheet: Datasheet) -> float | None:
    """What a chip reads of the memory behind its own: of its processor's, at most what the link to it lets.

    A host link wider than any slot (NVLink-C2C) is one to the chip's own processor.
    """
    bandwidth, link = sheet.get(SECOND_TIER), sheet.get("link:host:bandwidth_gbs")
    if bandwidth is not None and link is not None and link > FASTEST_SLOT_GBS * 1.001:
        bandwidth = min(bandwidth, link)
    return scaled(bandwidth, GIGA)


def chip_of(sheet: Datasheet) -> Chip:
    """The core's chip of a datasheet. Raises InvalidFact."""
    rates = {
        name.removeprefix("peak_rate:"): value * TERA
        for name, value in sheet.quantities.items()
        if name.startswith("peak_rate:")
    }
    return Chip(
        slug=sheet.slug,
        vendor=sheet.vendor,
        generation=sheet.generation or None,
        kind=sheet.kind,  # type: ignore[arg-type]  # same words; the core checks them
        tiers=memory_tiers(sheet),
        rates=rates,  # type: ignore[arg-type]  # a mapping is frozen by the core
        power_w=sheet.get("tdp_w"),
        weakest_provenance=sheet.weakest,
        units=known_units().get(sheet.slug, ()),
    )


def pcie_bytes_per_s(generation: float | None) -> float | None:
    """A slot of 16 lanes, per direction; None for a generation that is not known."""
    lane = PCIE_GBS_PER_LANE.get(int(generation or 0))
    return None if lane is None else lane * PCIE_LANES * GIGA


def scale_up_of(shape: Shape, sheet: Datasheet) -> Link | None:
    """What ties the chips together: the offer's own fabric, else the accelerator's, else the host bus."""
    if shape.count == 1:
        return None
    own = sheet.get(SCALE_UP)
    bandwidth = shape.scale_up_gbs or own
    if bandwidth:
        domain = shape.scale_up_domain or sheet.get("link:scale_up:domain_size")
        return Link(
            scope="scale_up",
            bytes_per_s=bandwidth * GIGA,
            latency_s=sheet.get("link:scale_up:latency_us", MICRO) or None,
            domain_size=int(domain) if domain else None,
            assumed=SCALE_UP in sheet.assumed and bandwidth == own,
        )
    return host_bus_of(sheet)


def host_bus_of(sheet: Datasheet) -> Link | None:
    """The slots of one host as a link between its cards."""
    bus = sheet.get("link:host:bandwidth_gbs", GIGA) or pcie_bytes_per_s(sheet.get("pcie_generation"))
    if bus is None:
        return None
    return Link(scope="pcie", bytes_per_s=bus, domain_size=HOST_BUS_CHIPS, topology="host")


def scale_out_of(shape: Shape, sheet: Datasheet) -> Link | None:
    """What ties scale-up domains together: the host bus where all lie in one host (cards whose bridges join

    fewer than the server holds), else the offer's own network, else the accelerator's.
    """
    domain = shape.scale_up_domain or sheet.get("link:scale_up:domain_size")
    bus = host_bus_of(sheet)
    if (
        domain is not None
        and domain < shape.count <= HOST_BUS_CHIPS
        and bus is not None
        and (bus.bytes_per_s or 0) <= FASTEST_SLOT_GBS * GIGA * 1.001
    ):
        return bus
    bandwidth = shape.scale_out_gbs or sheet.get("link:scale_out:bandwidth_gbs")
    if not bandwidth:
        return None
    latency = sheet.get("link:scale_out:latency_us", MICRO) or None
    return Link(scope="scale_out", bytes_per_s=bandwidth * GIGA, latency_s=latency)


def offer_of(shape: Shape, sheet: Datasheet, chip: Chip) -> Offer:
    """The core's offer of a shape of this chip. Raises InvalidFact."""
    return Offer(
        slug=shape.slug,
        chip=chip,
        count=shape.count,
        scale_up=scale_up_of(shape, sheet),
        scale_out=scale_out_of(shape, sheet),
    )


def evidence_of(accelerators: Collection[int]) -> dict[int, Evidence]:
    """Evidence for the accepted deciding figures of each accelerator, in one query."""
    strength = Case(
        *[When(kind=kind, then=Value(_STRENGTH[word])) for kind, word in PROVENANCE_OF.items()],
        default=Value(_STRENGTH["assumed"]),
        output_field=IntegerField(),
    )
    rows = (
        Figure.objects.filter(
            accelerator__in=accelerators, accepted=True, quantity__in=[*DECIDING_QUANTITIES, *BESIDE]
        )
        .order_by()
        .annotate(strength=strength)
        .values_list("accelerator", "quantity", "strength")
    )
    weakest: dict[int, int] = {}
    assumed: dict[int, set[str]] = {}
    for pk, quantity, number in rows:
        if quantity not in BESIDE:
            weakest[pk] = max(weakest.get(pk, 0), number)
        if number == _STRENGTH["assumed"]:
            assumed.setdefault(pk, set()).add(quantity)
    words = {number: word for word, number in _STRENGTH.items()}
    watched = {MEMORY_BANDWIDTH, *BESIDE}
    return {pk: Evidence(words[n], frozenset(assumed.get(pk, set()) & watched)) for pk, n in weakest.items()}


def accelerator_rows(accelerators: QuerySet[Accelerator]) -> QuerySet[Accelerator]:
    """The rows with everything that `datasheet_of` and `shape_of` read: five queries, however many rows."""
    offers = OfferRow.objects.filter(retired=False).order_by("count", "slug")
    return accelerators.select_related("vendor").prefetch_related(
        "memory_tiers", "peak_rates", "links", Prefetch("offers", queryset=offers)
    )


def accelerator_facts(row: Accelerator, evidence: Evidence = VENDOR_EVIDENCE) -> AcceleratorFacts:
    """An accelerator and its offers; a row with an impossible value carries the problem in place of facts."""
    common: dict[str, Any] = {"pk": row.pk, "slug": row.slug, "version": row.version, "segment": row.segment}
    try:
        sheet = datasheet_of(row, evidence)
        chip = chip_of(sheet)
        offers = tuple((offer.pk, offer_of(shape_of(offer), sheet, chip)) for offer in row.offers.all())
    except InvalidFact as error:
        return AcceleratorFacts(**common, chip=None, offers=(), digest="", problem=f"{row.slug}: {error}")
    return AcceleratorFacts(**common, chip=chip, offers=offers, digest=digest_of(chip, offers, row.segment))


# ---- Language models and workloads -----------------------------------------------------------------------


def native_scheme(
    native_format: str, quantisation: Mapping[str, Any], architecture: Architecture
) -> WeightScheme | None:
    """How the checkpoint is stored: by tensor group where that is known, else as its format usually is.

    `quantisation` maps tensor groups to a format or to {"format": ..., "bits": ...}, and `kv_format` to the
    cache's where the checkpoint carries scales for one. None: nothing is known. Raises UnknownFormat.
    """
    if not native_format:
        return None
    usual = named_scheme(native_format if native_format in NAMED_SCHEMES else "bf16", architecture)
    return stored_groups(usual, quantisation, slug=native_format)


def model_facts(row: LanguageModel) -> ModelFacts:
    """Raises ArchitectureError or UnknownFormat."""
    architecture = architecture_from_json(row.architecture)
    native = native_scheme(row.native_format, row.quantisation or {}, architecture)
    published = published_schemes(row.slug, architecture)
    return ModelFacts(slug=row.slug, architecture=architecture, native=native, published=published)


def model_row(row: LanguageModel) -> ModelRow:
    """A language model; a row whose architecture cannot be read carries the problem in place of facts."""
    common: dict[str, Any] = {"pk": row.pk, "slug": row.slug, "version": row.version, "role": row.role}
    try:
        facts = model_facts(row)
    except (ArchitectureError, InvalidFact, UnknownFormat) as error:
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
    evidence = evidence_of(pks)
    for row in accelerator_rows(Accelerator.objects.filter(pk__in=pks)):
        yield accelerator_facts(row, evidence.get(row.pk, Evidence()))


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
