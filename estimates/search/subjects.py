"""What a search is about: its models, workloads and limits, looked up; near names for what is unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from catalog import names
from catalog.models import LanguageModel, Workload
from catalog.models.language_models import Role
from estimates.asked_model import find_workload, inline_model, speculation_facts
from estimates.core.demand import Bounds, Demand
from estimates.core.facts import ModelFacts
from estimates.core.facts import Workload as CoreWorkload
from estimates.core.formats import UnknownFormat
from estimates.core.weight_schemes import canonical_kv, canonical_scheme
from estimates.method import efficiency
from estimates.near import near_matches
from estimates.search.machines import models_of, unknown_name
from estimates.search.question import Load, SearchQuestion
from estimates.what_if import MOST_FAULTS, Fault, InlineModel, InvalidQuestion, Question

ALL: Final = "all"
NATIVE: Final = "native"


@dataclass(frozen=True, slots=True)
class Subject:
    """One model of a search; `problem` in place of facts where its architecture cannot be read."""

    slug: str
    facts: ModelFacts | None
    problem: str = ""


def model_slugs(question: SearchQuestion) -> list[str]:
    """Slugs of the models asked for, each once, in the order given; one inline model has its own name.

    Raises InvalidQuestion with near names for those that do not exist.
    """
    asked = question.model
    if isinstance(asked, InlineModel):
        return [asked.name]
    if asked == ALL:
        rows = LanguageModel.objects.filter(role=Role.DECODER).order_by("slug")
        return list(rows.values_list("slug", flat=True))
    wanted = [asked] if isinstance(asked, str) else list(asked)
    found = dict.fromkeys(wanted, "")
    exact = LanguageModel.objects.filter(slug__in=wanted).order_by().values_list("slug", flat=True)
    found |= {slug: slug for slug in exact}
    others = [name for name, slug in found.items() if not slug]
    found |= names.model_slugs(others) if others else {}
    missing = [(position, name) for position, name in enumerate(wanted) if not found[name]]
    faults = [
        unknown_name(
            "/model" if isinstance(asked, str) else f"/model/{position}",
            "language model",
            name,
            near_matches(LanguageModel, name),
        )
        for position, name in missing[:MOST_FAULTS]
    ]
    if faults:
        raise InvalidQuestion(*faults)
    return list(dict.fromkeys(found.values()))


def subjects(question: SearchQuestion, slugs: list[str]) -> list[Subject]:
    """The models of these slugs, in that order. Raises InvalidQuestion for an impossible inline model."""
    if isinstance(question.model, InlineModel):
        return [Subject(question.model.name, inline_model(question.model))]
    rows = LanguageModel.objects.filter(slug__in=slugs).order_by()
    found = {row.slug: row for row in models_of(list(rows.values_list("pk", flat=True)))}
    return [Subject(slug, found[slug].facts, found[slug].problem) for slug in slugs if slug in found]


def workload_names(question: SearchQuestion) -> list[str]:
    """Slugs of the stored workloads asked for; empty for an inline one. Raises InvalidQuestion."""
    asked = question.workload
    if not isinstance(asked, (str, list)):
        return []
    wanted = [asked] if isinstance(asked, str) else list(dict.fromkeys(asked))
    known = set(Workload.objects.filter(slug__in=wanted).order_by().values_list("slug", flat=True))
    faults = [
        unknown_name(
            "/workload" if isinstance(asked, str) else f"/workload/{position}",
            "workload",
            name,
            near_matches(Workload, name, 10),
        )
        for position, name in enumerate(wanted)
        if name not in known
    ]
    if faults:
        raise InvalidQuestion(*faults)
    return wanted


def workloads(question: SearchQuestion) -> list[CoreWorkload]:
    """The workloads as the core takes them, fields given in place of stored ones. Raises InvalidQuestion."""
    asked: list[Any] = [*workload_names(question)] or [question.workload]
    return [
        find_workload(Question.model_construct(workload=one, workload_overrides=question.workload_overrides))
        for one in asked
    ]


def demand_of(question: SearchQuestion, workload: CoreWorkload, load: Load) -> Demand:
    """Load and limits; a limit that is not given is the workload's own."""
    asked = question.demand
    own = asked.limits == "workload"
    return Demand(
        concurrency=load.concurrency,
        requests_per_s=load.requests_per_s,
        ttft_s=asked.ttft_ms / 1e3 if asked.ttft_ms else workload.ttft_slo_s if own else None,
        ttft_at=asked.ttft_at,
        tpot_s=asked.tpot_ms / 1e3 if asked.tpot_ms else workload.tpot_slo_s if own else None,
        tpot_at=asked.tpot_at,
        spare=asked.spare,
    )


def bounds_of(question: SearchQuestion) -> Bounds:
    """Bounds with the names of formats and software checked. Raises InvalidQuestion."""
    asked = question.bounds
    faults: list[Fault] = []
    formats = tuple(
        checked_format(f"/bounds/formats/{position}", name, faults)
        for position, name in enumerate(asked.formats or ())
    )
    kv_format = asked.kv_format
    if kv_format is not None:
        try:
            kv_format = canonical_kv(kv_format)
        except UnknownFormat as error:
            faults.append(Fault("/bounds/kv_format", "unknown_format", str(error), list(error.accepted)))
    known = efficiency().software
    if asked.software is not None and asked.software not in known:
        detail = f"there is no serving software {asked.software!r}"
        faults.append(Fault("/bounds/software", "unknown_software", detail, list(known)))
    if faults:
        raise InvalidQuestion(*faults)
    return Bounds(
        chips=asked.chips,
        machines=asked.machines,
        watts=asked.watts,
        usd_per_hour=float(asked.usd_per_hour) if asked.usd_per_hour is not None else None,
        formats=tuple(dict.fromkeys(formats)) or None,
        kv_format=kv_format,
        software=asked.software,
        serving=asked.serving,
        speculation=None
        if asked.speculation is None
        else speculation_facts(asked.speculation, "/bounds/speculation"),
    )


def checked_format(pointer: str, name: str, faults: list[Fault]) -> str:
    if name == NATIVE:
        return name
    try:
        return canonical_scheme(name)
    except UnknownFormat as error:
        faults.append(Fault(pointer, "unknown_format", str(error), list(error.accepted)))
        return name
