"""The search page's question: read from the address, put to the search as the API would, written back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Final

from django.http import QueryDict

from catalog.models.accelerators import AcceleratorKind, Segment, Status
from estimates.core.demand import AT
from estimates.pages.places import AREAS, countries_of
from estimates.pages.question import Problem, QuestionError, Reader, Vocabulary, given_by, query_string
from estimates.search.question import MOST_ROWS
from estimates.what_if import Fault

OBJECTIVES: Final = {
    "usd_per_mtok": "USD per million output tokens",
    "speed_per_user": "tokens/s per user",
    "throughput_per_chip": "throughput per chip",
    "throughput_per_watt": "throughput per watt",
    "throughput_per_rack": "throughput per rack",
}
BASES: Final = {
    "on_demand": "on demand",
    "spot": "spot",
    "reserved": "reserved",
    "owned": "as an owner",
    "any": "on any terms",
    "none": "whatever it costs",
}
SERVINGS: Final = {
    "aggregated": "on the same chips",
    "disaggregated": "on pools of their own",
    "either": "either way",
}
#: Constraints in words, as the switch of the exclusions names them.
CONSTRAINTS: Final = {
    "tpot": "too slow per token",
    "ttft": "too late to the first token",
    "memory": "too small",
    "price": "without a price",
    "missing_fact": "lacking a fact",
    "chips": "too many chips",
    "machines": "too many machines",
    "watts": "too much power",
    "usd_per_hour": "too dear",
    "context": "beyond the context",
    "concurrency": "too many requests",
    "formats": "in other formats alone",
    "serving": "no pools",
    "layout": "no layout",
    "model": "not a generator",
}
FORMATS: Final = ("bf16", "fp8", "int8", "nvfp4", "mxfp4", "int4", "q8_0", "q4_k_m")
SHORT_LIST: Final = 60
DEFAULT_USERS: Final = 100


@dataclass(frozen=True)
class SearchPageQuestion:
    """What is asked. Times in ms; an empty limit is none. Power in W, price in USD an hour, both in all."""

    model: str
    workload: str
    isl: int | None = None
    osl: int | None = None
    users: int | None = None
    rate: float | None = None
    tpot: float | None = None
    tpot_at: str = "mean"
    ttft: float | None = None
    ttft_at: str = "median"
    objective: str = "usd_per_mtok"
    basis: str = "on_demand"
    region: str = ""
    provider: str = ""
    as_of: str = ""
    vendor: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    chips: int | None = None
    machines: int | None = None
    watts: float | None = None
    usd: float | None = None
    spare: int | None = None
    serving: str = "aggregated"
    sizes: str = ""  # "all": a row for every size of machine, not the best of each chip alone
    out: str = ""
    rows: str = ""

    def address(self, **changes: object) -> str:
        """The query string, with `changes` applied; only what differs from the default is written."""
        return query_string(replace(self, **changes), always=("model", "workload"))  # type: ignore[arg-type]

    def asked(self) -> dict[str, Any]:
        """The question as the API takes it; what is left open is left out."""
        return {
            "model": self.model,
            "workload": self.workload,
            "workload_overrides": _given(isl=self.isl, osl=self.osl),
            "objective": self.objective,
            "demand": _given(
                concurrency=self.users,
                requests_per_s=self.rate,
                tpot_ms=self.tpot,
                tpot_at=self.tpot_at,
                ttft_ms=self.ttft,
                ttft_at=self.ttft_at,
                spare=self.spare,
            ),
            "price": _given(
                basis=self.basis,
                countries=sorted(countries_of(self.region) or ()),
                providers=self.provider or None,
                as_of=self.as_of or None,
            ),
            "hardware": _given(
                vendors=list(self.vendor),
                segments=list(self.segment),
                kinds=list(self.kind),
                statuses=list(self.status),
            ),
            "bounds": _given(
                chips=self.chips,
                machines=self.machines,
                watts=self.watts,
                usd_per_hour=self.usd,
                formats=list(self.formats),
                serving=self.serving,
            ),
            "limit": MOST_ROWS,
        }


def _given(**values: Any) -> dict[str, Any]:
    """Those of the values that say something."""
    return {name: value for name, value in values.items() if value is not None and value != []}


#: Where a fault of the search's own question stands on the page.
PARAMETERS: Final = {
    "/model": "model",
    "/workload": "workload",
    "/workload_overrides/isl": "isl",
    "/workload_overrides/osl": "osl",
    "/demand/concurrency": "users",
    "/demand/requests_per_s": "rate",
    "/demand/tpot_ms": "tpot",
    "/demand/ttft_ms": "ttft",
    "/demand/spare": "spare",
    "/price/basis": "basis",
    "/price/providers": "provider",
    "/price/as_of": "as_of",
    "/bounds/chips": "chips",
    "/bounds/machines": "machines",
    "/bounds/watts": "watts",
    "/bounds/usd_per_hour": "usd",
    "/bounds/formats": "formats",
}


class SearchPageError(QuestionError):
    """What cannot be asked, with the rest of the question as it was understood."""

    def __init__(self, problems: list[Problem], question: SearchPageQuestion) -> None:
        self.question = question
        super().__init__(problems)


def problem_of(fault: Fault) -> Problem:
    """A fault of the search as a problem of the page's parameter."""
    place = "/".join(part for part in fault.pointer.split("/") if not part.isdecimal())
    accepted = fault.accepted if isinstance(fault.accepted, list) else [fault.accepted]
    said = tuple(str(value) for value in accepted if value is not None)
    detail = fault.detail.removeprefix(place.strip("/").replace("/", ".") + " ")
    return Problem(PARAMETERS.get(place, place), detail, said)


def read_search_question(
    query: QueryDict, vocabulary: Vocabulary, providers: Iterable[str]
) -> SearchPageQuestion:
    """The question an address asks. An address that asks nothing asks for a hundred users.

    Raises:
        SearchPageError: an unknown parameter, a value that is not accepted, one given twice, or two that
            contradict each other.
    """
    problems: list[Problem] = []
    given = given_by(query, [item.name for item in fields(SearchPageQuestion)], problems)
    reader = Reader(given, problems)
    day = reader.text("as_of")
    try:
        day = date.fromisoformat(day).isoformat() if day else ""
    except ValueError:
        problems.append(Problem("as_of", f"“{day[:60]}” is not a date", ("YYYY-MM-DD",)))
        day = ""
    spare = reader.text("spare")
    question = SearchPageQuestion(
        model=reader.one("model", vocabulary.models, vocabulary.default_model),
        workload=reader.one("workload", vocabulary.workloads, vocabulary.default_workload),
        isl=reader.number("isl", int),
        osl=reader.number("osl", int),
        users=reader.number("users", int),
        rate=reader.number("rate", float),
        tpot=reader.number("tpot", float),
        tpot_at=reader.one("tpot_at", AT, "mean"),
        ttft=reader.number("ttft", float),
        ttft_at=reader.one("ttft_at", AT, "median"),
        objective=reader.one("objective", OBJECTIVES, "usd_per_mtok"),
        basis=reader.one("basis", BASES, "on_demand"),
        region=reader.one("region", vocabulary.places | set(AREAS), ""),
        provider=reader.one("provider", frozenset(providers), ""),
        as_of=day,
        vendor=reader.several("vendor", vocabulary.vendors),
        segment=reader.several("segment", Segment.values),
        kind=reader.several("kind", AcceleratorKind.values),
        status=reader.several("status", Status.values),
        formats=reader.several("formats", FORMATS),
        chips=reader.number("chips", int),
        machines=reader.number("machines", int),
        watts=reader.number("watts", float),
        usd=reader.number("usd", float),
        spare=0 if spare == "0" else reader.number("spare", int),
        serving=reader.one("serving", SERVINGS, "aggregated"),
        sizes=reader.one("sizes", ("all",), ""),
        out=reader.one("out", CONSTRAINTS, ""),
        rows=reader.one("rows", ("all",), ""),
    )
    if question.users is not None and question.rate is not None:
        problems.append(Problem("rate", "says the load a second time, beside users", ("users", "rate")))
    if question.usd is not None and question.basis == "none":
        priced = tuple(basis for basis in BASES if basis != "none")
        problems.append(Problem("basis", "has no prices that a bound on USD an hour could hold", priced))
    if problems:
        raise SearchPageError(problems, question)
    return question if given else replace(question, users=DEFAULT_USERS)
