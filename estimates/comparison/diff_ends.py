"""The two sides of a diff: one question at two instants, or by two methods, and what changed between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

from catalog import names
from catalog.models import Workload
from estimates.asked_hardware import Hardware, find_hardware, overridden
from estimates.asked_model import find_model, find_workload, workload_with
from estimates.comparison.attribution import MOST_EXACT, Attributed, attribute
from estimates.comparison.causes import (
    TITLES,
    Cause,
    Difference,
    causes_between,
    figure_causes,
    format_differences,
    identity_differences,
    layout_differences,
    load_differences,
    option_differences,
    software_differences,
    workload_differences,
)
from estimates.comparison.compare import unit_of
from estimates.comparison.diff_question import MULTIPLIERS, PHYSICS
from estimates.comparison.fact_changes import FactChange, figure_changes, row_changes
from estimates.comparison.history import (
    BeforeHistoryError,
    Timeline,
    accelerator_timeline,
    model_at,
    model_timeline,
    sheet_at,
    workload_at,
    workload_timeline,
)
from estimates.comparison.options import OptionAsked
from estimates.comparison.short_answers import short_answer
from estimates.comparison.sides import Side, side_of
from estimates.core.architecture_json import ArchitectureError
from estimates.core.efficiency import EfficiencyTable, load_efficiency
from estimates.core.facts import InvalidFact, ModelFacts
from estimates.core.facts import Workload as CoreWorkload
from estimates.core.formats import UnknownFormat
from estimates.economics.pricing import Priced, find_price
from estimates.evaluate import core_facts, refuse_question
from estimates.from_catalog import model_facts, workload_facts
from estimates.method import efficiency
from estimates.what_if import Fault, InvalidQuestion, Question

#: Columns of a model and of a workload that an estimate rests on.
MODEL_COLUMNS: Final = ("architecture", "native_format", "quantisation", "role", "max_context")
WORKLOAD_COLUMNS: Final = ("isl", "osl", "ttft_limit_ms", "tpot_limit_ms", "prefix_share")


@dataclass(frozen=True, slots=True)
class Ends:
    """The two sides of a diff, their answers, and what changed between them."""

    before: Side
    after: Side
    answers: tuple[dict[str, Any], dict[str, Any]]
    changes: tuple[FactChange, ...] = ()


# ---- Two instants ----------------------------------------------------------------------------------------


def ends_in_time(
    asked: OptionAsked,
    instants: tuple[datetime, datetime],
    days: tuple[date | None, date | None],
) -> Ends:
    """The question with its facts and price as of either instant. Raises InvalidQuestion."""
    question = asked.question
    hardware = find_hardware(question)
    chip = accelerator_timeline(hardware.row) if hardware.row is not None else None
    model = _model_timeline(question)
    workload = _workload_timeline(question)
    sides, answers, prices = [], [], []
    for pointer, instant, day in zip(("/from", "/to"), instants, days, strict=True):
        try:
            own = hardware_at(question, hardware, chip, instant)
            facts = find_model(question.model) if model is None else _facts_at(model, instant)
            work = find_workload(question) if workload is None else _workload_at(question, workload, instant)
        except BeforeHistoryError as error:
            accepted = f"{error.since.isoformat()} or later" if error.since else None
            raise InvalidQuestion(Fault(pointer, "before_history", str(error), accepted)) from None
        priced_question = question
        if question.price.usd_per_hour is None:
            price = question.price.model_copy(update={"as_of": day})
            priced_question = question.model_copy(update={"price": price})
        priced = find_price(priced_question, own)
        side, answer = _side(question, own, facts, work, priced, efficiency())
        sides.append(side)
        answers.append(answer)
        prices.append(priced)
    changes: list[FactChange] = []
    start, end = instants
    if chip is not None:
        given = question.overrides.keys()
        changes += [change for change in figure_changes(chip, start, end) if change.field not in given]
    if model is not None:
        changes += [_shortened(change) for change in row_changes(model, start, end, MODEL_COLUMNS)]
    if workload is not None:
        changes += row_changes(workload, start, end, WORKLOAD_COLUMNS)
    changes += _price_changes(prices[0], prices[1])
    return Ends(sides[0], sides[1], (answers[0], answers[1]), tuple(changes))


def _side(
    question: Question,
    hardware: Hardware,
    model: ModelFacts,
    workload: CoreWorkload,
    priced: Priced,
    table: EfficiencyTable,
) -> tuple[Side, dict[str, Any]]:
    offer, deployment = core_facts(hardware, question)
    price = priced.price.usd_per_hour if priced.price else None
    side = side_of(model, hardware.sheet, hardware.shape, offer, workload, deployment, table, price)
    refuse_question(side.estimate, question)
    return side, short_answer(side.estimate, model, workload, hardware, priced)


def hardware_at(
    question: Question, hardware: Hardware, timeline: Timeline | None, instant: datetime
) -> Hardware:
    """The hardware with the datasheet of that instant, overrides applied. Raises BeforeHistoryError."""
    if timeline is None:
        return hardware
    plain = replace(hardware, sheet=sheet_at(timeline, instant), overridden={}, notes=[])
    return overridden(plain, question.overrides)


def _model_timeline(question: Question) -> Timeline | None:
    """Of a stored model; the facts of an inline one are the question's. Raises InvalidQuestion."""
    if not isinstance(question.model, str):
        return None
    row = names.find_model(question.model)
    if row is None:
        find_model(question.model)  # raises, with the near matches
        return None
    return model_timeline(row)


def _workload_timeline(question: Question) -> Timeline | None:
    if not isinstance(question.workload, str):
        return None
    row = Workload.objects.filter(slug=question.workload).first()
    if row is None:
        find_workload(question)  # raises, with the near matches
        return None
    return workload_timeline(row)


def _facts_at(timeline: Timeline, instant: datetime) -> ModelFacts:
    try:
        return model_facts(model_at(timeline, instant))
    except (ArchitectureError, InvalidFact, UnknownFormat) as error:
        detail = f"{timeline.slug} as it stood at {instant.isoformat()} cannot be read: {error}"
        raise InvalidQuestion(Fault("/from", "unreadable_model", detail)) from None


def _workload_at(question: Question, timeline: Timeline, instant: datetime) -> CoreWorkload:
    base = workload_facts(workload_at(timeline, instant))
    return workload_with(base, question.workload_overrides, "/workload_overrides")


def _shortened(change: FactChange) -> FactChange:
    """An architecture by the parts of it that differ."""
    if not (isinstance(change.before, dict) and isinstance(change.after, dict)):
        return change
    keys = [
        k for k in change.before.keys() | change.after.keys() if change.before.get(k) != change.after.get(k)
    ]
    return replace(
        change,
        before={key: change.before.get(key) for key in sorted(keys)},
        after={key: change.after.get(key) for key in sorted(keys)},
    )


def _price_changes(before: Priced, after: Priced) -> list[FactChange]:
    """The hourly price, where it is another, with the quote that it is."""
    old, new = (p.price.usd_per_hour if p.price else None for p in (before, after))
    if old == new:
        return []
    quote = after.quote
    source = None
    if quote is not None:
        source = {
            "slug": quote.source,
            "title": f"{quote.provider_name}, {quote.offering}",
            "url": quote.source_url,
        }
    changes = (f"price-quotes-{quote.quote_id}",) if quote is not None else ()
    texts = [None if value is None else f"{value:f}" for value in (old, new)]
    return [FactChange("price", "usd_per_hour", texts[0], texts[1], changes=changes, source=source)]


def attributed_in_time(ends: Ends) -> Attributed | None:
    """Every changed figure as a cause of its own; in groups where too many to weigh in every order."""
    before, after = ends.before, ends.after
    if not (before.runs and after.runs):
        return None
    rest = [*_fact_causes(before, after), *choice_causes(before, after)]
    causes = [*figure_causes(before, after, unit_of, lambda name: name), *rest]
    if len(causes) > MOST_EXACT:
        groups = ("memory_bandwidth", "compute", "links", "capacity")
        causes = [cause for cause in causes_between(before, after, unit_of) if cause.key in groups] + rest
    return attribute(before, after, causes)


def _fact_causes(before: Side, after: Side) -> list[Cause]:
    """Model, workload and identity of the chip, where they changed."""
    found = []
    if before.model != after.model:
        difference = Difference("architecture or formats", before.model.slug, after.model.slug)
        found.append(Cause("model", TITLES["model"], "fact", frozenset({"model"}), differences=(difference,)))
    for key, parts, differences in (
        ("workload", "workload", workload_differences(before, after)),
        ("efficiency", "chip", identity_differences(before, after)),
    ):
        if differences:
            cause = Cause(key, TITLES[key], "fact", frozenset({parts}), differences=tuple(differences))  # type: ignore[arg-type]
            found.append(cause)
    return found


def choice_causes(before: Side, after: Side) -> list[Cause]:
    """The deployment, where the estimator chose another one on the changed facts."""
    differences: Sequence[Difference] = [
        *format_differences(before, after),
        *software_differences(before, after),
        *option_differences(before, after),
        *layout_differences(before, after),
        *load_differences(before, after),
    ]
    if not differences:
        return []
    parts = frozenset({"format", "software", "options", "layout", "load"})
    return [Cause("choice", TITLES["choice"], "choice", parts, differences=tuple(differences))]  # type: ignore[arg-type]


# ---- Two methods -----------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _physics() -> EfficiencyTable:
    return load_efficiency(calibrated=False)


@lru_cache(maxsize=1)
def _multipliers() -> EfficiencyTable:
    table = efficiency()
    if table.calibration is None:
        return table
    return replace(table, calibration=replace(table.calibration, residuals=None, intervals=None), cache={})


def table_of(method: str) -> EfficiencyTable:
    """The efficiency data of one of `METHODS`."""
    return {PHYSICS: _physics, MULTIPLIERS: _multipliers}.get(method, efficiency)()


def ends_by_method(asked: OptionAsked, methods: tuple[str, str]) -> Ends:
    """The question by two of today's methods, on today's facts. Raises InvalidQuestion."""
    question = asked.question
    hardware, model, workload = find_hardware(question), find_model(question.model), find_workload(question)
    priced = find_price(question, hardware)
    sides = [_side(question, hardware, model, workload, priced, table_of(name)) for name in methods]
    (before, first), (after, second) = sides
    return Ends(before, after, (first, second))


def method_causes(before: Side, after: Side) -> list[Cause]:
    difference = Difference("efficiency data", before.table.version, after.table.version)
    method = Cause("method", TITLES["method"], "method", frozenset({"table"}), differences=(difference,))
    return [method, *choice_causes(before, after)]
