"""What the price page is asked: an accelerator, a basis, a count, a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from django.http import QueryDict

from catalog.prices import plain
from estimates.pages.question import Problem, QuestionError, Reader, given_by, query_string

BASES: Final = {"on_demand": "on demand", "spot": "spot", "reserved": "reserved"}
FIELDS: Final = ("accelerator", "basis", "count", "as_of", "rows")


@dataclass(frozen=True)
class PricesQuestion:
    """`count` empty: quotes of any number of accelerators; `as_of` empty: today."""

    accelerator: str
    basis: str = "on_demand"
    count: str = ""
    as_of: str = ""
    rows: str = ""

    def address(self, **changes: object) -> str:
        return query_string(replace(self, **changes), always=("accelerator",))  # type: ignore[arg-type]

    @property
    def day(self) -> date | None:
        return date.fromisoformat(self.as_of) if self.as_of else None

    @property
    def number(self) -> Decimal | None:
        return Decimal(self.count) if self.count else None


def read_prices_question(
    query: QueryDict, accelerators: list[str], default: str, counts: dict[str, list[Decimal]]
) -> PricesQuestion:
    """The question an address asks; `counts` has the numbers quoted by accelerator. Raises QuestionError."""
    problems: list[Problem] = []
    reader = Reader(given_by(query, list(FIELDS), problems), problems)
    accelerator = reader.one("accelerator", accelerators, default)
    question = PricesQuestion(
        accelerator=accelerator,
        basis=reader.one("basis", BASES, "on_demand"),
        count=_count(reader, counts.get(accelerator, [])),
        as_of=read_day(reader.text("as_of"), problems),
        rows=reader.one("rows", ("all",), ""),
    )
    if problems:
        raise QuestionError(problems)
    return question


def _count(reader: Reader, quoted: list[Decimal]) -> str:
    """The number asked for where it is quoted; that of another accelerator is let go."""
    number = reader.number("count", float)
    text = "" if number is None else plain(Decimal(repr(number)))
    return text if text in [plain(count) for count in quoted] else ""


def read_day(text: str, problems: list[Problem]) -> str:
    """A day as YYYY-MM-DD, or nothing; another text is a problem."""
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        problems.append(Problem("as_of", f"“{text[:20]}” is not a day", ("YYYY-MM-DD",)))
        return ""
