"""The order in which a search puts the systems of a group: each one's best deployment by throughput per chip.

The search is told what was given in the measurements and nothing of what was found: model, lengths, software,
one pool or two, the numbers and formats of a chip that were measured, and of the view the users or the speed
per user. Layout, replicas, format and, where the view states none, the load are its own choice.

Benchmarks run one replica on all chips of a system; a search puts as many on it as serve best, so that eight
chips do at least as well as one. It is therefore compared by chip, over the numbers measured, or at one load,
which the chips of a system share. It serves closed loops: of static batches, and of the best of a closed
loop, whose load is the experimenter's choice, it says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from estimates.asked_model import find_workload
from estimates.core.demand import Bounds, Candidate, Demand, Serving
from estimates.core.deployments import resolve_scheme
from estimates.core.efficiency import EfficiencyTable
from estimates.core.facts import InvalidFact, ModelFacts, Offer, Workload
from estimates.core.formats import UnknownFormat
from estimates.core.search import search
from estimates.fact_book import FactBook
from estimates.from_catalog import offer_of
from estimates.measured.places import CHIP, Group, Place, System, View
from estimates.measured.questions import Asked, Names, asked_of
from estimates.measured.runs import Run
from estimates.what_if import InvalidQuestion, Question

OBJECTIVE = "throughput_per_chip"
SATURATING = ("offline_max_throughput", "server", "interactive")


def searched_order(
    book: FactBook, names: Names, efficiency: EfficiencyTable
) -> Callable[[Group, View, Sequence[Place]], Mapping[System, float]]:
    """The order of the search, for `ranking.ranking_of`."""

    def order(group: Group, view: View, places: Sequence[Place]) -> Mapping[System, float]:
        return searched(group, view, places, book, names, efficiency)

    return order


def is_searched(group: Group, view: View, places: Sequence[Place]) -> bool:
    """Whether a search can be asked what this view of the group compares."""
    if group.scenario == "closed_loop":
        return view.kind == "load" or (view.kind == "speed" and view.by == CHIP)
    if view.kind != "best" or view.by != CHIP or group.scenario not in SATURATING:
        return False
    return all(run.concurrency is None for place in places for run in place.runs)


def searched(
    group: Group,
    view: View,
    places: Sequence[Place],
    book: FactBook,
    names: Names,
    efficiency: EfficiencyTable,
) -> dict[System, float]:
    """Throughput per chip of the systems that a search finds a deployment on; empty where none is asked."""
    if not is_searched(group, view, places):
        return {}
    batches: dict[tuple[str, ...], list[tuple[System, Offer]]] = {}
    question = None
    for place in places:
        known, formats = _known(place.runs, book, names)
        batches.setdefault(formats, []).extend((place.system, offer) for _, offer in known)
        question = question or next((one for one, _ in known), None)
    if question is None:
        return {}
    model, workload = book.model_of(question), find_workload(question)
    found: dict[System, float] = {}
    for formats, systems in batches.items():
        for system, rate in _found(model, systems, workload, formats, group, view, efficiency):
            found[system] = max(rate, found.get(system, 0.0))
    return found


def _found(
    model: ModelFacts,
    systems: Sequence[tuple[System, Offer]],
    workload: Workload,
    formats: tuple[str, ...],
    group: Group,
    view: View,
    efficiency: EfficiencyTable,
) -> list[tuple[System, float]]:
    software = group.software if group.software in efficiency.software else None
    serving: Serving = "disaggregated" if group.serving == "disaggregated" else "aggregated"
    result = search(
        model,
        [Candidate(offer) for _, offer in systems],
        workload,
        demand_at(view, workload),
        Bounds(machines=1, formats=formats, software=software, serving=serving),
        OBJECTIVE,
        efficiency,
        fronts=False,
    )
    return [(systems[one.candidate][0], one.throughput_per_chip) for one in result.found]


def demand_at(view: View, workload: Workload) -> Demand:
    """What the view asks of one machine: so many users, so fast for each, or its full load.

    A benchmark's own limits hold where the workload states them; they are of p99, of which p95 comes nearest.
    """
    if view.kind == "load":
        return Demand(concurrency=round(view.at or 1), spare=0)
    if view.kind == "speed":
        return Demand(tpot_s=1 / (view.at or 1), spare=0)
    return Demand(
        ttft_s=workload.ttft_slo_s, ttft_at="p95", tpot_s=workload.tpot_slo_s, tpot_at="p95", spare=0
    )


def _known(
    runs: Iterable[Run], book: FactBook, names: Names
) -> tuple[list[tuple[Question, Offer]], tuple[str, ...]]:
    """A system's offers, one a number of chips, each with a question that has it; the formats measured."""
    found: dict[int, tuple[Question, Offer]] = {}
    formats = set()
    for run in runs:
        asked = asked_of(run, names)
        if not isinstance(asked, Asked):
            continue
        question = asked.question
        try:
            offer = _offer(question, book)
            formats.add(resolve_scheme(question.deployment.weights, book.model_of(question)).slug)
        except (InvalidQuestion, InvalidFact, UnknownFormat):
            continue
        found.setdefault(offer.count, (question, offer))
    return list(found.values()), tuple(sorted(formats))


def _offer(question: Question, book: FactBook) -> Offer:
    hardware = book.hardware_of(question)
    return offer_of(hardware.shape, hardware.sheet, book.chip_of(question))
