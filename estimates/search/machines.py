"""The machines that a search looks at: offers of the catalogue, their systems, power, racks and prices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from threading import Lock
from typing import Any, Final

from django.db import models
from django.db.models import Q

from catalog.models import Accelerator, PriceQuote, Provider, System, Vendor
from catalog.models import Offer as OfferRow
from estimates.core.demand import Candidate
from estimates.economics.bases import BasisAsked, HourlyPrice, hourly_prices
from estimates.from_catalog import AcceleratorFacts, FactCache, ModelRow
from estimates.near import near_matches
from estimates.search.question import OBTAINABLE, HardwareAsked, PriceBasisAsked, SearchQuestion
from estimates.what_if import MOST_FAULTS, Fault, InvalidQuestion

#: Forms of a system that are a whole number of racks: one. A pod is several, nobody says how many.
RACK: Final = "rack"

_facts = FactCache()
_reading = Lock()  # threads of a web server share the facts


@dataclass(frozen=True, slots=True)
class Machine:
    """One offer as a search sees it: names for the answer, what of it is rated, where that comes from."""

    pk: int
    offer: str
    count: int
    accelerator: str
    accelerator_name: str
    vendor: str
    kind: str
    segment: str
    status: str
    systems: tuple[str, ...]
    watts: float | None
    watts_from: str | None
    price: HourlyPrice | None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An offer whose facts cannot be read, and why."""

    machine: Machine
    problem: str


@dataclass(frozen=True, slots=True)
class Park:
    """All the machines a search looks at; `candidates` stand in the order of `machines`."""

    machines: tuple[Machine, ...]
    candidates: tuple[Candidate, ...]
    unreadable: tuple[Unreadable, ...] = ()


def models_of(pks: list[int]) -> list[ModelRow]:
    """Facts of these models, out of this process's cache."""
    with _reading:
        return _facts.models(pks)


def accelerators_of(pks: set[int]) -> list[AcceleratorFacts]:
    """Facts of these accelerators, out of this process's cache."""
    with _reading:
        return _facts.accelerators(pks)


def offers_asked(asked: HardwareAsked) -> models.QuerySet[OfferRow]:
    """The offers within the filters. Naming accelerators or offers lifts the default of what can be had."""
    rows = OfferRow.objects.filter(retired=False)
    named = asked.accelerators or asked.offers
    statuses = asked.statuses or (() if named else OBTAINABLE)
    for lookup, values in (
        ("accelerator__vendor__slug__in", asked.vendors),
        ("accelerator__kind__in", asked.kinds),
        ("accelerator__segment__in", asked.segments),
        ("accelerator__status__in", statuses),
        ("accelerator__slug__in", asked.accelerators),
        ("slug__in", asked.offers),
    ):
        if values:
            rows = rows.filter(**{lookup: list(values)})
    return rows


def park_of(question: SearchQuestion) -> Park:
    """The machines in question with their prices: some eight queries, however many there are.

    Raises InvalidQuestion for a vendor, accelerator, offer, provider or region that does not exist.
    """
    check_names(question)
    columns = (
        "pk",
        "slug",
        "count",
        "accelerator_id",
        "accelerator__slug",
        "accelerator__name",
        "accelerator__vendor__slug",
        "accelerator__kind",
        "accelerator__segment",
        "accelerator__status",
        "accelerator__tdp_w",
    )
    rows = list(offers_asked(question.hardware).order_by("slug").values_list(*columns))
    facts = {one.pk: one for one in accelerators_of({row[3] for row in rows})}
    offers = {pk: offer for one in facts.values() for pk, offer in one.offers}
    systems = systems_of({row[0] for row in rows})
    prices = prices_of(question, {row[0] for row in rows})
    machines, candidates, unreadable = [], [], []
    for pk, slug, count, accelerator, part, name, vendor, kind, segment, status, tdp in rows:
        names, rated, forms = systems.get(pk, ((), None, frozenset()))
        watts, origin = rated_power(rated, tdp, count)
        machine = Machine(
            pk=pk,
            offer=slug,
            count=count,
            accelerator=part,
            accelerator_name=name,
            vendor=vendor,
            kind=kind,
            segment=segment,
            status=status,
            systems=names,
            watts=watts,
            watts_from=origin,
            price=prices.get(pk),
        )
        if pk not in offers:
            problem = facts[accelerator].problem if accelerator in facts else "it was retired meanwhile"
            unreadable.append(Unreadable(machine, problem))
            continue
        machines.append(machine)
        candidates.append(
            Candidate(
                offer=offers[pk],
                usd_per_hour=float(machine.price.usd_per_hour) if machine.price else None,
                watts=watts,
                rack_share=rack_share(forms, watts, question.bounds.rack_kw),
            )
        )
    return Park(tuple(machines), tuple(candidates), tuple(unreadable))


def systems_of(offers: set[int]) -> dict[int, tuple[tuple[str, ...], float | None, frozenset[str]]]:
    """By offer: names of its systems, the highest rated power among them in watts, and their forms."""
    found: dict[int, list[Any]] = {}
    rows = System.objects.filter(offer__in=offers).order_by("name")
    for offer, name, form, kilowatts in rows.values_list("offer_id", "name", "form", "power_kw"):
        names, powers, forms = found.setdefault(offer, [[], [], set()])
        names.append(name)
        forms.add(form)
        if kilowatts is not None:
            powers.append(kilowatts * 1e3)
    return {
        offer: (tuple(names), max(powers, default=None), frozenset(forms))
        for offer, (names, powers, forms) in found.items()
    }


def rated_power(system: float | None, tdp: float | None, count: int) -> tuple[float | None, str | None]:
    """Watts of one machine and what says so: its own rating, else its accelerators' alone."""
    if system is not None:
        return system, "system"
    return (None, None) if tdp is None else (tdp * count, "accelerators")


def rack_share(forms: frozenset[str], watts: float | None, rack_kw: float | None) -> float | None:
    """Racks that one machine takes: one for a rack, its share of the power of one's own, else unknown."""
    if RACK in forms and "server" not in forms:
        return 1.0
    return watts / (rack_kw * 1e3) if rack_kw is not None and watts is not None else None


def prices_of(question: SearchQuestion, offers: set[int]) -> dict[int, HourlyPrice]:
    """The price by offer on the basis in force; without a basis the owned price is shown where known."""
    asked = question.price
    basis = question.basis
    return hourly_prices(basis_asked(asked, "owned" if basis == "none" else basis), offers)


def basis_asked(asked: PriceBasisAsked, basis: Any) -> BasisAsked:
    return BasisAsked(
        basis=basis,
        providers=tuple(asked.providers),
        regions=tuple(asked.regions),
        countries=tuple(country.upper() for country in asked.countries),
        term=asked.term,
        as_of=asked.as_of,
        max_age_days=asked.max_age_days,
        owned=asked.owned.terms(),
    )


def total(price: HourlyPrice | None, machines: int) -> Decimal | None:
    """USD an hour of so many machines."""
    return None if price is None else price.usd_per_hour * machines


def check_names(question: SearchQuestion) -> None:
    """Every slug of the filters exists. Raises InvalidQuestion with near names for each that does not."""
    faults: list[Fault] = []
    hardware, price = question.hardware, question.price
    for pointer, noun, model, slugs in (
        ("/hardware/vendors", "vendor", Vendor, hardware.vendors),
        ("/hardware/accelerators", "accelerator", Accelerator, hardware.accelerators),
        ("/hardware/offers", "offer", OfferRow, hardware.offers),
        ("/price/providers", "provider", Provider, price.providers),
    ):
        faults += unknown_slugs(pointer, noun, model, slugs)
    if price.regions:
        faults += unknown_regions(price.regions)
    if faults:
        raise InvalidQuestion(*faults)


def unknown_slugs(pointer: str, noun: str, model: type[models.Model], slugs: list[str]) -> list[Fault]:
    """A fault for each slug without a row, in one query where all are known."""
    if not slugs:
        return []
    known = set(model._default_manager.filter(slug__in=slugs).order_by().values_list("slug", flat=True))
    missing = [(position, slug) for position, slug in enumerate(slugs) if slug not in known]
    return [
        unknown_name(f"{pointer}/{position}", noun, slug, near_matches(model, slug))
        for position, slug in missing[:MOST_FAULTS]
    ]


def unknown_name(pointer: str, noun: str, name: str, near: list[str]) -> Fault:
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    code = f"unknown_{noun.replace(' ', '_')}"
    return Fault(pointer, code, f"there is no {noun} {name[:80]!r}{hint}", near or f"a known {noun}")


def unknown_regions(regions: list[str]) -> list[Fault]:
    """A fault for each region that no quote names."""
    quotes = PriceQuote.objects.exclude(region="").order_by()
    known = set(quotes.filter(Q(region__in=regions)).values_list("region", flat=True).distinct())
    missing = [(position, name) for position, name in enumerate(regions) if name not in known]
    if not missing:
        return []
    from config.rest.faults import nearest

    everything = list(quotes.values_list("region", flat=True).distinct())
    return [
        unknown_name(f"/price/regions/{position}", "region", name, nearest(name, everything))
        for position, name in missing[:MOST_FAULTS]
    ]
