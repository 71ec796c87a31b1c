"""What the break-even page is asked: a model, lengths, an offer, a price basis, a day, a utilisation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from django.http import QueryDict

from estimates.pages.prices.question import read_day
from estimates.pages.question import Problem, QuestionError, Reader, given_by, query_string

BASES: Final = {
    "on_demand": "on demand",
    "spot": "spot",
    "reserved": "reserved",
    "any": "any terms",
    "owned": "owned",
}
FIELDS: Final = ("model", "workload", "offer", "basis", "as_of", "rows")


@dataclass(frozen=True)
class BreakEvenQuestion:
    """`offer` empty: the one whose tokens are cheapest; `as_of` empty: today."""

    model: str
    workload: str
    offer: str = ""
    basis: str = "on_demand"
    as_of: str = ""
    rows: str = ""

    def address(self, **changes: object) -> str:
        return query_string(replace(self, **changes), always=("model", "workload"))  # type: ignore[arg-type]

    @property
    def day(self) -> date | None:
        return date.fromisoformat(self.as_of) if self.as_of else None


def read_break_even_question(
    query: QueryDict,
    models: Collection[str],
    workloads: Collection[str],
    default_model: str,
    default_workload: str,
) -> BreakEvenQuestion:
    """The question an address asks. Raises QuestionError; an offer is checked against the answers later."""
    problems: list[Problem] = []
    reader = Reader(given_by(query, list(FIELDS), problems), problems)
    question = BreakEvenQuestion(
        model=reader.one("model", models, default_model),
        workload=reader.one("workload", workloads, default_workload),
        offer=reader.text("offer"),
        basis=reader.one("basis", BASES, "on_demand"),
        as_of=read_day(reader.text("as_of"), problems),
        rows=reader.one("rows", ("all",), ""),
    )
    if problems:
        raise QuestionError(problems)
    return question
