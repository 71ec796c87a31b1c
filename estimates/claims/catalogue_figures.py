"""Claims on capacities, counts and rates, answered with the catalogue's own figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from catalog.claim_parameters import AnswerAsked, ClaimParameters
from catalog.figures import Provenance, provenance
from catalog.models import Accelerator, PublishedClaim
from catalog.models.sources import FigureKind
from catalog.quantities import QUANTITIES
from estimates.claims.book import AnswerBook
from estimates.claims.rows import Row, UnanswerableClaim, scale_of
from estimates.from_catalog import datasheet_of

#: A figure of the catalogue is as good as what it was read from.
GRADE_OF_KIND: Final = {
    FigureKind.MEASURED: "A",
    FigureKind.VENDOR_CLAIM: "B",
    FigureKind.THIRD_PARTY: "C",
    FigureKind.DERIVED: "C",
    FigureKind.ASSUMED: "D",
}


def system_figure(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: AnswerBook
) -> list[Row]:
    """A figure of a machine from its accelerators: count times each one's."""
    chip, system = claim.accelerator, claim.system
    if chip is None:
        raise UnanswerableClaim("the accelerator it speaks of")
    count = parameters.count or (system.accelerator_count if system else None)
    if asked.figure in ("accelerator_count", "scale_up_domain"):
        if system is None:
            raise UnanswerableClaim("the system it speaks of")
        column = "accelerator_count" if asked.figure == "accelerator_count" else "scale_up_domain"
        value = getattr(system, column)
        known = provenance(system).get(column)
        return [figure_row(value, known, column, system.slug)]
    if count is None:
        raise UnanswerableClaim("how many accelerators it speaks of")
    summed = {"memory_total": "memory_gb", "bandwidth_total": "memory_bandwidth_gbs"}
    quantity = summed.get(asked.figure, f"peak_rate:{parameters.number_format}")
    one = accelerator_row(chip, quantity)
    if one.value is None:
        return [one]
    value = one.value * count * (asked.scale or 1)
    shown = f"{count} x {one.value / scale_of(QUANTITIES['accelerator'][quantity].unit):g} "
    shown += QUANTITIES["accelerator"][quantity].unit + (f" x {asked.scale:g}" if asked.scale else "")
    return [replace(one, value=value, low=value, high=value, deployment=shown)]


def accelerator_figure(
    claim: PublishedClaim, parameters: ClaimParameters, asked: AnswerAsked, book: AnswerBook
) -> list[Row]:
    """The accepted figure of one part."""
    if claim.accelerator is None:
        raise UnanswerableClaim("the accelerator it speaks of")
    one = accelerator_row(claim.accelerator, asked.figure)
    if one.value is None or asked.scale is None:
        return [one]
    value = one.value * asked.scale
    return [replace(one, value=value, low=value, high=value)]


def accelerator_row(chip: Accelerator, quantity: str) -> Row:
    """A figure in SI units with the grade of what it was read from."""
    about = QUANTITIES["accelerator"].get(quantity)
    if about is None:
        accepted = ", ".join(QUANTITIES["accelerator"])
        raise UnanswerableClaim(f"a figure: {quantity!r} is none of {accepted}")
    stands = datasheet_of(chip).quantities.get(quantity)
    value = None if stands is None else stands * scale_of(about.unit)
    known = provenance(chip).get(quantity)
    return figure_row(value, known, quantity, chip.slug)


def figure_row(value: float | None, known: Provenance | None, quantity: str, owner: str) -> Row:
    if value is None:
        missing = f"{quantity} of {owner}"
        return Row({}, "missing", detail=f"{missing} is not known", missing=(missing,))
    grade = GRADE_OF_KIND.get(known.kind) if known else None  # type: ignore[call-overload]  # text of a choice
    said = ""
    if known is not None:
        printed = f", printed as {known.as_printed}" if known.as_printed else ""
        said = f"{known.kind.replace('_', ' ')}: {known.source_title or known.reason or 'no source'}{printed}"
    value = float(value)
    return Row({}, "ok", value, value, value, grade, detail=said)
