"""Provenance grade of an estimate, and the width of its 80% interval where no calibration is at hand.

A its group was measured, B this chip was measured (runs of other groups, or its operators), C inherited from
generation, vendor or measured kin, D datasheet figures with the defaults of its kind. A chip one of whose
deciding figures is assumed rather than read loses one grade. Where the memory bandwidth is assumed, or the
link that the layout uses, the grade is D whatever was measured.
"""

from __future__ import annotations

from estimates.core.chip_terms import ChipTerms
from estimates.core.efficiency import EfficiencyTable
from estimates.core.lanes import Lane

GRADES: tuple[str, ...] = ("A", "B", "C", "D")


def grade_of(
    lane: Lane, stages: int, terms: ChipTerms, tier: str = "none", *, chip_measured: bool = False
) -> str:
    """Grade of a configuration on `stages` pipeline stages, of a tier of novelty."""
    chip, link = lane.variant.chip, lane.variant.scale_up
    linked = lane.group * stages > 1 and link is not None and link.assumed
    if chip.memory.assumed or linked:
        return "D"
    if tier == "measured":
        position = 0
    elif chip_measured or terms.level == 0:
        position = 1
    else:
        position = 2 if tier == "kin" or terms.level <= 2 else 3
    if chip.weakest_provenance == "assumed":
        position = min(position + 1, 3)
    return GRADES[position]


def interval_scales(efficiency: EfficiencyTable, grade: str) -> dict[str, float]:
    """Log half-widths at 80% by quantity, for estimates without a calibration."""
    return {
        quantity: efficiency.coefficient(f"interval_{quantity}_{grade}")
        for quantity in ("tpot", "ttft", "throughput")
    }
