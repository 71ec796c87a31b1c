"""The hardware that a what-if asks about: stored or inline, figures overridden, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from catalog.figures import provenance
from catalog.models import Accelerator
from catalog.models import Offer as OfferRow
from catalog.quantities import QUANTITIES, Quantity
from estimates.from_catalog import (
    DECIDING_QUANTITIES,
    Datasheet,
    Evidence,
    Shape,
    accelerator_rows,
    datasheet_of,
    evidence_of,
    shape_of,
)
from estimates.near import near_matches, unknown
from estimates.what_if import (
    RELATIVE_ACCEPTED,
    Fault,
    InlineAccelerator,
    InvalidQuestion,
    Question,
    relative,
)

CHIP_FIGURES: Final = QUANTITIES["accelerator"]
#: No figure of a chip is beyond, in any unit used here; keeps the arithmetic finite.
SMALLEST: Final = 1e-9
LARGEST: Final = 1e15


@dataclass(slots=True)
class Hardware:
    """The hardware in question: its datasheet after overrides, and where each figure comes from."""

    sheet: Datasheet
    shape: Shape
    row: Accelerator | None = None
    offer: OfferRow | None = None
    overridden: dict[str, float | None] = field(default_factory=dict)  # quantity -> value that stands
    notes: list[str] = field(default_factory=list)


def find_hardware(question: Question) -> Hardware:
    """The datasheet and shape in question, overrides applied. Raises InvalidQuestion."""
    if (question.accelerator is None) == (question.offer is None):
        detail = "name the hardware as an accelerator with a count, or as an offer"
        raise InvalidQuestion(Fault("/accelerator", "one_of", detail, ["accelerator", "offer"]))
    if isinstance(question.accelerator, InlineAccelerator):
        hardware = inline_hardware(question.accelerator, question.count)
    else:
        hardware = stored_hardware(question)
    return overridden(hardware, question.overrides)


def inline_hardware(asked: InlineAccelerator, count: int) -> Hardware:
    for name, value in asked.figures.items():
        checked_figure(f"/accelerator/figures/{name}", name, value)
    sheet = Datasheet(
        slug=asked.name,
        vendor=asked.vendor,
        kind=asked.kind,
        generation=asked.generation,
        memory_is_sram=asked.memory_is_sram,
        quantities=dict(asked.figures),
        weakest="assumed",
    )
    return Hardware(sheet, Shape(f"{asked.name}-x{count}", count))


def stored_hardware(question: Question) -> Hardware:
    rows = accelerator_rows(Accelerator.objects.all())
    offer: OfferRow | None
    if question.offer is not None:
        offer = OfferRow.objects.filter(slug=question.offer).first()
        if offer is None:
            raise unknown("/offer", "offer", question.offer, near_matches(OfferRow, question.offer))
        row = rows.get(pk=offer.accelerator_id)
    else:
        slug = str(question.accelerator)
        found = rows.filter(slug=slug).first()
        if found is None:
            raise unknown("/accelerator", "accelerator", slug, near_matches(Accelerator, slug))
        row = found
        standing = OfferRow.objects.filter(accelerator=row, count=question.count).order_by("retired", "slug")
        offer = standing.first()
    sheet = datasheet_of(row, evidence_of([row.pk]).get(row.pk, Evidence()))
    shape = shape_of(offer) if offer else Shape(f"{row.slug}-x{question.count}", question.count)
    return Hardware(sheet, shape, row, offer)


def overridden(hardware: Hardware, overrides: Mapping[str, float | str]) -> Hardware:
    """The hardware with figures replaced. A figure that decides makes the answer rest on an assumption."""
    if not overrides:
        return hardware
    quantities = dict(hardware.sheet.quantities)
    for name, given in overrides.items():
        pointer = f"/overrides/{name}"
        about = known_figure(pointer, name)
        standing = quantities.get(name)
        value = override_value(pointer, about, given, standing)
        checked_figure(pointer, name, value)
        hardware.overridden[name] = standing
        quantities[name] = value
    if "memory_gb" in overrides and hardware.overridden["memory_gb"]:
        factor = quantities["memory_gb"] / (hardware.overridden["memory_gb"] or 1)
        for name in {"memory_bytes", "memory_usable_gb"} & quantities.keys() - overrides.keys():
            quantities[name] *= factor
            hardware.notes.append(f"{name} is scaled with memory_gb by {factor:.4g}")
    deciding = set(DECIDING_QUANTITIES) & set(overrides)
    weakest = "assumed" if deciding else hardware.sheet.weakest
    hardware.sheet = replace(hardware.sheet, quantities=quantities, weakest=weakest)
    taken = {
        "scale_up_gbs": "link:scale_up:bandwidth_gbs",
        "scale_up_domain": "link:scale_up:domain_size",
        "scale_out_gbs": "link:scale_out:bandwidth_gbs",
    }
    own = {name: None for name, figure in taken.items() if figure in overrides}
    hardware.shape = replace(hardware.shape, **own)  # type: ignore[arg-type]
    return hardware


def override_value(pointer: str, about: Quantity, given: float | str, standing: float | None) -> float:
    """An override in the quantity's unit; relative ones need a value that stands."""
    if not isinstance(given, str):
        return float(given)
    factor = relative(given)
    if factor is None:
        detail = f"{about.name} is {given[:60]!r}"
        raise InvalidQuestion(Fault(pointer, "invalid_override", detail, RELATIVE_ACCEPTED))
    if standing is None:
        detail = f"{about.name} is not known, so {given!r} of it is not either"
        raise InvalidQuestion(Fault(pointer, "nothing_to_scale", detail, f"a number ({about.unit})"))
    value = standing * factor
    return float(round(value)) if about.integer else value


def known_figure(pointer: str, name: str) -> Quantity:
    if name not in CHIP_FIGURES:
        raise InvalidQuestion(
            Fault(
                pointer, "unknown_figure", f"{name[:60]!r} is no figure of an accelerator", list(CHIP_FIGURES)
            )
        )
    return CHIP_FIGURES[name]


def checked_figure(pointer: str, name: str, value: float) -> None:
    about = known_figure(pointer, name)
    accepted = about.fault(value)
    if accepted is None and not SMALLEST <= value <= LARGEST:
        accepted = f"a number from {SMALLEST:g} to {LARGEST:g} ({about.unit or 'no unit'})"
    if accepted is not None:
        raise InvalidQuestion(
            Fault(pointer, "invalid", f"{name} is {value!r}; accepted: {accepted}", accepted)
        )


def facts_used(hardware: Hardware) -> list[dict[str, Any]]:
    """Every figure of the hardware that the estimate may read, with its source, kind and rivals."""
    sources = provenance(hardware.row) if hardware.row is not None else {}
    facts = []
    for name, value in hardware.sheet.quantities.items():
        if name == "launch_price_usd" or name.startswith("memory_tier:cache"):
            continue
        fact: dict[str, Any] = {"quantity": name, "value": value, "unit": CHIP_FIGURES[name].unit}
        source = sources.get(name)
        if name in hardware.overridden:
            fact |= {"kind": "override", "instead_of": hardware.overridden[name], "source": None}
        elif source is not None:
            fact |= {
                "kind": source.kind,
                "confidence": source.confidence,
                "source": {
                    "slug": source.source_slug,
                    "title": source.source_title,
                    "url": source.source_url,
                },
                "observed_on": source.observed_on,
                "as_printed": source.as_printed,
                "reason": source.reason,
                "rivals": source.rivals,
            }
        else:
            fact |= {"kind": "given" if hardware.row is None else "unsourced", "source": None}
        facts.append(fact)
    return facts
