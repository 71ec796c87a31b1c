"""A search answered: machines of the catalogue, their prices, the core's search; rows as plain values.

`answer_one` is one model under one workload and load, the unit that jobs share out; `search_now` is a whole
question answered in this process.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from estimates.core.facts import Workload
from estimates.core.search import search
from estimates.method import efficiency, method_version
from estimates.search import presenting
from estimates.search.machines import Park, offers_asked, park_of
from estimates.search.merging import merged, shrunk
from estimates.search.question import Load, SearchQuestion, read_search
from estimates.search.subjects import Subject, bounds_of, demand_of, model_slugs, subjects, workloads
from estimates.what_if import Fault, InvalidQuestion

#: Cases x offers that are answered at once; more is a job. One model on every offer of the
#: catalogue is some 330 and takes well under a second.
AT_ONCE: Final = 1_000
#: However few the offers: each case has work of its own, some 30 ms.
CASES_AT_ONCE: Final = 100
#: So many times the work where pools for prompts are sized too.
POOLED: Final = 3
MOST_CASES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Case:
    """One search: a model under a workload and a load."""

    model: str
    workload: str
    load: Load


@dataclass(slots=True)
class Asked:
    """A question with what all of its cases share: the workloads, and the machines with their prices."""

    question: SearchQuestion
    workloads: dict[str, Workload]
    park: Park

    @classmethod
    def of(cls, question: SearchQuestion) -> Asked:
        """Raises InvalidQuestion."""
        bounds_of(question)
        return cls(question, {one.slug: one for one in workloads(question)}, park_of(question))


def search_now(data: Any, cases: list[Case] | None = None) -> dict[str, Any]:
    """The answer to a search in plain values for JSON; raises InvalidQuestion with every fault found.

    `cases` are those of the question where they are known already.
    """
    began = time.perf_counter()
    question = read_search(data)
    cases = cases_of(question) if cases is None else cases
    asked = Asked.of(question)
    models = {one.slug: one for one in subjects(question, list(dict.fromkeys(one.model for one in cases)))}
    parts = [
        shrunk(answer_one(asked, models[case.model], case), len(cases))
        for case in cases
        if case.model in models
    ]
    return merged(parts, header(question), question.limit, seconds=time.perf_counter() - began)


def too_large_for_now(question: SearchQuestion, cases: list[Case]) -> bool:
    """Whether it is a job: more than a few models, workloads and loads together on the offers asked for."""
    work = len(cases) * (1 if question.bounds.serving == "aggregated" else POOLED)
    if question.job or len(cases) <= 1:
        return question.job
    return work > CASES_AT_ONCE or work * offers_asked(question.hardware).count() > AT_ONCE


def cases_of(question: SearchQuestion) -> list[Case]:
    """Every model with every workload and load asked for. Raises InvalidQuestion: unknown slugs, too many."""
    names, loads = [one.slug for one in workloads(question)], question.loads
    models = model_slugs(question)
    many = len(models) * len(names) * len(loads)
    if many > MOST_CASES:
        accepted = f"at most {MOST_CASES:,} models x workloads x loads"
        raise InvalidQuestion(Fault("/model", "too_large", f"{many:,} searches are asked for", accepted))
    return [Case(model, workload, load) for model in models for workload in names for load in loads]


def answer_one(asked: Asked, model: Subject, case: Case) -> dict[str, Any]:
    """One model under one workload and load on all machines: ranked rows, fronts, who is out and why."""
    question, park, load = asked.question, asked.park, case.load
    workload = asked.workloads[case.workload]
    began = time.perf_counter()
    demand = demand_of(question, workload, load)
    common: dict[str, Any] = {
        "model": model.slug,
        "workload": workload_values(workload),
        "load": load.as_json(),
        "limits": limits(demand.tpot_s, demand.tpot_at, demand.ttft_s, demand.ttft_at),
    }
    if model.facts is None:
        empty: dict[str, Any] = {"counts": counts(park, [], []), "results": [], "front": None, "excluded": []}
        return common | empty | {"problem": model.problem, "configurations": 0, "seconds": 0.0}
    result = search(
        model.facts,
        park.candidates,
        workload,
        demand,
        bounds_of(question),
        question.objective,
        efficiency(),
        need_price=question.basis != "none",
        fronts=question.front,
    )
    machines = park.machines
    found = [
        presenting.deployment(row, machines[row.candidate], model.slug, workload, load, rank)
        for rank, row in enumerate(result.found[: question.limit], 1)
    ]
    out = [
        *(presenting.excluded(row, machines[row.candidate]) for row in result.excluded),
        *(presenting.unreadable(row.machine, row.problem) for row in park.unreadable),
    ]
    front = None
    if question.front:
        front = {
            name: [
                presenting.front_point(point, machines[point.candidate], model.slug, workload.slug, load)
                for point in points
            ]
            for name, points in (
                ("speed_and_throughput_per_chip", result.front_speed_throughput),
                ("speed_and_usd_per_mtok", result.front_speed_cost),
            )
        }
    return common | {
        "counts": counts(park, [machines[row.candidate].vendor for row in result.found], out),
        "results": found,
        "front": front,
        "excluded": out if question.excluded else [],
        "problem": None,
        "configurations": result.configurations,
        "seconds": round(time.perf_counter() - began, 4),
    }


def counts(park: Park, vendors: list[str], out: list[dict[str, Any]]) -> dict[str, Any]:
    """How many machines were looked at, keep every limit, and are out by which constraint."""
    return {
        "offers": len(park.machines) + len(park.unreadable),
        "feasible": len(vendors),
        "vendors": len(set(vendors)),
        "excluded": presenting.counted(out, "constraint"),
    }


def header(question: SearchQuestion) -> dict[str, Any]:
    """What was asked, as it was understood."""
    return {
        "objective": question.objective,
        "price_basis": question.basis,
        "demand": question.demand.model_dump(mode="json"),
        "bounds": question.bounds.model_dump(mode="json", exclude_none=True),
        "hardware": question.hardware.model_dump(mode="json", exclude_defaults=True),
        "method_version": method_version(),
    }


def workload_values(workload: Workload) -> dict[str, Any]:
    return {
        "workload": workload.slug,
        "isl": workload.isl,
        "osl": workload.osl,
        "prefix_share": workload.prefix_share,
    }


def limits(tpot_s: float | None, tpot_at: str, ttft_s: float | None, ttft_at: str) -> dict[str, Any]:
    """The limits in force, whether asked for or the workload's own."""
    return {
        "tpot_ms": None if tpot_s is None else presenting.short(tpot_s * 1e3),
        "tpot_at": tpot_at,
        "ttft_ms": None if ttft_s is None else presenting.short(ttft_s * 1e3),
        "ttft_at": ttft_at,
    }
