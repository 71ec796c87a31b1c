"""Provenance grade of an estimate and the provisional width of its 80% interval.

A measured (later, by calibration), B operators measured on this very chip, C inherited from its generation or
vendor, or from another format on the same chip, D datasheet figures with the defaults of its kind. A chip one
of whose deciding figures is assumed rather than read loses one grade. Where the memory bandwidth is assumed,
or the link that the layout uses, the grade is D whatever was measured.
"""

from __future__ import annotations

from estimates.core.efficiency import EfficiencyTable
from estimates.core.lanes import ChipTerms, Lane

GRADES: tuple[str, ...] = ("A", "B", "C", "D")


def grade_of(lane: Lane, stages: int, terms: ChipTerms) -> str:
    """Grade of a configuration on `stages` pipeline stages."""
    chip, link = lane.variant.chip, lane.variant.scale_up
    linked = lane.group * stages > 1 and link is not None and link.assumed
    if chip.memory.assumed or linked:
        return "D"
    position = 1 if terms.level == 0 else 2 if terms.level <= 2 else 3
    if chip.weakest_provenance == "assumed":
        position = min(position + 1, 3)
    return GRADES[position]


def interval_scales(efficiency: EfficiencyTable, grade: str) -> dict[str, float]:
    """Log half-widths at 80% by quantity."""
    return {
        quantity: efficiency.coefficient(f"interval_{quantity}_{grade}")
        for quantity in ("tpot", "ttft", "throughput")
    }
