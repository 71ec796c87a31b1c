"""The finder's question: read from the address, checked against the catalogue, written back to it."""

import difflib
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from catalog.models.accelerators import Segment
from estimates.pages.places import AREAS, place_name

BASES = {"on_demand": "on demand", "spot": "spot", "reserved": "reserved", "any": "any terms"}
ANSWERS = {
    "within": "the highest throughput within those limits",
    "fastest": "the fastest reply within those limits",
    "any": "the highest throughput whatever the limits",
}
ORDERS = {
    "usd": "USD per million output tokens",
    "speed": "speed per user",
    "ttft": "time to first token",
    "throughput": "throughput",
    "chips": "number of chips",
}
SHORT_LIST = 60
LARGEST_NUMBER = 1_000_000_000


@dataclass(frozen=True)
class Problem:
    """One parameter that cannot be used: which, why, and what would be accepted."""

    parameter: str
    detail: str
    accepted: tuple[str, ...] = ()


class QuestionError(Exception):
    """The address asks something that has no meaning here."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.parameter}: {problem.detail}" for problem in problems))


@dataclass(frozen=True)
class Question:
    """What is asked of the finder. Times in ms; an empty limit is the workload's own."""

    model: str
    workload: str
    users: int | None = None
    tpot: float | None = None
    ttft: float | None = None
    basis: str = "on_demand"
    region: str = ""
    segment: str = ""
    vendor: tuple[str, ...] = ()
    chips: int | None = None
    answer: str = "within"
    order: str = "usd"
    unfit: bool = False
    rows: str = ""
    open: str = field(default="", compare=False)

    def address(self, **changes: object) -> str:
        """The query string, with `changes` applied; only what differs from the default is written."""
        return query_string(replace(self, **changes), always=("model", "workload"))  # type: ignore[arg-type]


def query_string(question: Any, always: tuple[str, ...]) -> str:
    """A question as a query string: the fields named, and those that differ from their default."""
    pairs: list[tuple[str, str]] = []
    for item in fields(question):
        value = getattr(question, item.name)
        if item.name not in always and value == item.default:
            continue
        if isinstance(value, tuple):
            pairs += [(item.name, str(part)) for part in value]
        elif value is True:
            pairs.append((item.name, "1"))
        elif isinstance(value, float):
            pairs.append((item.name, f"{value:.10g}"))
        elif value is not None:
            pairs.append((item.name, str(value)))
    return "?" + urlencode(pairs)


@dataclass(frozen=True)
class Vocabulary:
    """What may be asked for: slugs of the catalogue, with the defaults."""

    models: frozenset[str]
    workloads: frozenset[str]
    vendors: frozenset[str]
    places: frozenset[str]
    default_model: str
    default_workload: str


def read_question(query: QueryDict, vocabulary: Vocabulary) -> Question:
    """The question an address asks.

    An empty parameter is one not given, as a form submits it.

    Raises:
        QuestionError: an unknown parameter, a value that is not accepted, or one given twice.
    """
    problems: list[Problem] = []
    reader = Reader(given_by(query, [item.name for item in fields(Question)], problems), problems)
    question = Question(
        model=reader.one("model", vocabulary.models, vocabulary.default_model),
        workload=reader.one("workload", vocabulary.workloads, vocabulary.default_workload),
        users=reader.number("users", int),
        tpot=reader.number("tpot", float),
        ttft=reader.number("ttft", float),
        basis=reader.one("basis", BASES, "on_demand"),
        region=reader.one("region", vocabulary.places | set(AREAS), ""),
        segment=reader.one("segment", Segment.values, ""),
        vendor=reader.several("vendor", vocabulary.vendors),
        chips=reader.number("chips", int),
        answer=reader.one("answer", ANSWERS, "within"),
        order=reader.one("order", ORDERS, "usd"),
        unfit=reader.one("unfit", ("1",), "") == "1",
        rows=reader.one("rows", ("all",), ""),
        open=reader.text("open"),
    )
    if problems:
        raise QuestionError(problems)
    return question


def given_by(query: QueryDict, known: list[str], problems: list[Problem]) -> dict[str, list[str]]:
    """The parameters that say something, by name; unknown ones are noted as problems."""
    given: dict[str, list[str]] = {}
    for name, values in query.lists():
        if name not in known:
            problems.append(Problem(name[:60], "is not a parameter of this page", tuple(known)))
        elif filled := [value.strip() for value in values if value.strip()]:
            given[name] = filled
    return given


class Reader:
    """Takes values out of the given parameters and notes what is wrong with them."""

    def __init__(self, given: dict[str, list[str]], problems: list[Problem]) -> None:
        self.given = given
        self.problems = problems

    def text(self, name: str) -> str:
        values = self.given.get(name, [])
        if len(values) > 1:
            self.problems.append(Problem(name, "is given more than once"))
        return values[0][:200] if values else ""

    def one(self, name: str, accepted: Iterable[str], default: str) -> str:
        value = self.text(name)
        return (self._checked(name, value, accepted) if value else default) or default

    def several(self, name: str, accepted: Iterable[str]) -> tuple[str, ...]:
        values = dict.fromkeys(self.given.get(name, []))
        return tuple(value for value in values if self._checked(name, value, accepted))

    def number[N: (int, float)](self, name: str, kind: Callable[[str], N]) -> N | None:
        value = self.text(name)
        if not value:
            return None
        try:
            number = kind(value.replace(",", "").replace(" ", "")) if value.isascii() else None
        except ValueError:
            number = None
        if number is None or not math.isfinite(number) or not 0 < number <= LARGEST_NUMBER:
            what = "a whole number" if kind is int else "a number"
            self.problems.append(Problem(name, f"“{value[:60]}” is not {what} above zero"))
            return None
        return number

    def _checked(self, name: str, value: str, accepted: Iterable[str]) -> str | None:
        if value in accepted:
            return value
        known = sorted(accepted)
        near = difflib.get_close_matches(value.lower()[:100], known, n=5)
        self.problems.append(
            Problem(name, f"“{value[:60]}” is not known", tuple(dict.fromkeys([*near, *known])))
        )
        return None


def region_names(countries: Iterable[str]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Choices of the region control: areas first, then the countries that have a quote."""
    return [
        ("Area", [(area, area) for area in AREAS]),
        ("Country", sorted(((code, place_name(code)) for code in countries), key=lambda pair: pair[1])),
    ]
