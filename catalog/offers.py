"""Offers: the distinct shapes (accelerator, count, link, domain) of systems, price quotes and single cards.

A hundred submissions of eight H100 are one shape and get one estimate; the products keep their names as
systems that point at the offer. A shape that nothing stands behind any more is retired, never deleted: its
slug stays. A pod of thousands is an offer too: the estimator serves replicas inside it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from catalog.models import Accelerator, Link, Offer, PriceQuote, System
from catalog.models.accelerators import LinkScope

#: Two links of one accelerator whose rates differ by less are one link read from two sheets.
SAME_LINK: Final = 0.10
#: Serialises refreshes: two at once would both insert the same new shape.
LOCK: Final = 0x0FFE_4501


@dataclass(frozen=True, slots=True)
class Chip:
    """What a shape needs of its accelerator: its own scale-up link, GB/s per direction, and domain."""

    slug: str
    link_gbs: float | None = None
    domain: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What a shape needs of a system."""

    system_id: int
    count: int
    link_gbs: float | None = None
    domain: int | None = None
    scale_out_gbs: float | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A distinct offer. A single accelerator has no scale-up link; an unknown link or domain is null."""

    accelerator_id: int
    count: int
    link_gbs: float | None = None
    domain: int | None = None


@dataclass(slots=True)
class Shapes:
    """Derived shapes, the scale-out link of each where known, and the shape of each system."""

    scale_out: dict[Shape, float | None]
    of_system: dict[int, Shape]


@dataclass(frozen=True, slots=True)
class OfferChanges:
    """What a refresh did; `standing` is the number of offers that are not retired."""

    added: int
    changed: int
    retired: int
    systems_assigned: int
    standing: int

    def __str__(self) -> str:
        return (
            f"{self.standing} offers ({self.added} new, {self.changed} changed, {self.retired} retired), "
            f"{self.systems_assigned} systems assigned"
        )


def distinct_shapes(
    chips: Mapping[int, Chip],
    machines: Mapping[int, Iterable[Machine]],
    quoted_counts: Mapping[int, Iterable[int]],
) -> Shapes:
    """Shapes by accelerator id: one card of each, every system, every whole count that has a quote.

    A system without a stated link, and a quote, take the accelerator's own link, or the one that its systems
    of that count have. A system that states a link but whose domain nobody states is one domain.
    """
    shapes = Shapes({}, {})
    for accelerator_id, chip in chips.items():
        by_count: dict[int, list[Machine]] = {1: []}
        for count in quoted_counts.get(accelerator_id, ()):
            by_count.setdefault(count, [])
        for machine in machines.get(accelerator_id, ()):
            by_count.setdefault(machine.count, []).append(machine)
        for count, same_count in sorted(by_count.items()):
            _add_shapes(shapes, accelerator_id, chip, count, same_count)
    return shapes


def _add_shapes(shapes: Shapes, accelerator_id: int, chip: Chip, count: int, machines: list[Machine]) -> None:
    """Add the shapes of one accelerator and count: systems grouped by near-identical link and domain."""
    grouped: dict[Shape, list[Machine]] = defaultdict(list)
    stated = [machine.link_gbs for machine in machines if machine.link_gbs is not None]
    links = _distinct_links(stated)
    for machine in machines:
        if machine.link_gbs is not None:
            link: float | None = _nearest(links, machine.link_gbs)
        else:
            link = _default(links, stated, chip)
        domain = machine.domain or chip.domain or (count if machine.link_gbs is not None else None)
        grouped[_shape(accelerator_id, count, link, domain)].append(machine)
    if not grouped:
        grouped[_shape(accelerator_id, count, chip.link_gbs, chip.domain)] = []
    own = chip.link_gbs or 0.0
    # The accelerator's own link first: the first shape of a count gets the slug without a suffix.
    for shape, members in sorted(grouped.items(), key=lambda item: abs((item[0].link_gbs or 0.0) - own)):
        known = Counter(m.scale_out_gbs for m in members if m.scale_out_gbs is not None)
        shapes.scale_out[shape] = max(known, key=lambda gbs: (known[gbs], gbs)) if known else None
        for machine in members:
            shapes.of_system[machine.system_id] = shape


def _shape(accelerator_id: int, count: int, link: float | None, domain: int | None) -> Shape:
    if count == 1 or link is None or domain == 1:
        return Shape(accelerator_id, count)
    return Shape(accelerator_id, count, link, min(domain, count) if domain is not None else None)


def _distinct_links(stated: list[float]) -> list[float]:
    """One rate for each group of near-identical ones: the most often stated of the group."""
    often = Counter(stated)
    chosen: list[float] = []
    for gbs in sorted(often, key=lambda gbs: (-often[gbs], -gbs)):
        if all(abs(gbs - other) > SAME_LINK * max(gbs, other) for other in chosen):
            chosen.append(gbs)
    return chosen


def _nearest(links: list[float], gbs: float) -> float:
    return min(links, key=lambda other: abs(other - gbs))


def _default(links: list[float], stated: list[float], chip: Chip) -> float | None:
    if not links:
        return chip.link_gbs
    if chip.link_gbs is not None:
        return _nearest(links, chip.link_gbs)
    return Counter(stated).most_common(1)[0][0]


@transaction.atomic
def refresh_offers() -> OfferChanges:
    """Bring `Offer` and `System.offer` in line with accelerators, links, systems and quotes. Idempotent."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    chips = _chips()
    shapes = distinct_shapes(chips, _machines(), _quoted_counts())
    standing = list(Offer.objects.order_by("pk"))
    matched = _match(shapes.scale_out, standing)

    changed: list[Offer] = []
    retired = [offer for offer in standing if offer.pk not in {kept.pk for kept in matched.values()}]
    for offer in retired:
        if not offer.retired:
            offer.retired = True
            changed.append(offer)
    newly_retired = len(changed)
    for shape, offer in matched.items():
        wanted = {
            "scale_up_gbs": shape.link_gbs,
            "scale_up_domain": shape.domain,
            "scale_out_gbs": shapes.scale_out[shape],
            "retired": False,
        }
        if any(getattr(offer, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(offer, name, value)
            changed.append(offer)
    if changed:
        Offer.objects.bulk_update(changed, ["scale_up_gbs", "scale_up_domain", "scale_out_gbs", "retired"])

    taken = {offer.slug for offer in standing}
    added = {}
    for shape in shapes.scale_out:
        if shape not in matched:
            slug = _slug(chips[shape.accelerator_id].slug, shape, taken)
            taken.add(slug)
            added[shape] = Offer(
                slug=slug,
                accelerator_id=shape.accelerator_id,
                count=shape.count,
                scale_up_gbs=shape.link_gbs,
                scale_up_domain=shape.domain,
                scale_out_gbs=shapes.scale_out[shape],
            )
    Offer.objects.bulk_create(added.values())
    assigned = _assign(shapes.of_system, {shape: offer.pk for shape, offer in (matched | added).items()})
    return OfferChanges(
        added=len(added),
        changed=len(changed) - newly_retired,
        retired=newly_retired,
        systems_assigned=assigned,
        standing=len(shapes.scale_out),
    )


def _chips() -> dict[int, Chip]:
    links = {
        accelerator_id: (gbs, domain)
        for accelerator_id, gbs, domain in Link.objects.filter(scope=LinkScope.SCALE_UP).values_list(
            "accelerator_id", "bandwidth_gbs", "domain_size"
        )
    }
    return {
        pk: Chip(slug, *links.get(pk, (None, None)))
        for pk, slug in Accelerator.objects.order_by("slug").values_list("pk", "slug")
    }


def _machines() -> dict[int, list[Machine]]:
    found: dict[int, list[Machine]] = defaultdict(list)
    rows = System.objects.order_by("slug").values_list(
        "accelerator_id", "pk", "accelerator_count", "scale_up_gbs", "scale_up_domain", "scale_out_gbs"
    )
    for accelerator_id, pk, count, link_gbs, domain, scale_out_gbs in rows:
        found[accelerator_id].append(Machine(pk, count, link_gbs, domain, scale_out_gbs))
    return found


def _quoted_counts() -> dict[int, set[int]]:
    """Whole counts that some quote in use has; a fraction of a card or node is no shape of its own."""
    found: dict[int, set[int]] = defaultdict(set)
    in_use = PriceQuote.objects.filter(suspect="").order_by()
    for accelerator_id, count in in_use.values_list("accelerator_id", "accelerator_count").distinct():
        if count == count.to_integral_value():
            found[accelerator_id].add(int(count))
    return found


def _match(shapes: Iterable[Shape], standing: list[Offer]) -> dict[Shape, Offer]:
    """Offer of each shape: the same key, else one of that count whose shape went (its link was corrected)."""
    by_key = {Shape(o.accelerator_id, o.count, o.scale_up_gbs, o.scale_up_domain): o for o in standing}
    matched = {shape: by_key[shape] for shape in shapes if shape in by_key}
    used = {offer.pk for offer in matched.values()}
    free: dict[tuple[int, int], list[Offer]] = defaultdict(list)
    for offer in standing:
        if offer.pk not in used and not offer.retired:
            free[offer.accelerator_id, offer.count].append(offer)
    for shape in shapes:
        left = free.get((shape.accelerator_id, shape.count))
        if shape not in matched and left:
            matched[shape] = left.pop(0)
    return matched


def _slug(accelerator: str, shape: Shape, taken: set[str]) -> str:
    """`<accelerator>-x<count>`; a second link of the same count is told apart by rate, then by domain."""
    slug = f"{accelerator}-x{shape.count}"
    if slug in taken:
        slug += f"-{shape.link_gbs:g}gbs" if shape.link_gbs is not None else "-no-link"
    if slug in taken:
        slug += f"-d{shape.domain}"
    return slug


def _assign(of_system: Mapping[int, Shape], offers: Mapping[Shape, int]) -> int:
    """Point every system at its offer; returns how many changed."""
    wanted = {system_id: offers[shape] for system_id, shape in of_system.items()}
    changed = [
        System(pk=pk, offer_id=wanted.get(pk))
        for pk, offer_id in System.objects.values_list("pk", "offer_id")
        if offer_id != wanted.get(pk)
    ]
    if changed:
        System.objects.bulk_update(changed, ["offer"])
    return len(changed)
