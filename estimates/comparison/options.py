"""The options of a comparison: each a what-if or a stored estimate, as the facts and answer of one side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.prices import QuoteUsed
from estimates.asked_hardware import Hardware
from estimates.comparison.book import BulkBook
from estimates.comparison.reading import below
from estimates.comparison.short_answers import short_answer
from estimates.comparison.sides import Side, side_of
from estimates.evaluate import core_facts, refuse_question, whole_answer
from estimates.explanations import deployment_of
from estimates.method import efficiency
from estimates.models import Estimate
from estimates.what_if import (
    DeploymentAsked,
    Fault,
    InvalidQuestion,
    Question,
    read_question,
)

LABEL_LENGTH = 80


@dataclass(frozen=True, slots=True)
class OptionAsked:
    """What an option asks, and what it is called."""

    label: str
    question: Question
    estimate: int | None = None  # the stored row that it is


@dataclass(frozen=True, slots=True)
class Option:
    """An option answered."""

    asked: OptionAsked
    side: Side
    hardware: Hardware
    quote: QuoteUsed | None
    answer: dict[str, Any]


def read_options(given: Sequence[Any], place: str = "/options") -> list[OptionAsked]:
    """Each a question, or `{"estimate": id}`, either with a `label`. Raises InvalidQuestion."""
    rows = _stored(given)
    found: list[OptionAsked] = []
    faults: list[Fault] = []
    for index, data in enumerate(given):
        try:
            found.append(_read(data, rows))
        except InvalidQuestion as error:
            faults += below(error, f"{place}/{index}")
    if faults:
        raise InvalidQuestion(*faults)
    return found


def read_option(data: Any, place: str) -> OptionAsked:
    """One option by itself. Raises InvalidQuestion, its pointers below the place."""
    try:
        return _read(data, _stored([data]))
    except InvalidQuestion as error:
        raise InvalidQuestion(*below(error, place)) from None


def _read(data: Any, rows: Mapping[int, Estimate]) -> OptionAsked:
    if not isinstance(data, Mapping):
        raise InvalidQuestion(Fault("", "not_an_object", "the option is not an object", "an object"))
    label = data.get("label", "")
    if not isinstance(label, str) or len(label) > LABEL_LENGTH:
        accepted = f"a text of at most {LABEL_LENGTH} characters"
        raise InvalidQuestion(Fault("/label", "invalid", "the label is no such text", accepted))
    rest = {name: value for name, value in data.items() if name != "label"}
    if "estimate" not in rest:
        question = read_question(rest)
        return OptionAsked(label or named(question), question)
    key = rest.pop("estimate")
    row = rows.get(key) if _is_key(key) else None
    if row is None:
        detail = f"there is no estimate {str(key)[:40]!r}"
        raise InvalidQuestion(Fault("/estimate", "unknown_estimate", detail, "the id of a stored estimate"))
    if rest.keys() - {"price"}:
        name = sorted(rest.keys() - {"price"})[0]
        detail = f"{name[:60]} is not a field of a stored estimate: its question is what was stored"
        raise InvalidQuestion(Fault(f"/{name}", "extra_forbidden", detail, ["estimate", "price", "label"]))
    question = stored_question(row, rest)
    return OptionAsked(label or named(question), question, row.pk)


def stored_question(row: Estimate, rest: Mapping[str, Any]) -> Question:
    """The question that asks for the very deployment of a stored row."""
    kept = deployment_of(row)
    names = [name for name in DeploymentAsked.model_fields if name != "prefill"]
    given = {name: getattr(kept, name) for name in names if getattr(kept, name, None) is not None}
    return read_question(
        {
            "model": row.language_model.slug,
            "offer": row.offer.slug,
            "workload": row.workload.slug,
            "deployment": given,
            **rest,
        }
    )


def _stored(given: Sequence[Any]) -> dict[int, Estimate]:
    keys = [one["estimate"] for one in given if isinstance(one, Mapping) and _is_key(one.get("estimate"))]
    if not keys:
        return {}
    rows = Estimate.objects.select_related("language_model", "offer", "workload")
    return rows.in_bulk(keys)


def _is_key(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def named(question: Question) -> str:
    """What an option is called where it is given no label: its hardware."""
    if question.offer is not None:
        return question.offer
    chip = question.accelerator
    slug = chip if isinstance(chip, str) else chip.name if chip is not None else "?"
    return f"{slug}-x{question.count}"


def answer_options(asked: Sequence[OptionAsked], *, explained: bool = False) -> list[Option]:
    """Every option answered, facts read once. Raises InvalidQuestion with the faults of each by its place."""
    book = BulkBook([one.question for one in asked])
    found: list[Option] = []
    faults: list[Fault] = []
    for index, one in enumerate(asked):
        try:
            found.append(_answered(one, book, explained))
        except InvalidQuestion as error:
            faults += below(error, f"/options/{index}")
    if faults:
        raise InvalidQuestion(*faults)
    return found


def _answered(asked: OptionAsked, book: BulkBook, explained: bool) -> Option:
    question = asked.question
    hardware, model, workload = (
        book.hardware_of(question),
        book.model_of(question),
        book.workload_of(question),
    )
    offer, deployment = core_facts(hardware, question)
    priced = book.price_of(question, hardware)
    side = side_of(
        model,
        hardware.sheet,
        hardware.shape,
        offer,
        workload,
        deployment,
        efficiency(),
        priced.price.usd_per_hour if priced.price else None,
        explained=explained,
    )
    refuse_question(side.estimate, question)
    if explained:
        answer = whole_answer(side.estimate, model, hardware, workload, question, priced)
    else:
        answer = short_answer(side.estimate, model, workload, hardware, priced)
    return Option(asked, side, hardware, priced.quote, answer)
