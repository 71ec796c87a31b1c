"""Whether a claim and its answer agree: rules over plain numbers.

A figure of the catalogue agrees within 3%. A speed or cost agrees inside the range of the 80% intervals over
the conditions that it leaves open; a relation, where some combination of them lies on the claimed side: what
a claim does not state, it may have had. How many combinations hold it by themselves is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from estimates.claims.rows import Row

Word = Literal["agrees", "disagrees", "answered", "cannot_be_evaluated"]
WORDS: Final[tuple[Word, ...]] = ("agrees", "disagrees", "answered", "cannot_be_evaluated")
TOLERANCE: Final = 0.03
#: Answered by the catalogue's own figures, to which the tolerance applies.
FIGURES: Final = ("system_figure", "accelerator_figure")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`off_by` is the claim over the nearest value that would agree; None where it agrees or is no number.

    `holding` of `of` combinations with a value agree.
    """

    word: Word
    off_by: float | None = None
    holding: int = 0
    of: int = 0
    why: str = ""
    missing: tuple[str, ...] = ()


def judge(
    by: str,
    relation: str,
    claimed: float | None,
    rows: Sequence[Row],
    stated: tuple[float, float] | None = None,
) -> Verdict:
    """Hold a claim of `claimed` (SI, or the range `stated`) against the rows that answer it."""
    valued = [row for row in rows if row.value is not None]
    if not valued:
        return unanswered(rows, relation)
    if relation == "ask" or claimed is None:
        missing = tuple(dict.fromkeys(fact for row in rows for fact in row.missing))
        return Verdict("answered", of=len(valued), missing=missing)
    low, high = stated or (claimed, claimed)
    if by == "fit":
        some = any(row.value == 1 for row in valued)
        holding = sum(bool(row.value == claimed) for row in valued)
        why = next((row.detail for row in valued if row.value != claimed), "")
        if some == (claimed == 1):
            return Verdict("agrees", None, holding, len(valued))
        return Verdict("disagrees", None, holding, len(valued), why)
    spans = [accepted(by, relation, row) for row in valued]
    holding = sum(bool(reaches >= low and starts <= high) for starts, reaches in spans)
    between = min(starts for starts, _ in spans) <= high and max(reaches for _, reaches in spans) >= low
    if holding or (between and by not in FIGURES):
        return Verdict("agrees", None, holding, len(valued))
    return Verdict("disagrees", nearest(low, high, spans), 0, len(valued))


def accepted(by: str, relation: str, row: Row) -> tuple[float, float]:
    """The claims that this answer agrees with: from, to."""
    value = row.value or 0.0
    if relation == "ge":
        return (float("-inf"), value)
    if relation == "le":
        return (value, float("inf"))
    if by in FIGURES:
        # Within 3% of ours, by the larger of the two, so that it reads the same both ways.
        return (value * (1 - TOLERANCE), value / (1 - TOLERANCE))
    return (row.low if row.low is not None else value, row.high if row.high is not None else value)


def nearest(low: float, high: float, spans: Sequence[tuple[float, float]]) -> float | None:
    """The claim over the nearest value that would agree: above 1 where it claims more."""
    factors = []
    for starts, reaches in spans:
        if low > reaches > 0:
            factors.append(low / reaches)
        elif 0 < high < starts:
            factors.append(high / starts)
    return min(factors, key=lambda factor: max(factor, 1 / factor), default=None)


def unanswered(rows: Sequence[Row], relation: str) -> Verdict:
    """No row has a value: a fact is missing, or what is claimed cannot run."""
    missing = tuple(dict.fromkeys(fact for row in rows for fact in row.missing))
    why = next((row.detail for row in rows if row.detail), "")
    if missing:
        return Verdict("cannot_be_evaluated", why=why, missing=missing)
    if relation != "ask" and rows and all(row.state in ("does_not_fit", "misses_level") for row in rows):
        return Verdict("disagrees", why=why)
    return Verdict("cannot_be_evaluated", why=why or "nothing to evaluate")
