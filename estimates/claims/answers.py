"""The answer of one claim: its rows, verdict, own number with interval and grade, in the claim's unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from catalog.claim_parameters import AnswerAsked
from catalog.models import PublishedClaim
from estimates.claims.book import AnswerBook
from estimates.claims.conditions import asked_of, parameters_of
from estimates.claims.evaluators import EVALUATORS
from estimates.claims.rows import Row, UnanswerableClaim, in_unit, scale_of, short, worst_grade
from estimates.claims.verdict import Verdict, judge


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service says of a claim. Numbers are in the claim's unit.

    `value` is the middle of the combinations' values, `value_from` to `value_to` their range, `low` to `high`
    the range with the 80% intervals at both ends.
    """

    verdict: str
    why: str
    value: float | None
    value_from: float | None
    value_to: float | None
    low: float | None
    high: float | None
    grade: str | None
    off_by: float | None
    holding: int
    combinations: int
    over: dict[str, list[str]]
    missing: list[str]
    assumptions: list[str]
    fitted: str  # what of the method was fitted to the claimed figure
    rows: list[dict[str, Any]]


def answer_claim(claim: PublishedClaim, book: AnswerBook | None = None) -> Answer:
    """Answer one claim from the facts that stand now. A claim that asks nothing readable says so."""
    try:
        parameters = parameters_of(claim)
        asked = asked_of(claim, parameters)
        scale = scale_of(claim.unit)
        rows = EVALUATORS[asked.by](claim, parameters, asked, book or AnswerBook())
    except UnanswerableClaim as error:
        return unanswerable(str(error))
    stated = parameters.range
    found = judge(
        asked.by,
        claim.relation,
        None if claim.value is None else claim.value * scale,
        rows,
        (stated[0] * scale, stated[1] * scale) if stated else None,
    )
    return answer_of(claim, asked, rows, found)


def answer_of(claim: PublishedClaim, asked: AnswerAsked, rows: Sequence[Row], found: Verdict) -> Answer:
    valued = [row for row in rows if row.value is not None]
    values = [row.value for row in valued if row.value is not None]
    lows = [row.low for row in valued if row.low is not None]
    highs = [row.high for row in valued if row.high is not None]

    def shown(value: float | None) -> float | None:
        return in_unit(value, claim.unit)

    return Answer(
        verdict=found.word,
        why=found.why,
        value=shown(median(values)) if values else None,
        value_from=shown(min(values, default=None)),
        value_to=shown(max(values, default=None)),
        low=shown(min(lows, default=None)),
        high=shown(max(highs, default=None)),
        grade=worst_grade(valued),
        off_by=short(found.off_by),
        holding=found.holding,
        combinations=len(rows),
        over=ranged_over([row.conditions for row in rows]),
        missing=list(found.missing),
        assumptions=[*asked.assume, *shared_assumptions(valued)],
        fitted=asked.fitted,
        rows=[row.as_json(claim.unit) for row in rows],
    )


def unanswerable(why: str) -> Answer:
    """A claim whose question cannot be read: what it lacks is the missing fact."""
    return Answer(
        verdict="cannot_be_evaluated",
        why=f"the claim does not say {why}",
        value=None,
        value_from=None,
        value_to=None,
        low=None,
        high=None,
        grade=None,
        off_by=None,
        holding=0,
        combinations=0,
        over={},
        missing=[why],
        assumptions=[],
        fitted="",
        rows=[],
    )


def ranged_over(conditions: Sequence[Mapping[str, str]]) -> dict[str, list[str]]:
    """Each open condition with the values it was answered for."""
    found: dict[str, list[str]] = {}
    for one in conditions:
        for name, value in one.items():
            values = found.setdefault(name, [])
            if value not in values:
                values.append(value)
    return found


def shared_assumptions(rows: Sequence[Row]) -> list[str]:
    """What the estimator assumed in every combination alike."""
    if not rows:
        return []
    first, *others = [row.assumptions for row in rows]
    return list(dict.fromkeys(text for text in first if all(text in other for other in others)))
