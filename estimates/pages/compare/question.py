"""What the compare page is asked: up to eight options written in its address, the baseline, the metric."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from django.http import QueryDict

from estimates.comparison.attribution import METRICS
from estimates.comparison.compare import MOST_OPTIONS
from estimates.pages.question import Problem, QuestionError
from estimates.what_if import Fault

#: Parts of an option after model, offer and workload -> the field of the question.
DEPLOYMENT: Final[Mapping[str, str]] = {
    "weights": "weights",
    "kv": "kv_format",
    "tp": "tp",
    "pp": "pp",
    "ep": "ep",
    "dp": "dp",
    "replicas": "replicas",
    "concurrency": "concurrency",
    "software": "software",
}
LENGTHS: Final = ("isl", "osl")
BASES: Final = {
    "on_demand": "on demand",
    "spot": "spot",
    "reserved": "reserved",
    "owned": "owned",
    "any": "any terms",
}
SEPARATOR: Final = "~"
WRITTEN: Final = "model~offer~workload, then any of " + ", ".join(
    f"~{name}:value" for name in (*DEPLOYMENT, *LENGTHS)
)


def option_text(model: str, offer: str, workload: str, parts: Mapping[str, Any]) -> str:
    """An option as the address has it; parts that are not known are left to the estimator."""
    known = [f"{name}:{value}" for name, value in parts.items() if value not in (None, "")]
    return SEPARATOR.join([model, offer, workload, *known])


def option_question(text: str, basis: str) -> dict[str, Any]:
    """The what-if that an option is. Raises ValueError with what is wrong."""
    named, parts = text.split(SEPARATOR)[:3], text.split(SEPARATOR)[3:]
    if len(named) < 3 or not all(named):
        raise ValueError("has no model, offer and workload")
    model, offer, workload = named
    deployment: dict[str, Any] = {}
    lengths: dict[str, Any] = {}
    for part in parts:
        name, colon, value = part.partition(":")
        if not colon or not value or name not in (*DEPLOYMENT, *LENGTHS):
            raise ValueError(f"has the part “{part[:40]}”")
        if name in LENGTHS:
            lengths[name] = value
        else:
            deployment[DEPLOYMENT[name]] = value
    return {
        "model": model,
        "offer": offer,
        "workload": workload,
        "workload_overrides": lengths,
        "deployment": deployment,
        "price": {"basis": basis},
    }


@dataclass(frozen=True)
class CompareQuestion:
    """Options as the address has them."""

    option: tuple[str, ...] = ()
    baseline: int = 0
    metric: str = METRICS[2]
    basis: str = "on_demand"

    def address(self, **changes: object) -> str:
        """The query string, with `changes` applied; only what differs from the default is written."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        pairs: list[tuple[str, str]] = [("option", text) for text in changed.option]
        pairs += [
            (name, str(getattr(changed, name)))
            for name in ("baseline", "metric", "basis")
            if getattr(changed, name) != getattr(CompareQuestion, name)
        ]
        return "?" + urlencode(pairs, safe="~:")

    def without(self, index: int) -> str:
        """The address with one option taken away; the baseline stays the same option where it can."""
        left = tuple(text for place, text in enumerate(self.option) if place != index)
        baseline = self.baseline - (self.baseline > index) if self.baseline != index else 0
        return self.address(option=left, baseline=baseline)

    def based_on(self, index: int) -> str:
        return self.address(baseline=index)


ADDED: Final = ("add_model", "add_offer", "add_workload")
PARAMETERS: Final = ("option", "baseline", "metric", "basis", *ADDED)


def read_compare_question(query: QueryDict) -> tuple[CompareQuestion, bool]:
    """The question, and whether the form has added an option to it. Raises QuestionError."""
    problems: list[Problem] = []
    given: dict[str, list[str]] = {}
    for name, values in query.lists():
        if name not in PARAMETERS:
            problems.append(Problem(name[:60], "is not a parameter of this page", PARAMETERS))
        elif filled := [value.strip()[:500] for value in values if value.strip()]:
            given[name] = filled
    for name in PARAMETERS[1:]:
        if len(given.get(name, ())) > 1:
            problems.append(Problem(name, "is given more than once"))
    options = list(dict.fromkeys(given.get("option", ())))
    added = "add_offer" in given
    if added:
        parts = [given.get(name, [""])[0] for name in ADDED]
        options = list(dict.fromkeys([*options, SEPARATOR.join(parts)]))
    if len(options) > MOST_OPTIONS:
        detail = f"there are {len(options)} of them"
        problems.append(Problem("option", detail, (f"at most {MOST_OPTIONS}",)))
    basis = _one_of("basis", given, BASES, "on_demand", problems)
    for place, text in enumerate(options, start=1):
        try:
            option_question(text, basis)
        except ValueError as error:
            problems.append(Problem(f"option {place}", str(error), (WRITTEN,)))
    baseline = given.get("baseline", ["0"])[0]
    most = max(0, len(options) - 1)
    if not baseline.isdecimal() or len(baseline) > 2 or int(baseline) > most:
        problems.append(Problem("baseline", f"“{baseline[:20]}” is no option", (f"0 to {most}",)))
        baseline = "0"
    metric = _one_of("metric", given, METRICS, CompareQuestion.metric, problems)
    if problems:
        raise QuestionError(problems)
    return CompareQuestion(tuple(options), int(baseline), metric, basis), added


def _one_of(
    name: str, given: Mapping[str, list[str]], accepted: Iterable[str], default: str, problems: list[Problem]
) -> str:
    value = given.get(name, [default])[0]
    if value not in accepted:
        problems.append(Problem(name, f"“{value[:60]}” is not known here", tuple(accepted)))
        return default
    return value


def problem_of(fault: Fault) -> Problem:
    """A fault of an option in the page's words: /options/1/deployment/tp is option 2: tp."""
    parts = fault.pointer.strip("/").split("/")
    name = fault.pointer
    if parts[0] == "options" and len(parts) > 1 and parts[1].isdecimal():
        name = f"option {int(parts[1]) + 1}" + (f": {parts[-1]}" if len(parts) > 2 else "")
    accepted = fault.accepted if isinstance(fault.accepted, list) else [fault.accepted]
    return Problem(name, fault.detail, tuple(str(value) for value in accepted if value is not None))
